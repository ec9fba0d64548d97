//! Asks an authorization server whether a token is active ([RFC 7662](https://www.rfc-editor.org/rfc/rfc7662)): for
//! opaque tokens, which nobody else can read, and for routes where a signature is not certainty enough.
//!
//! ```text
//! opaque token ── with_opaque_tokens ──┐                              ┌─ remembered: 30 s active, 5 s refused
//!                                      ├─► Introspection ─ known? ────┤
//! JWT, verified ─ require_active() ────┘                              └─ one question a token, within a budget
//!                                                                          │ POST, as an authenticated client
//!                                                  Claims, by the issuer's profile ◄─ answer
//! ```
//!
//! # Example
//!
//! JWTs are verified here, opaque tokens by their issuer, and whoever pays out asks in any case:
//!
//! ```
//! use std::sync::Arc;
//! use axum::{Router, routing::{get, post}};
//! use countersign_bearer::{Authenticator, Principal};
//! use countersign_introspection::{ClientAuthentication, Introspection, IntrospectionEndpoint, require_active};
//! use countersign_token::Issuer;
//! # use countersign_introspection::Post;
//!
//! async fn whoami(principal: Principal) -> String {
//!     principal.client().unwrap_or("nobody").to_owned()
//! }
//!
//! # async fn app(http: Arc<dyn Post>) -> Result<Router, Box<dyn std::error::Error>> {
//! let issuer = Issuer::new("https://as.acme.test", "https://api.acme.test");
//! let introspection = Introspection::builder(
//!         issuer.clone(),
//!         IntrospectionEndpoint::url("https://as.acme.test/introspect"),
//!         ClientAuthentication::secret_basic("api", "from your secret store"),
//!     )
//! #   .with_post(http)
//!     .build()?;
//! let authenticator = Authenticator::builder()
//!     .issuer(issuer)
//!     .with_opaque_tokens(Arc::new(introspection))
//!     .build()
//!     .await?;
//! let payouts = Router::new()
//!     .route("/payouts", post(whoami))
//!     .route_layer(require_active().uncached());
//! let app = Router::new()
//!     .route("/whoami", get(whoami))
//!     .merge(payouts)
//!     .layer(authenticator.layer());
//! # Ok(app)
//! # }
//! ```
//!
//! # What is promised
//!
//! * **Fail closed.** A server that cannot be asked, or answers what is no answer, makes a token neither good nor bad:
//!   503, with the time to try again. Only an answer `"active": false`, or one that breaks the issuer's rules, is
//!   a 401.
//! * **An answer is a statement, not a verdict.** `iss`, `aud`, `exp`, `nbf`, `iat`, `token_type` and the profile's claims
//!   are checked as in a JWT. `exp` is required; `iss` and `aud` are, unless the settings say otherwise.
//! * **A bounded memory**, keyed by an HMAC of the token: an active token for 30 s and never beyond its `exp`, a refused one
//!   for 5 s ([`IntrospectionPolicy`]). Nothing of a token is kept beyond the question about it.
//! * **One question for each token at a time**, put apart from those who wait for it: who is cancelled, or panics, hurts
//!   nobody.
//! * **A server is not run over**, nor waited for in a crowd: questions under way and questions a second are counted,
//!   those about tokens that were active before apart from all others; after three failures in a row, or when it asks for
//!   quiet, it is left alone for 1 s to 60 s, and one question of either kind finds out whether it is back.
//! * **What a caller may bring on is held against no other.** A failure is the server's if it cannot be reached or is too
//!   slow, its status is 401, 407, 408, 429 or 500 and above, or its metadata cannot be had. Whatever else comes instead of
//!   an answer (another status, a redirect, what is no JSON or too much of it, a connection cut short) may be about the one
//!   token, of the server or a firewall in front of it: it is 503 for that token and does not count as a failure.
//! * **Tokens and secrets are never printed**, by `Debug`, in errors or in logs.
//!
//! An answer must be JSON. One that is a signed JWT ([RFC 9701](https://www.rfc-editor.org/rfc/rfc9701)) is not asked for,
//! and one that comes nevertheless is no answer.
//!
//! # Features
//!
//! * `reqwest`: the HTTP client used unless another [`Post`] is given: no redirects, 2 s to connect, at most 64 KiB of
//!   answer.
//! * `metrics`: the counter `countersign_introspections_total` through the
//!   [`metrics`](https://docs.rs/metrics) facade, labelled by `issuer` and by `outcome`: `remembered` where nobody had to be
//!   asked, else `active`, `refused` or `unavailable`. Each token that is asked about counts once.

mod answers;
mod authentication;
mod budget;
mod builder;
mod endpoint;
mod flight;
mod future;
mod health;
mod introspection;
mod meter;
mod policy;
mod post;
mod private_key;
mod require_active;
mod server;
mod told;

pub use authentication::{AssertionAudience, ClientAuthentication};
pub use builder::IntrospectionBuilder;
pub use endpoint::IntrospectionEndpoint;
pub use future::ResponseFuture;
pub use introspection::Introspection;
pub use policy::IntrospectionPolicy;
pub use post::{Post, PostRequest};
pub use private_key::{PrivateKey, PrivateKeyError};
pub use require_active::{Active, RequireActive, require_active};
