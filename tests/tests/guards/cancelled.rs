//! Requests that are dropped half-way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::get;
use countersign::{Principal, Scoped};
use countersign_testing::{Endpoint, FakeClock, Fault, TestIssuer};
use futures_util::poll;
use tower::limit::ConcurrencyLimitLayer;
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::support::{Read, issuer, machine, of, status, trusting, trusting_with};

/// Says when it is dropped.
struct Dropped(Arc<AtomicUsize>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn a_request_that_is_dropped_while_its_handler_runs_ends_with_it_and_hurts_no_other() {
    let issuer = issuer();
    let authenticator = trusting(&issuer).await;
    let dropped = Arc::new(AtomicUsize::new(0));
    let counter = dropped.clone();
    let app = Router::new()
        .route(
            "/slow",
            get(async move |_: Scoped<Read>| {
                let _dropped = Dropped(counter);
                std::future::pending::<()>().await;
            }),
        )
        .route("/", get(async |_: Principal| "in"))
        .layer(authenticator.layer());
    let token = machine(&issuer).mint();
    for round in 1..=3 {
        let mut request = Box::pin(app.clone().oneshot(of("GET /slow", &token)));
        assert!(poll!(&mut request).is_pending());
        drop(request);
        assert_eq!(dropped.load(Ordering::SeqCst), round);
        assert_eq!(status(&app, "GET /", &token).await, 200);
    }
}

/// One service and not its clones: the request that is dropped had taken the place of the one there is.
#[tokio::test]
async fn a_request_that_is_dropped_while_it_waits_for_keys_gives_its_place_back() {
    let clock = FakeClock::new();
    let issuer = TestIssuer::serve()
        .await
        .with_clock(Arc::new(clock.clone()));
    let authenticator = trusting_with(&issuer, |builder| {
        builder.with_clock(Arc::new(clock.clone()))
    });
    let authenticator = authenticator.await;
    let was_called = Arc::new(AtomicBool::new(false));
    let called = was_called.clone();
    let inner = service_fn(move |_: Request| {
        called.store(true, Ordering::SeqCst);
        async { Ok::<_, std::convert::Infallible>(Response::new(Body::from("in"))) }
    });
    let one_at_a_time = ConcurrencyLimitLayer::new(1).layer(inner);
    let mut service = authenticator.layer().layer(one_at_a_time);
    let known = machine(&issuer).mint();
    issuer.set_fault_at(Endpoint::Keys, Some(Fault::Hang));
    issuer.rotate();
    let unknown = machine(&issuer).mint();

    let mut waiting = Box::pin(service.ready().await.unwrap().call(of("GET /", &unknown)));
    assert!(poll!(&mut waiting).is_pending());
    drop(waiting);
    assert!(!was_called.load(Ordering::SeqCst));
    let response = service.ready().await.unwrap().call(of("GET /", &known));
    assert_eq!(response.await.unwrap().status(), 200);

    // The fetch that it left behind still serves those who come now.
    let mut waiting = Box::pin(service.ready().await.unwrap().call(of("GET /", &unknown)));
    assert!(poll!(&mut waiting).is_pending());
    clock.advance(std::time::Duration::from_secs(1)).await;
    assert_eq!(waiting.await.unwrap().status(), 503);
    issuer.set_fault_at(Endpoint::Keys, None);
    clock.advance(std::time::Duration::from_secs(10)).await;
    let response = service.ready().await.unwrap().call(of("GET /", &unknown));
    assert_eq!(response.await.unwrap().status(), 200);
}
