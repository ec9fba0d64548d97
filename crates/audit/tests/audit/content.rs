//! What of a request is in its event, and what is not.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::routing::{any, get as route};
use countersign_audit::AuditLayer;
use http::{HeaderName, HeaderValue, Method, Request};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::support::{World, get, send, with_token};

fn app(layer: AuditLayer) -> Router {
    Router::new().route("/", any(async || ())).layer(layer)
}

#[tokio::test]
async fn a_request_id_is_short_and_printable_or_absent() {
    let world = World::new().await;
    let app = app(world.audit.layer());
    let (longest, too_long) = ("x".repeat(128), "x".repeat(129));
    let cases: [(&[u8], Option<&str>); 9] = [
        (b"r-1", Some("r-1")),
        (br#"{"a":"b\c"}"#, Some(r#"{"a":"b\c"}"#)),
        (longest.as_bytes(), Some(&longest)),
        (too_long.as_bytes(), None),
        (b"", None),
        (b"r 1", None),
        (b"r\t1", None),
        ("r-\u{e9}".as_bytes(), None),
        (b"r-\xff", None),
    ];
    for (value, expected) in cases {
        let value = HeaderValue::from_bytes(value).unwrap();
        send(&app, get("/").header("x-request-id", value)).await;
        assert_eq!(world.event().await["request_id"], json!(expected));
    }
}

#[tokio::test]
async fn a_request_id_that_is_given_further_in_is_read_from_the_response() {
    let world = World::new().await;
    let given = route(async || [("x-request-id", "given")]);
    let app = Router::new().route("/", given).layer(world.audit.layer());
    for (sent, expected) in [
        (None, "given"),
        (Some("sent"), "sent"),
        (Some("a b"), "given"),
    ] {
        let request = match sent {
            Some(id) => get("/").header("x-request-id", id),
            None => get("/"),
        };
        send(&app, request).await;
        assert_eq!(world.event().await["request_id"], expected, "{sent:?}");
    }
}

#[tokio::test]
async fn another_header_may_have_the_request_id_or_none() {
    let world = World::new().await;
    let layer = world.audit.layer();
    let trace = HeaderName::from_static("x-trace");
    let cases = [
        (layer.clone(), json!("usual")),
        (layer.clone().with_request_id_header(trace), json!("trace")),
        (layer.without_request_id(), Value::Null),
    ];
    for (layer, expected) in cases {
        let request = get("/").header("x-request-id", "usual");
        send(&app(layer), request.header("x-trace", "trace")).await;
        assert_eq!(world.event().await["request_id"], expected);
    }
}

#[derive(Clone)]
struct Forwarded(SocketAddr);

#[tokio::test]
async fn the_peer_is_what_the_server_says_or_somebody_who_knows_better() {
    let world = World::new().await;
    let proxy = SocketAddr::from(([127, 0, 0, 1], 4711));
    let caller = SocketAddr::from(([192, 0, 2, 7], 40_000));
    let forwarded = world.audit.layer().with_peer(|extensions| {
        let forwarded: Option<&Forwarded> = extensions.get();
        forwarded.map(|one| one.0)
    });
    let cases = [
        (world.audit.layer(), true, json!("127.0.0.1:4711")),
        (world.audit.layer(), false, Value::Null),
        (forwarded.clone(), true, json!("192.0.2.7:40000")),
        (forwarded, false, Value::Null),
    ];
    for (layer, has_extensions, expected) in cases {
        let mut request = get("/");
        if has_extensions {
            request = request.extension(ConnectInfo(proxy));
            request = request.extension(Forwarded(caller));
        }
        send(&app(layer), request).await;
        assert_eq!(world.event().await["peer"], expected);
    }
}

#[tokio::test]
async fn a_method_is_told_unless_it_is_overlong() {
    let world = World::new().await;
    let app = app(world.audit.layer());
    let (longest, too_long) = ("M".repeat(24), "M".repeat(25));
    for (method, expected) in [
        ("POST", "POST"),
        ("PURGE", "PURGE"),
        (&longest, &longest),
        (&too_long, "OVERLONG"),
    ] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        send(&app, Request::builder().method(method).uri("/")).await;
        assert_eq!(world.event().await["method"], expected);
    }
}

#[tokio::test]
async fn outside_of_the_router_no_path_is_known_and_none_is_told() {
    let world = World::new().await;
    let routes = Router::new().route("/secret/{id}", route(async || ()));
    let service = tower::Layer::layer(&world.audit.layer(), routes);
    let request = get("/secret/1").body(Body::empty()).unwrap();
    service.oneshot(request).await.unwrap();
    let event = world.event().await;
    assert_eq!(event["matched_path"], Value::Null);
    assert!(!event.to_string().contains("secret"), "{event}");
}

#[tokio::test]
async fn nothing_of_a_token_or_of_a_refused_one_is_in_an_event() {
    let world = World::new().await;
    let app = Router::new()
        .route("/{tail}", any(async || ()))
        .layer(world.authenticator.layer())
        .layer(world.audit.layer());
    let secret = "a-subject-that-nobody-has-proven";
    let base = world.issuer.delegated_user("client-unproven", secret);
    let base = base.with_audience(crate::support::AUDIENCE);
    let base = base.with_organization("org-unproven");
    let refused = [
        base.clone().expired().mint(),
        base.clone().tampered().mint(),
        base.with_claim("iss", "https://unproven.test").mint(),
        "one.two-unproven.three".to_owned(),
        "unproven".to_owned(),
    ];
    let good = world.reader().mint();
    for token in refused.iter().chain([&good]) {
        let path = format!("/{token}?access_token={token}");
        send(&app, with_token(&path, token).header("x-api-key", token)).await;
        let event = world.event().await.to_string();
        for part in token.split('.') {
            assert!(!event.contains(part), "{part} in {event}");
        }
        assert!(
            !event.contains("unproven") && !event.contains(secret),
            "{event}"
        );
    }
}

#[tokio::test]
async fn given_as_one_layer_with_the_authentication_it_tells_the_same() {
    let world = World::new().await;
    let routes = Router::new().route("/orgs/{id}", any(async || ()));
    let apart = routes
        .clone()
        .layer(world.authenticator.layer())
        .layer(world.audit.layer());
    let together = routes.layer((world.audit.layer(), world.authenticator.layer()));
    let token = world.reader().mint();
    for token in [&*token, "refused"] {
        let [mut one, mut other] = [Value::Null, Value::Null];
        for (app, event) in [(&apart, &mut one), (&together, &mut other)] {
            send(app, with_token("/orgs/a", token)).await;
            *event = world.event().await;
        }
        assert_eq!(one["matched_path"], "/orgs/{id}");
        assert_eq!(one, other);
    }
}
