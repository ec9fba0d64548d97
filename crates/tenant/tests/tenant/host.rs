//! A host that names a tenant, where a suffix is configured.

use axum::Router;
use axum::routing::get;
use http::{HeaderValue, Request};

use crate::support::{App, whose};

async fn app() -> App {
    let routes = Router::new()
        .route("/", get(whose))
        .route("/o/{org_id}", get(whose));
    App::with(routes, |builder| {
        builder.with_host_suffix(".api.example.com")
    })
    .await
}

async fn check(app: &App, uri: &str, hosts: &[&str], agrees: bool) {
    let request = hosts.iter().fold(Request::get(uri), |request, host| {
        request.header("host", *host)
    });
    let answer = app.ask_as("acme", request).await;
    assert_eq!(answer.is_of("acme"), agrees, "{uri} {hosts:?}: {answer:?}");
    assert_eq!(
        answer.is_not_found(),
        !agrees,
        "{uri} {hosts:?}: {answer:?}"
    );
}

#[tokio::test]
async fn a_host_with_the_suffix_must_name_the_tokens_own() {
    let app = app().await;
    for (host, agrees) in [
        ("acme.api.example.com", true),
        ("acme.api.example.com:443", true),
        ("acme.api.example.com:", true),
        ("acme.api.example.com.", true),
        ("acme.api.example.com.:8443", true),
        // Host names know no case.
        ("ACME.API.Example.COM", true),
        ("other.api.example.com", false),
        ("other.api.example.com:443", false),
        ("other.api.example.com.", false),
        ("OTHER.API.EXAMPLE.COM", false),
        ("x.acme.api.example.com", false),
        ("acme.x.api.example.com", false),
        ("acme2.api.example.com", false),
        ("acm.api.example.com", false),
        (".api.example.com", false),
        ("*.api.example.com", false),
    ] {
        check(&app, "/", &[host], agrees).await;
    }
}

#[tokio::test]
async fn a_host_without_the_suffix_names_nobody() {
    let app = app().await;
    for host in [
        "api.example.com",
        "example.com",
        "other.example.com",
        "otherapi.example.com",
        "other.api.example.org",
        "other.api.example.com.example.org",
        "other.api.example.co",
        "localhost:8080",
        "127.0.0.1:80",
        "[::1]:80",
        "[::1]",
        "internal_service:80",
        "",
    ] {
        check(&app, "/", &[host], true).await;
    }
    check(&app, "/", &[], true).await;
}

/// Whoever stands in front may have read it in another way.
#[tokio::test]
async fn a_host_that_cannot_be_read_might_name_anybody() {
    let app = app().await;
    for host in [
        "other.api.example.com:80x",
        "other.api.example.com:443:443",
        "other.api.example.com..",
        "other.api.example.com/",
        "other.api.example.com/x",
        "other.api.example.com?x",
        "other.api.example.com#x",
        "other.api.example.com@example.org",
        "other.api.example.com, example.org",
        "other.api.example.com example.org",
        "other.api.example.co%6D",
        "user@acme.api.example.com",
        "other.api.example.com\\x",
        "[::1",
        "[other.api.example.com]",
    ] {
        check(&app, "/", &[host], false).await;
    }
    let not_ascii = HeaderValue::from_bytes(b"\xe9.example.org").unwrap();
    let answer = app.ask_as("acme", Request::get("/").header("host", not_ascii));
    assert!(answer.await.is_not_found());
}

#[tokio::test]
async fn each_host_that_a_request_names_counts() {
    let app = app().await;
    let [acme, other, nobody] = ["acme.api.example.com", "other.api.example.com", "localhost"];
    let cases: &[(&str, &[&str], bool)] = &[
        // Two headers.
        ("/", &[acme, acme], true),
        ("/", &[acme, other], false),
        ("/", &[other, acme], false),
        ("/", &[nobody, other], false),
        ("/", &[nobody, acme], true),
        // The authority of an absolute URI: of a request to a proxy, and of HTTP/2.
        ("http://acme.api.example.com/", &[], true),
        ("http://acme.api.example.com:8443/", &[], true),
        ("http://ACME.api.example.com/", &[], true),
        ("http://other.api.example.com/", &[], false),
        ("http://other.api.example.com:8443/", &[], false),
        ("http://other.api.example.com./", &[], false),
        ("http://localhost/", &[], true),
        ("http://[::1]:80/", &[], true),
        // Both.
        ("http://acme.api.example.com/", &[acme], true),
        ("http://acme.api.example.com/", &[nobody], true),
        ("http://acme.api.example.com/", &[other], false),
        ("http://other.api.example.com/", &[acme], false),
        ("http://localhost/", &[other], false),
        ("http://localhost/", &[acme], true),
    ];
    for (uri, hosts, agrees) in cases {
        check(&app, uri, hosts, *agrees).await;
    }
}

#[tokio::test]
async fn host_and_path_must_both_agree() {
    let app = app().await;
    let [acme, other] = ["acme.api.example.com", "other.api.example.com"];
    check(&app, "/o/acme", &[acme], true).await;
    check(&app, "/o/acme", &[other], false).await;
    check(&app, "/o/other", &[acme], false).await;
    check(&app, "/o/other", &[other], false).await;
}
