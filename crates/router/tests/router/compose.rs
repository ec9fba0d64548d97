//! Routers made of routers, services, layers and state.

use axum::Router;
use axum::extract::{MatchedPath, Path, Request, State};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{any, get, post};
use countersign_bearer::Principal;
use countersign_router::{Authenticated, GuardedRouter, Public};

use crate::support::{Read, World, Write, ask, ok, status};

#[tokio::test]
async fn merged_and_nested_routes_keep_their_guards() {
    let world = World::new().await;
    let invoices = GuardedRouter::new()
        .get(Read, "/", ok)
        .get(Public, "/schema", ok)
        .post(Write, "/{id}", ok);
    let routes = GuardedRouter::new()
        .nest("/orgs/{org_id}/invoices", invoices.clone())
        .nest("/slash/", invoices)
        .merge(GuardedRouter::new().get(Authenticated, "/whoami", ok))
        .get(Public, "/health", ok);
    assert_eq!(
        routes.table().to_string(),
        "\
GET   /health                         public
GET   /orgs/{org_id}/invoices         invoices:read
GET   /orgs/{org_id}/invoices/schema  public
POST  /orgs/{org_id}/invoices/{id}    invoices:write || admin
GET   /slash/                         invoices:read
GET   /slash/schema                   public
POST  /slash/{id}                     invoices:write || admin
GET   /whoami                         authenticated"
    );
    let app = routes.build(&world.authenticator).unwrap();
    let caller = world.granted("invoices:read");
    for (request, of_nobody, of_caller) in [
        ("GET /orgs/a/invoices", 401, 200),
        ("GET /orgs/a/invoices/", 404, 404),
        ("GET /orgs/a/invoices/schema", 200, 200),
        ("POST /orgs/a/invoices/1", 401, 403),
        ("POST /orgs/a/invoices/schema", 405, 405),
        ("GET /slash/", 401, 200),
        ("GET /slash/schema", 200, 200),
        ("GET /whoami", 401, 200),
        ("GET /health", 200, 200),
        ("GET /", 404, 404),
        ("GET /schema", 404, 404),
    ] {
        assert_eq!(status(&app, request, "").await, of_nobody, "{request}");
        assert_eq!(status(&app, request, &caller).await, of_caller, "{request}");
    }
}

#[tokio::test]
async fn a_nested_handler_sees_the_whole_path_and_all_its_parameters() {
    async fn handler(
        matched: MatchedPath,
        Path(parameters): Path<Vec<(String, String)>>,
        request: Request,
    ) -> String {
        format!("{} {parameters:?} {}", matched.as_str(), request.uri())
    }
    let world = World::new().await;
    let app = GuardedRouter::new()
        .nest(
            "/orgs/{org_id}",
            GuardedRouter::new().get(Public, "/invoices/{id}", handler),
        )
        .build(&world.authenticator)
        .unwrap();
    let answer = ask(&app, "GET /orgs/a/invoices/7?x=1", "").await;
    assert_eq!(
        answer.body,
        r#"/orgs/{org_id}/invoices/{id} [("org_id", "a"), ("id", "7")] /orgs/a/invoices/7?x=1"#
    );
}

#[tokio::test]
async fn one_path_may_be_open_to_read_and_guarded_to_write_wherever_it_is_declared() {
    let world = World::new().await;
    let app = GuardedRouter::new()
        .get(Public, "/prices", ok)
        .merge(GuardedRouter::new().post(Write, "/prices", ok))
        .build(&world.authenticator)
        .unwrap();
    for (request, credential, expected) in [
        ("GET /prices", "", 200),
        ("POST /prices", "", 401),
        ("POST /prices", &*world.granted("invoices:read"), 403),
        ("POST /prices", &*world.granted("admin"), 200),
        ("PUT /prices", "", 405),
    ] {
        assert_eq!(
            status(&app, request, credential).await,
            expected,
            "{request}"
        );
    }
    let allow = ask(&app, "PUT /prices", "").await;
    assert_eq!(allow.header("allow"), Some("GET,HEAD,POST"));
}

#[tokio::test]
async fn a_plain_router_comes_in_whole_behind_one_guard_and_without_its_fallback() {
    let world = World::new().await;
    let plain = Router::new()
        .route("/a", get(ok))
        .route("/b", post(ok))
        .route("/c", any(ok))
        .nest("/d", Router::new().route("/e", get(ok)))
        .fallback(|| async { "the plain router's fallback" });
    let app = GuardedRouter::new()
        .get(Public, "/health", ok)
        .merge_router(Read, "reports", plain)
        .build(&world.authenticator)
        .unwrap();
    let caller = world.granted("invoices:read");
    for request in ["GET /a", "POST /b", "GET /c", "DELETE /c", "GET /d/e"] {
        assert_eq!(status(&app, request, "").await, 401, "{request}");
        assert_eq!(
            status(&app, request, &world.granted("")).await,
            403,
            "{request}"
        );
        assert_eq!(status(&app, request, &caller).await, 200, "{request}");
    }
    assert_eq!(status(&app, "GET /unknown", "").await, 404);
    assert_eq!(status(&app, "GET /health", "").await, 200);
}

#[tokio::test]
async fn a_service_stands_behind_its_guard_with_everything_under_its_path() {
    let world = World::new().await;
    let service = tower::service_fn(|request: Request| async move {
        Ok::<_, std::convert::Infallible>(Response::new(request.uri().path().to_owned()))
    });
    let app = GuardedRouter::new()
        .nest_service(Read, "/files", service)
        .get(Public, "/files/index", ok)
        .nest(
            "/v1",
            GuardedRouter::new().nest_service(Public, "/files", service),
        )
        .build(&world.authenticator)
        .unwrap();
    let caller = world.granted("invoices:read");
    for (request, of_nobody, of_caller) in [
        ("GET /files", 401, "/"),
        ("GET /files/", 401, "/"),
        ("GET /files/a/b", 401, "/a/b"),
        ("POST /files/a/b", 401, "/a/b"),
        ("GET /files/index", 200, "ok"),
        ("GET /v1/files/a", 200, "/a"),
    ] {
        assert_eq!(status(&app, request, "").await, of_nobody, "{request}");
        assert_eq!(
            ask(&app, request, &caller).await.body,
            of_caller,
            "{request}"
        );
    }
}

#[tokio::test]
async fn state_is_given_to_routes_services_and_merged_routers() {
    async fn handler(State(state): State<u32>) -> String {
        state.to_string()
    }
    let world = World::new().await;
    let app = GuardedRouter::new()
        .get(Public, "/route", handler)
        .any(Public, "/any", handler)
        .merge_router(Public, "plain", Router::new().route("/plain", get(handler)))
        .with_fallback(Public, handler)
        .with_state(7_u32)
        .merge(
            GuardedRouter::new()
                .get(
                    Public,
                    "/other",
                    |State(state): State<&'static str>| async move { state },
                )
                .with_state("eight"),
        )
        .build(&world.authenticator)
        .unwrap();
    for (request, body) in [
        ("GET /route", "7"),
        ("PUT /any", "7"),
        ("GET /plain", "7"),
        ("GET /unknown", "7"),
        ("GET /other", "eight"),
    ] {
        assert_eq!(ask(&app, request, "").await.body, body, "{request}");
    }
}

/// Leaves its name at the front of a header on the way out.
macro_rules! signs {
    ($name:literal) => {
        from_fn(|request: Request, next: Next| async move {
            let mut response = next.run(request).await;
            let headers = response.headers_mut();
            let before = headers
                .get("signed")
                .map_or("", |value| value.to_str().unwrap());
            let signed = format!("{} {before}", $name).trim().parse().unwrap();
            headers.insert("signed", signed);
            response
        })
    };
}

#[tokio::test]
async fn a_layer_is_around_all_routes_of_its_router_whenever_declared_and_around_no_others() {
    let world = World::of(|builder| builder.with_resource("https://api.acme.test")).await;
    let inner = GuardedRouter::new()
        .layer(signs!("inner"))
        .get(Public, "/in", ok);
    let app = GuardedRouter::new()
        .get(Public, "/before", ok)
        .layer(signs!("first"))
        .layer(signs!("second"))
        .get(Public, "/after", ok)
        .nest("/nested", inner)
        .merge_router(Public, "plain", Router::new().route("/plain", get(ok)))
        .with_fallback(Public, ok)
        .build(&world.authenticator)
        .unwrap();
    for (request, signed) in [
        ("GET /before", Some("second first")),
        ("GET /after", Some("second first")),
        ("GET /nested/in", Some("second first inner")),
        ("GET /plain", Some("second first")),
        ("GET /unknown", Some("second first")),
        ("PUT /before", None),
        ("GET /.well-known/oauth-protected-resource", None),
    ] {
        let answer = ask(&app, request, "").await;
        assert_eq!(answer.header("signed"), signed, "{request}");
    }
}

#[tokio::test]
async fn a_layer_is_inside_of_the_guards() {
    let world = World::new().await;
    let app = GuardedRouter::new()
        .get(Read, "/x", ok)
        .layer(from_fn(
            |caller: Principal, request: Request, next: Next| async move {
                let mut response = next.run(request).await;
                let subject = caller.subject().unwrap().parse().unwrap();
                response.headers_mut().insert("subject", subject);
                response
            },
        ))
        .build(&world.authenticator)
        .unwrap();
    let granted = ask(&app, "GET /x", &world.granted("invoices:read")).await;
    assert_eq!(granted.header("subject"), Some("m2m-acme"));
    let denied = ask(&app, "GET /x", &world.granted("")).await;
    assert_eq!(denied.header("subject"), None);
}
