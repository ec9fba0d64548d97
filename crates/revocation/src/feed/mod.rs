//! What every feed has, whatever it comes by: it is followed in the background, taken up again when it breaks, and its
//! age is known.

mod backoff;
mod health;
mod source;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use countersign_bearer::{Revocations, Validity};
use countersign_jwks::suite::{First, race, spawn};
use countersign_token::Claims;
use tokio::sync::watch;

use self::backoff::Backoff;
use self::health::Health;
pub use self::source::{FeedFailure, FeedSink, RevocationSource};
use crate::list::RevocationList;

/// A list that is kept up to date from elsewhere. Cheap to clone; the feed is followed until the last clone is gone.
///
/// Give it to the authenticator in place of the list: it knows how old what it knows is.
#[derive(Clone)]
pub struct RevocationFeed {
    list: RevocationList,
    health: Arc<Health>,
    /// The task that follows ends when this is dropped.
    _follows: watch::Sender<()>,
}

/// How a [`RevocationFeed`] is followed, and what follows when it falls silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FeedSettings {
    /// From when on the feed is old: when nothing was heard of it for 60 s.
    pub max_age: Duration,
    /// What to do then: [`WhenOld::Accept`].
    pub when_old: WhenOld,
    /// How long to wait before a broken feed is taken up again: 100 ms, doubled each time it breaks, and up to half of
    /// it taken off at random.
    pub min_backoff: Duration,
    /// The longest such wait: 5 s.
    pub max_backoff: Duration,
}

/// What becomes of tokens that are not known to be revoked while the feed is old.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum WhenOld {
    /// They are accepted; the feed's [`status`](RevocationFeed::status), the log and the metrics tell.
    #[default]
    Accept,
    /// They are answered with 503. So they are until the feed has caught up for the first time, and while the list
    /// lacks something: what found no place, what is of a moment in the future, and what is of a kind that is not known here,
    /// each for as long as a token lives since it was last read.
    Refuse,
}

/// How a feed is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FeedStatus {
    /// Whether it is connected, and all that it had to tell has been read.
    pub current: bool,
    /// Time since it was last heard of; `None` if it has not caught up yet.
    pub age: Option<Duration>,
    /// Whether that is longer than the bound.
    pub old: bool,
    /// Whether the list lacks something that was revoked: see [`WhenOld::Refuse`].
    pub incomplete: bool,
    /// How many revocations it added to the list.
    pub added: u64,
    /// How many things it said that are no revocations, or of kinds that are not known.
    pub refused: u64,
    /// How many revocations found no place in the list. Their tokens are accepted.
    pub full: u64,
    /// How often it broke.
    pub failures: u64,
    /// How it last broke; `None` once it has caught up again.
    pub last_failure: Option<FeedFailure>,
}

/// A feed did not catch up in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the revocation feed has not caught up (last failure: {last_failure:?})")]
pub struct NotCaughtUp {
    /// How it last broke, if it did.
    pub last_failure: Option<FeedFailure>,
}

impl Default for FeedSettings {
    fn default() -> Self {
        Self {
            max_age: Duration::from_secs(60),
            when_old: WhenOld::Accept,
            min_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(5),
        }
    }
}

impl RevocationFeed {
    /// Follows `source` into `list` from now on. Must be called within a tokio runtime, in which it then lives.
    pub fn start(
        list: RevocationList,
        settings: FeedSettings,
        source: impl RevocationSource,
    ) -> Self {
        let health = Arc::new(Health::new(source.name(), settings, list.clock().clone()));
        let sink = FeedSink::new(list.clone(), health.clone());
        let (follows, mut ended) = watch::channel(());
        let watcher = health.clone();
        spawn(async move {
            let follow = race(follow(source, sink, settings), watcher.watch());
            // The channel never says anything; it closes.
            let _ = race(ended.changed(), follow).await;
        });
        Self {
            list,
            health,
            _follows: follows,
        }
    }

    /// Waits until the feed has caught up for the first time, at most for `limit`: what a service does before it
    /// takes requests, if it must not accept what was revoked while it was down.
    pub async fn caught_up(&self, limit: Duration) -> Result<(), NotCaughtUp> {
        let limit = self.list.clock().sleep(limit);
        match race(self.health.first_catch_up(), limit).await {
            First::Left(()) => Ok(()),
            First::Right(()) => Err(NotCaughtUp {
                last_failure: self.health.status().last_failure,
            }),
        }
    }

    /// The list that it feeds.
    pub fn list(&self) -> &RevocationList {
        &self.list
    }

    /// How it is doing.
    pub fn status(&self) -> FeedStatus {
        self.health.status()
    }
}

impl Revocations for RevocationFeed {
    fn check(&self, claims: &Claims) -> Validity {
        match self.list.check(claims) {
            Validity::Valid if self.health.must_refuse() => Validity::Unknown,
            validity => validity,
        }
    }
}

impl fmt::Debug for RevocationFeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RevocationFeed")
            .field("list", &self.list)
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

async fn follow(mut source: impl RevocationSource, sink: FeedSink, settings: FeedSettings) {
    let clock = sink.list().clock().clone();
    let mut backoff = Backoff::new(settings.min_backoff, settings.max_backoff);
    loop {
        let failure = source.follow(&sink).await;
        let lasted = sink.broke(failure);
        // One that breaks whenever it has caught up is not followed in a tight loop.
        if lasted > settings.max_backoff {
            backoff.reset();
        }
        clock.sleep(backoff.next(fastrand::f64())).await;
    }
}
