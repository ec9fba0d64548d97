//! The layer, the decision behind it, and denials, with tokens of an issuer that the tests control.

#![expect(
    clippy::unwrap_used,
    reason = "a helper that panics fails the test that called it"
)]
#![expect(
    clippy::too_many_lines,
    reason = "a table of cases is as long as it is"
)]

mod cache;
mod config;
mod denials;
mod extractors;
mod issuers;
mod keys;
mod layer;
mod proofs;
mod revoked;
mod sender;
mod support;
