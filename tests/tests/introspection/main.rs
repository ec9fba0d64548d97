//! An introspection endpoint that misbehaves: what callers see whose tokens it is asked about (401 or 503, within its
//! deadline), and what all others see meanwhile (nothing).
//!
//! The endpoint is a server on loopback, reached by the client that a program uses.

#![expect(
    clippy::unwrap_used,
    reason = "a helper that panics fails the test that called it"
)]

mod crowd;
mod faults;
#[allow(
    dead_code,
    reason = "shared with the tests of faults, which use the rest"
)]
#[path = "../faults/server.rs"]
mod server;
mod world;
