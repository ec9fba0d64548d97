//! One axum router with ordinary routes and gRPC services, behind one authentication layer.

use axum::Router;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::middleware::from_extractor;
use axum::routing::get;
use countersign::{Authenticated, GuardedRouter, Public, Scoped, Tenant, protect, require};
use tonic::Code;
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic::transport::Channel;
use tonic_health::pb::health_server::HealthServer;

use crate::answer::{CHECK, send};
use crate::support::{
    Asking, FOR_NOTHING, FOR_SCOPE, ReadHealth, World, bearer, check, check_with, headers, listen,
    watch,
};

const JSON: &str = "application/json";

async fn serve(app: Router) -> Channel {
    let (listener, channel) = listen().await;
    tokio::spawn(axum::serve(listener, app).into_future());
    channel
}

/// The gRPC service as a router, without tonic's fallback, which would answer for all of axum's.
fn grpc() -> Router {
    let routes = Routes::new(HealthServer::new(Asking));
    routes.into_axum_router().reset_fallback()
}

fn http() -> Router {
    Router::new()
        .route("/health", get(|_: Scoped<ReadHealth>| async { "fine" }))
        .route("/whoami", get(|| async { "somebody" }))
}

#[tokio::test]
async fn each_caller_is_answered_in_its_own_terms() {
    let world = World::new().await;
    let app = http().merge(grpc()).layer(world.authenticator.layer());
    let channel = serve(app).await;
    for (case, authorization, status) in world.refused() {
        let authorization = authorization.as_deref();
        let denied = check(&channel, authorization, FOR_NOTHING).await;
        let beside = send(&channel, "GET", "/whoami", JSON, authorization).await;
        assert_eq!(beside.status, status, "{case}");
        beside.assert_same_denial(&denied.unwrap_err(), case);
    }

    let unscoped = bearer(&world.token());
    let unscoped = Some(&*unscoped);
    check(&channel, unscoped, FOR_NOTHING).await.unwrap();
    let denied = check(&channel, unscoped, FOR_SCOPE).await.unwrap_err();
    let beside = send(&channel, "GET", "/health", JSON, unscoped).await;
    assert_eq!(beside.status, StatusCode::FORBIDDEN);
    beside.assert_same_denial(&denied, "scope");

    let scoped = bearer(&world.scoped_token());
    let scoped = Some(&*scoped);
    check(&channel, scoped, FOR_SCOPE).await.unwrap();
    assert_eq!(watch(&channel, scoped, FOR_SCOPE).await.unwrap(), 2);
    let beside = send(&channel, "GET", "/health", JSON, scoped).await;
    assert_eq!(beside.status, StatusCode::OK);
    assert_eq!(beside.body, b"fine");
}

#[tokio::test]
async fn http_1_is_served_beside() {
    let world = World::new().await;
    let app = http().merge(grpc()).layer(world.authenticator.layer());
    let (listener, channel) = listen().await;
    let url = format!("http://{}/whoami", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, app).into_future());

    let denied = check(&channel, None, FOR_NOTHING).await;
    assert_eq!(denied.unwrap_err().code(), Code::Unauthenticated);
    let beside = reqwest::get(url).await.unwrap();
    assert_eq!(beside.version(), reqwest::Version::HTTP_11);
    assert_eq!(beside.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(beside.headers()["content-type"], "application/problem+json");
}

#[tokio::test]
async fn no_request_but_a_post_gets_the_status_200_that_a_denied_call_has() {
    let world = World::new().await;
    let app = http().merge(grpc()).layer(world.authenticator.layer());
    let channel = serve(app).await;
    for path in ["/whoami", CHECK] {
        for method in ["GET", "PUT"] {
            let answer = send(&channel, method, path, "application/grpc", None).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}");
            answer.problem();
        }
    }
}

#[tokio::test]
async fn what_is_not_there_is_told_to_the_authenticated_alone() {
    let world = World::new().await;
    let app = http().merge(grpc()).layer(world.authenticator.layer());
    let channel = serve(app).await;
    let token = bearer(&world.token());
    let token = Some(&*token);
    let unknown_method = "/grpc.health.v1.Health/Cure";
    let grpc = "application/grpc";

    let answer = send(&channel, "POST", unknown_method, grpc, None).await;
    assert_eq!(answer.header("grpc-status"), Some("16")); // UNAUTHENTICATED
    let answer = send(&channel, "POST", unknown_method, grpc, token).await;
    assert_eq!(answer.header("grpc-status"), Some("12")); // UNIMPLEMENTED
    let answer = send(&channel, "GET", "/nothing", JSON, None).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let answer = send(&channel, "GET", "/nothing", JSON, token).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_tonic_service_is_an_axum_service_with_a_guard_of_its_own() {
    type Service = HealthServer<Asking>;
    let world = World::new().await;
    let rpcs = format!("/{}/{{*rpc}}", Service::NAME);
    let guarded = Router::new()
        .route_service(&rpcs, Service::new(Asking))
        .route_layer(require::<ReadHealth>());
    let app = http().merge(guarded).layer(world.authenticator.layer());
    let channel = serve(app).await;

    let unscoped = bearer(&world.token());
    let denied = check(&channel, Some(&unscoped), FOR_NOTHING).await;
    let by_extractor = send(&channel, "GET", "/health", JSON, Some(&unscoped)).await;
    by_extractor.assert_same_denial(&denied.unwrap_err(), "scope");
    let beside = send(&channel, "GET", "/whoami", JSON, Some(&unscoped)).await;
    assert_eq!(beside.status, StatusCode::OK);
    let scoped = bearer(&world.scoped_token());
    check(&channel, Some(&scoped), FOR_SCOPE).await.unwrap();
}

#[tokio::test]
async fn a_forgotten_layer_is_an_internal_error() {
    let world = World::new().await;
    let app = http()
        .layer(world.authenticator.layer())
        .merge(grpc().layer(from_extractor::<Tenant>())); // added after the layer
    let channel = serve(app).await;
    let token = bearer(&world.scoped_token());
    let denied = check(&channel, Some(&token), FOR_NOTHING).await;
    let denied = denied.unwrap_err();
    assert_eq!(denied.code(), Code::Internal);
    assert_eq!(denied.message(), "The service is misconfigured");
}

#[tokio::test]
async fn the_tenant_extractor_guards_calls_whose_metadata_names_a_tenant() {
    const ORGANIZATION: HeaderName = HeaderName::from_static("x-organization");
    let world = World::of(|builder| builder.with_header(ORGANIZATION)).await;
    let tenants = grpc().layer(from_extractor::<Tenant>());
    let channel = serve(tenants.layer(world.authenticator.layer())).await;

    let acmes = bearer(&world.token());
    let nobodys = bearer(&world.token().without_claim("org_id"));
    for (token, named, expected) in [
        (&acmes, None, Code::Ok),
        (&acmes, Some("org_acme"), Code::Ok),
        (&acmes, Some("org_globex"), Code::NotFound),
        (&nobodys, None, Code::PermissionDenied),
        (&nobodys, Some("org_acme"), Code::PermissionDenied),
    ] {
        let mut metadata: HeaderMap = headers(Some(token));
        metadata.extend(named.map(|named| (ORGANIZATION, named.parse().unwrap())));
        let result = check_with(&channel, metadata, FOR_NOTHING).await;
        let code = result.map_or_else(|denied| denied.code(), |()| Code::Ok);
        assert_eq!(code, expected, "{named:?}");
    }
}

#[tokio::test]
async fn a_guarded_router_takes_grpc_services_behind_its_guards() {
    let world = World::new().await;
    let routes: GuardedRouter = GuardedRouter::new()
        .get(Public, "/health", || async { "fine" })
        .get(Authenticated, "/whoami", || async { "somebody" })
        .merge_router(ReadHealth, "grpc.health.v1.Health", grpc());
    assert_eq!(
        routes.table().to_string(),
        "\
GET  /health                  public
GET  /whoami                  authenticated
*    (grpc.health.v1.Health)  health:read"
    );
    let channel = serve(routes.build(&world.authenticator).unwrap()).await;

    let denied = check(&channel, None, FOR_NOTHING).await.unwrap_err();
    assert_eq!(denied.code(), Code::Unauthenticated);
    let unscoped = bearer(&world.token());
    let denied = check(&channel, Some(&unscoped), FOR_NOTHING).await;
    assert_eq!(denied.unwrap_err().code(), Code::PermissionDenied);
    let scoped = bearer(&world.scoped_token());
    check(&channel, Some(&scoped), FOR_SCOPE).await.unwrap();
    let beside = send(&channel, "GET", "/whoami", JSON, None).await;
    assert_eq!(beside.status, StatusCode::UNAUTHORIZED);
    let beside = send(&channel, "GET", "/health", JSON, None).await;
    assert_eq!(beside.status, StatusCode::OK);
}

#[tokio::test]
async fn a_grpc_service_that_is_added_to_a_protected_router_is_behind_its_layer() {
    let world = World::new().await;
    let app = protect(http(), world.authenticator.layer()).merge(grpc());
    let channel = serve(app.into_router()).await;
    let denied = check(&channel, None, FOR_NOTHING).await.unwrap_err();
    assert_eq!(denied.code(), Code::Unauthenticated);
    let scoped = bearer(&world.scoped_token());
    check(&channel, Some(&scoped), FOR_SCOPE).await.unwrap();
}
