//! A key set given as text. It is for axum 0.7, so its router is one of that version.

use std::rc::Rc;

use axum07::Router;
use axum07::body::Body;
use axum07::routing::get;
use jwt_authorizer::{Authorizer, IntoLayer, JwtAuthorizer, Validation};

use crate::Error;
use crate::routed::Routed;
use crate::system::System;
use crate::world::{AUDIENCE, World};

pub(super) const NAME: &str = "jwt-authorizer";

pub(super) fn make(world: &Rc<World>) -> Result<Box<dyn System>, Error> {
    let system = Routed::<_, Body>::new(NAME, world, |world| {
        let builder: jwt_authorizer::AuthorizerBuilder =
            JwtAuthorizer::from_jwks_text(&world.jwks()?);
        let validation = Validation::new()
            .iss(&[world.issuer().name()])
            .aud(&[AUDIENCE]);
        let authorizer: Authorizer = world.block_on(builder.validation(validation).build())?;
        Ok(Router::new()
            .route("/", get(|| async {}))
            .with_state(())
            .layer(authorizer.into_layer()))
    })?;
    Ok(Box::new(system))
}
