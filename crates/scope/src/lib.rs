//! The scope guard: what a route needs is a type, checked when it compiles and when a request comes.
//!
//! [`scopes!`] declares policies; [`Scoped`] guards one handler, [`require`] a whole router. Scopes match
//! exactly: whether one implies another is said for each issuer, in a
//! [`ScopeHierarchy`](countersign_token::ScopeHierarchy).
//!
//! # Example
//!
#![cfg_attr(feature = "axum", doc = "```")]
#![cfg_attr(not(feature = "axum"), doc = "```ignore")]
//! use axum::{Router, routing::get};
//! use countersign_bearer::Authenticator;
//! use countersign_scope::{Scoped, require, scopes};
//!
//! scopes! {
//!     pub ReadInvoices = "invoices:read";
//!     pub Audit = "audit:read" || "admin";
//! }
//!
//! async fn list(_: Scoped<ReadInvoices>) -> &'static str {
//!     "invoices"
//! }
//!
//! fn app(authenticator: &Authenticator) -> Router {
//!     let audit = Router::new()
//!         .route("/audit", get(|| async { "events" }))
//!         .route_layer(require::<Audit>());
//!     Router::new()
//!         .route("/invoices", get(list))
//!         .merge(audit)
//!         .layer(authenticator.layer())
//! }
//! ```

mod declare;
mod future;
mod layer;
mod requirement;
#[cfg(feature = "axum")]
mod scoped;
mod step_up;

pub use countersign_token::ScopePolicy;
#[doc(hidden)]
pub use declare::__checked;
pub use future::ResponseFuture;
pub use layer::{RequireScopes, Scopes, require};
pub use requirement::RequirementError;
#[cfg(feature = "axum")]
pub use scoped::Scoped;
pub use step_up::{RequireAuthentication, StepUpGuard, require_acr, require_max_age};
