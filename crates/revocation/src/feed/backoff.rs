use std::time::Duration;

/// How long to wait after each failure.
#[derive(Debug)]
pub(super) struct Backoff {
    min: Duration,
    max: Duration,
    failures: u32,
}

impl Backoff {
    pub(super) fn new(min: Duration, max: Duration) -> Self {
        Self {
            min,
            max: max.max(min),
            failures: 0,
        }
    }

    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }

    /// `jitter` is a fraction from 0.0 up to 1.0.
    pub(super) fn next(&mut self, jitter: f64) -> Duration {
        let doubled = self
            .min
            .saturating_mul(2_u32.saturating_pow(self.failures))
            .min(self.max);
        self.failures = self.failures.saturating_add(1);
        doubled.mul_f64(0.5 + jitter.clamp(0.0, 1.0) * 0.5)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wait_is_twice_the_last_up_to_the_longest_less_the_jitter() {
        let ms = Duration::from_millis;
        for (jitter, expected) in [
            (1.0, [100, 200, 400, 800, 1600, 3200, 5000, 5000]),
            (0.0, [50, 100, 200, 400, 800, 1600, 2500, 2500]),
        ] {
            let mut backoff = Backoff::new(ms(100), ms(5000));
            for expected in expected {
                assert_eq!(backoff.next(jitter), ms(expected));
            }
            for _ in 0..100 {
                assert!(backoff.next(jitter) <= ms(5000));
            }
            backoff.reset();
            assert_eq!(backoff.next(1.0), ms(100));
        }
    }
}
