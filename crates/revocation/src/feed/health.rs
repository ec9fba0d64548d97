//! How long ago a feed was heard of, and what follows.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use countersign_jwks::Clock;
use tokio::sync::watch;

use super::source::FeedFailure;
use super::{FeedSettings, FeedStatus, WhenOld};
use crate::list::Recorded;

/// How often the age is looked at for the log and the metrics.
const LOOK: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Health {
    name: &'static str,
    settings: FeedSettings,
    clock: Arc<dyn Clock>,
    started: Duration,
    /// In milliseconds of the monotonic clock from the start, and 1; 0 for never.
    heard: AtomicU64,
    /// The same of when the feed caught up, on the connection that there is; 0 for not.
    caught_up: AtomicU64,
    /// The same of when nothing will be missing of what found no place.
    incomplete_until: AtomicU64,
    has_caught_up: watch::Sender<bool>,
    added: AtomicU64,
    refused: AtomicU64,
    full: AtomicU64,
    failures: AtomicU64,
    last_failure: Mutex<Option<FeedFailure>>,
    was_told_of_refusal: AtomicBool,
}

impl Health {
    pub(super) fn new(name: &'static str, settings: FeedSettings, clock: Arc<dyn Clock>) -> Self {
        Self {
            name,
            settings,
            started: clock.monotonic(),
            clock,
            heard: AtomicU64::new(0),
            caught_up: AtomicU64::new(0),
            incomplete_until: AtomicU64::new(0),
            has_caught_up: watch::Sender::new(false),
            added: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            full: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            last_failure: Mutex::new(None),
            was_told_of_refusal: AtomicBool::new(false),
        }
    }

    /// The feed was heard of: it counts if all that it had to tell was read.
    pub(super) fn heard(&self) {
        if self.caught_up.load(Ordering::Acquire) != 0 {
            self.heard.store(self.now(), Ordering::Release);
        }
    }

    pub(super) fn caught_up(&self) {
        self.caught_up.store(self.now(), Ordering::Release);
        self.heard();
        *self.failure() = None;
        self.has_caught_up.send_replace(true);
    }

    /// What was read is no longer all that there is.
    pub(super) fn fell_behind(&self) {
        self.caught_up.store(0, Ordering::Release);
    }

    /// The connection broke. For how long it had caught up.
    pub(super) fn broke(&self, failure: FeedFailure) -> Duration {
        let since = self.caught_up.swap(0, Ordering::AcqRel);
        self.failures.fetch_add(1, Ordering::Relaxed);
        *self.failure() = Some(failure);
        tracing::debug!(feed = self.name, %failure, "the revocation feed broke");
        match since {
            0 => Duration::ZERO,
            since => Duration::from_millis(self.now().saturating_sub(since)),
        }
    }

    pub(super) fn recorded(&self, recorded: Recorded) {
        let count = |counter: &AtomicU64, number: usize| {
            counter.fetch_add(u64::try_from(number).unwrap_or(u64::MAX), Ordering::Relaxed);
        };
        count(&self.added, recorded.added);
        count(&self.full, recorded.full);
        if recorded.in_future > 0 {
            self.refused(recorded.in_future, "a moment in the future");
        }
        if let Some(until) = recorded.incomplete_until {
            self.lacks_until(until);
        }
    }

    /// Something was revoked that the list lacks, and until then it matters.
    pub(super) fn lacks_until(&self, until: Duration) {
        self.incomplete_until
            .fetch_max(self.stamp(until), Ordering::AcqRel);
    }

    pub(super) fn refused(&self, number: usize, why: &str) {
        let number = u64::try_from(number).unwrap_or(u64::MAX);
        self.refused.fetch_add(number, Ordering::Relaxed);
        // Whoever can send one can send many.
        if !self.was_told_of_refusal.swap(true, Ordering::Relaxed) {
            let when_old = self.settings.when_old;
            tracing::warn!(
                feed = self.name,
                why,
                ?when_old,
                "the revocation feed said something that is no revocation; further ones are counted only"
            );
        }
    }

    pub(super) fn must_refuse(&self) -> bool {
        self.settings.when_old == WhenOld::Refuse
            && (self.heard.load(Ordering::Acquire) == 0 || self.is_old() || self.is_incomplete())
    }

    pub(super) fn status(&self) -> FeedStatus {
        FeedStatus {
            current: self.caught_up.load(Ordering::Acquire) != 0,
            age: self.age(),
            old: self.is_old(),
            incomplete: self.is_incomplete(),
            added: self.added.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
            full: self.full.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
            last_failure: *self.failure(),
        }
    }

    pub(super) async fn first_catch_up(&self) {
        let mut has_caught_up = self.has_caught_up.subscribe();
        // The sender is in `self`.
        let _ = has_caught_up.wait_for(|has| *has).await;
    }

    /// Reports the age, and each outage once.
    pub(super) async fn watch(&self) {
        let mut was_old = false;
        loop {
            let silence = self.silence();
            #[cfg(feature = "metrics")]
            metrics::gauge!("countersign_revocation_feed_age_seconds", "feed" => self.name)
                .set(silence.as_secs_f64());
            let is_old = silence > self.settings.max_age;
            if is_old && !was_old {
                let (seconds, failure) = (silence.as_secs(), *self.failure());
                let (feed, when_old) = (self.name, self.settings.when_old);
                tracing::warn!(
                    feed,
                    seconds,
                    ?failure,
                    ?when_old,
                    "the revocation feed is old"
                );
            } else if was_old && !is_old {
                tracing::info!(feed = self.name, "the revocation feed is current again");
            }
            was_old = is_old;
            self.clock.sleep(LOOK).await;
        }
    }

    fn age(&self) -> Option<Duration> {
        match self.heard.load(Ordering::Acquire) {
            0 => None,
            heard => Some(Duration::from_millis(self.now().saturating_sub(heard))),
        }
    }

    /// How long nothing has been heard; before there was anything, since the start.
    fn silence(&self) -> Duration {
        let since_start = || self.clock.monotonic().saturating_sub(self.started);
        self.age().unwrap_or_else(since_start)
    }

    fn is_old(&self) -> bool {
        self.silence() > self.settings.max_age
    }

    fn is_incomplete(&self) -> bool {
        self.now() < self.incomplete_until.load(Ordering::Acquire)
    }

    fn now(&self) -> u64 {
        self.stamp(self.clock.monotonic())
    }

    fn stamp(&self, monotonic: Duration) -> u64 {
        let since_start = monotonic.saturating_sub(self.started).as_millis();
        u64::try_from(since_start).map_or(u64::MAX, |stamp| stamp.saturating_add(1))
    }

    fn failure(&self) -> std::sync::MutexGuard<'_, Option<FeedFailure>> {
        self.last_failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
