//! A service is called only when it is ready, and exactly the one that is.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use countersign::require;
use countersign_testing::TestIssuer;
use tower::{Layer, Service, ServiceExt};

use crate::support::{Read, machine, of, trusting};

/// Panics if it is called without being ready; is ready only at the second time of asking, as a clone as well.
struct Strict {
    asked: usize,
    calls: Arc<AtomicUsize>,
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self {
            asked: 0,
            calls: self.calls.clone(),
        }
    }
}

impl Service<Request> for Strict {
    type Response = Response;
    type Error = Infallible;
    type Future = Ready<Result<Response, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.asked += 1;
        if self.asked < 2 {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request) -> Self::Future {
        assert!(self.asked >= 2, "called without being ready");
        self.asked = 0;
        self.calls.fetch_add(1, Ordering::SeqCst);
        ready(Ok(Response::new(Body::from("in"))))
    }
}

#[tokio::test]
async fn whether_the_key_is_known_or_has_to_be_asked_for_the_service_that_was_ready_is_called() {
    let issuer = TestIssuer::serve().await;
    let authenticator = trusting(&issuer).await;
    let calls = Arc::new(AtomicUsize::new(0));
    let strict = Strict {
        asked: 0,
        calls: calls.clone(),
    };
    let guarded = require::<Read>().layer(strict);
    let mut service = authenticator.layer().layer(guarded.clone());
    let mut twice = authenticator
        .layer()
        .layer(authenticator.layer().layer(guarded));
    let seen = machine(&issuer).mint();
    let unseen = machine(&issuer).mint();
    let narrow = machine(&issuer).without_claim("scope").mint();
    issuer.rotate();
    // The first of these has the issuer asked; after it the old ones are unknown.
    let new = machine(&issuer).mint();
    let mut expected_calls = 0;
    for (token, expected) in [
        (&*seen, 200),
        (&*seen, 200),
        ("", 401),
        (&*unseen, 200),
        (&*narrow, 403),
        (&*new, 200),
        (&*new, 200),
        ("a.b.c", 401),
    ] {
        let response = service.ready().await.unwrap().call(of("GET /", token));
        assert_eq!(response.await.unwrap().status(), expected);
        expected_calls += usize::from(expected == 200);
        assert_eq!(calls.load(Ordering::SeqCst), expected_calls);
    }
    issuer.rotate();
    for (token, expected) in [(machine(&issuer).mint(), 200), (new, 401)] {
        let response = twice.ready().await.unwrap().call(of("GET /", &token));
        assert_eq!(response.await.unwrap().status(), expected);
    }
    assert_eq!(calls.load(Ordering::SeqCst), expected_calls + 1);
}
