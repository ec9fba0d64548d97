//! This suite: its layer with the token cache as it is by default.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use countersign::{
    Audit, AuditEvent, AuditSink, Authenticator, AuthenticatorBuilder, Clock, Revocation,
    RevocationList, SinkError, SystemClock, TokenCache,
};

use super::open::router;
use crate::Error;
use crate::routed::Routed;
use crate::system::System;
use crate::world::{AUDIENCE, World};

/// Its name in reports.
pub const NAME: &str = "countersign";

/// Its name in a server that tells who is connected.
pub const CONNECTED: &str = "countersign_connected";

/// Its name with revocation and audit.
pub const ACCOUNTABLE: &str = "countersign_accountable";

pub(super) fn make(world: &Rc<World>) -> Result<Box<dyn System>, Error> {
    let system = Routed::<_, Body>::new(NAME, world, |world| {
        Ok(router().layer(authenticator(world, TokenCache::default())?.layer()))
    })?;
    Ok(Box::new(system.remembering()))
}

/// The same in a server that tells who is connected.
pub(super) fn connected(world: &Rc<World>) -> Result<Box<dyn System>, Error> {
    let system = Routed::<_, Body>::new(CONNECTED, world, |world| {
        Ok(router().layer(authenticator(world, TokenCache::default())?.layer()))
    })?;
    Ok(Box::new(system.remembering().connected()))
}

/// The same with revocations asked on every request, and an event for each. What the event's sink does is
/// somebody else's time, so it does nothing.
pub(super) fn accountable(world: &Rc<World>) -> Result<Box<dyn System>, Error> {
    let audit = Audit::builder().sink(Nowhere).build()?;
    let system = Routed::<_, Body>::new(ACCOUNTABLE, world, move |world| {
        let authenticator = world.block_on(
            builder(world)
                .with_revocations(Arc::new(revocations(world)?))
                .build(),
        )?;
        // As one layer to axum, which boxes each that it is given.
        Ok(router().layer((audit.layer(), authenticator.layer())))
    })?;
    Ok(Box::new(system.remembering()))
}

/// A thousand tokens that were revoked, none of which is ever sent.
fn revocations(world: &World) -> Result<RevocationList, Error> {
    let list = RevocationList::new();
    let until = SystemClock::new().unix_time() + Duration::from_secs(3600);
    for number in 0..1000 {
        let id = format!("revoked-{number}");
        list.revoke(Revocation::token(world.issuer().name(), &id, until)?)?;
    }
    Ok(list)
}

/// Takes events and does nothing with them.
struct Nowhere;

impl AuditSink for Nowhere {
    fn name(&self) -> &'static str {
        "nowhere"
    }

    async fn write(&mut self, _: &[AuditEvent]) -> Result<(), SinkError> {
        Ok(())
    }
}

/// Trusts the world's issuer with the keys it has, and has seen no token.
pub fn authenticator(world: &World, cache: TokenCache) -> Result<Authenticator, Error> {
    let builder = builder(world).with_token_cache(cache);
    Ok(world.block_on(builder.build())?)
}

fn builder(world: &World) -> AuthenticatorBuilder {
    let issuer = world.issuer().trusted_for(AUDIENCE);
    Authenticator::builder().issuer(issuer.with_keys(world.issuer().key_source()))
}
