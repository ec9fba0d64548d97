//! A fake clock, a scripted network, and what becomes of the keys in between.

mod discovery;
mod fixed;
mod flights;
#[cfg(feature = "reqwest")]
mod http;
pub(crate) mod keys;
#[cfg(feature = "metrics")]
mod metrics;
mod responses;
mod staleness;
mod start;
mod world;
