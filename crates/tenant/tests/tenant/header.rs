//! A header that names a tenant, where one is configured.

use axum::Router;
use axum::routing::get;
use http::{HeaderName, HeaderValue, Request};

use crate::support::{App, whose};

#[tokio::test]
async fn the_configured_header_may_be_absent_and_must_otherwise_name_the_tokens_own() {
    let routes = Router::new()
        .route("/", get(whose))
        .route("/o/{org_id}", get(whose));
    let app = App::with(routes, |builder| {
        builder.with_header(HeaderName::from_static("x-tenant"))
    });
    let app = app.await;
    let cases: &[(&str, &[&str], bool)] = &[
        ("/", &[], true),
        ("/", &["org_acme"], true),
        ("/", &["org_acme", "org_acme"], true),
        ("/", &["org_other"], false),
        ("/", &["org_acme", "org_other"], false),
        ("/", &["org_other", "org_acme"], false),
        ("/", &[""], false),
        ("/", &["org_acme", ""], false),
        ("/", &["ORG_ACME"], false),
        ("/", &["org_acm"], false),
        ("/", &["org_acme2"], false),
        ("/", &["org_acme,org_acme"], false),
        ("/", &["org_acme, org_other"], false),
        ("/", &["\"org_acme\""], false),
        ("/", &["org%5Facme"], false),
        // Beside a path.
        ("/o/org_acme", &["org_acme"], true),
        ("/o/org_acme", &["org_other"], false),
        ("/o/org_other", &["org_acme"], false),
        ("/o/org_other", &["org_other"], false),
    ];
    for (path, values, agrees) in cases {
        let request = values.iter().fold(Request::get(*path), |request, value| {
            request.header("X-Tenant", *value)
        });
        let answer = app.ask_as("org_acme", request).await;
        assert_eq!(answer.is_of("org_acme"), *agrees, "{values:?}: {answer:?}");
        assert_eq!(answer.is_not_found(), !agrees, "{values:?}: {answer:?}");
    }
}

#[tokio::test]
async fn its_bytes_are_compared_as_they_are() {
    let app = App::with(Router::new().route("/", get(whose)), |builder| {
        builder.with_header(HeaderName::from_static("x-tenant"))
    });
    let app = app.await;
    let organization = "soci\u{e9}t\u{e9}";
    let latin_1: &[u8] = b"soci\xe9t\xe9";
    for (value, agrees) in [(organization.as_bytes(), true), (latin_1, false)] {
        let value = HeaderValue::from_bytes(value).unwrap();
        let request = Request::get("/").header("x-tenant", value);
        let answer = app.ask_as(organization, request).await;
        assert_eq!(answer.is_of(organization), agrees, "{answer:?}");
    }
}

#[tokio::test]
async fn other_headers_stay_what_they_are() {
    let app = App::with(Router::new().route("/", get(whose)), |builder| {
        builder.with_header(HeaderName::from_static("x-tenant"))
    });
    let request = Request::get("/").header("x-tenant-id", "org_other");
    let answer = app.await.ask_as("org_acme", request).await;
    assert!(answer.is_of("org_acme"), "{answer:?}");
}
