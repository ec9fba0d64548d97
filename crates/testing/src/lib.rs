//! What tests of services guarded by countersign need: an issuer that mints any token, right or wrong, a clock that
//! a test moves, and principals without any token.

mod client;
mod clock;
mod endpoints;
mod fault;
mod fetches;
mod issuer;
mod keys;
mod layer;
mod mint;
mod principal;
mod ring;
mod server;
mod token_endpoint;

pub use clock::{Advanced, FakeClock};
pub use fault::{Endpoint, Fault};
pub use fetches::Fetches;
pub use issuer::TestIssuer;
pub use layer::{AsPrincipal, Asserted, anonymous, authenticated};
pub use mint::TokenBuilder;
pub use principal::{CLIENT, ISSUER, delegated_user, microservice, service_principal};
