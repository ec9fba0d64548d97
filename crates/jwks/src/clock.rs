use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A future that owns what it needs and may move between threads.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Where time comes from.
///
/// Everything in the suite that reads time or waits does it through this trait, so that a test moves time
/// instead of waiting for it.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Wall-clock time since the Unix epoch; what a token's `exp`, `nbf` and `iat` are compared with.
    ///
    /// It may jump either way when the machine's clock is set.
    fn unix_time(&self) -> Duration;

    /// Time since some fixed moment, never going back; what ages, back-off and budgets are counted in.
    fn monotonic(&self) -> Duration;

    /// Completes once [`monotonic`](Self::monotonic) has advanced by `duration`.
    fn sleep(&self, duration: Duration) -> BoxFuture<()>;
}

/// The machine's clocks and tokio's timer.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    origin: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time starts at zero now.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the monotonic clock"
    )]
    pub fn new() -> Self {
        Self {
            origin: Instant::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the machine's clocks and tokio's timer"
)]
impl Clock for SystemClock {
    fn unix_time(&self) -> Duration {
        // A clock set before 1970 reads as 1970. As with any clock that is wrong, tokens are then taken for valid
        // at the wrong time.
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO)
    }

    fn monotonic(&self) -> Duration {
        self.origin.elapsed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_clocks_tell_the_time_and_go_on() {
        let clock = SystemClock::new();
        // This was written in 2026.
        assert!(clock.unix_time() > Duration::from_secs(1_767_225_600));
        let start = clock.monotonic();
        assert!((0..10_000_000).any(|_| clock.monotonic() > start));
    }
}
