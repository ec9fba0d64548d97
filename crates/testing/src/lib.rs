//! For tests of services guarded by countersign: an issuer that mints any token, right or wrong, a clock that a test
//! moves, and principals without any token.
//!
//! ```text
//!                                  ┌────────── the service under test ──────────┐
//! authenticated(principal) ───────────────────────────────────► guards ─ handler     no token at all
//! TestIssuer ─ TokenBuilder ─ mint ──► authenticator.layer() ─► guards ─ handler     a token, in this process
//! TestIssuer::serve ─ discovery, keys, tokens, faults ─┘                             keys over HTTP, on loopback
//! FakeClock ─────────────────────────────┘                                           without waiting
//! ```
//!
//! Everything here makes what the real thing makes, and the suite judges it by its own rules: a token of [`TestIssuer`]
//! passes every check of the authenticator or is refused by it. Only [`authenticated`] and [`anonymous`] leave the
//! authenticator out.
//!
//! # Example
//!
//! A handler of one's own, first with a principal and no token, then with a token through the real layer:
//!
//! ```
//! use axum::body::Body;
//! use axum::http::{Request, StatusCode, header::AUTHORIZATION};
//! use axum::{Router, routing::get};
//! use countersign_bearer::{Authenticator, ServicePrincipal};
//! use countersign_testing::{TestIssuer, authenticated, service_principal};
//! use tower::ServiceExt;
//!
//! // What is tested.
//! async fn organization(caller: ServicePrincipal) -> String {
//!     caller.organization().map(ToString::to_string).unwrap_or_default()
//! }
//!
//! fn app() -> Router {
//!     Router::new().route("/organization", get(organization))
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // 1. The handler alone.
//! let caller = service_principal("org_acme", ["invoices:read"]);
//! let response = app()
//!     .layer(authenticated(caller))
//!     .oneshot(Request::get("/organization").body(Body::empty())?)
//!     .await?;
//! assert_eq!(response.status(), StatusCode::OK);
//!
//! // 2. The whole service.
//! let issuer = TestIssuer::new("https://as.acme.test");
//! let authenticator = Authenticator::builder()
//!     .issuer(issuer.trusted_for("https://api.acme.test"))
//!     .build()
//!     .await?;
//! let service = app().layer(authenticator.layer());
//!
//! let token = issuer
//!     .service_principal("m2m-acme")
//!     .with_audience("https://api.acme.test")
//!     .with_organization("org_acme");
//! for (token, status) in [
//!     (token.mint(), StatusCode::OK),
//!     (token.clone().expired().mint(), StatusCode::UNAUTHORIZED),
//!     (token.tampered().mint(), StatusCode::UNAUTHORIZED),
//! ] {
//!     let request = Request::get("/organization").header(AUTHORIZATION, format!("Bearer {token}"));
//!     let response = service.clone().oneshot(request.body(Body::empty())?).await?;
//!     assert_eq!(response.status(), status);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Keys are made in the process that uses them and are gone with it. Nothing here belongs into a program that serves
//! anybody.

mod client;
mod clock;
mod dpop;
mod endpoints;
mod fault;
mod fetches;
mod introspection_endpoint;
mod issuer;
mod keys;
mod layer;
mod mint;
mod principal;
mod ring;
mod rotation;
mod server;
mod serving;
mod shared;
mod token_endpoint;

pub use clock::{Advanced, FakeClock};
pub use dpop::{DpopKey, ProofBuilder};
pub use fault::{Endpoint, Fault};
pub use fetches::Fetches;
pub use issuer::TestIssuer;
pub use layer::{AsPrincipal, Asserted, anonymous, authenticated};
pub use mint::TokenBuilder;
pub use principal::{CLIENT, ISSUER, delegated_user, microservice, service_principal};
