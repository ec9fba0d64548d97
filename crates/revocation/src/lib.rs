//! Tokens withdrawn before they expire.
//!
//! A signed token is a statement about the past. A [`RevocationList`] says which of them no longer hold: a token by its
//! id, or whatever a client, an organization, a user or an issuer was given before some moment. The layer asks it about
//! every request, tokens seen before included.
//!
//! # Example
//!
//! ```
//! use std::sync::Arc;
//!
//! use countersign_bearer::Authenticator;
//! use countersign_revocation::{Revocation, RevocationList};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let revoked = RevocationList::new();
//! # let issuer = countersign_testing::TestIssuer::new("https://acme.example");
//! let authenticator = Authenticator::builder()
//!     .issuer(issuer.trusted_for("https://api.acme.example"))
//!     .with_revocations(Arc::new(revoked.clone()))
//!     .build()
//!     .await?;
//!
//! # let token = issuer.service_principal("m2m-acme").with_audience("https://api.acme.example").mint();
//! assert!(authenticator.verify(&token).await.is_ok());
//! # let now = countersign_jwks::Clock::unix_time(&countersign_jwks::SystemClock::new());
//! revoked.revoke(Revocation::client("https://acme.example", "m2m-acme", now)?)?;
//! assert!(authenticator.verify(&token).await.is_err());
//! # Ok(())
//! # }
//! ```

mod feed;
mod gate;
mod journal;
mod list;
mod revocation;
#[cfg(any(feature = "axum", feature = "reqwest"))]
mod sse;
mod table;

pub use self::feed::{
    FeedFailure, FeedSettings, FeedSink, FeedStatus, NotCaughtUp, RevocationFeed, RevocationSource,
    WhenOld,
};
pub use self::journal::{Change, Origin};
pub use self::list::{
    Recorded, RevocationList, RevocationListSettings, RevocationListStatus, RevokeError,
};
pub use self::revocation::{InvalidRevocation, Revocation, RevocationKind};
#[cfg(feature = "axum")]
pub use self::sse::RevocationPublisher;
#[cfg(feature = "reqwest")]
pub use self::sse::{ServerSentEvents, ServerSentEventsError};
