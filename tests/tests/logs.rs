//! What the logs say of a request: who called, why it was denied, what the program got wrong; and no token.

#[path = "support/log.rs"]
mod log;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use countersign::{
    Authenticator, CrossTenant, DenialKind, Microservices, Scoped, Start, Tenant, scopes,
};
use countersign_testing::TestIssuer;
use tower::ServiceExt;

use log::Log;

const API: &str = "https://api.acme.test";

scopes! {
    ReadInvoices = "invoices:read";
}

async fn list(_: Scoped<ReadInvoices>, _: Tenant) {
    tracing::info!("a handler's own event");
}

async fn app(issuer: &TestIssuer) -> Result<Router, countersign::BuildError> {
    let authenticator = Authenticator::builder()
        .issuer(issuer.trusted_for(API))
        .build()
        .await?;
    Ok(Router::new()
        .route("/invoices", get(list))
        .layer(authenticator.layer()))
}

async fn call(app: Router, token: &str) -> u16 {
    let request = Request::get("/invoices").header("authorization", format!("Bearer {token}"));
    let request = request.body(Body::empty()).expect("a request");
    let response = app.oneshot(request).await.expect("a router does not fail");
    response.status().as_u16()
}

#[tokio::test]
async fn a_handlers_own_events_say_who_called_for_whom() {
    let (log, _guard) = Log::listen();
    let issuer = TestIssuer::new("https://as.acme.test");
    let token = issuer
        .service_principal("m2m-acme")
        .with_audience(API)
        .with_organization("org_acme")
        .with_scopes(["invoices:read"])
        .mint();
    let status = call(app(&issuer).await.expect("an authenticator"), &token).await;
    assert_eq!(status, 200);
    let log = log.take();
    let event = log
        .lines()
        .find(|line| line.contains("a handler's own event"));
    let event = event.expect("the handler's event");
    for field in [
        r#"kind="service_principal""#,
        r#"client="m2m-acme""#,
        r#"organization="org_acme""#,
    ] {
        assert!(event.contains(field), "{field} in {event}");
    }
}

#[tokio::test]
async fn a_denial_is_logged_with_its_reason_and_without_the_token() {
    let (log, _guard) = Log::listen();
    let issuer = TestIssuer::new("https://as.acme.test");
    let token = issuer.service_principal("m2m-acme").with_audience(API);
    let app = app(&issuer).await.expect("an authenticator");
    let cases = [
        (token.clone().mint(), "insufficient_scope"),
        (token.clone().expired().mint(), "expired"),
        (token.clone().tampered().mint(), "bad_signature"),
        (
            token.with_audience("https://other.test").mint(),
            "wrong_audience",
        ),
        ("a b".into(), "malformed_credential"),
    ];
    let mut all = String::new();
    for (token, reason) in &cases {
        call(app.clone(), token).await;
        let log = log.take();
        assert!(
            log.contains(&format!("reason={reason:?}")),
            "{reason}: {log}"
        );
        all += &log;
    }
    for (token, _) in cases.iter().filter(|(token, _)| token.contains('.')) {
        for part in token.split('.') {
            assert!(!all.contains(part), "a part of a token in the log");
        }
    }
}

#[tokio::test]
async fn whoever_acts_for_another_tenant_is_logged_with_the_tenant() {
    let (log, _guard) = Log::listen();
    let issuer = TestIssuer::new("https://as.acme.test");
    let trusted = issuer
        .trusted_for(API)
        .with_microservices(Microservices::clients(["billing"]));
    let authenticator = Authenticator::builder().issuer(trusted).build().await;
    let app = Router::new()
        .route(
            "/orgs/{org_id}",
            get(async |acting: CrossTenant<ReadInvoices>| acting.tenant().id().to_string()),
        )
        .layer(authenticator.expect("an authenticator").layer());
    let token = issuer.microservice("billing").with_audience(API);
    let token = token.with_scopes(["invoices:read"]).mint();
    let request =
        Request::get("/orgs/org_%0Aacme").header("authorization", format!("Bearer {token}"));
    let request = request.body(Body::empty()).expect("a request");
    let response = app.oneshot(request).await.expect("a router does not fail");
    assert_eq!(response.status(), 200);
    let log = log.take();
    let event = log
        .lines()
        .find(|line| line.contains("acting across tenants"));
    let event = event.expect("the event");
    // What the caller sent stands quoted, so that it cannot forge a line.
    for field in [r#"client="billing""#, r#"organization="org_\nacme""#] {
        assert!(event.contains(field), "{field} in {event}");
    }
}

#[tokio::test]
async fn a_forgotten_layer_is_logged_as_an_error_that_says_what_to_do() {
    let (log, _guard) = Log::listen();
    let app = Router::new().route("/invoices", get(list));
    assert_eq!(call(app, "abc").await, 500);
    let log = log.take();
    let error = log.lines().find(|line| line.contains("ERROR"));
    let error = error.expect("an error");
    assert!(error.contains(".layer(authenticator.layer())"), "{error}");
}

#[tokio::test]
async fn a_set_without_a_usable_key_is_logged_with_the_reason_for_each() {
    let (log, _guard) = Log::listen();
    let issuer = TestIssuer::serve().await;
    issuer.publish(r#"{"keys": [{"kty": "oct", "k": "c2VjcmV0"}, {"kty": "PQC"}]}"#);
    let trusted = issuer.trusted_for(API).with_start(Start::Degraded);
    let authenticator = Authenticator::builder().issuer(trusted).build().await;
    // Whoever needs a key waits for the answer.
    let authenticator = authenticator.expect("a degraded start");
    let token = issuer.service_principal("m2m-acme").with_audience(API);
    let denied = authenticator.verify(&token.mint()).await;
    let denied = denied.expect_err("there is no key");
    assert_eq!(denied.kind(), DenialKind::KeysUnavailable);
    let log = log.take();
    let skipped: Vec<_> = log
        .lines()
        .filter(|line| line.contains("key skipped"))
        .collect();
    assert!(skipped.len() >= 2, "{log}");
    for (line, reason) in skipped.iter().zip(["symmetric", "key_type"]) {
        assert!(line.contains(reason), "{reason}: {line}");
    }
    assert!(!log.contains("c2VjcmV0"), "a key in the log");
}
