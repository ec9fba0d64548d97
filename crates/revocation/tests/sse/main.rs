//! The feed by server-sent events, between real servers and followers on loopback.

#![expect(
    clippy::unwrap_used,
    reason = "a helper that panics fails the test that called it"
)]

mod age;
mod following;
mod misbehaving;
mod world;
