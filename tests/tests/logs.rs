//! What the logs say of a request: who called, why it was denied, what the program got wrong; and no token.

#[path = "support/log.rs"]
mod log;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use countersign::{
    Authenticator, CrossTenant, CustomClaims, DenialKind, Directory, MemoryReplayStore,
    Microservices, Organization, OrganizationDirectory, OrganizationId, OrganizationRecord,
    ProofId, ReplayStore, Scoped, Start, Tenant, scopes,
};
use countersign_testing::{FakeClock, TestIssuer};
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

/// A directory of organizations that fails, or does not.
struct Flaky(Arc<AtomicBool>);

impl OrganizationDirectory for Flaky {
    type Record = ();
    type Error = std::io::Error;

    async fn find(
        &self,
        _: &str,
        _: &OrganizationId,
    ) -> Result<Option<OrganizationRecord<()>>, std::io::Error> {
        if self.0.load(Ordering::Relaxed) {
            Ok(Some(OrganizationRecord::new(())))
        } else {
            Err(std::io::Error::other("no route to the database"))
        }
    }
}

#[tokio::test]
async fn a_directory_that_fails_is_a_line_when_it_begins_and_one_when_it_is_over() {
    let (log, _guard) = Log::listen();
    let issuer = TestIssuer::new("https://as.acme.test");
    let authenticator = Authenticator::builder().issuer(issuer.trusted_for(API));
    let authenticator = authenticator.build().await.expect("an authenticator");
    let answers = Arc::new(AtomicBool::new(false));
    let directory: Directory<()> = Directory::new(Flaky(answers.clone()));
    let app = Router::new()
        .route("/invoices", get(async |_: Organization<()>| {}))
        .layer(authenticator.layer())
        .with_state(directory);
    let told = |level: &str| {
        let log = log.take();
        let lines = log
            .lines()
            .filter(|line| line.contains("directory of organizations"));
        lines
            .filter(|line| line.contains(level))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let mut organization = 0;
    for (is_there, status, level, text) in [
        (false, 503, "WARN", "no route to the database"),
        (true, 200, "INFO", "answers again"),
    ] {
        answers.store(is_there, Ordering::Relaxed);
        for _ in 0..50 {
            // Each is another, so that each has the directory asked.
            organization += 1;
            let token = issuer.service_principal("m2m-acme").with_audience(API);
            let token = token
                .with_organization(&format!("org_{organization}"))
                .mint();
            assert_eq!(call(app.clone(), &token).await, status);
        }
        let lines = told(&format!(" {level} "));
        assert_eq!(lines.len(), 1, "{lines:#?}");
        assert!(lines[0].contains(text), "{lines:#?}");
    }
}

#[tokio::test]
async fn a_caller_whose_custom_claims_do_not_fit_fills_no_log() {
    let (log, _guard) = Log::listen();
    let issuer = TestIssuer::new("https://as.acme.test");
    let authenticator = Authenticator::builder().issuer(issuer.trusted_for(API));
    let authenticator = authenticator.build().await.expect("an authenticator");
    let app = Router::new()
        .route("/invoices", get(async |_: CustomClaims<bool>| {}))
        .layer(authenticator.layer());
    let token = issuer.service_principal("m2m-acme").with_audience(API);
    let token = token.with_organization("org_acme").mint();
    for _ in 0..50 {
        assert_eq!(call(app.clone(), &token).await, 401);
    }
    let log = log.take();
    let warnings: Vec<_> = log.lines().filter(|line| line.contains(" WARN ")).collect();
    assert_eq!(warnings.len(), 1, "{warnings:#?}");
    assert!(
        warnings[0].contains("custom claims do not fit"),
        "{warnings:#?}"
    );
    assert!(warnings[0].contains("bool"), "{warnings:#?}");
}

#[tokio::test]
async fn a_store_of_proofs_that_is_full_is_a_line_and_one_when_it_has_room_again() {
    let (log, _guard) = Log::listen();
    let clock = FakeClock::new();
    let store = MemoryReplayStore::with_clock(20, Arc::new(clock.clone()));
    let present = |key: u8, proofs: std::ops::Range<u32>| {
        for proof in proofs {
            let proof = ProofId::new([key; 32], &proof.to_string());
            let _ = store.remember(proof, Duration::from_secs(65));
        }
        let log = log.take();
        log.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let own = present(1, 0..100);
    assert_eq!(own.len(), 1, "{own:#?}");
    assert!(
        own[0].contains("WARN") && own[0].contains("as one key may"),
        "{own:#?}"
    );
    for key in [2, 3, 4] {
        assert_eq!(present(key, 0..5), [""; 0]);
    }
    let full = present(5, 0..100);
    assert_eq!(full.len(), 1, "{full:#?}");
    assert!(
        full[0].contains("WARN") && full[0].contains("is full"),
        "{full:#?}"
    );
    assert_eq!(present(6, 0..100), [""; 0]);
    clock.advance(Duration::from_secs(66)).await;
    let over = present(7, 0..5);
    assert_eq!(over.len(), 1, "{over:#?}");
    assert!(
        over[0].contains("INFO") && over[0].contains("room again"),
        "{over:#?}"
    );
}

#[tokio::test]
async fn a_forgotten_layer_is_logged_as_an_error_that_says_what_to_do() {
    let (log, _guard) = Log::listen();
    let app = Router::new().route("/invoices", get(list));
    for _ in 0..50 {
        assert_eq!(call(app.clone(), "abc").await, 500);
    }
    let log = log.take();
    let what_to_do = ".layer(authenticator.layer())";
    let errors: Vec<_> = log.lines().filter(|line| line.contains("ERROR")).collect();
    assert_eq!(
        errors.len(),
        1,
        "whoever calls does not fill the log: {log}"
    );
    assert!(errors[0].contains(what_to_do), "{log}");
    let others = log.lines().filter(|line| line.contains("DEBUG"));
    assert!(others.filter(|line| line.contains(what_to_do)).count() >= 49);
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
