//! What many machines know together, with a real `redis-server` of its own for each test: killed, started again, and
//! robbed of what it knew.
//!
//! | what | where |
//! |---|---|
//! | processes that tell each other what was revoked, over HTTP and by the broker | [`machines`] |
//! | lists that are kept in step with the stream | [`stream`] |
//! | the store of DPoP proofs | [`replay`] |
//! | both over TLS | [`tls`] |
//! | `resource_server`, whose tokens are revoked there, at another that it follows, and at a broker | [`resource_server`] |

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a helper that panics fails the test that called it; processes and the broker run on real time"
)]

mod broker;
mod machines;
mod program;
mod replay;
mod resource_server;
mod stream;
mod tls;
