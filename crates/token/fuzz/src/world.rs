//! The issuer whose tokens are read. Its keys are made anew by each process: no input knows them.

use std::sync::LazyLock;
use std::time::Duration;

use countersign_jwks::{Algorithm, Algorithms, KeySet};
use countersign_testing::TestIssuer;
use countersign_token::{ClaimsProfile, Issuer, TokenType};

pub(super) const ISSUER: &str = "https://as.acme.test";
pub(super) const AUDIENCE: &str = "https://api.acme.test";
pub(super) const CLIENT: &str = "m2m-acme";
pub(super) const NOW: Duration = Duration::from_secs(1_800_000_000);

pub(super) static SIGNER: LazyLock<TestIssuer> =
    LazyLock::new(|| TestIssuer::new(ISSUER).with_algorithm(Algorithm::Ed25519));

/// Its key, and one of each other kind.
pub(super) static KEYS: LazyLock<Vec<KeySet>> = LazyLock::new(|| {
    let others = [Algorithm::ES256, Algorithm::ES384, Algorithm::RS256]
        .map(|algorithm| TestIssuer::new(ISSUER).with_algorithm(algorithm));
    [&*SIGNER]
        .into_iter()
        .chain(&others)
        .map(|issuer| KeySet::parse(&issuer.jwks_json(), all_algorithms()).expect("sound keys"))
        .collect()
});

/// Accepts all that can be accepted at all, so that nothing is refused early.
pub(super) fn lenient(profile: ClaimsProfile) -> Issuer {
    let issuer = Issuer::new(ISSUER, AUDIENCE)
        .with_algorithms(Algorithm::ALL)
        .with_profile(profile)
        .with_token_types([TokenType::Absent, TokenType::Jwt, TokenType::AtJwt]);
    // Some presets are complete with a list of clients only.
    if issuer.problems(false).is_empty() {
        issuer
    } else {
        issuer.with_clients([CLIENT])
    }
}

fn all_algorithms() -> Algorithms {
    Algorithm::ALL.into_iter().collect()
}
