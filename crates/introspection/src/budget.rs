use std::time::Duration;

use crate::policy::IntrospectionPolicy;

/// What one sort of tokens may cost the server: so many questions at once, and so many a second. Times are
/// monotonic.
#[derive(Debug)]
pub(crate) struct Budget {
    max_concurrent: usize,
    under_way: usize,
    /// The time that one question stands for.
    each: Duration,
    /// How far ahead of the time questions may be.
    ahead: Duration,
    /// Until when the questions so far are paid for.
    paid_until: Duration,
}

impl Budget {
    pub(crate) fn new(policy: &IntrospectionPolicy) -> Self {
        let each = Duration::from_secs(1) / policy.rate.max(1);
        Self {
            max_concurrent: policy.max_concurrent,
            under_way: 0,
            each,
            ahead: each * policy.burst.saturating_sub(1),
            paid_until: Duration::ZERO,
        }
    }

    /// Whether one more question may be put, or when to try again.
    pub(crate) fn check(&self, now: Duration) -> Result<(), Duration> {
        if self.under_way >= self.max_concurrent {
            return Err(Duration::from_secs(1));
        }
        let earliest = self.paid_until.saturating_sub(self.ahead);
        match earliest.checked_sub(now) {
            Some(wait) if !wait.is_zero() => Err(wait),
            _ => Ok(()),
        }
    }

    pub(crate) fn spend(&mut self, now: Duration) {
        self.under_way += 1;
        self.paid_until = self.paid_until.max(now) + self.each;
    }

    /// A question is over.
    pub(crate) fn release(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn budget(concurrent: usize, rate: u32, burst: u32) -> Budget {
        let policy = IntrospectionPolicy::default();
        Budget::new(
            &policy
                .with_max_concurrent(concurrent)
                .with_rate(rate, burst),
        )
    }

    /// Spends until there is none left; how often, and when there is more.
    fn exhaust(budget: &mut Budget, now: Duration) -> (u32, Duration) {
        for spent in 0.. {
            match budget.check(now) {
                Ok(()) => budget.spend(now),
                Err(wait) => return (spent, wait),
            }
            budget.release();
        }
        unreachable!("a budget without end")
    }

    #[test]
    fn a_burst_is_followed_by_the_rate_and_comes_back_with_quiet() {
        let mut budget = budget(10, 10, 5);
        for (now, spent, wait) in [
            (ms(0), 5, ms(100)),
            (ms(50), 0, ms(50)),
            (ms(100), 1, ms(100)),
            (ms(450), 3, ms(50)),
            (ms(60_000), 5, ms(100)),
        ] {
            assert_eq!(exhaust(&mut budget, now), (spent, wait), "at {now:?}");
        }
    }

    #[test]
    fn no_more_are_under_way_than_allowed_whatever_the_rate() {
        let mut budget = budget(2, 1000, 1000);
        for _ in 0..2 {
            budget.check(ms(0)).unwrap();
            budget.spend(ms(0));
        }
        assert_eq!(budget.check(ms(0)), Err(ms(1000)));
        budget.release();
        assert_eq!(budget.check(ms(0)), Ok(()));
    }
}
