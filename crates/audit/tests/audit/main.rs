//! What events say, and what becomes of them.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, which may panic as tests may"
)]

mod content;
mod decisions;
mod grpc;
mod json_lines;
mod load;
#[cfg(feature = "metrics")]
mod metrics;
mod shutdown;
mod sinks;
#[cfg(feature = "sqlite")]
mod sqlite;
mod support;
