use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384,
    RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_jwks::Algorithm;
use serde_json::{Value, json};

/// A key pair for one algorithm, and its name in the key set.
pub(crate) struct SigningKey {
    algorithm: Algorithm,
    kid: String,
    pair: Pair,
}

enum Pair {
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
    Ec(EcdsaKeyPair, &'static str),
    Ed25519(Ed25519KeyPair),
}

impl SigningKey {
    /// A new key. An RSA key takes some 50 ms.
    pub(crate) fn generate(algorithm: Algorithm) -> Self {
        let pair = match algorithm {
            Algorithm::RS256 => Pair::rsa(&RSA_PKCS1_SHA256),
            Algorithm::RS384 => Pair::rsa(&RSA_PKCS1_SHA384),
            Algorithm::RS512 => Pair::rsa(&RSA_PKCS1_SHA512),
            Algorithm::PS256 => Pair::rsa(&RSA_PSS_SHA256),
            Algorithm::PS384 => Pair::rsa(&RSA_PSS_SHA384),
            Algorithm::PS512 => Pair::rsa(&RSA_PSS_SHA512),
            Algorithm::ES256 => Pair::ec(&ECDSA_P256_SHA256_FIXED_SIGNING, "P-256"),
            Algorithm::ES384 => Pair::ec(&ECDSA_P384_SHA384_FIXED_SIGNING, "P-384"),
            Algorithm::EdDSA | Algorithm::Ed25519 => {
                Pair::Ed25519(Ed25519KeyPair::generate().expect("the system gives random bytes"))
            }
            other => panic!("this crate has no keys for {other} yet"),
        };
        let name = digest(&SHA256, pair.public_key());
        Self {
            algorithm,
            kid: format!(
                "{}-{}",
                algorithm.name().to_lowercase(),
                base64url(&name.as_ref()[..9])
            ),
            pair,
        }
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub(crate) fn kid(&self) -> &str {
        &self.kid
    }

    /// The signature in the form that a JWS has (RFC 7518 §3, RFC 8037 §3.1).
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.pair {
            Pair::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &SystemRandom::new(), message, &mut signature)
                    .expect("a key of 2048 bits has room for every digest");
                signature
            }
            Pair::Ec(pair, _) => pair
                .sign(&SystemRandom::new(), message)
                .expect("the system gives random bytes")
                .as_ref()
                .to_vec(),
            Pair::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    /// The public half as a member of a key set (RFC 7517 §4).
    pub(crate) fn jwk(&self) -> Value {
        let mut jwk = self.pair.jwk();
        jwk["kid"] = json!(self.kid);
        jwk["alg"] = json!(self.algorithm.name());
        jwk["use"] = json!("sig");
        jwk
    }
}

impl Pair {
    fn rsa(encoding: &'static dyn RsaEncoding) -> Self {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("the system gives random bytes");
        Self::Rsa(pair, encoding)
    }

    fn ec(algorithm: &'static EcdsaSigningAlgorithm, curve: &'static str) -> Self {
        let pair = EcdsaKeyPair::generate(algorithm).expect("the system gives random bytes");
        Self::Ec(pair, curve)
    }

    fn public_key(&self) -> &[u8] {
        match self {
            Self::Rsa(pair, _) => pair.public_key().as_ref(),
            Self::Ec(pair, _) => pair.public_key().as_ref(),
            Self::Ed25519(pair) => pair.public_key().as_ref(),
        }
    }

    fn jwk(&self) -> Value {
        let public_key = self.public_key();
        match self {
            Self::Rsa(..) => {
                let (modulus, exponent) = rsa_components(public_key);
                json!({"kty": "RSA", "n": base64url(modulus), "e": base64url(exponent)})
            }
            Self::Ec(_, curve) => {
                // An uncompressed point: 4, x, y (SEC 1 §2.3.3).
                let coordinates = &public_key[1..];
                let (x, y) = coordinates.split_at(coordinates.len() / 2);
                json!({"kty": "EC", "crv": curve, "x": base64url(x), "y": base64url(y)})
            }
            Self::Ed25519(_) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": base64url(public_key)})
            }
        }
    }
}

pub(crate) fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Modulus and exponent of an `RSAPublicKey` in DER (RFC 8017 §A.1.1), without leading zeros.
fn rsa_components(der: &[u8]) -> (&[u8], &[u8]) {
    let (sequence, _) = der_content(der);
    let (modulus, rest) = der_content(sequence);
    let (exponent, _) = der_content(rest);
    (without_sign(modulus), without_sign(exponent))
}

/// The content of the first element, and what stands behind the element.
fn der_content(der: &[u8]) -> (&[u8], &[u8]) {
    let (header, length) = match usize::from(der[1]) {
        short @ 0..0x80 => (2, short),
        long => {
            let bytes = &der[2..2 + (long & 0x7f)];
            let length = bytes
                .iter()
                .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
            (2 + bytes.len(), length)
        }
    };
    der[header..].split_at(length)
}

/// A positive INTEGER whose highest bit is set has a zero byte in front.
fn without_sign(integer: &[u8]) -> &[u8] {
    integer.strip_prefix(&[0]).unwrap_or(integer)
}
