//! An issuer that misbehaves: what callers whose key is known see meanwhile (nothing), and what those see whose key
//! is not (401 or 503 within a second).
//!
//! The issuer is a server on loopback, reached by the client that a program uses. The list of faults, each a row of a
//! table or a test:
//!
//! | what happens | where |
//! |---|---|
//! | refused, reset, closed, silent, slow, endless, not HTTP | [`connections`] |
//! | wrong statuses, content types, lengths and redirects; too large, packed | [`responses`] |
//! | no keys, unusable keys, too many, not quite JSON | [`key_sets`] |
//! | all of that at the metadata; metadata that leads elsewhere | [`metadata`] |
//! | good keys beside bad ones | [`poison`] |
//! | `Retry-After`, floods | [`patience`] |
//! | rotation during an outage, older answers that come later | [`order`] |
//! | clocks that jump | [`clocks`] |
//! | fetches and requests that are cancelled, panic, or lose their runtime | [`tasks`] |
//! | a redirect from `https` to `http` | [`tls`] |
//! | an issuer that is removed while its tokens are in use | [`removal`] |

#![expect(
    clippy::unwrap_used,
    reason = "a helper that panics fails the test that called it"
)]

mod clocks;
mod connections;
mod key_sets;
mod metadata;
mod order;
mod outage;
mod patience;
mod poison;
mod removal;
mod responses;
mod server;
mod tasks;
mod tls;
mod world;
