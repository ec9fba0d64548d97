//! Key pairs made for the run: the issuer's own, and a stranger's of each kind.

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384,
    RSA_PSS_SHA512, RsaEncoding, RsaKeyPair,
};
use countersign::Algorithm;
use serde_json::{Value, json};

use super::base64url;

pub(crate) static RSA: LazyLock<Signer> = LazyLock::new(|| Signer::rsa("key-rsa"));
pub(crate) static P256: LazyLock<Signer> = LazyLock::new(|| Signer::p256("key-p256"));
pub(crate) static P384: LazyLock<Signer> = LazyLock::new(|| Signer::p384("key-p384"));
pub(crate) static ED25519: LazyLock<Signer> = LazyLock::new(|| Signer::ed25519("key-ed25519"));

/// Keys that nobody trusts.
pub(crate) static STRANGE_RSA: LazyLock<Signer> = LazyLock::new(|| Signer::rsa("evil-rsa"));
pub(crate) static STRANGE_P256: LazyLock<Signer> = LazyLock::new(|| Signer::p256("evil-p256"));
pub(crate) static STRANGE_P384: LazyLock<Signer> = LazyLock::new(|| Signer::p384("evil-p384"));
pub(crate) static STRANGE_ED25519: LazyLock<Signer> = LazyLock::new(|| Signer::ed25519("evil-ed"));

/// The issuer's key of each kind with an algorithm of its own, and a stranger's of the same kind.
pub(crate) fn kinds() -> [(&'static Signer, &'static Signer, Algorithm); 4] {
    [
        (&RSA, &STRANGE_RSA, Algorithm::RS256),
        (&P256, &STRANGE_P256, Algorithm::ES256),
        (&P384, &STRANGE_P384, Algorithm::ES384),
        (&ED25519, &STRANGE_ED25519, Algorithm::Ed25519),
    ]
}

/// A key pair and the `kid` it is known by.
pub(crate) struct Signer {
    pub(crate) kid: &'static str,
    pair: Pair,
}

enum Pair {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair, &'static str),
    Ed25519(Ed25519KeyPair),
}

impl Signer {
    fn rsa(kid: &'static str) -> Self {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let pair = Pair::Rsa(pair);
        Self { kid, pair }
    }

    fn p256(kid: &'static str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let pair = Pair::Ec(pair, "P-256");
        Self { kid, pair }
    }

    fn p384(kid: &'static str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
        let pair = Pair::Ec(pair, "P-384");
        Self { kid, pair }
    }

    fn ed25519(kid: &'static str) -> Self {
        Self::of_ed25519(kid, Ed25519KeyPair::generate().unwrap())
    }

    pub(crate) fn of_ed25519(kid: &'static str, pair: Ed25519KeyPair) -> Self {
        let pair = Pair::Ed25519(pair);
        Self { kid, pair }
    }

    /// Whether its key is one for the algorithm.
    pub(crate) fn fits(&self, algorithm: Algorithm) -> bool {
        let name = algorithm.name();
        match &self.pair {
            Pair::Rsa(_) => name.starts_with('R') || name.starts_with('P'),
            Pair::Ec(_, "P-256") => name == "ES256",
            Pair::Ec(..) => name == "ES384",
            Pair::Ed25519(_) => name.starts_with("Ed"),
        }
    }

    /// The signature as a JWS has it. For an algorithm of another kind of key: the signature of its own.
    pub(crate) fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let random = SystemRandom::new();
                pair.sign(encoding(algorithm), &random, message, &mut signature)
                    .unwrap();
                signature
            }
            Pair::Ec(pair, _) => {
                let signature = pair.sign(&SystemRandom::new(), message).unwrap();
                signature.as_ref().to_vec()
            }
            Pair::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    /// RSA: PKCS #1 in DER; EC: the uncompressed point; Ed25519: the 32 bytes.
    pub(crate) fn public_key(&self) -> &[u8] {
        match &self.pair {
            Pair::Rsa(pair) => pair.public_key().as_ref(),
            Pair::Ec(pair, _) => pair.public_key().as_ref(),
            Pair::Ed25519(pair) => pair.public_key().as_ref(),
        }
    }

    /// The modulus of an RSA key: 256 bytes behind the headers of the sequence and of the first integer.
    pub(crate) fn modulus(&self) -> &[u8] {
        let der = self.public_key();
        assert_eq!(der[4..9], [2, 0x82, 1, 1, 0], "a modulus of 2048 bits");
        &der[9..265]
    }

    /// The public key as a member of a key set, for every algorithm of its kind.
    pub(crate) fn jwk(&self) -> Value {
        let public = self.public_key();
        let mut jwk = match &self.pair {
            Pair::Rsa(_) => json!({"kty": "RSA", "n": base64url(self.modulus()), "e": "AQAB"}),
            Pair::Ec(_, curve) => {
                let (x, y) = public[1..].split_at((public.len() - 1) / 2);
                json!({"kty": "EC", "crv": curve, "x": base64url(x), "y": base64url(y)})
            }
            Pair::Ed25519(_) => json!({"kty": "OKP", "crv": "Ed25519", "x": base64url(public)}),
        };
        jwk["kid"] = json!(self.kid);
        jwk
    }
}

fn encoding(algorithm: Algorithm) -> &'static dyn RsaEncoding {
    match algorithm {
        Algorithm::RS384 => &RSA_PKCS1_SHA384,
        Algorithm::RS512 => &RSA_PKCS1_SHA512,
        Algorithm::PS256 => &RSA_PSS_SHA256,
        Algorithm::PS384 => &RSA_PSS_SHA384,
        Algorithm::PS512 => &RSA_PSS_SHA512,
        _ => &RSA_PKCS1_SHA256,
    }
}
