//! What a list of withdrawn tokens says holds for tokens seen before as for new ones.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::get;
use countersign_bearer::{DenialKind, Principal, Revocations, Validity};
use countersign_testing::TestIssuer;
use countersign_token::{Claims, Refusal};

use crate::support::{ISSUER, machine, request, send, trusting_with};

/// Says of every token what it was told to.
#[derive(Debug)]
struct Told(Mutex<Validity>);

impl Told {
    fn say(&self, validity: Validity) {
        *self.0.lock().unwrap() = validity;
    }
}

impl Revocations for Told {
    fn check(&self, claims: &Claims) -> Validity {
        assert_eq!(claims.client(), Some("m2m-acme"));
        *self.0.lock().unwrap()
    }
}

#[tokio::test]
async fn a_token_passes_exactly_as_long_as_it_is_not_revoked_seen_before_or_not() {
    let issuer = TestIssuer::new(ISSUER);
    let told = Arc::new(Told(Mutex::new(Validity::Valid)));
    let list = Arc::clone(&told);
    let authenticator = trusting_with(&issuer, |one| one.with_revocations(list)).await;
    let app = Router::new()
        .route("/", get(async |_: Principal| ()))
        .layer(authenticator.layer());
    let seen_before = machine(&issuer).mint();
    authenticator.verify(&seen_before).await.unwrap();
    for (validity, status, kind) in [
        (
            Validity::Revoked,
            401,
            Some(DenialKind::InvalidToken(Refusal::Revoked)),
        ),
        (Validity::Valid, 200, None),
        (
            Validity::Unknown,
            503,
            Some(DenialKind::RevocationsUnavailable),
        ),
        (Validity::Valid, 200, None),
    ] {
        told.say(validity);
        for token in [&seen_before, &machine(&issuer).mint()] {
            let denied = authenticator.verify(token).await.err();
            assert_eq!(denied.map(|denied| denied.kind()), kind, "{validity:?}");
            let answer = send(&app, request(Some(token))).await;
            assert_eq!(answer.status, status, "{validity:?}");
        }
    }
}
