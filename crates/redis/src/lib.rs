//! What the machines of a service must know together, in [Redis](https://redis.io) or [Valkey](https://valkey.io):
//! which tokens were revoked ([`RedisRevocations`]), and which DPoP proofs were presented ([`RedisReplayStore`]).
//!
//! ```text
//! machine A ─ revoke ─ list ─╮                       ╭─ list ─ machine B: refused
//!                            ╰─ XADD ─ stream ─ XREAD ─╯
//! ```
//!
//! # Revocations
//!
//! Each machine has its own [`RevocationList`](countersign_revocation::RevocationList), which requests read, and keeps it and a stream in step, in both
//! directions: what comes to the list from elsewhere is added to the stream, and what comes to the stream is added to
//! the list.
//!
//! * **At least once.** Whenever a machine connects, it reads the whole stream, and adds to it what its list has and
//!   the stream lacks. So a machine that was away misses nothing, nothing that was revoked while the broker was
//!   away gets lost, and a broker that lost everything gets it back from any machine that is still up.
//! * **While the broker is away**, requests are decided on by what is known. The feed grows old, and what follows is
//!   [`WhenOld`](countersign_revocation::WhenOld)'s to say. What is revoked meanwhile takes effect on the machine where it was
//!   revoked at once, and on the others when the broker is back.
//! * **Nothing is kept for longer than it matters**: with each addition the broker drops what is older than the longest
//!   life of a token, by the earlier of its clock and the machine's.
//!
//! Give all lists of a stream the same settings, the broker `appendonly yes`, and nobody else the right to write: who
//! writes there decides who is let in.
//!
//! # Example
//!
//! ```no_run
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use countersign_bearer::Authenticator;
//! use countersign_redis::{RedisRevocations, RedisStream};
//! use countersign_revocation::{FeedSettings, Revocation, RevocationList};
//!
//! # async fn run(builder: countersign_bearer::AuthenticatorBuilder, now: Duration) -> Result<(), Box<dyn std::error::Error>> {
//! let stream = RedisStream::open("redis://broker.internal:6379")?;
//! let revocations = RedisRevocations::start(RevocationList::new(), FeedSettings::default(), stream);
//! revocations.feed().caught_up(Duration::from_secs(10)).await?; // accept nothing that was revoked meanwhile
//!
//! let authenticator = builder.with_revocations(Arc::new(revocations.clone())).build().await?;
//! revocations.revoke(Revocation::client("https://acme.example", "m2m-acme", now)?).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//!
//! * `tls`: `rediss://`, by rustls with `aws-lc-rs`, unless the program has chosen another provider for the whole process
//!   (`CryptoProvider::install_default`) before it opens a store or stream; opening one chooses where nobody has. The broker's certificate must be vouched for by a root of the platform; roots of
//!   your own are named by the environment variables `SSL_CERT_FILE` and `SSL_CERT_DIR`. Without the feature such a URL is
//!   a [`ConfigError`](countersign_bearer::ConfigError) when it is opened.

mod broker;
mod failure;
mod replay;
mod revocations;
mod stream;

pub use self::replay::RedisReplayStore;
pub use self::revocations::{RedisRevocations, RedisRevokeError};
pub use self::stream::RedisStream;
