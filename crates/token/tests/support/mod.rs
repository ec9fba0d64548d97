//! An issuer with its keys, and one token's way through every check.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_jwks::{Algorithm, Algorithms, KeySet, Selection};
use countersign_testing::{FakeClock, TestIssuer, TokenBuilder};
use countersign_token::{Claims, CompactToken, Issuer, Refusal, UnverifiedToken};

pub(crate) const ISSUER: &str = "https://as.acme.test";
pub(crate) const AUDIENCE: &str = "https://api.acme.test";

/// When tokens are minted and verified unless it is said: where a `FakeClock` starts.
pub(crate) const NOW: u64 = 1_800_000_000;

/// An issuer that signs with Ed25519, and the keys it has.
pub(crate) struct World {
    pub(crate) server: TestIssuer,
    pub(crate) keys: KeySet,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::named(ISSUER)
    }

    pub(crate) fn named(issuer: &str) -> Self {
        Self::signing(issuer, Algorithm::Ed25519)
    }

    pub(crate) fn signing(issuer: &str, algorithm: Algorithm) -> Self {
        let server = TestIssuer::new(issuer)
            .with_algorithm(algorithm)
            .with_clock(Arc::new(FakeClock::new()));
        let keys = key_set(&server.jwks_json());
        Self { server, keys }
    }

    /// This issuer as one to trust, for RFC 9068 tokens.
    pub(crate) fn trusted(&self) -> Issuer {
        self.server.trusted_for(AUDIENCE)
    }

    /// A machine's token that passes every check of [`trusted`](Self::trusted).
    pub(crate) fn token(&self) -> TokenBuilder {
        self.server
            .service_principal("m2m-acme")
            .with_audience(AUDIENCE)
    }

    /// What becomes of a token at [`trusted`](Self::trusted).
    pub(crate) fn decide(&self, token: &str) -> Result<(), Refusal> {
        self.decide_by(&self.trusted(), token)
    }

    pub(crate) fn decide_by(&self, trusted: &Issuer, token: &str) -> Result<(), Refusal> {
        self.claims_by(trusted, token).map(|_| ())
    }

    pub(crate) fn claims_by(&self, trusted: &Issuer, token: &str) -> Result<Claims, Refusal> {
        verify(token, trusted, &self.keys, seconds(NOW))
    }
}

/// Every check in its order, as the authenticator makes them.
pub(crate) fn verify(
    token: &str,
    trusted: &Issuer,
    keys: &KeySet,
    now: Duration,
) -> Result<Claims, Refusal> {
    let compact = CompactToken::decode(token)?;
    let checked = trusted.check(UnverifiedToken::read(&compact)?, now)?;
    let key = match keys.select(checked.key_id(), checked.algorithm()) {
        Selection::Found(key) => key.clone(),
        Selection::Unfit => return Err(Refusal::KeyMismatch),
        _ => return Err(Refusal::UnknownKey),
    };
    checked.verify(&key)?.claims()
}

/// The checks that need neither a key nor cryptography.
pub(crate) fn check_cheaply(token: &str, trusted: &Issuer) -> Result<(), Refusal> {
    let compact = CompactToken::decode(token)?;
    trusted.check(UnverifiedToken::read(&compact)?, seconds(NOW))?;
    Ok(())
}

pub(crate) fn key_set(json: &[u8]) -> KeySet {
    let all: Algorithms = Algorithm::ALL.into_iter().collect();
    KeySet::parse(json, all).unwrap()
}

pub(crate) const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn decoded(segment: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(segment).unwrap()
}

pub(crate) fn segments(token: &str) -> [&str; 3] {
    let segments: Vec<_> = token.split('.').collect();
    segments.try_into().unwrap()
}
