use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use countersign_jwks::Algorithm;

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";

/// A key that this resource proves itself with to an authorization server. It is never printed.
pub struct PrivateKey {
    algorithm: Algorithm,
    key_id: Option<String>,
    pair: Pair,
}

enum Pair {
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
    Ec(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl PrivateKey {
    /// A key in PKCS#8, unencrypted, as PEM: what `openssl genpkey` writes. Algorithms: RS256 and PS256 (2,048 to
    /// 8,192 bits), ES256, `EdDSA` or Ed25519, which are two names for the same.
    pub fn from_pem(algorithm: Algorithm, pem: &str) -> Result<Self, PrivateKeyError> {
        let der = der(pem).ok_or(PrivateKeyError::Pem)?;
        let rsa = |encoding| RsaKeyPair::from_pkcs8(&der).map(|pair| Pair::Rsa(pair, encoding));
        let pair = match algorithm {
            Algorithm::RS256 => rsa(&RSA_PKCS1_SHA256),
            Algorithm::PS256 => rsa(&RSA_PSS_SHA256),
            Algorithm::ES256 => {
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der).map(Pair::Ec)
            }
            Algorithm::EdDSA | Algorithm::Ed25519 => {
                Ed25519KeyPair::from_pkcs8(&der).map(Pair::Ed25519)
            }
            _ => return Err(PrivateKeyError::Algorithm),
        };
        Ok(Self {
            algorithm,
            key_id: None,
            pair: pair.map_err(|_| PrivateKeyError::Key)?,
        })
    }

    /// Names the key to the server, which has the public half under this `kid`. Default: no name.
    #[must_use]
    pub fn with_key_id(mut self, key_id: impl Into<String>) -> Self {
        self.key_id = Some(key_id.into());
        self
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub(crate) fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// The signature in the form that a JWS has (RFC 7518 §3, RFC 8037 §3.1). `None` if the system has no random
    /// bytes.
    pub(crate) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &random, message, &mut signature)
                    .ok()?;
                Some(signature)
            }
            Pair::Ec(pair) => Some(pair.sign(&random, message).ok()?.as_ref().to_vec()),
            Pair::Ed25519(pair) => Some(pair.sign(message).as_ref().to_vec()),
        }
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey")
            .field("algorithm", &self.algorithm)
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

/// Why a text is no usable private key. It holds nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrivateKeyError {
    /// The algorithm is none that assertions are signed with here.
    #[error("assertions are signed with RS256, PS256, ES256, EdDSA or Ed25519 only")]
    Algorithm,
    /// Not exactly one block `PRIVATE KEY` of PEM.
    #[error("not one PEM block of the type PRIVATE KEY (PKCS#8, unencrypted)")]
    Pem,
    /// Not a key of the algorithm, or one of a size that is not taken.
    #[error("not a PKCS#8 key for the algorithm")]
    Key,
}

/// The content of the one block ([RFC 7468](https://www.rfc-editor.org/rfc/rfc7468)); what stands around it is
/// explanation.
fn der(pem: &str) -> Option<Vec<u8>> {
    let (_, behind) = pem.split_once(BEGIN)?;
    let (content, behind) = behind.split_once(END)?;
    if behind.contains("-----BEGIN") {
        return None;
    }
    let is_content = |one: &char| !one.is_ascii_whitespace();
    let content: String = content.chars().filter(is_content).collect();
    STANDARD.decode(content).ok()
}
