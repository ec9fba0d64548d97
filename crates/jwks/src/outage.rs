use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::{Clock, SystemClock};

/// How long nothing is said of an outage after the last was told (fixed).
const APART: Duration = Duration::from_secs(60);

/// What the log has been told of something that may be away: a line when it begins, and one when it is over, however many
/// find it away meanwhile, and at most one such pair a minute, however often it comes and goes. Counting is left to metrics.
#[derive(Debug, Default)]
pub struct Outage {
    is_told: AtomicBool,
    begun: Seldom,
}

/// What anybody may bring on as often as he likes, and what nothing ends: a line a minute at most.
#[derive(Debug, Default)]
pub struct Seldom {
    /// When it was last told, in milliseconds of the monotonic clock, and 1; 0 for never.
    told_at: AtomicU64,
}

impl Outage {
    /// It was found away at this monotonic time: whether to tell.
    pub fn is_news(&self, now: Duration) -> bool {
        if self.is_told.load(Ordering::Acquire) || !self.begun.is_due(now) {
            return false;
        }
        self.is_told.store(true, Ordering::Release);
        true
    }

    /// It was found there: whether to tell, as it was told to be away.
    pub fn is_over(&self) -> bool {
        self.is_told.load(Ordering::Acquire) && self.is_told.swap(false, Ordering::AcqRel)
    }
}

impl Seldom {
    /// Never told yet.
    pub const fn new() -> Self {
        Self {
            told_at: AtomicU64::new(0),
        }
    }

    /// It happened at this monotonic time: whether to tell.
    pub fn is_due(&self, now: Duration) -> bool {
        let now = u64::try_from(now.as_millis()).map_or(u64::MAX, |now| now.saturating_add(1));
        let apart = u64::try_from(APART.as_millis()).unwrap_or(u64::MAX);
        let last = self.told_at.load(Ordering::Acquire);
        if last != 0 && now < last.saturating_add(apart) {
            return false;
        }
        // Of many to whom it happens together, one tells.
        self.told_at
            .compare_exchange(last, now, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    /// It happened now, by the machine's clock: for what is given none.
    pub fn is_due_now(&self) -> bool {
        static CLOCK: LazyLock<SystemClock> = LazyLock::new(SystemClock::new);
        self.is_due(CLOCK.monotonic())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn an_outage_is_told_when_it_begins_and_when_it_is_over_and_not_in_between() {
        let outage = Outage::default();
        assert!(!outage.is_over(), "there was none");
        assert!(outage.is_news(s(0)));
        for second in 0..1000 {
            assert!(!outage.is_news(s(second)));
        }
        assert!(outage.is_over());
        assert!(!outage.is_over());
        assert!(outage.is_news(s(1000)), "the next");
    }

    #[test]
    fn what_happens_at_every_request_is_told_once_a_minute() {
        let seldom = Seldom::new();
        let told = (0..6000).filter(|tenth| seldom.is_due(s(1) * *tenth / 10));
        assert_eq!(told.count(), 10);
        let moment = Duration::from_millis(1);
        assert!(!seldom.is_due(s(600).saturating_sub(moment)));
        assert!(seldom.is_due(s(600)), "a minute after the tenth");
        let by_the_machine = Seldom::new();
        let told = (0..1000).filter(|_| by_the_machine.is_due_now());
        assert_eq!(told.count(), 1);
    }

    #[test]
    fn what_comes_and_goes_is_told_once_a_minute() {
        let outage = Outage::default();
        let mut told = (0, 0);
        for second in 0..600 {
            for _ in 0..10 {
                told.0 += u32::from(outage.is_news(s(second)));
                told.1 += u32::from(outage.is_over());
            }
        }
        assert_eq!(told, (10, 10));
    }
}
