//! `resource_server` against a real authorization server.
//!
//! Each test starts an `oidc-provider` of its own (see `tests/interop/README.md`) and a `resource_server` beside it, both on
//! free loopback ports, and plays the caller: it obtains tokens as a client or a user would, and presents them.

#![expect(
    clippy::disallowed_methods,
    reason = "processes of their own run on real time: these tests wait for them, and give up"
)]
#![expect(
    clippy::unwrap_used,
    reason = "a helper that panics fails the test that called it"
)]

mod answer;
mod config;
mod dpop;
mod flows;
mod program;
mod provider;
mod resource_server;

mod accepted;
mod flood;
mod introspection;
mod lifecycle;
mod outage;
mod refused;
mod rotation;
mod tenancy;
