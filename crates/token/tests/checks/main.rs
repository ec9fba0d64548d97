//! Each check of a token, in the order of the checks, with the refusal of its own.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, which may panic as tests may"
)]

mod any;
mod claims;
mod header;
mod order;
mod parties;
mod payload;
mod signature;
mod structure;
#[allow(
    dead_code,
    reason = "shared with other test binaries, which use other parts"
)]
#[path = "../support/mod.rs"]
mod support;
mod times;
