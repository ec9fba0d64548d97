//! One issuer's keys: a JWKS parsed key by key, kept fresh, swapped without a lock.

mod algorithm;
mod builder;
mod cache_control;
mod clock;
mod discovery;
mod edwards;
mod fetch;
mod flight;
#[cfg(feature = "reqwest")]
mod http;
mod jwk;
mod jwks;
mod key;
mod load;
mod members;
mod meter;
mod miss;
mod policy;
mod race;
mod refresh;
mod refresher;
mod set;
mod shared;
mod snapshot;
mod source;
mod status;
mod task;
#[cfg(test)]
mod tests;

pub use self::algorithm::{Algorithm, Algorithms, UnknownAlgorithm};
pub use self::builder::{JwksBuilder, JwksError, Start};
pub use self::clock::{BoxFuture, Clock, SystemClock};
pub use self::fetch::{Fetch, FetchFailure, FetchRequest};
#[cfg(feature = "reqwest")]
pub use self::http::{HttpFetch, HttpFetchBuilder, HttpFetchError};
pub use self::jwk::SkipReason;
pub use self::jwks::{Jwks, Lookup};
pub use self::key::{BadSignature, Key};
pub use self::policy::RefreshPolicy;
pub use self::set::{KeySet, KeySetError, Limits, Selection, SkippedKey};
pub use self::source::KeySource;
pub use self::status::{JwksStatus, KeyStatus};
