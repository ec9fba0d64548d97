//! What this crate reads of strangers, as functions of bytes that panic where a promise is broken.
//!
//! libFuzzer looks for inputs that break one (`fuzz.sh`); `tests/fuzz_corpus.rs` includes this file, too, and
//! replays the inputs in `corpus/`.

mod claims;
mod compact_token;
mod header;
mod strict_json;
mod world;

pub use claims::claims;
pub use compact_token::compact_token;
pub use header::header;
