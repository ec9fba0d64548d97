//! What is logged. In a process of its own: which events are of interest is remembered for all threads, and threads that
//! do not listen would decide it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod reports;
#[path = "../audit/support.rs"]
#[expect(dead_code, reason = "the other tests use the rest of it")]
mod support;
mod tracing_sink;
