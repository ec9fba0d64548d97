//! One event for every way in which a request can end.

use std::future::{Ready, pending, ready};
use std::panic::AssertUnwindSafe;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get as route;
use countersign_bearer::{Denied, Principal, ServicePrincipal};
use countersign_scope::{Scoped, require, scopes};
use countersign_tenant::{CrossTenant, PathTenant, Tenant};
use futures_util::FutureExt;
use http::{Request, Response, StatusCode};
use serde_json::{Value, json};
use tower::{Layer, Service, ServiceExt};

use countersign_testing::TokenBuilder;

use crate::support::{AUDIENCE, World, get, send, with_token};

scopes! {
    ReadInvoices = "invoices:read";
    Audit = "audit:read" || ("admin" && "invoices:read");
    Support = "support:read";
}

fn app(world: &World) -> Router {
    let clock = world.clock.clone();
    let slow = async move || clock.advance(Duration::from_millis(5)).await;
    let own_words = async |scoped: Result<Scoped<Audit>, Denied>| match scoped {
        Ok(_) => (StatusCode::OK, "all"),
        Err(_) => (StatusCode::CONFLICT, "not today"),
    };
    let either = async |scoped: Result<Scoped<Audit>, Denied>| match scoped {
        Ok(_) => "all",
        Err(_) => "a part",
    };
    Router::new()
        .route("/slow", route(slow))
        .route(
            "/invoices/{id}",
            route(async |_: Scoped<ReadInvoices>| "one"),
        )
        .route("/audit", route(async |_: Scoped<Audit>| "all"))
        .route("/own_words", route(own_words))
        .route("/either", route(either))
        .route("/machines", route(async |_: ServicePrincipal| ()))
        .route("/tenant", route(async |_: Tenant| ()))
        .route("/orgs/{org_id}", route(async |_: PathTenant| ()))
        .route("/no_parameter", route(async |_: PathTenant| ()))
        .route(
            "/support/{org_id}",
            route(async |_: CrossTenant<Support>| ()),
        )
        .route("/hangs", route(async || pending::<()>().await))
        .route("/panics", route(panics))
        .route("/fails", route(async || StatusCode::INTERNAL_SERVER_ERROR))
        .nest(
            "/admin",
            Router::new()
                .route("/users/{id}", route(async || "somebody"))
                .route_layer(require::<Audit>()),
        )
        .layer(world.authenticator.layer())
        .layer(world.audit.layer())
}

async fn panics() {
    panic!("a handler's own");
}

/// The event's members with these names.
fn some(event: &Value, like: &Value) -> Value {
    let names = like.as_object().unwrap().keys();
    names
        .map(|name| (name.clone(), event[name].clone()))
        .collect()
}

#[tokio::test]
async fn an_allowed_request_is_told_in_full() {
    let world = World::new().await;
    let token = world.reader().with_claim("jti", "one-token").mint();
    let request = with_token("/invoices/1?secret=2", &token).header("x-request-id", "r-1");
    assert_eq!(send(&app(&world), request).await.status(), 200);
    let told = serde_json::to_string(&world.event().await).unwrap();
    let expected = json!({
        "time": "2027-01-15T08:00:00.000Z",
        "decision": "allowed",
        "denial": null,
        "principal_kind": "service_principal",
        "subject": "m2m-acme",
        "client": "m2m-acme",
        "user": null,
        "organization": "org_acme",
        "organizations": ["org_acme"],
        "token_id": "one-token",
        "issuer": "https://as.acme.test",
        "scopes_needed": ["invoices:read"],
        "scopes_granted": ["invoices:read"],
        "acting_for": null,
        "method": "GET",
        "matched_path": "/invoices/{id}",
        "status": 200,
        "grpc_status": null,
        "latency_us": 0,
        "request_id": "r-1",
        "peer": null,
    });
    assert_eq!(told, expected.to_string());
}

/// What the alternatives of [`Audit`] are called.
const ALTERNATIVES: &str = "audit:read | admin invoices:read";

/// Sends each request and compares what its event must say.
async fn assert_events(world: &World, cases: &[(&str, Option<&TokenBuilder>, Value)]) {
    let app = app(world);
    for (path, token, expected) in cases {
        let request = match token {
            Some(token) => with_token(path, &TokenBuilder::clone(token).mint()),
            None => get(path),
        };
        send(&app, request).await;
        let event = world.event().await;
        assert_eq!(some(&event, expected), *expected, "{path}: {event}");
    }
}

#[tokio::test]
async fn whom_the_authenticator_refuses_is_not_named() {
    let world = World::new().await;
    let refused = |denial| {
        json!({
            "decision": "denied", "denial": denial, "status": 401, "principal_kind": null,
            "subject": null, "client": null, "user": null, "organization": null, "organizations": [],
            "token_id": null, "issuer": null, "scopes_needed": [], "scopes_granted": [],
            "matched_path": "/audit",
        })
    };
    let person = world.person();
    for token in [world.reader(), person] {
        let cases = [
            ("/audit", None, refused("missing_credential")),
            ("/audit", Some(&token.clone().expired()), refused("expired")),
            (
                "/audit",
                Some(&token.clone().tampered()),
                refused("bad_signature"),
            ),
            (
                "/audit",
                Some(&token.clone().with_audience("https://other.test")),
                refused("wrong_audience"),
            ),
        ];
        assert_events(&world, &cases).await;
    }
}

#[tokio::test]
async fn whom_a_guard_refuses_is_named_with_what_was_missing() {
    let world = World::new().await;
    let (reader, person, support) = (world.reader(), world.person(), world.support());
    let homeless = world
        .issuer
        .service_principal("m2m-none")
        .with_audience(AUDIENCE);
    let scopeless = json!({
        "decision": "denied", "denial": "insufficient_scope", "status": 403, "client": "m2m-acme",
        "scopes_needed": [ALTERNATIVES], "scopes_granted": ["invoices:read"],
    });
    let denied = |denial, status, client| {
        json!({
            "decision": "denied", "denial": denial, "status": status, "client": client,
        })
    };
    let idle = support.clone().with_scopes(["other"]);
    let cases = [
        ("/audit", Some(&reader), scopeless.clone()),
        ("/admin/users/1", Some(&reader), scopeless),
        (
            "/admin/users/1",
            Some(&reader),
            json!({"matched_path": "/admin/users/{id}"}),
        ),
        (
            "/machines",
            Some(&person),
            denied("principal_not_allowed", 403, "reports"),
        ),
        (
            "/tenant",
            Some(&homeless),
            denied("organization_required", 403, "m2m-none"),
        ),
        (
            "/orgs/org_globex",
            Some(&reader),
            denied("other_tenant", 404, "m2m-acme"),
        ),
        (
            "/no_parameter",
            Some(&reader),
            denied("missing_path_parameter", 500, "m2m-acme"),
        ),
        (
            "/support/org_globex",
            Some(&reader),
            denied("principal_not_allowed", 403, "m2m-acme"),
        ),
        (
            "/support/org_globex",
            Some(&idle),
            denied("insufficient_scope", 403, "support"),
        ),
        (
            "/support/org_globex",
            Some(&idle),
            json!({"acting_for": null}),
        ),
        (
            "/machines",
            Some(&person),
            json!({"principal_kind": "delegated_user", "user": "ann"}),
        ),
    ];
    assert_events(&world, &cases).await;
}

#[tokio::test]
async fn a_denial_that_the_handler_caught_is_told_beside_its_answer() {
    let world = World::new().await;
    let reader = world.reader();
    let auditor = reader.clone().with_scopes(["audit:read"]);
    let told = |decision, denial: Option<&str>, status| {
        json!({
            "decision": decision, "denial": denial, "status": status, "client": "m2m-acme",
            "scopes_needed": [ALTERNATIVES],
        })
    };
    let cases = [
        (
            "/own_words",
            Some(&reader),
            told("denied", Some("insufficient_scope"), 409),
        ),
        ("/own_words", Some(&auditor), told("allowed", None, 200)),
        (
            "/either",
            Some(&reader),
            told("allowed", Some("insufficient_scope"), 200),
        ),
        ("/either", Some(&auditor), told("allowed", None, 200)),
    ];
    assert_events(&world, &cases).await;
}

#[tokio::test]
async fn what_is_allowed_is_told_whatever_the_handler_answers() {
    let world = World::new().await;
    let (reader, support) = (world.reader(), world.support());
    let acme = |status, matched_path: Option<&str>| {
        json!({
            "decision": "allowed", "denial": null, "client": "m2m-acme", "organization": "org_acme",
            "status": status, "matched_path": matched_path, "acting_for": null,
        })
    };
    let acting = json!({
        "decision": "allowed", "acting_for": "org_globex", "client": "support", "organization": null,
        "principal_kind": "microservice", "scopes_needed": ["support:read"],
        "matched_path": "/support/{org_id}",
    });
    let cases = [
        (
            "/orgs/org_acme",
            Some(&reader),
            acme(200, Some("/orgs/{org_id}")),
        ),
        ("/fails", Some(&reader), acme(500, Some("/fails"))),
        ("/nowhere?token=x", Some(&reader), acme(404, None)),
        ("/support/org_globex", Some(&support), acting),
    ];
    assert_events(&world, &cases).await;
}

#[tokio::test]
async fn the_latency_is_the_time_until_the_response() {
    let world = World::new().await;
    let token = world.reader().mint();
    send(&app(&world), with_token("/slow", &token)).await;
    assert_eq!(world.event().await["latency_us"], 5000);
}

#[tokio::test]
async fn a_request_dropped_half_way_is_cancelled() {
    let world = World::new().await;
    let token = world.reader().mint();
    let request = with_token("/hangs", &token).body(Body::empty()).unwrap();
    let mut response = Box::pin(app(&world).oneshot(request));
    assert!(futures_util::poll!(response.as_mut()).is_pending());
    assert!(world.events().await.is_empty(), "it is not decided yet");
    world.clock.advance(Duration::from_millis(7)).await;
    drop(response);
    let event = world.event().await;
    let expected = json!({
        "decision": "cancelled", "denial": null, "status": null, "client": "m2m-acme",
        "latency_us": 7000, "matched_path": "/hangs",
    });
    assert_eq!(some(&event, &expected), expected);
}

#[tokio::test]
async fn a_response_future_that_is_never_polled_is_cancelled() {
    let world = World::new().await;
    let token = world.reader().mint();
    let mut app = world
        .audit
        .layer()
        .layer(app_of(|| ready(Ok(Response::new(())))));
    drop(app.call(with_token("/", &token).body(()).unwrap()));
    assert_eq!(world.event().await["decision"], "cancelled");
}

#[tokio::test]
async fn a_handler_that_panics_is_an_error_whoever_catches_it() {
    let world = World::new().await;
    let token = world.reader().mint();
    let app = app(&world);
    let request = || with_token("/panics", &token).body(Body::empty()).unwrap();

    // In a task, as a server has it: the request is dropped while it unwinds.
    #[expect(clippy::disallowed_methods, reason = "a server spawns")]
    let task = tokio::spawn(app.clone().oneshot(request()));
    assert!(task.await.unwrap_err().is_panic());
    let dropped_in_panic = world.event().await;

    // Caught further out: it is dropped some time later.
    let mut future = Box::pin(app.oneshot(request()));
    let caught = AssertUnwindSafe(future.as_mut()).catch_unwind().await;
    assert!(caught.is_err());
    drop(future);
    let expected = json!({"decision": "error", "status": null, "client": "m2m-acme"});
    for event in [dropped_in_panic, world.event().await] {
        assert_eq!(some(&event, &expected), expected);
    }
}

#[tokio::test]
async fn a_service_that_panics_when_called_is_an_error() {
    let world = World::new().await;
    let mut app = world.audit.layer().layer(app_of(|| panic!("at once")));
    let call = AssertUnwindSafe(|| app.call(Request::new(())));
    assert!(std::panic::catch_unwind(call).is_err());
    assert_eq!(world.event().await["decision"], "error");
}

#[tokio::test]
async fn a_service_that_fails_is_an_error() {
    let world = World::new().await;
    let app = world.audit.layer().layer(app_of(|| ready(Err("broken"))));
    let result = app.oneshot(Request::new(())).await;
    assert_eq!(result.unwrap_err(), "broken");
    assert_eq!(world.event().await["decision"], "error");
}

#[tokio::test]
async fn nobody_is_told_apart_from_no_layer() {
    let world = World::new().await;
    let whoever = route(async |caller: Option<Principal>| caller.map_or(0, |_| 1).to_string());
    let routes = || Router::new().route("/", whoever.clone());
    let optional = routes().layer(world.authenticator.layer().optional());
    let public = Router::new().route("/", route(async || "public"));
    let forgotten = routes();
    let token = world.reader().mint();
    let bad = world.reader().expired().mint();
    for (app, token, expected) in [
        (
            &optional,
            None,
            json!({"decision": "allowed", "principal_kind": "anonymous", "client": null, "status": 200}),
        ),
        (
            &optional,
            Some(&token),
            json!({"decision": "allowed", "principal_kind": "service_principal", "client": "m2m-acme"}),
        ),
        (
            &optional,
            Some(&bad),
            json!({"decision": "denied", "denial": "expired", "principal_kind": null}),
        ),
        (
            &public,
            None,
            json!({"decision": "allowed", "denial": null, "principal_kind": null, "status": 200}),
        ),
        (
            &public,
            Some(&token),
            json!({"decision": "allowed", "principal_kind": null, "client": null}),
        ),
        (
            &forgotten,
            Some(&token),
            json!({"decision": "denied", "denial": "missing_layer", "principal_kind": null, "status": 500}),
        ),
    ] {
        let app = app.clone().layer(world.audit.layer());
        let request = token.map_or_else(|| get("/"), |token| with_token("/", token));
        send(&app, request).await;
        let event = world.event().await;
        assert_eq!(some(&event, &expected), expected, "{event}");
    }
}

#[tokio::test]
async fn two_layers_make_two_events_that_agree() {
    let world = World::new().await;
    let app = app(&world).layer(world.audit.layer());
    let token = world.reader().mint();
    send(&app, with_token("/audit", &token)).await;
    let events = world.events().await;
    assert_eq!(events.len(), 2);
    assert_eq!(events[0]["denial"], "insufficient_scope");
    assert_eq!(events[0], events[1]);
}

/// A service that has no router, and bodies that are nothing.
fn app_of<F>(answer: F) -> OfBody<F> {
    OfBody(answer)
}

#[derive(Clone)]
struct OfBody<F>(F);

impl<F> Service<Request<()>> for OfBody<F>
where
    F: FnMut() -> Ready<Result<Response<()>, &'static str>>,
{
    type Response = Response<()>;
    type Error = &'static str;
    type Future = Ready<Result<Response<()>, &'static str>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        (self.0)()
    }
}
