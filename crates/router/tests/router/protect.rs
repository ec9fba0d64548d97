//! A plain router behind one layer, all of it.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use countersign_router::protect;
use countersign_scope::require;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tower_layer::Stack;

use crate::support::{Read, World, ask, ok, status};

/// The trap that `protect` is for. If axum closes it one day, this test says so.
#[tokio::test]
async fn in_plain_axum_a_route_that_is_added_after_the_layer_is_open() {
    let world = World::new().await;
    let app: Router = Router::new()
        .route("/early", get(ok))
        .layer(world.authenticator.layer())
        .route("/late", get(ok))
        .fallback(ok);
    assert_eq!(status(&app, "GET /early", "").await, 401);
    assert_eq!(status(&app, "GET /late", "").await, 200);
    assert_eq!(status(&app, "GET /unknown", "").await, 200);
}

#[tokio::test]
async fn protected_is_everything_whenever_it_is_added() {
    let world = World::new().await;
    let early = Router::new().route("/early", get(ok));
    let app = protect(early, world.authenticator.layer())
        .route("/late", get(ok))
        .merge(Router::new().route("/merged", get(ok)))
        .nest("/nested", Router::new().route("/inner", get(ok)));
    let without_fallback = app.clone().into_router();
    let with_fallback = app.fallback(ok).into_router();
    let caller = world.granted("");
    for (request, expected) in [
        ("GET /early", [200, 200]),
        ("GET /late", [200, 200]),
        ("GET /merged", [200, 200]),
        ("GET /nested/inner", [200, 200]),
        ("POST /early", [405, 405]),
        ("GET /unknown", [404, 200]),
        ("GET /nested/unknown", [404, 200]),
        ("OPTIONS /", [404, 200]),
    ] {
        for (app, expected) in [&without_fallback, &with_fallback]
            .into_iter()
            .zip(expected)
        {
            assert_eq!(status(app, request, "").await, 401, "{request}");
            assert_eq!(
                status(app, request, &world.tampered("")).await,
                401,
                "{request}"
            );
            assert_eq!(status(app, request, &caller).await, expected, "{request}");
        }
    }
}

#[tokio::test]
async fn state_may_come_after_the_layer_and_the_layer_may_be_several() {
    let world = World::new().await;
    let layers = Stack::new(require::<Read>(), world.authenticator.layer());
    let app = protect(Router::new(), layers)
        .route(
            "/state",
            get(|State(state): State<u32>| async move { state.to_string() }),
        )
        .with_state(7)
        .into_router();
    assert_eq!(status(&app, "GET /state", "").await, 401);
    assert_eq!(status(&app, "GET /state", &world.granted("")).await, 403);
    let answer = ask(&app, "GET /state", &world.granted("invoices:read")).await;
    assert_eq!(answer.body, "7");
}

#[tokio::test]
async fn it_is_served_as_any_router_is() {
    let world = World::new().await;
    let app = protect(Router::new(), world.authenticator.layer()).route("/", get(ok));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = axum::serve(listener, app.into_make_service()).into_future();
    let answer = async |path: &str, credential: &str| {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: {credential}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer.split("\r\n").next().unwrap().to_owned()
    };
    let asking = async {
        let granted = world.granted("");
        assert_eq!(answer("/", &granted).await, "HTTP/1.1 200 OK");
        assert_eq!(answer("/", "Basic x").await, "HTTP/1.1 401 Unauthorized");
        assert_eq!(answer("/x", "Basic x").await, "HTTP/1.1 401 Unauthorized");
    };
    tokio::select! {
        () = asking => {}
        ended = serving => panic!("{ended:?}"),
    }
}
