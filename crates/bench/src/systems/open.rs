//! Routers that look at no token: what a request costs before anybody authenticates it.

use std::rc::Rc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use tower_layer::Layer;
use tower_service::Service;

use crate::Error;
use crate::routed::Routed;
use crate::system::System;
use crate::world::World;

pub(super) const BARE: &str = "bare";
/// The name of the layer that does nothing in reports.
pub const NOOP: &str = "noop";
/// Its name in a server that tells who is connected.
pub const NOOP_CONNECTED: &str = "noop_connected";

/// The router that the layers of axum 0.8 go on. Its handler answers 200 without a body.
///
/// The state is given at once, as `axum::serve` does it: a router called without would make its handler anew for each
/// request.
pub fn router() -> Router {
    Router::new().route("/", get(async || ())).with_state(())
}

pub(super) fn bare(world: &Rc<World>) -> Result<Box<dyn System>, Error> {
    let system = Routed::<_, Body>::new(BARE, world, |_| Ok(router()))?;
    Ok(Box::new(system.open()))
}

pub(super) fn noop(world: &Rc<World>) -> Result<Box<dyn System>, Error> {
    let system = Routed::<_, Body>::new(NOOP, world, |_| Ok(noop_router()))?;
    Ok(Box::new(system.open()))
}

/// The same in a server that tells who is connected.
pub(super) fn noop_connected(world: &Rc<World>) -> Result<Box<dyn System>, Error> {
    let system = Routed::<_, Body>::new(NOOP_CONNECTED, world, |_| Ok(noop_router()))?;
    Ok(Box::new(system.open().connected()))
}

/// The same with a layer that does nothing.
pub fn noop_router() -> Router {
    router().layer(Noop)
}

/// A layer that does nothing: the least that any layer costs in axum.
#[derive(Clone, Copy)]
struct Noop;

#[derive(Clone)]
struct NoopService<S>(S);

impl<S> Layer<S> for Noop {
    type Service = NoopService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        NoopService(inner)
    }
}

impl<S: Service<R>, R> Service<R> for NoopService<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        self.0.call(request)
    }
}
