use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use countersign_bearer::{Authentication, RefusalBody, StepUp};
use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use crate::future::ResponseFuture;

/// Guards whatever it wraps with how, or how recently, the user must have authenticated
/// ([RFC 9470](https://www.rfc-editor.org/rfc/rfc9470)); made by [`require_acr`] and [`require_max_age`].
///
/// Who does not meet it is answered 401 `insufficient_user_authentication`, with what is wanted in the challenge, so
/// that the client sends the user to authenticate again. A token without `acr` or `auth_time` does not meet it. It must
/// stand inside of the authentication layer; outside of it, it answers 500.
///
/// ```
/// use std::time::Duration;
///
/// use axum::{Router, routing::post};
/// use countersign_scope::require_acr;
///
/// let guard = require_acr("phr").or_acr("mfa").and_max_age(Duration::from_secs(300));
/// let payments: Router = Router::new()
///     .route("/payments", post(|| async { "paid" }))
///     .route_layer(guard);
/// ```
#[derive(Clone, Debug)]
#[must_use = "a guard guards nothing until it wraps a service"]
pub struct RequireAuthentication {
    wanted: Arc<StepUp>,
}

/// Guards with the token's `acr`, which must be this authentication context class reference.
///
/// # Panics
///
/// If it is empty, or has anything but printable ASCII without spaces, of which no challenge could tell.
pub fn require_acr(acr: impl Into<String>) -> RequireAuthentication {
    let mut wanted = StepUp::default();
    wanted.acr_values.push(told(acr.into()));
    RequireAuthentication {
        wanted: Arc::new(wanted),
    }
}

/// Guards with the token's `auth_time`, which may be at most `age` ago; the client is told whole seconds.
pub fn require_max_age(age: Duration) -> RequireAuthentication {
    let mut wanted = StepUp::default();
    wanted.max_age = Some(age);
    RequireAuthentication {
        wanted: Arc::new(wanted),
    }
}

fn told(acr: String) -> String {
    let is_told = !acr.is_empty() && acr.bytes().all(|byte| byte.is_ascii_graphic());
    assert!(
        is_told,
        "{acr:?} is no authentication context class that a challenge can tell of"
    );
    acr
}

impl RequireAuthentication {
    /// The same, or another `acr`, of which the client is told after those before it.
    ///
    /// # Panics
    ///
    /// As [`require_acr`].
    pub fn or_acr(mut self, acr: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.wanted)
            .acr_values
            .push(told(acr.into()));
        self
    }

    /// The same, and at most so long ago.
    pub fn and_max_age(mut self, age: Duration) -> Self {
        Arc::make_mut(&mut self.wanted).max_age = Some(age);
        self
    }
}

impl<S> Layer<S> for RequireAuthentication {
    type Service = StepUpGuard<S>;

    fn layer(&self, inner: S) -> StepUpGuard<S> {
        StepUpGuard {
            inner,
            wanted: self.wanted.clone(),
        }
    }
}

/// The service that [`RequireAuthentication`] makes.
#[derive(Clone, Debug)]
pub struct StepUpGuard<S> {
    inner: S,
    wanted: Arc<StepUp>,
}

impl<S, B, R> Service<Request<B>> for StepUpGuard<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: RefusalBody,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let decision = Authentication::of(request.extensions())
            .and_then(Authentication::principal)
            .and_then(|principal| principal.require_authentication(&self.wanted));
        match decision {
            Ok(()) => ResponseFuture::granted(self.inner.call(request)),
            Err(denied) => ResponseFuture::denied(&denied.for_request(&request)),
        }
    }
}
