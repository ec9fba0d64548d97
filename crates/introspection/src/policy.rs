use std::time::Duration;

/// How long answers are remembered, and how much is asked of the server.
///
/// ```
/// use std::time::Duration;
/// use countersign_introspection::IntrospectionPolicy;
///
/// let policy = IntrospectionPolicy::default()
///     .with_active_for(Duration::from_secs(10))
///     .with_rate(500, 1_000);
/// assert_eq!(policy.active_for, Duration::from_secs(10));
/// ```
///
/// There are two budgets of the same size: one for tokens that the server called active before, as far as they are
/// remembered, and one for all others. Made-up tokens can spend only the second, so that callers who are known do
/// not notice.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IntrospectionPolicy {
    /// How long an active token is taken for active without asking again, but never beyond its `exp`: 30 s. It is
    /// also how long a revocation may go unnoticed.
    pub active_for: Duration,
    /// How long a refused token is refused without asking again: 5 s.
    pub refused_for: Duration,
    /// The most answers that are remembered: 10,000 of each kind.
    pub max_entries: usize,
    /// The most memory that active tokens may take: 16 MiB.
    pub max_bytes: u64,
    /// How long one question may take in total, discovery included: 5 s.
    pub deadline: Duration,
    /// Questions under way at once, for each budget: 32.
    pub max_concurrent: usize,
    /// Questions in a second, for each budget: 100.
    pub rate: u32,
    /// Questions that may follow each other at once, for each budget: 200.
    pub burst: u32,
    /// How many requests wait for an answer at most: 1,024. One more is answered as unavailable at once.
    pub max_waiters: usize,
}

impl Default for IntrospectionPolicy {
    fn default() -> Self {
        Self {
            active_for: Duration::from_secs(30),
            refused_for: Duration::from_secs(5),
            max_entries: 10_000,
            max_bytes: 16 * 1024 * 1024,
            deadline: Duration::from_secs(5),
            max_concurrent: 32,
            rate: 100,
            burst: 200,
            max_waiters: 1024,
        }
    }
}

impl IntrospectionPolicy {
    /// How long an active token is taken for active without asking again.
    #[must_use]
    pub const fn with_active_for(mut self, time: Duration) -> Self {
        self.active_for = time;
        self
    }

    /// How long a refused token is refused without asking again.
    #[must_use]
    pub const fn with_refused_for(mut self, time: Duration) -> Self {
        self.refused_for = time;
        self
    }

    /// Remembers nothing: every request asks, those excepted that wait for the same answer at the same time.
    #[must_use]
    pub const fn without_cache(self) -> Self {
        self.with_cache_size(0, 0)
    }

    /// How many answers are remembered, and in how many bytes.
    #[must_use]
    pub const fn with_cache_size(mut self, max_entries: usize, max_bytes: u64) -> Self {
        self.max_entries = max_entries;
        self.max_bytes = max_bytes;
        self
    }

    /// How long one question may take in total. More than zero.
    #[must_use]
    pub const fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// How many questions may be under way at once, for each budget. At least 1.
    #[must_use]
    pub const fn with_max_concurrent(mut self, questions: usize) -> Self {
        self.max_concurrent = questions;
        self
    }

    /// How many questions a second, and how many at once after a quiet time, for each budget. At least 1 each.
    #[must_use]
    pub const fn with_rate(mut self, a_second: u32, burst: u32) -> Self {
        self.rate = a_second;
        self.burst = burst;
        self
    }

    /// How many requests wait for an answer at most.
    #[must_use]
    pub const fn with_max_waiters(mut self, waiters: usize) -> Self {
        self.max_waiters = waiters;
        self
    }

    pub(crate) fn has_cache(&self) -> bool {
        self.max_entries > 0 && self.max_bytes > 0
    }

    /// What is wrong with the numbers, one sentence each.
    pub(crate) fn problems(&self) -> impl Iterator<Item = &'static str> {
        // As long as a token may be trusted without asking, it might as well be a JWT.
        const HOUR: Duration = Duration::from_secs(60 * 60);
        [
            (
                self.active_for > HOUR || self.refused_for > HOUR,
                "an answer must not be remembered for more than an hour",
            ),
            (
                self.deadline.is_zero() || self.deadline > HOUR,
                "the deadline of a question must be more than zero and at most an hour",
            ),
            (
                self.max_concurrent == 0 || self.rate == 0 || self.burst == 0,
                "a budget that allows no question at all lets nobody in",
            ),
            (
                self.max_waiters == 0,
                "somebody must be able to wait for an answer",
            ),
        ]
        .into_iter()
        .filter_map(|(wrong, problem)| wrong.then_some(problem))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_that_cannot_work_is_named_and_the_defaults_all_work() {
        let default = IntrospectionPolicy::default;
        assert_eq!(default().problems().count(), 0);
        assert_eq!(default().without_cache().problems().count(), 0);
        let long = Duration::from_secs(3601);
        let wrong = [
            default().with_active_for(long),
            default().with_refused_for(long),
            default().with_deadline(Duration::ZERO),
            default().with_deadline(long),
            default().with_max_concurrent(0),
            default().with_rate(0, 1),
            default().with_rate(1, 0),
            default().with_max_waiters(0),
        ];
        for policy in wrong {
            assert_eq!(policy.problems().count(), 1, "{policy:?}");
        }
    }
}
