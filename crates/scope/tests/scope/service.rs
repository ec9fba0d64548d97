//! The guard as a Tower service, with neither axum's body nor its router.

use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use countersign_bearer::RefusalBody;
use countersign_scope::{RequireScopes, require, require_acr, scopes};
use http::{Request, Response, StatusCode};
use http_body_util::combinators::{BoxBody, UnsyncBoxBody};
use http_body_util::{BodyExt, Empty, Full};
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::support::{INSUFFICIENT_SCOPE, granted};

type Bytes = axum::body::Bytes;

scopes! {
    Read = "invoices:read";
}

/// Answers with an empty body, or the error that it is made with. Panics if it is called before it was ready,
/// as Tower allows it to.
struct Strict {
    is_ready: bool,
    error: Option<&'static str>,
    calls: Arc<AtomicUsize>,
}

impl Strict {
    fn new(error: Option<&'static str>) -> Self {
        Self {
            is_ready: false,
            error,
            calls: Arc::default(),
        }
    }
}

/// A clone of a service that is ready need not be.
impl Clone for Strict {
    fn clone(&self) -> Self {
        Self {
            is_ready: false,
            calls: self.calls.clone(),
            ..*self
        }
    }
}

impl<B> Service<Request<B>> for Strict {
    type Response = Response<Full<Bytes>>;
    type Error = &'static str;
    type Future = Ready<Result<Self::Response, &'static str>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        self.is_ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        assert!(self.is_ready, "called before it was ready");
        self.is_ready = false;
        self.calls.fetch_add(1, Ordering::Relaxed);
        ready(self.error.map_or_else(|| Ok(Response::default()), Err))
    }
}

#[tokio::test]
async fn the_inner_service_is_called_when_it_is_ready_and_not_for_a_denied_request() {
    let strict = Strict::new(None);
    let calls = strict.calls.clone();
    for (scopes, status, calls_so_far) in [
        ("invoices:read", StatusCode::OK, 1),
        ("other", StatusCode::FORBIDDEN, 1),
        ("invoices:read other", StatusCode::OK, 2),
    ] {
        let guarded = granted(scopes).layer(require::<Read>().layer(strict.clone()));
        let response = guarded.oneshot(Request::new(())).await.unwrap();
        assert_eq!(response.status(), status, "{scopes:?}");
        assert_eq!(calls.load(Ordering::Relaxed), calls_so_far);
    }
}

#[tokio::test]
async fn one_guarded_service_serves_one_request_after_the_other() {
    let mut guarded = granted("invoices:read").layer(require::<Read>().layer(Strict::new(None)));
    for _ in 0..3 {
        let ready = ServiceExt::<Request<()>>::ready(&mut guarded)
            .await
            .unwrap();
        let response = ready.call(Request::new(())).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn errors_of_the_inner_service_pass_through() {
    let inner = Strict::new(Some("broken"));
    let guarded = granted("invoices:read").layer(require::<Read>().layer(inner));
    let error = guarded.oneshot(Request::new(())).await.unwrap_err();
    assert_eq!(error, "broken");
}

#[tokio::test]
async fn a_service_that_is_never_ready_is_not_called() {
    struct Broken;
    impl Service<Request<()>> for Broken {
        type Response = Response<Full<Bytes>>;
        type Error = &'static str;
        type Future = Ready<Result<Self::Response, &'static str>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
            Poll::Ready(Err("never ready"))
        }

        fn call(&mut self, _: Request<()>) -> Self::Future {
            panic!("called")
        }
    }
    let guarded = granted("invoices:read").layer(require::<Read>().layer(Broken));
    let error = guarded.oneshot(Request::new(())).await.unwrap_err();
    assert_eq!(error, "never ready");
    let guarded = granted("").layer(require_acr("a").layer(Broken));
    let error = guarded.oneshot(Request::new(())).await.unwrap_err();
    assert_eq!(error, "never ready");
}

async fn denial_in<B>() -> Response<B>
where
    B: RefusalBody + Send + 'static,
{
    let inner = service_fn(|_: Request<&'static str>| async {
        panic!("reached") as Result<Response<B>, &'static str>
    });
    let guard = RequireScopes::all(["invoices:read"]).unwrap();
    let guarded = granted("other").layer(guard.layer(inner));
    guarded.oneshot(Request::new("any body")).await.unwrap()
}

async fn text<B>(response: Response<B>) -> String
where
    B: BodyExt<Data = Bytes>,
    B::Error: std::fmt::Debug,
{
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.into()).unwrap()
}

#[tokio::test]
async fn it_fits_any_request_body_and_any_response_body_that_a_denial_can_be_put_into() {
    type Error = std::io::Error;
    let bodies = [
        text(denial_in::<Full<Bytes>>().await).await,
        text(denial_in::<BoxBody<Bytes, Error>>().await).await,
        text(denial_in::<UnsyncBoxBody<Bytes, Error>>().await).await,
        text(denial_in::<axum::body::Body>().await).await,
    ];
    for body in bodies {
        assert_eq!(body, INSUFFICIENT_SCOPE);
    }
    assert_eq!(text(denial_in::<Empty<Bytes>>().await).await, "");
}

/// One service may answer both kinds of client.
#[tokio::test]
async fn a_denied_grpc_call_is_answered_as_grpc_with_the_same_challenge() {
    let answer = async |content_type: Option<&str>| {
        let inner = service_fn(|_: Request<()>| async {
            panic!("reached") as Result<Response<Full<Bytes>>, &'static str>
        });
        let guarded = granted("other").layer(require::<Read>().layer(inner));
        let mut request = Request::post("/acme.Invoices/List");
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        guarded.oneshot(request.body(()).unwrap()).await.unwrap()
    };
    let of_http = answer(None).await;
    let of_grpc = answer(Some("application/grpc+proto")).await;
    assert_eq!(of_http.status(), StatusCode::FORBIDDEN);
    assert_eq!(of_grpc.status(), StatusCode::OK);
    assert_eq!(of_grpc.headers()["grpc-status"], "7"); // PERMISSION_DENIED
    let challenges = [&of_http, &of_grpc].map(|one| &one.headers()["www-authenticate"]);
    assert_eq!(challenges[0], challenges[1]);
}
