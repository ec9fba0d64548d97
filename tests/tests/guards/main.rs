//! Guards that were forgotten, put twice, nested, or met in an order that nobody thought of: the answer is a denial or
//! a 500, and never a pass that nobody meant.
//!
//! | what happens | where |
//! |---|---|
//! | an extractor without its layer, a route after it, beside it, or in the fallback | [`forgotten`] |
//! | two layers, layers in layers, guards in guards | [`nesting`] |
//! | two guards in one handler, in either order | [`order`] |
//! | `Option`, `Optional` and `Result` | [`optional`] |
//! | `HEAD`, `OPTIONS`, other methods, CORS | [`methods`] |
//! | an upgrade to a websocket | [`websocket`] |
//! | a request that is cancelled | [`cancelled`] |
//! | a handler, a guard or the program's own code that panics | [`panics`] |
//! | services that must be ready before they are called | [`ready`] |
//! | many requests at once through one service | [`concurrent`] |

#![expect(
    clippy::unwrap_used,
    reason = "a helper that panics fails the test that called it"
)]

mod cancelled;
mod concurrent;
mod forgotten;
mod methods;
mod nesting;
mod optional;
mod order;
mod panics;
mod ready;
mod support;
mod websocket;
