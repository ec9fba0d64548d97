//! One issuer's keys: a JWKS parsed key by key, kept fresh, swapped without a lock.
//!
//! ```text
//!                      Jwks::key ──► Lookup            synchronous; no lock, no I/O
//!                          │ load
//!                    ┌─────▼─────┐
//!   TrustedKey ◄─────│  KeySet   │◄── swap ── Jwks::replace
//!                    └─────▲─────┘
//!                          │ swap
//!    refresher ──┐   ┌─────┴─────┐
//!                ├──►│  flight   │──► Fetch           one at a time, in a task of its own
//! refresh_for ───┘   └───────────┘
//!      (budget, at most 1 s)
//! ```
//!
//! [`Jwks`] is a handle to the keys of one issuer. A request looks a key up with [`Jwks::key`]. The set is refreshed in
//! the background, so a request waits for the network only when its token names a key that the set does not have:
//! then [`Jwks::refresh_for`] joins the fetch under way or pays for one out of a budget.
//!
//! ```
//! use countersign_jwks::{Algorithm, Jwks, KeySource, Lookup};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // `KeySource::Discovery` or `KeySource::url(..)` where there is a network.
//! let source = KeySource::json(r#"{"keys": [{
//!     "kty": "OKP", "crv": "Ed25519", "kid": "2026",
//!     "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
//! }]}"#);
//! let jwks = Jwks::builder("https://acme.example", source, Algorithm::Ed25519.into())
//!     .build()
//!     .await?;
//!
//! let mut lookup = jwks.key(Some("2026"), Algorithm::Ed25519);
//! if matches!(lookup, Lookup::Missing | Lookup::Unavailable { .. }) {
//!     lookup = jwks.refresh_for(Some("2026"), Algorithm::Ed25519).await;
//! }
//! match lookup {
//!     Lookup::Found(key) => {
//!         // Not its signature, so it is refused.
//!         assert!(key.verify(Algorithm::Ed25519, b"header.payload", &[0; 64]).is_err());
//!         // A token verified before may be accepted again for as long as this holds.
//!         assert!(key.is_trusted());
//!     }
//!     Lookup::Unavailable { .. } => { /* 503 */ }
//!     _ => { /* 401 */ }
//! }
//! # Ok(()) }
//! ```
//!
//! # What is promised
//!
//! * **Only public, sound, asymmetric keys are used.** A key that is not is skipped and reported ([`SkipReason`]); the
//!   rest of the set is used. Which algorithm a key may verify is decided when it is loaded, not by a token.
//! * **A set is trusted for a bounded time**: until the last answer of the issuer, plus its time to live, plus an
//!   hour. A failed fetch keeps the old set until then, and nothing after that ([`RefreshPolicy`]).
//! * **A key that is withdrawn is gone with the swap**, for tokens verified before, too: a [`TrustedKey`] tells
//!   of the very key, which each refresh hands on only if nothing about it has changed.
//! * **Strangers cannot make us flood the issuer**, nor wait for long, nor pile up: fetches for unknown keys have a
//!   budget, waiting has an end, and places to wait are counted. Nothing is shared between issuers.
//! * **An older answer never overwrites a newer one**, nor a set that was given by hand meanwhile.
//!
//! # Features
//!
//! * `reqwest`: `HttpFetch`, the HTTP client used unless another [`Fetch`] is given.
//! * `metrics`: through the [`metrics`](https://docs.rs/metrics) facade, labelled by `issuer`: counters
//!   `countersign_jwks_refreshes` (fetches ended) and `countersign_jwks_failures` (by `reason`, the word of
//!   [`FetchFailure::as_str`]); gauges `countersign_jwks_keys` and `countersign_jwks_age_seconds`, set with each
//!   fetch.

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
mod outage;
mod policy;
mod race;
mod refresh;
mod refresher;
mod set;
mod shared;
mod shown;
mod snapshot;
mod source;
mod status;
mod task;
#[cfg(test)]
mod tests;
mod trusted_key;

/// What other crates of the suite share with this one: how they start tasks, and whom they may ask over the network.
/// Not for others: nothing is promised about it.
#[doc(hidden)]
pub mod suite {
    pub use crate::cache_control::retry_after;
    pub use crate::discovery::{endpoint, issuer_url, metadata_urls, secure_url};
    pub use crate::load::is_one_of;
    pub use crate::outage::{Outage, Seldom};
    pub use crate::race::{First, race};
    pub use crate::task::spawn;
}

pub use self::algorithm::{Algorithm, Algorithms, UnknownAlgorithm};
pub use self::builder::{JwksBuilder, JwksError, Start};
pub use self::clock::{BoxFuture, Clock, SystemClock};
pub use self::fetch::{Fetch, FetchFailure, FetchRequest};
#[cfg(feature = "reqwest")]
pub use self::http::{HttpFetch, HttpFetchBuilder, HttpFetchError};
pub use self::jwk::{PRIVATE_MEMBERS, SkipReason};
pub use self::jwks::{Jwks, Lookup};
pub use self::key::{BadSignature, Key};
pub use self::policy::RefreshPolicy;
pub use self::set::{KeySet, KeySetError, Limits, Selection, SkippedKey};
pub use self::source::KeySource;
pub use self::status::{JwksStatus, KeyStatus};
pub use self::trusted_key::TrustedKey;
