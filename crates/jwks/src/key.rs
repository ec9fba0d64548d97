use std::fmt;

use aws_lc_rs::error::KeyRejected;
use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters,
};

use crate::algorithm::{Algorithm, Algorithms, KeyKind};
use crate::jwk::{self, SkipReason};

/// One public key of an issuer, parsed once and ready to verify.
///
/// Its identity is its allocation: as long as the issuer publishes the same key, each refresh hands on the same
/// `Arc<Key>`, and a [`TrustedKey`](crate::TrustedKey) is about that and no other.
pub struct Key {
    kid: Option<Box<str>>,
    material: Material,
    algorithms: Algorithms,
    verifiers: Box<[(Algorithm, ParsedPublicKey)]>,
}

impl Key {
    /// Prepares a verifier for each of `algorithms`, all of which must be of the material's kind.
    pub(crate) fn new(
        kid: Option<Box<str>>,
        material: Material,
        algorithms: Algorithms,
    ) -> Result<Self, KeyRejected> {
        let verifiers = algorithms
            .iter()
            .map(|algorithm| Ok((algorithm, material.verifier(algorithm)?)))
            .collect::<Result<_, KeyRejected>>()?;
        Ok(Self {
            kid,
            material,
            algorithms,
            verifiers,
        })
    }

    /// One public key in JSON, for what carries its own key, such as a proof of possession. That it parses says
    /// nothing about whose it is.
    pub fn parse(jwk: &str, allowed: Algorithms) -> Result<Self, SkipReason> {
        jwk::parse(jwk, allowed).map_err(|(_, reason)| reason)
    }

    /// The `kid` it was published under ([RFC 7517 §4.5]), if any.
    ///
    /// [RFC 7517 §4.5]: https://www.rfc-editor.org/rfc/rfc7517#section-4.5
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The algorithms it may verify: those of its type, narrowed by its own `alg` and by those the issuer is
    /// allowed.
    pub fn algorithms(&self) -> Algorithms {
        self.algorithms
    }

    /// Whether `signature` is this key's signature of exactly `message`.
    ///
    /// ECDSA signatures are the fixed-length `r || s` of [RFC 7518 §3.4]. An algorithm that is not among
    /// [`algorithms`](Self::algorithms) is a [`BadSignature`], whatever the signature.
    ///
    /// [RFC 7518 §3.4]: https://www.rfc-editor.org/rfc/rfc7518#section-3.4
    pub fn verify(
        &self,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), BadSignature> {
        self.verifiers
            .iter()
            .find(|(candidate, _)| *candidate == algorithm)
            .ok_or(BadSignature)?
            .1
            .verify_sig(message, signature)
            .map_err(|_| BadSignature)
    }

    pub(crate) fn material(&self) -> &Material {
        &self.material
    }

    /// Equal in everything that a decision depends on.
    pub(crate) fn same(&self, other: &Self) -> bool {
        self.kid == other.kid
            && self.algorithms == other.algorithms
            && self.material == other.material
    }

    /// The same key for those of its algorithms that are in `allowed`; `None` if none is left.
    pub(crate) fn restricted(&self, allowed: Algorithms) -> Option<Self> {
        let algorithms = self.algorithms.intersection(allowed);
        if algorithms.is_empty() {
            return None;
        }
        Self::new(self.kid.clone(), self.material.clone(), algorithms).ok()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("kid", &self.kid)
            .field("algorithms", &self.algorithms)
            .finish_non_exhaustive()
    }
}

/// The signature is not this key's over this message under this algorithm. No more is known, nor should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct BadSignature;

/// The numbers that make a public key, in one canonical form, so that equal keys compare equal.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Material {
    /// Big-endian, without leading zeros.
    Rsa { n: Vec<u8>, e: Vec<u8> },
    /// The uncompressed point, `04 || x || y`.
    P256(Vec<u8>),
    /// The uncompressed point, `04 || x || y`.
    P384(Vec<u8>),
    /// The encoded point of RFC 8032 §5.1.2.
    Ed25519([u8; 32]),
}

impl Material {
    /// The `kty` it was published under.
    pub(crate) const fn kty(&self) -> &'static str {
        match self {
            Self::Rsa { .. } => "RSA",
            Self::P256(_) | Self::P384(_) => "EC",
            Self::Ed25519(_) => "OKP",
        }
    }

    const fn kind(&self) -> KeyKind {
        match self {
            Self::Rsa { .. } => KeyKind::Rsa,
            Self::P256(_) => KeyKind::P256,
            Self::P384(_) => KeyKind::P384,
            Self::Ed25519(_) => KeyKind::Ed25519,
        }
    }

    fn verifier(&self, algorithm: Algorithm) -> Result<ParsedPublicKey, KeyRejected> {
        debug_assert_eq!(self.kind(), algorithm.key_kind());
        match self {
            Self::Rsa { n, e } => {
                PublicKeyComponents { n, e }.to_parsed_public_key(rsa_parameters(algorithm))
            }
            Self::P256(point) => ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point),
            Self::P384(point) => ParsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point),
            Self::Ed25519(point) => ParsedPublicKey::new(&ED25519, point),
        }
    }
}

const fn rsa_parameters(algorithm: Algorithm) -> &'static RsaParameters {
    match algorithm {
        Algorithm::RS384 => &RSA_PKCS1_2048_8192_SHA384,
        Algorithm::RS512 => &RSA_PKCS1_2048_8192_SHA512,
        Algorithm::PS256 => &RSA_PSS_2048_8192_SHA256,
        Algorithm::PS384 => &RSA_PSS_2048_8192_SHA384,
        Algorithm::PS512 => &RSA_PSS_2048_8192_SHA512,
        _ => &RSA_PKCS1_2048_8192_SHA256,
    }
}
