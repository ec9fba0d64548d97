//! Methods that have no handler of their own, and CORS.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Method};
use axum::routing::{any, get};
use countersign::{Authenticator, Principal};
use tower_http::cors::CorsLayer;

use crate::support::{Answer, issuer, machine, of, send, status, trusting};

const ORIGIN: &str = "https://app.acme.test";

fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(HeaderValue::from_static(ORIGIN))
        .allow_methods([Method::GET])
        .allow_headers([AUTHORIZATION])
        .expose_headers([WWW_AUTHENTICATE])
}

/// A router that counts how often a handler was reached.
fn counting() -> (Router, Arc<AtomicUsize>) {
    let reached = Arc::new(AtomicUsize::new(0));
    let (one, other) = (reached.clone(), reached.clone());
    let count = move |counter: &Arc<AtomicUsize>| {
        counter.fetch_add(1, Ordering::SeqCst);
        "in"
    };
    let router = Router::new()
        .route("/", get(async move || count(&one)))
        .route("/any", any(async move || count(&other)));
    (router, reached)
}

#[tokio::test]
async fn no_method_is_free() {
    let issuer = issuer();
    let authenticator = trusting(&issuer).await;
    let (router, reached) = counting();
    let app = router.layer(authenticator.layer());
    let methods = [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND",
        "get",
    ];
    for method in methods {
        for path in ["/", "/any", "/unknown"] {
            let request = format!("{method} {path}");
            assert_eq!(status(&app, &request, "").await, 401, "{request}");
        }
    }
    assert_eq!(reached.load(Ordering::SeqCst), 0);
    let token = machine(&issuer).mint();
    for method in methods {
        let request = format!("{method} /any");
        assert_eq!(status(&app, &request, &token).await, 200, "{request}");
    }
    assert_eq!(reached.load(Ordering::SeqCst), methods.len());
}

#[tokio::test]
async fn head_is_denied_as_get_is() {
    let issuer = issuer();
    let authenticator = trusting(&issuer).await;
    let router = Router::new().route("/", get(async |_: Principal| "in"));
    let app = router.clone().layer(authenticator.layer());
    let token = machine(&issuer).mint();
    for (token, expected) in [("", 401), ("a.b.c", 401), (&*token, 200)] {
        let head = send(&app, of("HEAD /", token)).await;
        let get = send(&app, of("GET /", token)).await;
        assert_eq!((head.status, get.status), (expected, expected));
        let challenge = |answer: &Answer| answer.headers.get(WWW_AUTHENTICATE).cloned();
        assert_eq!(challenge(&head), challenge(&get));
    }
    assert_eq!(status(&router, "HEAD /", &token).await, 500);
}

/// What a browser sends before a request with a token to another origin.
async fn preflight(app: &Router) -> Answer {
    let mut request = of("OPTIONS /", "");
    let headers = request.headers_mut();
    for (name, value) in [
        ("origin", ORIGIN),
        ("access-control-request-method", "GET"),
        ("access-control-request-headers", "authorization"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    send(app, request).await
}

async fn from_the_app(app: &Router, token: &str) -> Answer {
    let mut request = of("GET /", token);
    let origin = HeaderValue::from_static(ORIGIN);
    request.headers_mut().insert("origin", origin);
    send(app, request).await
}

fn allowed(answer: &Answer) -> Option<&str> {
    let origin = answer.headers.get("access-control-allow-origin");
    origin.map(|origin| origin.to_str().unwrap())
}

fn with_cors(outside: bool, authenticator: &Authenticator) -> (Router, Arc<AtomicUsize>) {
    let (router, reached) = counting();
    let app = if outside {
        router.layer(authenticator.layer()).layer(cors())
    } else {
        router.layer(cors()).layer(authenticator.layer())
    };
    (app, reached)
}

#[tokio::test]
async fn with_cors_outside_a_preflight_is_answered_and_opens_nothing() {
    let issuer = issuer();
    let (app, reached) = with_cors(true, &trusting(&issuer).await);
    let answer = preflight(&app).await;
    assert_eq!((answer.status, allowed(&answer)), (200, Some(ORIGIN)));
    // Any `OPTIONS` is a preflight to the CORS layer: it answers by itself.
    assert_eq!(status(&app, "OPTIONS /any", "").await, 200);
    assert_eq!(reached.load(Ordering::SeqCst), 0);

    let denied = from_the_app(&app, "").await;
    assert_eq!(denied.status, 401);
    assert_eq!(allowed(&denied), Some(ORIGIN), "the app may read why");
    assert!(denied.headers.contains_key(WWW_AUTHENTICATE));
    let good = from_the_app(&app, &machine(&issuer).mint()).await;
    assert_eq!((good.status, allowed(&good)), (200, Some(ORIGIN)));
    assert_eq!(reached.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn with_cors_inside_a_preflight_is_denied_like_any_request_without_a_token() {
    let issuer = issuer();
    let (app, reached) = with_cors(false, &trusting(&issuer).await);
    let answer = preflight(&app).await;
    assert_eq!((answer.status, allowed(&answer)), (401, None));
    assert_eq!(from_the_app(&app, "").await.status, 401);
    let good = from_the_app(&app, &machine(&issuer).mint()).await;
    assert_eq!((good.status, allowed(&good)), (200, Some(ORIGIN)));
    assert_eq!(reached.load(Ordering::SeqCst), 1);
}
