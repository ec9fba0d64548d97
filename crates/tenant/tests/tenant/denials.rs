//! What whoever names another tenant learns: nothing.

use axum::Router;
use axum::routing::get;
use countersign_bearer::DenialKind;
use http::{HeaderName, HeaderValue, Request, StatusCode};

use crate::support::{App, denial, whose};

fn routes() -> Router {
    Router::new()
        .route("/whose", get(whose))
        .route("/o/{org_id}", get(whose))
}

/// The answer is compared as a whole: status, every header, body.
#[tokio::test]
async fn tenants_that_exist_and_tenants_that_do_not_are_answered_alike_however_they_are_named() {
    let app = App::with(routes(), |builder| {
        builder
            .with_resource("https://api.acme.test")
            .with_host_suffix(".api.acme.test")
            .with_header(HeaderName::from_static("x-tenant"))
    });
    let app = app.await;
    // They exist as far as this service can know: it has served them.
    for existing in ["org-acme", "org-other"] {
        let answer = app.get_as(existing, &format!("/o/{existing}")).await;
        assert!(answer.is_of(existing), "{answer:?}");
    }
    for name in ["org-other", "nobody", "%FF"] {
        let requests = [
            Request::get(format!("/o/{name}")),
            Request::get("/whose").header("host", format!("{name}.api.acme.test")),
            Request::get("/whose").header("x-tenant", name),
        ];
        for request in requests {
            let answer = app.ask_as("org-acme", request).await;
            assert!(answer.is_not_found(), "{name}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn a_403_may_be_told_instead_and_still_has_no_challenge() {
    let app = App::with(routes(), |builder| {
        builder
            .with_resource("https://api.acme.test")
            .with_header(HeaderName::from_static("x-tenant"))
            .with_other_tenants_forbidden()
    });
    let app = app.await;
    let expected = denial(
        StatusCode::FORBIDDEN,
        DenialKind::OtherTenant,
        r#"{"type":"about:blank","title":"Forbidden","status":403}"#,
    );
    let requests = [
        Request::get("/o/org_other"),
        Request::get("/o/%FF"),
        Request::get("/whose").header("x-tenant", "org_other"),
    ];
    for request in requests {
        assert_eq!(app.ask_as("org_acme", request).await, expected);
    }
    let answer = app.get_as("org_acme", "/o/org_acme").await;
    assert!(answer.is_of("org_acme"), "{answer:?}");
}

#[tokio::test]
async fn the_body_has_the_configured_format() {
    let app = App::with(routes(), |builder| {
        builder.with_denial_body(|kind| {
            let body = format!("denied: {kind}").into();
            (HeaderValue::from_static("text/plain"), body)
        })
    });
    let answer = app.await.get_as("org_acme", "/o/org_other").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(answer.body, "denied: other_tenant");
}
