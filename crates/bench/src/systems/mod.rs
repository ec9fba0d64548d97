//! What is compared. A file each, set up as its documentation says, with issuer and audience required and the keys
//! at hand.

mod aliri_tower;
mod axum_jwt_auth;
mod axum_oidc_layer;
mod countersign;
mod hand_written;
mod huskarl;
mod jwt_authorizer;
mod map;
mod oauth_resource_server;
mod open;
mod signature;
mod tower_oauth2_resource_server;

use std::rc::Rc;

pub use self::countersign::{ACCOUNTABLE, NAME as COUNTERSIGN, authenticator};
pub use self::map::{NAME as MAP, map_router};
pub use self::open::{noop_router, router};
pub use self::signature::{BareCheck, Signed, signed};

use crate::Error;
use crate::system::System;
use crate::world::World;

type Make = fn(&Rc<World>) -> Result<Box<dyn System>, Error>;

/// Names in the order of the tables, and how each is made.
const SYSTEMS: [(&str, Make); 15] = [
    (signature::NAME, signature::make),
    (open::BARE, open::bare),
    (open::NOOP, open::noop),
    (map::NAME, map::make),
    (countersign::NAME, countersign::make),
    (ACCOUNTABLE, countersign::accountable),
    (hand_written::NAME, hand_written::make),
    (
        tower_oauth2_resource_server::NAME,
        tower_oauth2_resource_server::make,
    ),
    (oauth_resource_server::NAME, oauth_resource_server::make),
    (huskarl::NAME, huskarl::make),
    (huskarl::WITH_AWS_LC, huskarl::with_aws_lc),
    (jwt_authorizer::NAME, jwt_authorizer::make),
    (aliri_tower::NAME, aliri_tower::make),
    (axum_jwt_auth::NAME, axum_jwt_auth::make),
    (axum_oidc_layer::NAME, axum_oidc_layer::make),
];

/// What looks at no request's token, or at nothing else: nothing is taken off their figures.
pub const FLOORS: [&str; 3] = [signature::NAME, open::BARE, open::NOOP];

/// What others are set against, and so made whatever else is.
pub const YARDSTICKS: [&str; 2] = [signature::NAME, open::NOOP];

/// Makes the systems: all of them, or the yardsticks and one.
pub fn all(world: &Rc<World>, only: Option<&str>) -> Result<Vec<Box<dyn System>>, Error> {
    if let Some(only) = only
        && !SYSTEMS.iter().any(|(name, _)| *name == only)
    {
        let names: Vec<_> = SYSTEMS.iter().map(|(name, _)| *name).collect();
        return Err(format!("there is no system {only}, but {}", names.join(", ")).into());
    }
    SYSTEMS
        .iter()
        .filter(|(name, _)| only.is_none_or(|only| *name == only) || YARDSTICKS.contains(name))
        .map(|(name, make)| make(world).map_err(|error| format!("{name}: {error}").into()))
        .collect()
}
