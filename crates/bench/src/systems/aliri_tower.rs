//! An authority with a fixed key set.

use std::rc::Rc;

use aliri::jwt::{Audience, CoreValidator, Issuer};
use aliri::{Jwks, jwa};
use aliri_oauth2::Authority;
use aliri_tower::Oauth2Authorizer;
use axum::body::Body;

use super::open::router;
use crate::Error;
use crate::routed::Routed;
use crate::system::System;
use crate::world::{AUDIENCE, World};

pub(super) const NAME: &str = "aliri_tower";

pub(super) fn make(world: &Rc<World>) -> Result<Box<dyn System>, Error> {
    let system = Routed::<_, Body>::new(NAME, world, |world| {
        let keys: Jwks = serde_json::from_str(&world.jwks()?)?;
        let validator = CoreValidator::default()
            .add_approved_algorithm(jwa::Algorithm::RS256)
            .add_allowed_audience(Audience::from_static(AUDIENCE))
            .require_issuer(Issuer::new(world.issuer().name().to_owned()))
            .check_expiration();
        let authorizer = Oauth2Authorizer::new().with_terse_error_handler::<Body>();
        Ok(router().layer(authorizer.jwt_layer(Authority::new(keys, validator))))
    })?;
    Ok(Box::new(system))
}
