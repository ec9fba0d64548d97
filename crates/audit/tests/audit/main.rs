//! What events say, and what becomes of them.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, which may panic as tests may"
)]

mod decisions;
mod support;
