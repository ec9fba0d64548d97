use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, Route};
use tower_layer::Layer;
use tower_service::Service;

/// A layer that axum's routes can be wrapped in: what [`Router::layer`] asks for, under one name. It cannot be
/// implemented but by such a layer.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be put around a route",
    label = "not a layer for axum's routes",
    note = "it must be a `Layer<Route>` that is `Clone`, whose service answers a request without failing"
)]
pub trait RouteLayer:
    Layer<
        Route,
        Service: Service<
            Request,
            Response: IntoResponse + 'static,
            Error = Infallible,
            Future: Send + 'static,
        > + Clone
                     + Send
                     + Sync
                     + 'static,
    > + Clone
    + Send
    + Sync
    + 'static
{
}

impl<L> RouteLayer for L
where
    L: Layer<Route> + Clone + Send + Sync + 'static,
    L::Service: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
    <L::Service as Service<Request>>::Response: IntoResponse + 'static,
    <L::Service as Service<Request>>::Future: Send + 'static,
{
}

/// What answers the requests of a row.
#[derive(Clone)]
pub(crate) enum Endpoint<S = ()> {
    /// One method; the others are left to axum, which answers 405.
    Method(MethodRouter<S>),
    /// All methods that have no endpoint of their own.
    Any(MethodRouter<S>),
    Router(Router<S>),
}

impl<S: Clone + Send + Sync + 'static> Endpoint<S> {
    pub(crate) fn with_state<S2>(self, state: S) -> Endpoint<S2> {
        match self {
            Self::Method(one) => Endpoint::Method(one.with_state(state)),
            Self::Any(any) => Endpoint::Any(any.with_state(state)),
            Self::Router(router) => Endpoint::Router(router.with_state(state)),
        }
    }
}

impl Endpoint {
    pub(crate) fn layer(self, layer: impl RouteLayer) -> Self {
        match self {
            Self::Method(one) => Self::Method(one.route_layer(layer)),
            Self::Any(any) => Self::Any(any.layer(layer)),
            Self::Router(router) => Self::Router(router.layer(layer)),
        }
    }
}

/// A layer of the application's own, to be put around endpoints when they are built.
pub(crate) type EndpointLayer = Arc<dyn Fn(Endpoint) -> Endpoint + Send + Sync>;

pub(crate) fn endpoint_layer(layer: impl RouteLayer) -> EndpointLayer {
    Arc::new(move |endpoint| endpoint.layer(layer.clone()))
}
