//! What the introspection endpoint says of tokens, and to whom.

use std::sync::Arc;
use std::time::Duration;

use countersign_jwks::Algorithm;
use countersign_testing::{Endpoint, FakeClock, Fault, TestIssuer};
use serde_json::{Value, json};

use crate::AUDIENCE;
use crate::http::send;

const FORM: &str = "content-type: application/x-www-form-urlencoded\r\n";

async fn issuer(clock: &FakeClock) -> TestIssuer {
    TestIssuer::serve()
        .await
        .with_algorithm(Algorithm::ES256)
        .with_clock(Arc::new(clock.clone()))
        .with_client("api", "secret", None, &[])
}

/// The status and the answer.
async fn introspect(issuer: &TestIssuer, token: &str) -> (u16, Value) {
    let form = format!("token={token}&client_id=api&client_secret=secret");
    asked(issuer, &form).await
}

async fn asked(issuer: &TestIssuer, form: &str) -> (u16, Value) {
    let answer = send(issuer.name(), "POST", "/introspect", FORM, form)
        .await
        .unwrap();
    (
        answer.status,
        serde_json::from_slice(&answer.body).unwrap_or_default(),
    )
}

fn inactive() -> (u16, Value) {
    (200, json!({"active": false}))
}

#[tokio::test]
async fn a_token_of_either_form_is_active_until_it_expires_or_is_revoked() {
    let clock = FakeClock::new();
    let issuer = issuer(&clock).await;
    let minting = issuer.service_principal("m2m-acme").with_audience(AUDIENCE);
    let minting = minting.with_lifetime(Duration::from_secs(60));
    for token in [minting.mint_opaque(), minting.mint()] {
        let (status, answer) = introspect(&issuer, &token).await;
        assert_eq!(status, 200);
        for (name, value) in [
            ("active", json!(true)),
            ("iss", json!(issuer.name())),
            ("aud", json!(AUDIENCE)),
            ("sub", json!("m2m-acme")),
            ("client_id", json!("m2m-acme")),
            ("token_type", json!("Bearer")),
        ] {
            assert_eq!(answer[name], value, "{name}");
        }
        issuer.revoke(&token);
        assert_eq!(introspect(&issuer, &token).await, inactive());
    }
    let (one, other) = (minting.mint_opaque(), minting.mint_opaque());
    assert_ne!(one, other);
    clock.advance(Duration::from_secs(59)).await;
    assert_eq!(introspect(&issuer, &one).await.1["active"], true);
    clock.advance(Duration::from_secs(1)).await;
    assert_eq!(introspect(&issuer, &one).await, inactive());
}

#[tokio::test]
async fn a_token_of_nobody_or_of_somebody_else_is_inactive() {
    let issuer = issuer(&FakeClock::new()).await;
    let stranger = TestIssuer::new(issuer.name()).with_algorithm(Algorithm::ES256);
    let minting = issuer.service_principal("m2m-acme");
    for token in [
        "made-up".to_owned(),
        "a.b.c".to_owned(),
        minting.clone().tampered().mint(),
        minting.clone().unsigned().mint(),
        minting.signed_by(&stranger).mint(),
        stranger.service_principal("m2m-acme").mint_opaque(),
    ] {
        assert_eq!(introspect(&issuer, &token).await, inactive(), "{token}");
    }
}

#[tokio::test]
async fn only_a_client_that_proves_itself_is_answered() {
    let issuer = issuer(&FakeClock::new()).await;
    let token = issuer.service_principal("m2m-acme").mint_opaque();
    for (form, status, error) in [
        (format!("token={token}"), 401, "invalid_client"),
        (
            format!("token={token}&client_id=api&client_secret=x"),
            401,
            "invalid_client",
        ),
        (
            "client_id=api&client_secret=secret".to_owned(),
            400,
            "invalid_request",
        ),
        (
            "token=a&token=b&client_id=api&client_secret=secret".to_owned(),
            400,
            "invalid_request",
        ),
    ] {
        assert_eq!(
            asked(&issuer, &form).await,
            (status, json!({"error": error})),
            "{form}"
        );
    }
    issuer.set_fault_at(Endpoint::Introspection, Some(Fault::Status(500)));
    assert_eq!(introspect(&issuer, &token).await.0, 500);
    assert_eq!(issuer.fetches().introspections, 5);
}
