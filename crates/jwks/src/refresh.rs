//! When to fetch, as a pure state machine: what has happened comes in with the time it happened at, and what is
//! due comes out. No clock, no lock, no task, so that every rule can be tested by a table.

use std::time::Duration;

use crate::policy::RefreshPolicy;

/// How the last fetch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Last {
    None,
    Succeeded,
    Failed,
}

/// Times are monotonic; `jitter` is a fraction from 0.0 up to 1.0.
#[derive(Debug)]
pub(crate) struct Refresh {
    policy: RefreshPolicy,
    due: Duration,
    failures: u32,
    last: Last,
    /// The issuer has asked for quiet until then.
    quiet_until: Duration,
    budget: Budget,
}

impl Refresh {
    /// The first fetch is due at once.
    pub(crate) fn new(policy: RefreshPolicy, now: Duration) -> Self {
        let budget = Budget::new(policy.budget_every, policy.budget_burst);
        Self {
            policy,
            due: now,
            failures: 0,
            last: Last::None,
            quiet_until: Duration::ZERO,
            budget,
        }
    }

    /// A set was fetched, or confirmed, that is fresh for `time_to_live`.
    pub(crate) fn succeeded(&mut self, now: Duration, time_to_live: Duration, jitter: f64) {
        let share = (self.policy.refresh_at + (jitter - 0.5) * 0.1).clamp(0.0, 1.0);
        self.due = now + time_to_live.mul_f64(share);
        self.reachable();
    }

    /// A fetch went well, but what it brought was no longer wanted.
    pub(crate) fn reachable(&mut self) {
        self.failures = 0;
        self.last = Last::Succeeded;
        self.quiet_until = Duration::ZERO;
    }

    /// A fetch failed; `retry_after` is what a 429 or 503 asked for.
    pub(crate) fn failed(&mut self, now: Duration, retry_after: Option<Duration>, jitter: f64) {
        let (min, max) = (self.policy.min_backoff, self.policy.max_backoff);
        let doubled = min.saturating_mul(2_u32.saturating_pow(self.failures));
        let backoff = doubled.min(max).mul_f64(0.75 + jitter * 0.5);
        let wait = retry_after.unwrap_or(backoff).min(max).max(min);
        if retry_after.is_some() {
            self.quiet_until = now + wait;
        }
        self.failures = self.failures.saturating_add(1);
        self.last = Last::Failed;
        // A failed fetch for an unknown key must not put off a refresh that is due sooner, or a flood of unknown
        // keys would put it off for ever.
        self.due = if self.due > now && retry_after.is_none() {
            self.due.min(now + wait)
        } else {
            now + wait
        };
    }

    /// When the background refresh is due.
    pub(crate) fn due(&self) -> Duration {
        self.due
    }

    pub(crate) fn last(&self) -> Last {
        self.last
    }

    /// Takes one fetch out of the budget for unknown keys, if there is one.
    pub(crate) fn spend(&mut self, now: Duration) -> bool {
        now >= self.quiet_until && self.budget.spend(now)
    }

    /// How long to wait until asking again can change anything; what a 503 says in `Retry-After`.
    pub(crate) fn retry_after(&self, now: Duration) -> Duration {
        let budget = self.budget.next(now).max(self.quiet_until);
        let next = self.due.min(budget);
        next.saturating_sub(now)
            .min(self.policy.max_backoff)
            .max(Duration::from_secs(1))
    }
}

/// A token bucket, counted as the time at which it will be full again.
#[derive(Debug)]
struct Budget {
    every: Duration,
    burst: u32,
    full_at: Duration,
}

impl Budget {
    const fn new(every: Duration, burst: u32) -> Self {
        Self {
            every,
            burst,
            full_at: Duration::ZERO,
        }
    }

    fn spend(&mut self, now: Duration) -> bool {
        if self.next(now) > now {
            return false;
        }
        self.full_at = self.full_at.max(now) + self.every;
        true
    }

    /// The earliest time, from `now` on, at which something can be spent.
    fn next(&self, now: Duration) -> Duration {
        let tolerance = self.every.saturating_mul(self.burst.saturating_sub(1));
        self.full_at.saturating_sub(tolerance).max(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn refresh() -> Refresh {
        Refresh::new(RefreshPolicy::default(), s(100))
    }

    #[test]
    fn the_first_fetch_is_due_at_once() {
        assert_eq!(refresh().due(), s(100));
        assert_eq!(refresh().last(), Last::None);
    }

    #[test]
    fn a_refresh_is_due_at_four_fifths_of_the_time_to_live_give_or_take_the_jitter() {
        for (time_to_live, jitter, due) in [
            (s(300), 0.5, s(340)),
            (s(300), 0.0, s(325)),
            (s(300), 1.0, s(355)),
            (s(60), 0.5, s(148)),
            (s(3600), 0.5, s(2980)),
        ] {
            let mut refresh = refresh();
            refresh.succeeded(s(100), time_to_live, jitter);
            let difference = refresh.due().abs_diff(due);
            assert!(
                difference < ms(1),
                "{time_to_live:?} {jitter}: {:?}",
                refresh.due()
            );
        }
    }

    #[test]
    fn back_off_doubles_from_one_second_to_sixty_and_starts_again_after_a_success() {
        let mut refresh = refresh();
        let mut now = s(100);
        for expected in [1, 2, 4, 8, 16, 32, 60, 60, 60] {
            refresh.failed(now, None, 0.5);
            assert_eq!(refresh.due().abs_diff(now), s(expected));
            now = refresh.due();
        }
        refresh.succeeded(now, s(300), 0.5);
        now = refresh.due();
        refresh.failed(now, None, 0.5);
        assert_eq!(refresh.due().abs_diff(now), s(1));
    }

    #[test]
    fn jitter_spreads_the_back_off_within_its_range() {
        for (failures, jitter, expected) in [
            (1, 0.0, ms(1000)),
            (1, 1.0, ms(1250)),
            (4, 0.0, ms(6000)),
            (4, 1.0, ms(10_000)),
            (40, 0.0, ms(45_000)),
            (40, 1.0, ms(60_000)),
        ] {
            let mut refresh = refresh();
            for _ in 1..failures {
                refresh.failed(s(100), None, 0.5);
            }
            refresh.due = s(100);
            refresh.failed(s(100), None, jitter);
            assert_eq!(
                refresh.due().abs_diff(s(100)),
                expected,
                "{failures} {jitter}"
            );
        }
    }

    #[test]
    fn retry_after_is_honoured_between_one_second_and_sixty() {
        for (asked, expected) in [(0, 1), (1, 1), (30, 30), (60, 60), (86_400, 60)] {
            let mut refresh = refresh();
            refresh.failed(s(100), Some(s(asked)), 0.5);
            assert_eq!(refresh.due(), s(100 + expected), "{asked}");
            assert!(!refresh.spend(ms((100 + expected) * 1000 - 1)), "{asked}");
            assert!(refresh.spend(s(100 + expected)), "{asked}");
        }
    }

    #[test]
    fn a_failed_fetch_for_an_unknown_key_brings_the_refresh_forward_but_never_puts_it_off() {
        let mut refresh = refresh();
        refresh.succeeded(s(100), s(300), 0.5);
        refresh.failed(s(110), None, 0.5);
        assert_eq!(refresh.due(), s(111));
        refresh.failed(s(110), None, 0.5);
        assert_eq!(refresh.due(), s(111));
    }

    #[test]
    fn the_budget_is_two_at_once_and_then_one_in_five_seconds() {
        let mut refresh = refresh();
        let cases = [
            (s(100), true),
            (s(100), true),
            (s(100), false),
            (ms(104_999), false),
            (s(105), true),
            (s(105), false),
            (s(110), true),
            (s(1000), true),
            (s(1000), true),
            (s(1000), false),
        ];
        for (now, granted) in cases {
            assert_eq!(refresh.spend(now), granted, "{now:?}");
        }
    }

    #[test]
    fn failures_are_paid_for_like_successes() {
        let mut refresh = refresh();
        for _ in 0..2 {
            assert!(refresh.spend(s(100)));
            refresh.failed(s(100), None, 0.5);
        }
        assert!(!refresh.spend(s(104)));
    }

    #[test]
    fn ten_thousand_seconds_of_flood_cost_no_more_than_the_budget() {
        let mut refresh = refresh();
        let granted = (0..1_000_000_u64)
            .filter(|step| refresh.spend(s(100) + ms(step * 10)))
            .count();
        assert_eq!(granted, 2001);
    }

    #[test]
    fn a_client_is_told_to_come_back_when_the_next_fetch_may_be_made() {
        let mut refresh = refresh();
        refresh.failed(s(100), None, 0.5);
        assert_eq!(refresh.retry_after(s(100)), s(1));
        refresh.failed(s(101), Some(s(30)), 0.5);
        assert_eq!(refresh.retry_after(s(101)), s(30));
        refresh.succeeded(s(200), s(3600), 0.5);
        assert_eq!(refresh.retry_after(s(200)), s(1));
        assert!(refresh.spend(s(200)) && refresh.spend(s(200)));
        assert_eq!(refresh.retry_after(s(200)), s(5));
    }
}
