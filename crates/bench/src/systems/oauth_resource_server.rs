//! The axum layer, its validator seeded with the key set.

use std::rc::Rc;
use std::sync::Arc;

use axum::body::Body;
use oauth_resource_server::axum::AuthLayer;
use oauth_resource_server::{KeyNaming, OAuthConfig, OAuthValidator};

use super::open::router;
use crate::Error;
use crate::routed::Routed;
use crate::system::System;
use crate::world::{AUDIENCE, SCOPE, World};

pub(super) const NAME: &str = "oauth-resource-server";

pub(super) fn make(world: &Rc<World>) -> Result<Box<dyn System>, Error> {
    let system = Routed::<_, Body>::new(NAME, world, |world| {
        let config = OAuthConfig {
            enabled: true,
            issuer: world.issuer().name().to_owned(),
            jwks_uri: Some(world.issuer().jwks_url()),
            audience: AUDIENCE.to_owned(),
            resource: AUDIENCE.to_owned(),
            required_scope: Some(SCOPE.to_owned()),
            ..OAuthConfig::default()
        };
        let config = config
            .resolve(KeyNaming::Dotted("oauth"))?
            .ok_or("the configuration is enabled")?;
        let validator = OAuthValidator::builder(&config)
            .initial_jwks(&world.jwks()?)
            .build()?;
        let layer = AuthLayer::builder().oauth(Arc::new(validator)).build()?;
        Ok(router().layer(layer))
    })?;
    Ok(Box::new(system))
}
