//! Scope policies: what they say, whom they let through, and what whoever is denied is told.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests are tests, too, which the lint does not see"
)]

mod declare;
mod denials;
#[cfg(feature = "axum")]
mod extractor;
mod guard;
mod hierarchy;
mod many;
mod missing_layer;
mod run_time;
mod service;
mod step_up;
mod support;
