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

pub use self::countersign::{ACCOUNTABLE, CONNECTED, NAME as COUNTERSIGN, authenticator};
pub use self::map::{NAME as MAP, map_router};
pub use self::open::{NOOP, NOOP_CONNECTED, noop_router, router};
pub use self::signature::{BareCheck, NAME as SIGNATURE, Signed, signed};

use crate::Error;
use crate::system::System;
use crate::world::World;

type Make = fn(&Rc<World>) -> Result<Box<dyn System>, Error>;

/// Names in the order of the tables, and how each is made.
const SYSTEMS: [(&str, Make); 17] = [
    (signature::NAME, signature::make),
    (open::BARE, open::bare),
    (NOOP, open::noop),
    (NOOP_CONNECTED, open::noop_connected),
    (map::NAME, map::make),
    (countersign::NAME, countersign::make),
    (CONNECTED, countersign::connected),
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
const FLOORS: [&str; 4] = [signature::NAME, open::BARE, NOOP, NOOP_CONNECTED];

/// What others are set against, and so made whatever else is.
pub const YARDSTICKS: [&str; 3] = [signature::NAME, NOOP, NOOP_CONNECTED];

/// The suite, however it is set up, and what stands for its limit: nobody's alternative to it.
pub fn is_own(system: &str) -> bool {
    [MAP, COUNTERSIGN, CONNECTED, ACCOUNTABLE].contains(&system)
}

/// The system whose figures are taken off those of this one, so that its own layer's are left; `None` for what is a floor
/// itself.
pub fn floor(system: &str) -> Option<&'static str> {
    match system {
        CONNECTED => Some(NOOP_CONNECTED),
        system if FLOORS.contains(&system) => None,
        _ => Some(NOOP),
    }
}

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
