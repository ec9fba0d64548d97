//! OAuth 2.1 bearer tokens for multi-tenant services: authenticate, scope, isolate.
//!
//! A B2B service that opens its API has three kinds of caller: a customer organization's own automation
//! ([`ServicePrincipal`]), third-party apps acting for a user who consented ([`DelegatedUser`]), and the
//! vendor's own services ([`Microservice`]). This suite tells them apart by their tokens, checks what they were
//! granted, and hands each handler the data of one tenant and no other's.
//!
//! ```text
//! request ─ BearerLayer ─ Scoped<P> ─ Tenant / TenantScoped<S> ─ handler
//!           401            403         403, 404
//!              ╰── keys: one cache for each issuer, swapped without a lock
//! ```
//!
//! # Example
//!
//! ```
//! use axum::{Json, Router, routing::get};
//! use countersign::{Authenticator, Issuer, Scoped, Tenant, TenantScope, TenantScoped, Unscoped, scopes};
//!
//! scopes! {
//!     /// Read invoices.
//!     pub ReadInvoices = "invoices:read";
//! }
//!
//! struct Invoices;
//!
//! impl TenantScope for Invoices {
//!     type Scoped = Vec<String>;
//!
//!     fn for_tenant(&self, tenant: &Tenant) -> Vec<String> {
//!         vec![format!("the only invoice of {}", tenant.id())]
//!     }
//! }
//!
//! async fn list(_: Scoped<ReadInvoices>, invoices: TenantScoped<Invoices>) -> Json<Vec<String>> {
//!     Json(invoices.into_inner())
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let test_issuer = countersign_testing::TestIssuer::serve().await;
//! # let issuer = test_issuer.name();
//! let authenticator = Authenticator::builder()
//!     .issuer(Issuer::new(issuer, "https://api.acme.example")) // discovers its keys
//!     .build()
//!     .await?;
//! let app: Router = Router::new()
//!     .route("/orgs/{org_id}/invoices", get(list))
//!     .layer(authenticator.layer())
//!     .with_state(Unscoped::new(Invoices));
//! # let token = test_issuer
//! #     .service_principal("m2m-acme")
//! #     .with_organization("org_acme")
//! #     .with_scopes(["invoices:read"])
//! #     .with_audience("https://api.acme.example")
//! #     .mint();
//! # for (path, status) in [("/orgs/org_acme/invoices", 200), ("/orgs/org_other/invoices", 404)] {
//! #     let request = axum::http::Request::get(path).header("authorization", format!("Bearer {token}"));
//! #     let request = request.body(axum::body::Body::empty())?;
//! #     let response = tower::ServiceExt::oneshot(app.clone(), request).await?;
//! #     assert_eq!(response.status(), status);
//! # }
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//!
//! | feature | what it adds | default |
//! |---|---|---|
//! | `axum` | extractors, the tenant crate, and `GuardedRouter` | yes |
//! | `reqwest` | the HTTP client that fetches keys; without it, implement [`Fetch`] | yes |
//! | `introspection` | `Introspection` and `require_active`: opaque tokens, and routes that need certainty | no |
//! | `tonic` | `From<Denied> for tonic::Status`, and denials in tonic's body | no |
//! | `metrics` | through the `metrics` facade: decisions and how long they took, the token cache, key sets, and, with their features, introspections, the age of revocation feeds and audit events (`countersign_*`) | no |
//! | `audit` | `Audit`: one event for each request, to sinks that never delay it | no |
//! | `audit-sqlite` | its sink that writes to an `SQLite` file; includes `audit` | no |
//! | `revocation` | `RevocationList` and its feed over HTTP: tokens withdrawn before they expire | no |
//! | `redis` | `RedisRevocations` and `RedisReplayStore`: what many machines must know together; includes `revocation` | no |
//! | `redis-tls` | the same over TLS: `rediss://`, by rustls with `aws-lc-rs`; includes `redis` | no |
//! | `utoipa` | `RouteTable::describe`: security and denials of each operation of an `OpenAPI` document; includes `axum` | no |

#[cfg(feature = "audit-sqlite")]
pub use countersign_audit::SqliteSink;
#[cfg(feature = "audit")]
pub use countersign_audit::{
    Audit, AuditBuildError, AuditBuilder, AuditDecision, AuditEvent, AuditLayer, AuditSink,
    AuditStatus, BlockingSink, JsonLinesSink, OnThread, QueueSettings, SinkError, SinkStatus,
    TracingSink,
};
#[cfg(feature = "axum")]
pub use countersign_bearer::CustomClaims;
pub use countersign_bearer::{
    Authentication, Authenticator, AuthenticatorBuilder, AuthenticatorConfig, Bearer, BearerLayer,
    BuildError, CertificateSource, ClientCertificate, ClientCertificates, ConfigError, Context,
    Decision, Decisions, DelegatedUser, DenialKind, Denied, Dpop, DpopNonces, Introspect,
    IntrospectionFailure, MemoryReplayStore, Microservice, NeededScopes, Pending, Principal,
    Problem, ProofId, ProtectedResourceMetadata, RefusalBody, Remembering, Replay, ReplayStore,
    Revocations, ServicePrincipal, StepUp, TenantRules, TokenCache, Trail, Validity,
};
#[cfg(feature = "introspection")]
pub use countersign_introspection::{
    AssertionAudience, ClientAuthentication, Introspection, IntrospectionBuilder,
    IntrospectionEndpoint, IntrospectionPolicy, Post, PostRequest, PrivateKey, PrivateKeyError,
    RequireActive, require_active,
};
pub use countersign_jwks::{
    Algorithm, BoxFuture, Clock, Fetch, FetchFailure, FetchRequest, Jwks, JwksStatus, KeySet,
    KeySource, KeyStatus, RefreshPolicy, Start, SystemClock,
};
#[cfg(feature = "reqwest")]
pub use countersign_jwks::{HttpFetch, HttpFetchBuilder};
#[cfg(feature = "redis")]
pub use countersign_redis::{RedisReplayStore, RedisRevocations, RedisRevokeError, RedisStream};
#[cfg(all(feature = "revocation", feature = "axum"))]
pub use countersign_revocation::RevocationPublisher;
#[cfg(feature = "revocation")]
pub use countersign_revocation::{
    FeedFailure, FeedSettings, FeedSink, FeedStatus, InvalidRevocation, NotCaughtUp, Revocation,
    RevocationFeed, RevocationKind, RevocationList, RevocationListSettings, RevocationListStatus,
    RevocationSource, RevokeError, WhenOld,
};
#[cfg(all(feature = "revocation", feature = "reqwest"))]
pub use countersign_revocation::{ServerSentEvents, ServerSentEventsError};
#[cfg(feature = "utoipa")]
pub use countersign_router::Unmatched;
#[cfg(feature = "axum")]
pub use countersign_router::{
    Authenticated, GuardedRouter, Optional, Protected, Public, RouteAccess, RouteGuard, RouteKind,
    RouteLayer, RouteRow, RouteTable, protect,
};
#[cfg(feature = "axum")]
pub use countersign_scope::Scoped;
pub use countersign_scope::{
    RequireAuthentication, RequireScopes, RequirementError, ScopePolicy, require, require_acr,
    require_max_age, scopes,
};
#[cfg(feature = "axum")]
pub use countersign_tenant::{
    CrossTenant, Directory, DirectorySettings, Organization, OrganizationDirectory,
    OrganizationRecord, PathTenant, Tenant, TenantScope, TenantScoped, Unscoped,
};
pub use countersign_token::{
    CallerKind, ClaimPath, ClaimValue, Claims, ClaimsProfile, Confirmation, CustomClaimsError,
    IntrospectionRules, InvalidScope, Issuer, MachineRule, Microservices, OrganizationForm,
    OrganizationId, Organizations, ProofRefusal, Refusal, Scope, ScopeHierarchy, ScopeSet, Times,
    TokenType, TokenTypes,
};

/// The code in the repository's pages is compiled and run as tests.
#[cfg(all(doctest, feature = "axum", feature = "reqwest"))]
mod pages {
    #[doc = include_str!("../../../README.md")]
    struct Readme;
    #[doc = include_str!("../../../docs/vendors.md")]
    struct Vendors;
    #[doc = include_str!("../../../docs/migration.md")]
    struct Migration;
    #[doc = include_str!("../../../docs/deployment.md")]
    struct Deployment;
}
