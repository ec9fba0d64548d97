use std::task::{Context, Poll};

use countersign_bearer::{Authentication, Principal};
use http::Request;
use tower_layer::Layer;
use tower_service::Service;

/// A layer in the place of the authentication layer: every request comes from this principal, whatever
/// credential it has or has not. An audit outside of it sees the principal as well.
///
/// ```
/// use axum::{Router, body::Body, http::Request, routing::get};
/// use countersign_bearer::Principal;
/// use countersign_testing::{authenticated, service_principal};
/// use tower::ServiceExt;
///
/// async fn whoami(principal: Principal) -> String {
///     principal.organization().map(ToString::to_string).unwrap_or_default()
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let app: Router = Router::new()
///     .route("/whoami", get(whoami))
///     .layer(authenticated(service_principal("org_acme", ["invoices:read"])));
/// let response = app.oneshot(Request::get("/whoami").body(Body::empty())?).await?;
/// assert_eq!(response.status(), 200);
/// # Ok(())
/// # }
/// ```
pub fn authenticated(principal: Principal) -> AsPrincipal {
    AsPrincipal {
        authentication: Authentication::assertion(Some(principal)),
    }
}

/// A layer in the place of an optional authentication layer: every request comes from nobody.
pub fn anonymous() -> AsPrincipal {
    AsPrincipal {
        authentication: Authentication::assertion(None),
    }
}

/// The layer that [`authenticated`] and [`anonymous`] make: it verifies nothing, and is for tests only.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct AsPrincipal {
    authentication: Authentication,
}

impl<S> Layer<S> for AsPrincipal {
    type Service = Asserted<S>;

    fn layer(&self, inner: S) -> Asserted<S> {
        Asserted {
            inner,
            authentication: self.authentication.clone(),
        }
    }
}

/// The service that [`AsPrincipal`] makes.
#[derive(Clone, Debug)]
pub struct Asserted<S> {
    inner: S,
    authentication: Authentication,
}

impl<S, B> Service<Request<B>> for Asserted<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        let mark = self.authentication.clone();
        mark.leave_in(request.extensions_mut());
        self.inner.call(request)
    }
}
