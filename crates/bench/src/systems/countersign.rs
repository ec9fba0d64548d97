//! This suite: its layer with the token cache as it is by default.

use std::rc::Rc;

use axum::body::Body;
use countersign::{Authenticator, TokenCache};

use super::open::router;
use crate::Error;
use crate::routed::Routed;
use crate::system::System;
use crate::world::{AUDIENCE, World};

/// Its name in reports.
pub const NAME: &str = "countersign";

pub(super) fn make(world: &Rc<World>) -> Result<Box<dyn System>, Error> {
    let system = Routed::<_, Body>::new(NAME, world, |world| {
        Ok(router().layer(authenticator(world, TokenCache::default())?.layer()))
    })?;
    Ok(Box::new(system.remembering()))
}

/// Trusts the world's issuer with the keys it has, and has seen no token.
pub fn authenticator(world: &World, cache: TokenCache) -> Result<Authenticator, Error> {
    let issuer = world
        .issuer()
        .trusted_for(AUDIENCE)
        .with_keys(world.issuer().key_source());
    let builder = Authenticator::builder()
        .issuer(issuer)
        .with_token_cache(cache);
    Ok(world.block_on(builder.build())?)
}
