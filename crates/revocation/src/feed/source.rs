use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::health::Health;
use crate::journal::Origin;
use crate::list::RevocationList;
use crate::revocation::Revocation;

/// Where revocations come from: what a [`RevocationFeed`](crate::RevocationFeed) follows.
pub trait RevocationSource: Send + 'static {
    /// What it is called in logs and metrics: one word of a few.
    fn name(&self) -> &'static str;

    /// Connects, and tells `sink` what it reads until it breaks: everything that it has missed, and on from there.
    /// Called again, after a while, whenever it has returned.
    fn follow(&mut self, sink: &FeedSink) -> impl Future<Output = FeedFailure> + Send;
}

/// Where a [`RevocationSource`] puts what it reads.
pub struct FeedSink {
    list: RevocationList,
    origin: Origin,
    health: Arc<Health>,
}

impl FeedSink {
    pub(super) fn new(list: RevocationList, health: Arc<Health>) -> Self {
        Self {
            origin: list.new_origin(),
            list,
            health,
        }
    }

    /// The list that is fed.
    pub fn list(&self) -> &RevocationList {
        &self.list
    }

    /// What changes that come by this feed are marked with.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Records what was read.
    pub fn record(&self, revocations: impl IntoIterator<Item = Revocation>) {
        self.health
            .recorded(self.list.record(revocations, self.origin));
    }

    /// Counts something that was read and is no revocation that is known here; the first of them is logged. As something
    /// may have been withdrawn by it, the list lacks something for as long as any withdrawal matters.
    pub fn refuse(&self, why: &dyn fmt::Display) {
        self.health.refused(1, &why.to_string());
        let matters = self.list.retention();
        let now = self.list.clock().monotonic();
        self.health.lacks_until(now.saturating_add(matters));
    }

    /// All that there was to read has been read and recorded.
    pub fn caught_up(&self) {
        self.health.caught_up();
    }

    /// There is more to read than one by one: until the next catching up, what is known is not all.
    pub fn fell_behind(&self) {
        self.health.fell_behind();
    }

    /// The other side is there, and there is nothing that has not been recorded.
    pub fn heard(&self) {
        self.health.heard();
    }

    pub(super) fn broke(&self, failure: FeedFailure) -> Duration {
        self.health.broke(failure)
    }
}

impl fmt::Debug for FeedSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FeedSink")
            .field("list", &self.list)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

/// How a feed broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum FeedFailure {
    /// The URL may not be asked: neither `https` nor of this machine, or with credentials in it.
    #[error("insecure URL")]
    InsecureUrl,
    /// There is no credential to connect with.
    #[error("no credential to connect with")]
    NoCredential,
    /// Nobody is there.
    #[error("cannot connect")]
    Connect,
    /// The answer has another status than 200, this one.
    #[error("answered with status {0}")]
    Status(u16),
    /// The answer leads elsewhere.
    #[error("redirected")]
    Redirect,
    /// The answer is no stream of events.
    #[error("not a stream of events")]
    ContentType,
    /// Nothing that counts was said for too long.
    #[error("silent for too long")]
    Timeout,
    /// A line or an event is longer than any that makes sense.
    #[error("a line or an event is too long")]
    TooLarge,
    /// What was said cannot be read.
    #[error("malformed")]
    Malformed,
    /// Something was missed: everything is read anew.
    #[error("something was missed")]
    Gap,
    /// The connection broke, or the other side ended it.
    #[error("interrupted")]
    Interrupted,
    /// The other side refused, as for want of a right.
    #[error("refused by the other side")]
    Refused,
}
