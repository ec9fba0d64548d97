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
//!
//! # Keeping many machines up to date
//!
//! A [`RevocationFeed`] adds to a list what a [`RevocationSource`] reads: `ServerSentEvents` from the
//! `RevocationPublisher` of another machine, or a stream of Redis (`countersign-redis`). It is followed in the background,
//! taken up again when it breaks, and knows its age: [`WhenOld`] says what follows when it falls silent. What is on a list
//! stays there whatever its feed does.
//!
//! ```text
//! revoke ─ RevocationList ─ RevocationPublisher ══ ServerSentEvents ─ RevocationFeed ─ RevocationList ─ 401
//! ```
//!
//! # The feed over HTTP
//!
//! Server-sent events ([HTML, §9.2](https://html.spec.whatwg.org/multipage/server-sent-events.html)), one of these each:
//!
//! | event | id | data | means |
//! |---|---|---|---|
//! | `revocation` | `<epoch>-<number>` | a [`Revocation`] as JSON | a change; numbers follow each other |
//! | `reset` | | `<epoch>-<number>` | all that is known follows, as `revocation` events without ids |
//! | `caught-up` | `<epoch>-<number>` | the same | all that there was has been said |
//! | `heartbeat` | | `<epoch>-<number>` | nothing has happened since that number |
//!
//! A follower that comes again sends the last id in `Last-Event-ID`. If all that came after it is still there, it is
//! told that, otherwise everything. The epoch, 16 hexadecimal digits, is another one after the publisher was started
//! anew, so that numbers of the old one mean nothing to it. A follower that finds a number left out asks for everything.
//!
//! # Features
//!
//! * `axum`: `RevocationPublisher`.
//! * `reqwest`: `ServerSentEvents`.
//! * `metrics`: gauge `countersign_revocation_feed_age_seconds` through the [`metrics`](https://docs.rs/metrics) facade,
//!   labelled by `feed` (`sse`, `redis`, or what a source of yours is called), set each second.

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
