//! What users of the crate rely on, each through the public API and the real authenticator.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests are tests, too, which the lint does not see"
)]

mod clock;
mod faults;
mod http;
mod introspection_endpoint;
mod minting;
mod principals;
mod rotation;
mod serving;
mod token_endpoint;

use countersign_bearer::{Authenticator, DenialKind, Principal};
use countersign_testing::TestIssuer;
use countersign_token::{Issuer, Refusal};

const AUDIENCE: &str = "https://api.acme.test";

async fn trusting(issuer: Issuer) -> Authenticator {
    Authenticator::builder()
        .issuer(issuer)
        .build()
        .await
        .unwrap()
}

/// A token that is right in every respect.
fn good_token(issuer: &TestIssuer) -> String {
    issuer
        .service_principal("m2m-acme")
        .with_audience(AUDIENCE)
        .mint()
}

async fn accept(authenticator: &Authenticator, token: &str) -> Principal {
    authenticator.verify(token).await.unwrap()
}

async fn refuse(authenticator: &Authenticator, token: &str) -> DenialKind {
    authenticator.verify(token).await.unwrap_err().kind()
}

fn invalid(refusal: Refusal) -> DenialKind {
    DenialKind::InvalidToken(refusal)
}

/// Lets other tasks run until the condition holds.
async fn until(condition: impl Fn() -> bool) {
    for _ in 0..1_000_000 {
        if condition() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("it does not come true");
}
