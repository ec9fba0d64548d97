//! The layer with its cache in memory, which holds keys and verified tokens as JSON. Each look-up goes through all that
//! it holds, so its figures are for the few tokens that are there: one, or those of one round.

use std::rc::Rc;

use axum::body::Body;
use axum_oidc_layer::{AuthenticationConfigProvider, Claims, OidcAuthenticationLayer};

use super::open::router;
use crate::Error;
use crate::routed::Routed;
use crate::system::System;
use crate::world::{AUDIENCE, World};

pub(super) const NAME: &str = "axum-oidc-layer";

#[derive(Clone)]
struct Provider {
    url: String,
}

pub(super) fn make(world: &Rc<World>) -> Result<Box<dyn System>, Error> {
    let system = Routed::<_, Body>::new(NAME, world, |world| {
        let provider = Provider {
            url: world.issuer().name().to_owned(),
        };
        Ok(router().layer(OidcAuthenticationLayer::<_, Claims>::new(provider)))
    })?;
    Ok(Box::new(system.remembering()))
}

impl AuthenticationConfigProvider for Provider {
    fn get_provider_url(&self) -> String {
        self.url.clone()
    }

    fn get_openid_configuration_url(&self) -> Option<String> {
        None
    }

    fn get_expected_audience(&self) -> Option<Vec<String>> {
        Some(vec![AUDIENCE.to_owned()])
    }
}
