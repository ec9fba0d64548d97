//! What is told of gRPC calls, whose status is not the response's.

use axum::Router;
use axum::routing::post;
use http::request::Builder;
use http::{HeaderMap, HeaderName, Request};
use serde_json::{Value, json};

use crate::support::{World, send};

fn call(path: &str, token: Option<&str>) -> Builder {
    let call = Request::post(path).header("content-type", "application/grpc");
    match token {
        Some(token) => call.header("authorization", format!("Bearer {token}")),
        None => call,
    }
}

fn header(status: &'static str) -> HeaderMap {
    let name = HeaderName::from_static("grpc-status");
    [(name, status.parse().unwrap())].into_iter().collect()
}

#[tokio::test]
async fn the_status_of_a_call_is_told_where_the_headers_have_it() {
    let world = World::new().await;
    let app = Router::new()
        .route("/ok", post(async || header("0")))
        .route("/not_found", post(async || header("5")))
        .route("/later", post(async || ()))
        .route("/nonsense", post(async || header("five")))
        .layer(world.authenticator.layer())
        .layer(world.audit.layer());
    let token = world.reader().mint();
    for (path, token, decision, denial, status) in [
        ("/ok", Some(&token), "allowed", None, json!(0)),
        ("/not_found", Some(&token), "allowed", None, json!(5)),
        ("/later", Some(&token), "allowed", None, Value::Null),
        ("/nonsense", Some(&token), "allowed", None, Value::Null),
        ("/ok", None, "denied", Some("missing_credential"), json!(16)),
    ] {
        send(&app, call(path, token.map(String::as_str))).await;
        let event = world.event().await;
        assert_eq!(event["status"], 200, "{event}");
        assert_eq!(event["decision"], decision, "{event}");
        assert_eq!(event["denial"], json!(denial), "{event}");
        assert_eq!(event["grpc_status"], status, "{event}");
    }
}

#[cfg(feature = "tonic")]
#[tokio::test]
async fn a_denial_that_a_tonic_handler_returned_is_told_with_its_reason() {
    use countersign_bearer::Principal;
    use countersign_scope::scopes;

    scopes! { Write = "invoices:write"; }
    let handler = async |caller: Principal| match caller.require::<Write>() {
        Ok(()) => http::Response::new(tonic::body::Body::empty()),
        Err(denied) => tonic::Status::from(denied).into_http(),
    };
    let handler = async move |caller: Principal| handler(caller).await.map(axum::body::Body::new);
    let world = World::new().await;
    let app = Router::new()
        .route("/call", post(handler))
        .layer(world.authenticator.layer())
        .layer(world.audit.layer());
    let reader = world.reader();
    let writer = reader.clone().with_scopes(["invoices:write"]).mint();
    for (token, decision, denial, status) in [
        (writer, "allowed", Value::Null, Value::Null),
        (
            reader.mint(),
            "denied",
            json!("insufficient_scope"),
            json!(7),
        ),
    ] {
        send(&app, call("/call", Some(&token))).await;
        let event = world.event().await;
        assert_eq!(event["decision"], decision, "{event}");
        assert_eq!(event["denial"], denial, "{event}");
        assert_eq!(event["grpc_status"], status, "{event}");
    }
}
