use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use countersign_jwks::Clock;

use crate::queue::Meter;

/// Says what was lost: in the log, at most once in an interval, and in metrics.
pub(crate) struct Reporter {
    meter: Arc<Meter>,
    clock: Arc<dyn Clock>,
    interval: Duration,
    logged_at: Option<Duration>,
    /// What of the losses is in the log.
    logged: u64,
    /// What is in the metrics of written, failed and dropped.
    #[cfg(feature = "metrics")]
    counted: [u64; 3],
}

impl Reporter {
    pub(crate) fn new(meter: Arc<Meter>, clock: Arc<dyn Clock>, interval: Duration) -> Self {
        Self {
            meter,
            clock,
            interval,
            logged_at: None,
            logged: 0,
            #[cfg(feature = "metrics")]
            counted: [0; 3],
        }
    }

    /// Says what there is to say now.
    pub(crate) fn report(&mut self) {
        #[cfg(feature = "metrics")]
        self.count();
        if self.due() == Some(Duration::ZERO) {
            self.log();
        }
    }

    /// In how much time there will be something for the log; `None` if all is said.
    pub(crate) fn due(&self) -> Option<Duration> {
        if self.meter.lost() == self.logged {
            return None;
        }
        let since = |at| self.clock.monotonic().saturating_sub(at);
        let left = |at| self.interval.saturating_sub(since(at));
        Some(self.logged_at.map_or(Duration::ZERO, left))
    }

    /// Says all that is left to say, since nothing will come after.
    pub(crate) fn finish(&mut self) {
        #[cfg(feature = "metrics")]
        self.count();
        if self.due().is_some() {
            self.log();
        }
    }

    fn log(&mut self) {
        let lost = self.meter.lost();
        tracing::warn!(
            sink = self.meter.name,
            lost = lost - self.logged,
            dropped_in_all = self.meter.dropped.load(Ordering::Relaxed),
            failed_in_all = self.meter.failed.load(Ordering::Relaxed),
            last_error = self.meter.last_error().as_deref(),
            "audit events were lost"
        );
        self.logged = lost;
        self.logged_at = Some(self.clock.monotonic());
    }

    #[cfg(feature = "metrics")]
    fn count(&mut self) {
        let outcomes = [
            ("written", &self.meter.written),
            ("failed", &self.meter.failed),
            ("dropped", &self.meter.dropped),
        ];
        for ((outcome, counter), counted) in outcomes.into_iter().zip(&mut self.counted) {
            let now = counter.load(Ordering::Relaxed);
            if now > *counted {
                metrics::counter!(
                    "countersign_audit_events_total",
                    "sink" => self.meter.name.clone(),
                    "outcome" => outcome,
                )
                .increment(now - *counted);
                *counted = now;
            }
        }
    }
}
