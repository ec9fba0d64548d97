//! Authenticates OAuth 2.1 bearer tokens in front of any Tower service.
//!
//! [`Authenticator`] decides; [`BearerLayer`] obeys and leaves an [`Authentication`] in the request; guards and
//! extractors read it. Whatever is denied, by whichever crate of the suite, is a [`Denied`], which is rendered
//! in one place.
//!
//! ```text
//! Authorization header ─ credential ─ seen before? ──────────────────────── yes ─┐
//!                            │            no                                     │
//!                            │       issuer ─ cheap checks ─ key ─ signature ─ claims ─ Principal
//!                            │                                │
//!                            │                             unknown: ask the issuer, once
//!                         Denied ◄──────────────── whatever fails, by its kind
//! ```
//!
//! # Example
//!
//! ```
//! use axum::{Router, routing::get};
//! use countersign_bearer::{Authenticator, Principal};
//! use countersign_token::Issuer;
//! # use countersign_testing::TestIssuer;
//!
//! async fn whoami(principal: Principal) -> String {
//!     principal.subject().unwrap_or("nobody").to_owned()
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let issuer = TestIssuer::serve().await;
//! # let (name, audience) = (issuer.name(), "https://api.acme.test");
//! let authenticator = Authenticator::builder()
//!     .issuer(Issuer::new(name, audience))
//!     .build()
//!     .await?;
//! let app: Router = Router::new()
//!     .route("/whoami", get(whoami))
//!     .layer(authenticator.layer());
//! # let token = issuer.service_principal("m2m-acme").with_audience(audience).mint();
//! # let request = axum::http::Request::get("/whoami").header("authorization", format!("Bearer {token}"));
//! # let response = tower::ServiceExt::oneshot(app, request.body(axum::body::Body::empty())?).await?;
//! # assert_eq!(response.status(), 200);
//! # Ok(())
//! # }
//! ```

mod authentication;
mod authenticator;
mod body;
mod builder;
mod cache;
mod config;
mod context;
mod credential;
mod denied;
mod error;
#[cfg(feature = "axum")]
mod extract;
mod future;
mod grpc;
mod introspect;
mod issuers;
mod layer;
mod metadata;
mod meter;
mod mistake;
mod principal;
mod proof;
mod render;
mod replay;
mod revocations;
mod sender;
mod service;
mod trail;
mod verify;

pub use authentication::Authentication;
pub use authenticator::{Authenticator, Decision, Pending};
pub use body::RefusalBody;
pub use builder::AuthenticatorBuilder;
pub use cache::TokenCache;
pub use config::AuthenticatorConfig;
pub use context::{Context, TenantRules};
pub use denied::{DenialKind, Denied, StepUp};
pub use error::{BuildError, ConfigError, Problem};
#[cfg(feature = "axum")]
pub use extract::CustomClaims;
pub use future::ResponseFuture;
pub use introspect::{Introspect, IntrospectionFailure};
pub use layer::BearerLayer;
pub use metadata::ProtectedResourceMetadata;
pub use principal::{DelegatedUser, Microservice, Principal, ServicePrincipal};
pub use replay::{ProofId, Remembering, Replay, ReplayStore};
pub use revocations::{Revocations, Validity};
pub use sender::{
    CertificateSource, ClientCertificate, ClientCertificates, Dpop, DpopNonces, MemoryReplayStore,
};
pub use service::Bearer;
pub use trail::{Decisions, NeededScopes, Trail};
