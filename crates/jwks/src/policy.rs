use std::time::Duration;

/// How often keys are fetched, and how long they are trusted without.
///
/// ```
/// use std::time::Duration;
/// use countersign_jwks::RefreshPolicy;
///
/// let policy = RefreshPolicy::default()
///     .with_time_to_live(Duration::from_secs(120))
///     .with_stale_grace(Duration::from_secs(600));
/// assert_eq!(policy.stale_grace, Duration::from_secs(600));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RefreshPolicy {
    /// How long a set is fresh if the response does not say: 5 min. A file is always read again after this.
    pub time_to_live: Duration,
    /// The least that a response's `Cache-Control` can ask for: 60 s.
    pub min_time_to_live: Duration,
    /// The most that a response's `Cache-Control` can ask for: 1 h.
    pub max_time_to_live: Duration,
    /// The share of the time to live after which the background refresh is due, 0.1 to 1.0: 0.8. Jitter moves
    /// it by up to 5 % of the time to live, either way.
    pub refresh_at: f64,
    /// How long a set is trusted beyond its time to live when it cannot be refreshed: 1 h. After that nothing is
    /// accepted, cached tokens included.
    pub stale_grace: Duration,
    /// The first wait after a failed fetch: 1 s. It doubles with each failure in a row, with jitter.
    pub min_backoff: Duration,
    /// The longest wait after a failed fetch: 60 s.
    pub max_backoff: Duration,
    /// Fetches for the sake of an unknown key: one per this time, 5 s.
    pub budget_every: Duration,
    /// Fetches for the sake of an unknown key that may follow each other at once: 2.
    pub budget_burst: u32,
    /// How long a request waits for a fetch at most: 1 s.
    pub wait: Duration,
    /// How many requests wait for a fetch at most: 1,024. One more is answered as unavailable at once.
    pub max_waiters: usize,
    /// How long one refresh may take in total, discovery and key set together: 5 s.
    pub deadline: Duration,
    /// How long a discovered `jwks_uri` is used before the metadata is read again: 1 h. It also is after each
    /// failed fetch.
    pub rediscover_after: Duration,
    /// How long [`build`](crate::JwksBuilder::build) waits for the first set of a required issuer: 10 s.
    pub start_wait: Duration,
}

impl Default for RefreshPolicy {
    fn default() -> Self {
        Self {
            time_to_live: Duration::from_secs(5 * 60),
            min_time_to_live: Duration::from_secs(60),
            max_time_to_live: Duration::from_secs(60 * 60),
            refresh_at: 0.8,
            stale_grace: Duration::from_secs(60 * 60),
            min_backoff: Duration::from_secs(1),
            max_backoff: Duration::from_secs(60),
            budget_every: Duration::from_secs(5),
            budget_burst: 2,
            wait: Duration::from_secs(1),
            max_waiters: 1024,
            deadline: Duration::from_secs(5),
            rediscover_after: Duration::from_secs(60 * 60),
            start_wait: Duration::from_secs(10),
        }
    }
}

impl RefreshPolicy {
    /// How long a set is fresh if the response does not say. At least 1 s.
    #[must_use]
    pub const fn with_time_to_live(mut self, time_to_live: Duration) -> Self {
        self.time_to_live = time_to_live;
        self
    }

    /// The range within which a response's `Cache-Control` is honoured. From at least 1 s.
    #[must_use]
    pub const fn with_time_to_live_range(mut self, min: Duration, max: Duration) -> Self {
        self.min_time_to_live = min;
        self.max_time_to_live = max;
        self
    }

    /// The share of the time to live after which the background refresh is due, 0.1 to 1.0.
    #[must_use]
    pub const fn with_refresh_at(mut self, share: f64) -> Self {
        self.refresh_at = share;
        self
    }

    /// How long a set is trusted beyond its time to live. This bounds how long a key that the issuer has withdrawn
    /// can still be used while the issuer cannot be reached.
    #[must_use]
    pub const fn with_stale_grace(mut self, grace: Duration) -> Self {
        self.stale_grace = grace;
        self
    }

    /// The shortest and the longest wait after a failed fetch; a `Retry-After` of a 429 or 503 is honoured within
    /// it. From at least 100 ms.
    #[must_use]
    pub const fn with_backoff(mut self, min: Duration, max: Duration) -> Self {
        self.min_backoff = min;
        self.max_backoff = max;
        self
    }

    /// How often an unknown key may cause a fetch: one `every` so long, `burst` of them (at least 1) at once.
    #[must_use]
    pub const fn with_budget(mut self, every: Duration, burst: u32) -> Self {
        self.budget_every = every;
        self.budget_burst = burst;
        self
    }

    /// How long a request waits for a fetch at most.
    #[must_use]
    pub const fn with_wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// How many requests wait for a fetch at most.
    #[must_use]
    pub const fn with_max_waiters(mut self, waiters: usize) -> Self {
        self.max_waiters = waiters;
        self
    }

    /// How long one refresh may take in total. More than zero.
    #[must_use]
    pub const fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// How long a discovered `jwks_uri` is used before the metadata is read again.
    #[must_use]
    pub const fn with_rediscover_after(mut self, age: Duration) -> Self {
        self.rediscover_after = age;
        self
    }

    /// How long [`build`](crate::JwksBuilder::build) waits for the first set of a required issuer.
    #[must_use]
    pub const fn with_start_wait(mut self, wait: Duration) -> Self {
        self.start_wait = wait;
        self
    }

    /// How long a set is fresh whose response named `max_age`.
    pub(crate) fn time_to_live_of(&self, max_age: Option<Duration>) -> Duration {
        // Not `clamp`, which panics on a range the wrong way round.
        max_age.map_or(self.time_to_live, |age| {
            age.min(self.max_time_to_live).max(self.min_time_to_live)
        })
    }

    /// What is wrong with the numbers, one sentence each.
    pub(crate) fn problems(&self) -> impl Iterator<Item = &'static str> {
        const SECOND: Duration = Duration::from_secs(1);
        // Sums of a few of them then stay far from the end of what a duration can hold.
        const TEN_YEARS: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);
        let longest = [
            self.time_to_live,
            self.min_time_to_live,
            self.max_time_to_live,
            self.stale_grace,
            self.min_backoff,
            self.max_backoff,
            self.budget_every,
            self.wait,
            self.deadline,
            self.rediscover_after,
            self.start_wait,
        ];
        [
            (
                longest.into_iter().any(|one| one > TEN_YEARS),
                "a duration must be at most ten years",
            ),
            (
                self.time_to_live < SECOND || self.min_time_to_live < SECOND,
                "a time to live must be at least 1 s",
            ),
            (
                self.max_time_to_live < self.min_time_to_live,
                "the time to live's range ends before it starts",
            ),
            (
                !(0.1..=1.0).contains(&self.refresh_at),
                "the refresh must be due at 0.1 to 1.0 of the time to live",
            ),
            (
                self.min_backoff < Duration::from_millis(100),
                "the back-off must start at 100 ms or more",
            ),
            (
                self.max_backoff < self.min_backoff,
                "the back-off's range ends before it starts",
            ),
            (
                self.budget_burst == 0,
                "a budget that allows no fetch at all never learns of a new key",
            ),
            (
                self.deadline.is_zero(),
                "the deadline of a refresh must be more than zero",
            ),
        ]
        .into_iter()
        .filter_map(|(wrong, problem)| wrong.then_some(problem))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn what_a_response_asks_for_is_honoured_within_the_range() {
        let policy = RefreshPolicy::default();
        for (max_age, expected) in [
            (None, 300),
            (Some(0), 60),
            (Some(59), 60),
            (Some(61), 61),
            (Some(3600), 3600),
            (Some(86_400), 3600),
        ] {
            assert_eq!(
                policy.time_to_live_of(max_age.map(s)),
                s(expected),
                "{max_age:?}"
            );
        }
    }

    #[test]
    fn each_number_that_cannot_work_is_named_and_the_defaults_all_work() {
        let default = RefreshPolicy::default;
        assert_eq!(default().problems().count(), 0);
        let wrong = [
            default().with_time_to_live(Duration::ZERO),
            default().with_time_to_live_range(Duration::ZERO, s(60)),
            default().with_time_to_live_range(s(60), s(59)),
            default().with_refresh_at(0.0),
            default().with_refresh_at(1.1),
            default().with_refresh_at(f64::NAN),
            default().with_backoff(Duration::ZERO, s(60)),
            default().with_backoff(s(2), s(1)),
            default().with_budget(s(5), 0),
            default().with_deadline(Duration::ZERO),
            default().with_deadline(Duration::MAX),
            default().with_budget(Duration::MAX, 1),
            default().with_stale_grace(Duration::MAX),
            default().with_wait(Duration::MAX),
        ];
        for policy in wrong {
            assert_eq!(policy.problems().count(), 1, "{policy:?}");
        }
        let ten_years = s(10 * 365 * 24 * 60 * 60);
        let at_the_limits = default()
            .with_time_to_live(s(1))
            .with_time_to_live_range(s(1), s(1))
            .with_refresh_at(0.1)
            .with_stale_grace(ten_years)
            .with_backoff(Duration::from_millis(100), Duration::from_millis(100))
            .with_budget(ten_years, 1)
            .with_deadline(Duration::from_nanos(1));
        let at_the_others = default().with_refresh_at(1.0).with_wait(Duration::ZERO);
        for policy in [at_the_limits, at_the_others] {
            assert_eq!(policy.problems().count(), 0, "{policy:?}");
        }
        let beyond = ten_years + s(1);
        assert_eq!(default().with_stale_grace(beyond).problems().count(), 1);
    }

    #[test]
    fn each_setting_is_kept_beside_the_others() {
        let policy = RefreshPolicy::default()
            .with_time_to_live(s(2))
            .with_time_to_live_range(s(3), s(4))
            .with_refresh_at(0.5)
            .with_stale_grace(s(5))
            .with_backoff(s(6), s(7))
            .with_budget(s(8), 9)
            .with_wait(s(10))
            .with_max_waiters(11)
            .with_deadline(s(12))
            .with_rediscover_after(s(13))
            .with_start_wait(s(14));
        let expected = RefreshPolicy {
            time_to_live: s(2),
            min_time_to_live: s(3),
            max_time_to_live: s(4),
            refresh_at: 0.5,
            stale_grace: s(5),
            min_backoff: s(6),
            max_backoff: s(7),
            budget_every: s(8),
            budget_burst: 9,
            wait: s(10),
            max_waiters: 11,
            deadline: s(12),
            rediscover_after: s(13),
            start_wait: s(14),
        };
        assert_eq!(policy, expected);
    }
}
