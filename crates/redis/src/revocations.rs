use std::time::Duration;

use countersign_bearer::{Revocations, Validity};
use countersign_jwks::suite::{First, race};
use countersign_revocation::{
    FeedSettings, Revocation, RevocationFeed, RevocationList, RevokeError,
};
use countersign_token::Claims;
use tokio::sync::watch;

use crate::stream::RedisStream;

/// How long [`RedisRevocations::revoke`] waits for the broker.
const PATIENCE: Duration = Duration::from_secs(5);

/// A revocation list that is kept in step with a stream. Cheap to clone; it is kept until the last clone is gone.
#[derive(Clone, Debug)]
pub struct RedisRevocations {
    feed: RevocationFeed,
    shared: watch::Receiver<u64>,
}

/// A revocation is not known everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RedisRevokeError {
    /// It was not recorded at all.
    #[error(transparent)]
    Refused(#[from] RevokeError),
    /// It was recorded on this machine, where it is in force; the broker did not take it within 5 s. It gets it
    /// when it can, as long as this machine is up.
    #[error("the revocation is in force on this machine, but not shared yet")]
    NotShared,
}

impl RedisRevocations {
    /// Keeps `list` and `stream` in step from now on. Must be called within a tokio runtime, in which it then lives.
    pub fn start(list: RevocationList, settings: FeedSettings, stream: RedisStream) -> Self {
        let shared = stream.shared();
        Self {
            feed: RevocationFeed::start(list, settings, stream),
            shared,
        }
    }

    /// Withdraws: on this machine at once, and on the others when they have read it. Returns when the broker has it.
    ///
    /// What is added to the list itself is shared just the same, only without waiting for it.
    pub async fn revoke(&self, revocation: Revocation) -> Result<(), RedisRevokeError> {
        let sequence = self.feed.list().revoke(revocation)?;
        let mut shared = self.shared.clone();
        let sharing = shared.wait_for(|shared| *shared >= sequence);
        let patience = self.feed.list().clock().sleep(PATIENCE);
        match race(sharing, patience).await {
            First::Left(Ok(_)) => Ok(()),
            _ => Err(RedisRevokeError::NotShared),
        }
    }

    /// How it is doing, and its list.
    pub fn feed(&self) -> &RevocationFeed {
        &self.feed
    }
}

impl Revocations for RedisRevocations {
    fn check(&self, claims: &Claims) -> Validity {
        self.feed.check(claims)
    }
}
