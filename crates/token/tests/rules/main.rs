//! What an issuer may be trusted for beyond the checks that all have: its rules, and what is wrong with some.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, which may panic as tests may"
)]

mod callers;
mod organizations;
mod own;
mod problems;
#[allow(
    dead_code,
    reason = "shared with other test binaries, which use other parts"
)]
#[path = "../support/mod.rs"]
mod support;
