//! The axum layer around the validator for RFC 9068, its keys discovered on loopback before anything is measured; its
//! own back end verifies.

use std::rc::Rc;

use axum::body::Body;
use huskarl_axum::layers::ValidatorLayer;
use huskarl_reqwest::ReqwestClient;
use huskarl_resource_server::core::server_metadata::AuthorizationServerMetadata;
use huskarl_resource_server::validator::rfc9068::Rfc9068Validator;

use super::open::router;
use crate::Error;
use crate::routed::Routed;
use crate::system::System;
use crate::world::{AUDIENCE, World};

pub(super) const NAME: &str = "huskarl-axum";

pub(super) fn make(world: &Rc<World>) -> Result<Box<dyn System>, Error> {
    let system = Routed::<_, Body>::new(NAME, world, |world| {
        let validator = world.block_on(validator(world.issuer().name()))?;
        let layer = ValidatorLayer::builder().validator(validator).build();
        Ok(router().layer(layer.authenticated()))
    })?;
    Ok(Box::new(system))
}

async fn validator(issuer: &str) -> Result<Rfc9068Validator, Error> {
    let client = ReqwestClient::builder().build().await?;
    let metadata = AuthorizationServerMetadata::oidc_fetch()
        .http_client(&client)
        .issuer(issuer)
        .call()
        .await?;
    Ok(Rfc9068Validator::builder_from_metadata(&metadata)
        .jwks_source(client)
        .audience(AUDIENCE)
        .build()
        .await?)
}
