use std::time::Duration;

/// This many failures in a row, and the server is left alone for a while.
const PATIENCE: u32 = 3;
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);

/// Whether the server answers. One that does not is left alone for 1 s, then 2 s, and so on up to 60 s; after each of
/// these times one question finds out whether it is back, and the others are not put until that is known. There is one
/// about a token that was active before and one about any other, or whoever makes up tokens that a firewall answers could
/// take that place time and again. Times are monotonic; `jitter` is a fraction from 0.0 up to 1.0.
#[derive(Debug, Default)]
pub(crate) struct Health {
    failures: u32,
    /// When it was last said to be left alone, and until when.
    quiet: Option<(Duration, Duration)>,
    /// About tokens that were not active before, and about those that were.
    is_probed: [bool; 2],
}

impl Health {
    /// Whether it may be asked, or when to try again. Whoever is let through reports how it went.
    pub(crate) fn admit(&mut self, now: Duration, is_known: bool) -> Result<(), Duration> {
        let Some((_, until)) = self.quiet else {
            return Ok(());
        };
        let is_probed = &mut self.is_probed[usize::from(is_known)];
        match until.checked_sub(now) {
            Some(wait) if !wait.is_zero() => Err(wait),
            _ if *is_probed => Err(SHORTEST),
            _ => {
                *is_probed = true;
                Ok(())
            }
        }
    }

    pub(crate) fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// A question that was put at `started` was left unanswered, which says nothing of the server: if it was to find out whether
    /// that is back, another is to.
    pub(crate) fn unsaid(&mut self, started: Duration, is_known: bool) {
        if !self.is_before_quiet(started) {
            self.is_probed[usize::from(is_known)] = false;
        }
    }

    fn is_before_quiet(&self, started: Duration) -> bool {
        self.quiet.is_some_and(|(since, _)| started < since)
    }

    /// A question that was put at `started` has failed; `retry_after` is what a 429 or 503 asked for.
    pub(crate) fn failed(
        &mut self,
        started: Duration,
        now: Duration,
        retry_after: Option<Duration>,
        jitter: f64,
    ) {
        // Questions that were under way together fail together, and that is one failure.
        if self.is_before_quiet(started) {
            return;
        }
        self.is_probed = [false; 2];
        self.failures = self.failures.saturating_add(1);
        if self.failures < PATIENCE && retry_after.is_none() {
            return;
        }
        let doubled = 2_u32.saturating_pow(self.failures.saturating_sub(PATIENCE));
        let backoff = SHORTEST.saturating_mul(doubled).min(LONGEST);
        let wait = retry_after.unwrap_or_else(|| backoff.mul_f64(0.75 + jitter * 0.5));
        self.quiet = Some((now, now + wait.clamp(SHORTEST, LONGEST)));
    }

    /// What to tell somebody whose question has failed.
    pub(crate) fn retry_after(&self, now: Duration) -> Duration {
        let until = self.quiet.map_or(Duration::ZERO, |(_, until)| until);
        until.saturating_sub(now).max(SHORTEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Failures one after the other, each as soon as it may be; how long each was waited for.
    fn waits(health: &mut Health, failures: usize) -> Vec<Duration> {
        let mut now = s(100);
        (0..failures)
            .map(|_| {
                let wait = health.admit(now, false).err().unwrap_or_default();
                now += wait;
                if !wait.is_zero() {
                    health.admit(now, false).unwrap();
                }
                health.failed(now, now, None, 0.5);
                wait
            })
            .collect()
    }

    #[test]
    fn a_server_that_keeps_failing_is_left_alone_for_longer_and_longer() {
        let mut health = Health::default();
        let expected = [0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60].map(s);
        assert_eq!(waits(&mut health, expected.len()), expected);
        health.succeeded();
        assert_eq!(waits(&mut health, 4), [0, 0, 0, 1].map(s));
    }

    #[test]
    fn one_question_finds_out_whether_it_is_back() {
        let mut health = Health::default();
        waits(&mut health, 3);
        assert_eq!(health.admit(s(100), false), Err(s(1)));
        assert_eq!(health.admit(s(101), false), Ok(()));
        assert_eq!(
            health.admit(s(101), false),
            Err(s(1)),
            "while that one is under way"
        );
        health.failed(s(101), s(106), None, 0.5);
        assert_eq!(health.admit(s(106), false), Err(s(2)));
        assert_eq!(health.admit(s(108), false), Ok(()));
        health.succeeded();
        assert_eq!(health.admit(s(108), false), Ok(()));
        assert_eq!(health.admit(s(108), false), Ok(()));
    }

    #[test]
    fn a_refused_question_finds_out_nothing() {
        let mut health = Health::default();
        for _ in 0..10 {
            health.unsaid(s(100), false);
            assert_eq!(health.admit(s(100), false), Ok(()));
        }
        waits(&mut health, 3);
        assert_eq!(health.admit(s(101), false), Ok(()));
        health.unsaid(s(99), false);
        assert_eq!(
            health.admit(s(101), false),
            Err(s(1)),
            "the other is under way"
        );
        health.unsaid(s(101), false);
        assert_eq!(
            health.admit(s(101), false),
            Ok(()),
            "another is to find out"
        );
        health.failed(s(101), s(101), None, 0.5);
        assert_eq!(
            health.admit(s(101), false),
            Err(s(2)),
            "it was away all the time"
        );
    }

    #[test]
    fn whoever_makes_up_tokens_takes_no_known_callers_place() {
        for is_known in [false, true] {
            let mut health = Health::default();
            waits(&mut health, 3);
            assert_eq!(health.admit(s(101), !is_known), Ok(()));
            assert_eq!(health.admit(s(101), is_known), Ok(()), "{is_known}");
            health.unsaid(s(101), !is_known);
            assert_eq!(health.admit(s(101), is_known), Err(s(1)), "{is_known}");
            assert_eq!(health.admit(s(101), !is_known), Ok(()), "{is_known}");
            health.failed(s(101), s(102), None, 0.5);
            health.unsaid(s(101), is_known);
            assert_eq!(health.admit(s(102), is_known), Err(s(2)), "{is_known}");
        }
    }

    #[test]
    fn questions_that_hang_together_are_one_failure() {
        let mut health = Health::default();
        for _ in 0..50 {
            health.failed(s(0), s(5), None, 0.5);
        }
        assert_eq!(health.admit(s(5), false), Err(s(1)));
    }

    #[test]
    fn quiet_that_is_asked_for_is_given_at_once_and_within_bounds() {
        for (asked, given) in [(0, 1), (7, 7), (3600, 60)] {
            let mut health = Health::default();
            health.failed(s(0), s(0), Some(s(asked)), 0.5);
            assert_eq!(health.admit(s(0), false), Err(s(given)));
            assert_eq!(health.retry_after(s(0)), s(given));
        }
    }

    #[test]
    fn jitter_moves_a_wait_by_a_quarter_and_not_out_of_bounds() {
        for (failures, jitter, milliseconds) in [
            (3, 0.0, 1000),
            (3, 1.0, 1250),
            (4, 0.0, 1500),
            (4, 1.0, 2500),
            (20, 1.0, 60_000),
        ] {
            let mut health = Health::default();
            for at in 0..failures {
                health.failed(s(at), s(at), None, jitter);
            }
            let wait = health.admit(s(failures - 1), false).unwrap_err();
            assert_eq!(wait, Duration::from_millis(milliseconds));
        }
    }
}
