use std::fmt;

use axum::Router;
use axum::handler::Handler;
use axum::routing::{IntoMakeService, MethodRouter};

use crate::endpoint::RouteLayer;

/// Puts a layer around a whole router: its routes, those that are added later, and its fallbacks.
///
/// In axum, [`Router::layer`] covers what a router has at that moment. A route added afterwards, in the next line or
/// in another file, is open, and nothing says so. Here the layer is put on last, whatever the order in the
/// program.
///
/// ```
/// use axum::routing::get;
/// use axum::{Router, body::Body, http::Request};
/// use countersign_router::protect;
/// # use countersign_bearer::Authenticator;
/// # use countersign_testing::TestIssuer;
/// # use tower::ServiceExt;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let issuer = TestIssuer::new("https://as.acme.test").trusted_for("https://api.acme.test");
/// # let authenticator = Authenticator::builder().issuer(issuer).build().await?;
/// let app: Router = protect(Router::new(), authenticator.layer())
///     .route("/late", get(|| async { "covered" }))
///     .into_router();
///
/// for path in ["/late", "/unknown"] {
///     let request = Request::get(path).body(Body::empty())?;
///     assert_eq!(app.clone().oneshot(request).await?.status(), 401);
/// }
/// # Ok(())
/// # }
/// ```
pub fn protect<L: RouteLayer, S>(router: Router<S>, layer: L) -> Protected<L, S> {
    Protected { router, layer }
}

/// A router with a layer around all of it; made by [`protect`].
///
/// What is added to it goes inside. What is added to the router that [`into_router`](Self::into_router) makes
/// is outside again: make that the last step.
#[derive(Clone)]
#[must_use = "a protected router serves nothing until it is made into a router"]
pub struct Protected<L, S = ()> {
    router: Router<S>,
    layer: L,
}

impl<L, S> Protected<L, S>
where
    L: RouteLayer,
    S: Clone + Send + Sync + 'static,
{
    /// Adds a route, as [`Router::route`] does.
    pub fn route(self, path: &str, route: MethodRouter<S>) -> Self {
        self.map(|router| router.route(path, route))
    }

    /// Adds a router under a path, as [`Router::nest`] does.
    pub fn nest(self, path: &str, router: Router<S>) -> Self {
        self.map(|outer| outer.nest(path, router))
    }

    /// Adds the routes of another router, as [`Router::merge`] does.
    pub fn merge(self, router: impl Into<Router<S>>) -> Self {
        self.map(|outer| outer.merge(router))
    }

    /// Answers unknown paths, as [`Router::fallback`] does.
    pub fn fallback<H: Handler<T, S>, T: 'static>(self, handler: H) -> Self {
        self.map(|router| router.fallback(handler))
    }

    /// Gives its handlers their state, as [`Router::with_state`] does.
    pub fn with_state<S2>(self, state: S) -> Protected<L, S2> {
        Protected {
            router: self.router.with_state(state),
            layer: self.layer,
        }
    }

    /// The router with the layer on.
    pub fn into_router(self) -> Router<S> {
        self.router.layer(self.layer)
    }

    fn map(self, change: impl FnOnce(Router<S>) -> Router<S>) -> Self {
        Self {
            router: change(self.router),
            layer: self.layer,
        }
    }
}

impl<L: RouteLayer> Protected<L> {
    /// The router with the layer on, as `axum::serve` takes it.
    pub fn into_make_service(self) -> IntoMakeService<Router> {
        self.into_router().into_make_service()
    }
}

impl<L, S> From<Protected<L, S>> for Router<S>
where
    L: RouteLayer,
    S: Clone + Send + Sync + 'static,
{
    fn from(protected: Protected<L, S>) -> Self {
        protected.into_router()
    }
}

impl<L, S> fmt::Debug for Protected<L, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Protected")
            .field("router", &self.router)
            .finish_non_exhaustive()
    }
}
