//! What this crate reads of strangers, as functions of bytes that panic where a promise is broken.
//!
//! libFuzzer looks for inputs that break one (`fuzz.sh`); `tests/fuzz_corpus.rs` includes this file, too, and
//! replays the inputs in `corpus/`.

mod authorization;
mod configuration;

pub use authorization::authorization;
pub use configuration::configuration;
