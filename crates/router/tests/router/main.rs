//! Routes behind their guards, the table of them, what is refused when they are built, and a whole router
//! behind one layer.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests are tests, too, which the lint does not see"
)]

mod compose;
mod guards;
mod metadata;
#[cfg(feature = "utoipa")]
mod openapi;
mod problems;
mod protect;
mod support;
mod table;
