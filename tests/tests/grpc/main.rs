//! gRPC with a real tonic server and client over loopback HTTP/2: alone, and in one router with axum routes.
//!
//! The service is that of gRPC's own health protocol, as its `.proto` has it, with handlers that ask of the caller
//! what a test wants them to ask.

#![expect(
    clippy::disallowed_methods,
    reason = "a server runs beside the test that calls it, until the runtime ends"
)]
#![expect(
    clippy::unwrap_used,
    reason = "a helper that panics fails the test that called it"
)]

mod alone;
mod answer;
mod beside_axum;
mod keys;
mod support;
