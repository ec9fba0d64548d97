//! What this crate reads of strangers, as functions of bytes that panic where a promise is broken.
//!
//! libFuzzer looks for inputs that break one (`fuzz.sh`); `tests/fuzz_corpus.rs` includes this file, too, and
//! replays the inputs in `corpus/`.

mod cache_control;
mod canned;
mod jwk_set;

pub use cache_control::cache_control;
pub use jwk_set::jwk_set;
