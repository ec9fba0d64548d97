use std::convert::Infallible;
use std::future::Ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::http::{HeaderValue, Request, Response, StatusCode};
use bytes::Bytes;
use countersign_bearer::{Authentication, Authenticator};
use countersign_testing::TestIssuer;
use http_body_util::{Empty, Full};
use tower::{Layer, Service, ServiceExt};

use crate::support::{API, ISSUER, machine, trusting};

/// A service that insists on `poll_ready` before each call, and counts its calls.
#[derive(Default)]
struct Strict {
    ready: bool,
    calls: Arc<AtomicUsize>,
}

impl Clone for Strict {
    /// A clone has not been polled.
    fn clone(&self) -> Self {
        Self {
            ready: false,
            calls: self.calls.clone(),
        }
    }
}

impl<B> Service<Request<B>> for Strict {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        assert!(
            std::mem::take(&mut self.ready),
            "called without being ready"
        );
        self.calls.fetch_add(1, Ordering::Relaxed);
        let caller = Authentication::of(request.extensions())
            .map(|one| one.optional_principal().is_some())
            .map_err(|denied| denied.kind());
        let sensitive = request
            .headers()
            .get("authorization")
            .is_none_or(HeaderValue::is_sensitive);
        let body = format!("{caller:?} {sensitive}");
        std::future::ready(Ok(Response::new(Full::new(body.into()))))
    }
}

fn request(credential: Option<&str>) -> Request<Empty<Bytes>> {
    let mut request = Request::get("/");
    if let Some(credential) = credential {
        request = request.header("authorization", credential);
    }
    request.body(Empty::new()).unwrap()
}

async fn call<S>(service: &mut S, credential: Option<&str>) -> (StatusCode, String)
where
    S: Service<Request<Empty<Bytes>>, Response = Response<Full<Bytes>>, Error = Infallible>,
{
    use http_body_util::BodyExt;
    let response = service.ready().await.unwrap().call(request(credential));
    let (parts, body) = response.await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (parts.status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn any_body_and_any_service_will_do_and_only_the_authenticated_reach_it() {
    let issuer = TestIssuer::new(ISSUER);
    let strict = Strict::default();
    let calls = strict.calls.clone();
    let mut service = trusting(&issuer).await.layer().layer(strict);
    let token = format!("Bearer {}", machine(&issuer).mint());

    let (status, body) = call(&mut service, Some(&token)).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, "Ok(true) true"));
    let (status, body) = call(&mut service, None).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(body.contains("Unauthorized"), "{body}");
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_request_that_waits_for_keys_calls_the_service_that_was_ready() {
    let issuer = TestIssuer::serve().await;
    let authenticator = Authenticator::builder()
        .issuer(issuer.trusted_for(API))
        .build()
        .await
        .unwrap();
    let strict = Strict::default();
    let calls = strict.calls.clone();
    let mut service = authenticator.layer().layer(strict);
    issuer.rotate();
    let token = format!("Bearer {}", machine(&issuer).mint());
    for _ in 0..3 {
        assert_eq!(call(&mut service, Some(&token)).await.0, StatusCode::OK);
    }
    assert_eq!(calls.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn an_optional_layer_lets_only_requests_without_a_credential_through_unauthenticated() {
    let issuer = TestIssuer::new(ISSUER);
    let authenticator = trusting(&issuer).await;
    let mut service = authenticator.layer().optional().layer(Strict::default());
    let good = format!("Bearer {}", machine(&issuer).mint());
    let expired = format!("Bearer {}", machine(&issuer).expired().mint());
    let cases = [
        (None, StatusCode::OK, "Ok(false) true"),
        (Some("Basic dTpw"), StatusCode::OK, "Ok(false) true"),
        (Some(good.as_str()), StatusCode::OK, "Ok(true) true"),
        (Some(&expired), StatusCode::UNAUTHORIZED, ""),
        (Some("Bearer abc"), StatusCode::UNAUTHORIZED, ""),
        (Some("Bearer "), StatusCode::BAD_REQUEST, ""),
        (Some(""), StatusCode::BAD_REQUEST, ""),
        (Some("DPoP abc"), StatusCode::UNAUTHORIZED, ""),
    ];
    for (credential, status, body) in cases {
        let answer = call(&mut service, credential).await;
        assert_eq!(answer.0, status, "{credential:?}");
        if status == StatusCode::OK {
            assert_eq!(answer.1, body, "{credential:?}");
        }
    }
}

#[tokio::test]
async fn without_a_layer_there_is_no_mark() {
    let mut service = Strict::default();
    let (_, body) = call(&mut service, None).await;
    assert_eq!(body, "Err(MissingLayer) true");
}

#[tokio::test]
async fn a_request_that_is_dropped_while_it_waits_hurts_no_other() {
    let issuer = TestIssuer::serve().await;
    let authenticator = Authenticator::builder()
        .issuer(issuer.trusted_for(API))
        .build()
        .await
        .unwrap();
    let mut service = authenticator.layer().layer(Strict::default());
    issuer.rotate();
    let token = format!("Bearer {}", machine(&issuer).mint());

    let waiting = request(Some(&token));
    let dropped = service.clone().oneshot(waiting);
    let mut dropped = Box::pin(dropped);
    assert!(futures_util::poll!(&mut dropped).is_pending());
    drop(dropped);

    assert_eq!(call(&mut service, Some(&token)).await.0, StatusCode::OK);
    assert_eq!(
        issuer.fetches().keys,
        2,
        "at start, and one for the new key"
    );
}
