//! What is promised of introspection, through the public API, with a server that says what a test wants it to.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, which may panic as tests may"
)]

mod answers;
mod caller;
mod clients;
mod config;
mod discovery;
mod flights;
mod guard;
mod limits;
#[cfg(feature = "metrics")]
mod metrics;
mod mixed;
mod responses;
mod world;
