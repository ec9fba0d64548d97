//! The tenant of a request: where it comes from, what must agree with it, and what it opens.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests are tests, too, which the lint does not see"
)]

mod claim;
mod denials;
mod header;
mod host;
mod issuers;
mod path;
mod path_tenant;
mod scoped_state;
mod support;
