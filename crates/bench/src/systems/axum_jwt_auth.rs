//! The extractor with keys at hand. The crate verifies in pure Rust; that can't be chosen.

use std::rc::Rc;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use axum_jwt_auth::{Decoder, LocalDecoder};
use jsonwebtoken10::jwk::JwkSet;
use jsonwebtoken10::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;

use crate::Error;
use crate::routed::Routed;
use crate::system::System;
use crate::world::{AUDIENCE, World};

pub(super) const NAME: &str = "axum-jwt-auth";

#[derive(Deserialize)]
#[expect(dead_code, reason = "only the work of reading them counts here")]
struct Claims {
    sub: String,
    client_id: String,
    org_id: Option<String>,
    scope: String,
}

pub(super) fn make(world: &Rc<World>) -> Result<Box<dyn System>, Error> {
    let system = Routed::<_, Body>::new(NAME, world, |world| {
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(&[world.issuer().name()]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["iss", "aud", "exp"]);
        let keys = serde_json::from_str::<JwkSet>(&world.jwks()?)?
            .keys
            .iter()
            .map(DecodingKey::from_jwk)
            .collect::<Result<_, _>>()?;
        let decoder: Decoder<Claims> = Arc::new(LocalDecoder::new(keys, validation)?);
        Ok(Router::new()
            .route("/", get(async |_: axum_jwt_auth::Claims<Claims>| ()))
            .with_state(decoder))
    })?;
    Ok(Box::new(system))
}
