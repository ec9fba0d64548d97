//! `PathTenant`, which insists that the path names the tenant.

use axum::Router;
use axum::routing::get;
use countersign_bearer::DenialKind;
use countersign_tenant::PathTenant;
use http::{Request, StatusCode};

use crate::support::{App, denial};

const MISCONFIGURED: &str = concat!(
    r#"{"type":"about:blank","title":"Internal Server Error","status":500,"#,
    r#""error":"server_error","error_description":"The service is misconfigured"}"#
);

async fn whose(PathTenant(tenant): PathTenant) -> String {
    tenant.id().to_string()
}

#[tokio::test]
async fn a_route_whose_path_names_the_tenant_is_served_or_hidden() {
    let routes = Router::new()
        .route("/o/{org_id}", get(whose))
        .route("/i/{id}/o/{organization_id}", get(whose))
        .nest("/n/{tenant_id}", Router::new().route("/x", get(whose)));
    let app = App::new(routes).await;
    for (path, agrees) in [
        ("/o/org_acme", true),
        ("/o/org_other", false),
        ("/o/%FF", false),
        ("/i/org_other/o/org_acme", true),
        ("/i/org_acme/o/org_other", false),
        ("/n/org_acme/x", true),
        ("/n/org_other/x", false),
    ] {
        let answer = app.get_as("org_acme", path).await;
        assert_eq!(answer.is_of("org_acme"), agrees, "{path}: {answer:?}");
        assert_eq!(answer.is_not_found(), !agrees, "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn a_route_whose_path_names_no_tenant_is_a_500_for_whoever_asks() {
    let routes = Router::new()
        .route("/", get(whose))
        .route("/o/{org}", get(whose))
        .route("/rest/{*rest}", get(whose))
        .fallback(whose);
    let app = App::new(routes).await;
    let expected = denial(
        StatusCode::INTERNAL_SERVER_ERROR,
        DenialKind::MissingPathParameter,
        MISCONFIGURED,
    );
    for path in [
        "/",
        "/?org_id=org_acme",
        "/o/org_acme",
        "/rest/org_acme",
        "/nowhere",
    ] {
        assert_eq!(app.get_as("org_acme", path).await, expected, "{path}");
    }
}

/// Host and header agree or not; they are no path.
#[tokio::test]
async fn a_tenant_in_host_and_header_alone_is_a_500_as_well() {
    let header = http::HeaderName::from_static("x-tenant");
    let app = App::with(Router::new().route("/", get(whose)), |builder| {
        builder
            .with_host_suffix(".api.example.com")
            .with_header(header)
    });
    let app = app.await;
    let request = Request::get("/")
        .header("host", "org_acme.api.example.com")
        .header("x-tenant", "org_acme");
    let answer = app.ask_as("org_acme", request).await;
    assert_eq!(answer.kind, Some(DenialKind::MissingPathParameter));
}

#[tokio::test]
async fn it_goes_by_the_configured_parameters() {
    let routes = Router::new()
        .route("/a/{account}", get(whose))
        .route("/o/{org_id}", get(whose));
    let app = App::with(routes, |builder| builder.with_path_parameters(["account"])).await;
    let answer = app.get_as("org_acme", "/a/org_acme").await;
    assert!(answer.is_of("org_acme"), "{answer:?}");
    assert!(app.get_as("org_acme", "/a/org_other").await.is_not_found());
    let answer = app.get_as("org_acme", "/o/org_acme").await;
    assert_eq!(answer.kind, Some(DenialKind::MissingPathParameter));
}
