//! Nothing unguarded: a table of routes, each declared with its guard.
//!
//! In a plain router a guard is one more argument or one more layer, and a route without it looks like any
//! other. In a [`GuardedRouter`] the guard is the first argument of every route, so that a forgotten one does
//! not compile, and an open route says [`Public`] by name.
//!
//! ```text
//! request ─ authenticator.layer() ─ require::<P>() ─ layers ─ handler     a policy of scopes!
//! request ─ authenticator.layer() ────────────────── layers ─ handler     Authenticated
//! request ────────────────────────────────────────── layers ─ handler     Public
//! ```
//!
//! [`RouteTable`] is the same declarations to print, to hold to a test and to publish: `build` serves the
//! metadata of the resource ([RFC 9728](https://www.rfc-editor.org/rfc/rfc9728)) with the scopes of the table,
//! and with the feature `utoipa` the table describes the operations of an `OpenAPI` document.
//!
//! For a router that is there already, [`protect`] puts one layer around all of it, whatever is added later.
//!
//! # Example
//!
//! ```
//! use axum::Router;
//! use countersign_bearer::{Authenticator, Principal};
//! use countersign_router::{Authenticated, GuardedRouter, Public};
//! use countersign_scope::scopes;
//! # use axum::{body::Body, http::Request};
//! # use countersign_testing::TestIssuer;
//! # use tower::ServiceExt;
//!
//! scopes! {
//!     pub ReadInvoices = "invoices:read";
//!     pub WriteInvoices = "invoices:write" || "admin";
//! }
//!
//! async fn list() -> &'static str {
//!     "invoices"
//! }
//!
//! async fn create() -> &'static str {
//!     "created"
//! }
//!
//! async fn whoami(caller: Principal) -> String {
//!     caller.subject().unwrap_or("nobody").to_owned()
//! }
//!
//! fn routes() -> GuardedRouter {
//!     GuardedRouter::new()
//!         .get(ReadInvoices, "/orgs/{org_id}/invoices", list)
//!         .post(WriteInvoices, "/orgs/{org_id}/invoices", create)
//!         .get(Authenticated, "/whoami", whoami)
//!         .get(Public, "/health", || async { "ok" })
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // In a test: who may do what, as a reviewer reads it.
//! assert_eq!(
//!     routes().table().to_string(),
//!     "\
//! GET   /health                  public
//! GET   /orgs/{org_id}/invoices  invoices:read
//! POST  /orgs/{org_id}/invoices  invoices:write || admin
//! GET   /whoami                  authenticated"
//! );
//!
//! # let issuer = TestIssuer::serve().await;
//! # let audience = "https://api.acme.test";
//! let authenticator = Authenticator::builder()
//!     .issuer(issuer.trusted_for(audience))
//!     .with_resource(audience)
//!     .build()
//!     .await?;
//! let app: Router = routes().build(&authenticator)?;
//! # let token = issuer
//! #     .service_principal("m2m-acme")
//! #     .with_audience(audience)
//! #     .with_scopes(["invoices:read"])
//! #     .mint();
//! # let path = "/orgs/org_acme/invoices";
//! # for (method, path, token, status) in [
//! #     ("GET", path, Some(&token), 200),
//! #     ("POST", path, Some(&token), 403),
//! #     ("GET", path, None, 401),
//! #     ("GET", "/whoami", Some(&token), 200),
//! #     ("GET", "/health", None, 200),
//! #     ("GET", "/.well-known/oauth-protected-resource", None, 200),
//! # ] {
//! #     let mut request = Request::builder().method(method).uri(path);
//! #     if let Some(token) = token {
//! #         request = request.header("authorization", format!("Bearer {token}"));
//! #     }
//! #     let response = app.clone().oneshot(request.body(Body::empty())?).await?;
//! #     assert_eq!(response.status(), status, "{method} {path}");
//! # }
//! # Ok(())
//! # }
//! ```
//!
//! # What does not compile
//!
//! A route without a guard:
//!
//! ```compile_fail,E0061
//! # use countersign_router::GuardedRouter;
//! GuardedRouter::<()>::new().get("/health", || async { "ok" });
//! ```
//!
//! A type that says nothing about who may come:
//!
//! ```compile_fail,E0277
//! # use countersign_router::GuardedRouter;
//! struct ReadInvoices;
//! GuardedRouter::<()>::new().get(ReadInvoices, "/invoices", || async { "invoices" });
//! ```
//!
//! A plain router that nobody named a guard for:
//!
//! ```compile_fail,E0308
//! # use countersign_router::GuardedRouter;
//! GuardedRouter::<()>::new().merge(axum::Router::new());
//! ```

mod access;
mod check;
mod endpoint;
mod guard;
mod metadata;
#[cfg(feature = "utoipa")]
mod openapi;
mod protect;
mod router;
mod table;

pub use access::RouteAccess;
pub use endpoint::RouteLayer;
pub use guard::{Authenticated, Optional, Public, RouteGuard};
#[cfg(feature = "utoipa")]
pub use openapi::Unmatched;
pub use protect::{Protected, protect};
pub use router::GuardedRouter;
pub use table::{RouteKind, RouteRow, RouteTable};
