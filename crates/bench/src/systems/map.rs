//! The least that any cache of tokens costs: a layer that looks the header up in a map and puts what it finds into the
//! request's extensions. It verifies nothing, forgets nothing, and takes whatever is not in the map for good.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request};
use tower_layer::Layer;
use tower_service::Service;

use super::open::router;
use crate::Error;
use crate::case::Case;
use crate::routed::Routed;
use crate::system::System;
use crate::world::World;

/// Its name in reports.
pub const NAME: &str = "map";

pub(super) fn make(world: &Rc<World>) -> Result<Box<dyn System>, Error> {
    let system = Routed::<_, Body>::new(NAME, world, |world| {
        let seen = world.request::<Body>(Case::ValidAgain, 0)?;
        let header = seen.headers().get(AUTHORIZATION).cloned();
        Ok(map_router(header))
    })?;
    Ok(Box::new(system.open()))
}

/// A router with this layer and these headers in its map.
pub fn map_router(headers: impl IntoIterator<Item = HeaderValue>) -> Router {
    let known = headers.into_iter().map(|header| {
        let header: Box<[u8]> = header.as_bytes().into();
        (end(&header), (header, Arc::new([0; 512])))
    });
    router().layer(Map(Arc::new(known.collect())))
}

/// By the end of the header, as the suite's cache does it; the whole of it is compared.
type Known = HashMap<[u8; 32], (Box<[u8]>, Claims)>;

/// About as large as a token's.
type Claims = Arc<[u8; 512]>;

#[derive(Clone)]
struct Map(Arc<Known>);

#[derive(Clone)]
struct MapService<S> {
    inner: S,
    known: Arc<Known>,
}

fn end(header: &[u8]) -> [u8; 32] {
    header.last_chunk().copied().unwrap_or_default()
}

impl<S> Layer<S> for Map {
    type Service = MapService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        MapService {
            inner,
            known: self.0.clone(),
        }
    }
}

impl<S: Service<Request<B>>, B> Service<Request<B>> for MapService<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let found = request.headers().get(AUTHORIZATION).and_then(|header| {
            let (known, claims) = self.known.get(&end(header.as_bytes()))?;
            (**known == *header.as_bytes()).then(|| claims.clone())
        });
        if let Some(claims) = found {
            request.extensions_mut().insert(claims);
        }
        self.inner.call(request)
    }
}
