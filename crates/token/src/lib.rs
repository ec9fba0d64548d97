//! A JWT access token, from text through every check to [`Claims`]. No I/O, no clock, no keys of its own.
//!
//! ```text
//! text ─ CompactToken::decode ─ UnverifiedToken::read ─ Issuer::check ─ CheckedToken::verify ─ VerifiedToken::claims
//!        size, base64url        strict JSON, alg, crit   alg, typ, aud,   signature            client, kind, scopes,
//!                                                        times, cnf                            organization
//! ```
//!
//! Each step is a type that only the step before can make, so that no claim is used before it was verified
//! and no signature is computed for a token that a cheaper check refuses. Each check has a [`Refusal`] of
//! its own.
//!
//! # Example
//!
//! The whole way, as the authenticator of `countersign-bearer` goes it:
//!
//! ```
//! use std::time::Duration;
//!
//! use countersign_jwks::KeySet;
//! use countersign_token::{Claims, CompactToken, Issuer, Refusal, UnverifiedToken};
//!
//! fn verify(token: &str, issuer: &Issuer, keys: &KeySet, now: Duration) -> Result<Claims, Refusal> {
//!     let compact = CompactToken::decode(token)?;
//!     let checked = issuer.check(UnverifiedToken::read(&compact)?, now)?;
//!     let key = keys
//!         .keys()
//!         .iter()
//!         .find(|key| key.kid() == checked.key_id())
//!         .ok_or(Refusal::UnknownKey)?;
//!     checked.verify(key)?.claims()
//! }
//! # let keys = br#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
//! # let keys = KeySet::parse(keys, countersign_jwks::Algorithm::Ed25519.into()).unwrap();
//! # let issuer = Issuer::new("https://as.acme.test", "https://api.acme.test");
//! assert_eq!(
//!     verify("not.a.token", &issuer, &keys, Duration::ZERO).unwrap_err(),
//!     Refusal::Malformed,
//! );
//! ```

mod check;
mod claim;
mod claims;
mod confirmation;
mod dpop;
mod hierarchy;
mod introspection;
mod issuer;
mod json;
mod machine_rule;
mod organization;
mod presets;
mod profile;
mod refusal;
mod scope;
mod scope_policy;
mod times;
mod token_type;
mod unverified;

pub use check::{CheckedToken, VerifiedToken};
pub use claim::{ClaimPath, ClaimValue};
pub use claims::{CallerKind, Claims, CustomClaimsError};
pub use confirmation::Confirmation;
pub use dpop::{DpopProof, ProofRefusal};
pub use hierarchy::ScopeHierarchy;
pub use introspection::IntrospectionRules;
pub use issuer::{Issuer, KeySettings, Microservices};
pub use machine_rule::MachineRule;
pub use organization::{OrganizationId, Organizations};
pub use profile::{ClaimsProfile, OrganizationForm};
pub use refusal::Refusal;
pub use scope::{InvalidScope, Scope, ScopeSet, is_scope_token};
pub use scope_policy::{ScopePolicy, is_granted};
pub use times::Times;
pub use token_type::{TokenType, TokenTypes};
pub use unverified::{CompactToken, MAX_TOKEN_BYTES, UnverifiedToken};
