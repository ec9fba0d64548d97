//! One tenant with a static key set, on aws-lc-rs. By default the crate verifies in pure Rust, several times slower.

use std::rc::Rc;

use axum::body::Body;
use tower_oauth2_resource_server::server::OAuth2ResourceServer;
use tower_oauth2_resource_server::tenant::TenantConfiguration;
use tower_oauth2_resource_server::validation::ClaimsValidationSpec;

use super::open::router;
use crate::Error;
use crate::routed::Routed;
use crate::system::System;
use crate::world::{AUDIENCE, World};

pub(super) const NAME: &str = "tower-oauth2-resource-server";

pub(super) fn make(world: &Rc<World>) -> Result<Box<dyn System>, Error> {
    let system = Routed::<_, Body>::new(NAME, world, |world| {
        let tenant = TenantConfiguration::static_builder(world.jwks()?)
            .identifier(world.issuer().name())
            .audiences(&[AUDIENCE])
            .claims_validation(
                ClaimsValidationSpec::new()
                    .iss(world.issuer().name())
                    .aud(&vec![AUDIENCE.to_owned()])
                    .exp(true),
            )
            .build()?;
        let server = <OAuth2ResourceServer>::builder().add_tenant(tenant).build();
        Ok(router().layer(world.block_on(server)?.into_layer()))
    })?;
    Ok(Box::new(system))
}
