use std::sync::atomic::Ordering;

use crate::audit::{Phase, Shared};

/// What became of the events, as [`Audit::status`](crate::Audit::status) counted it.
#[derive(Clone, Debug)]
pub struct AuditStatus {
    events: u64,
    sinks: Vec<SinkStatus>,
}

/// What became of one sink's events. `written`, `dropped`, `failed` and `queued` together are the events made, and
/// each event is in one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SinkStatus {
    /// The sink's name.
    pub name: String,
    /// The sink has written them.
    pub written: u64,
    /// Its queue was full, or it had ended. An event that was being written when the audit's time was up counts
    /// here, though it may have been written.
    pub dropped: u64,
    /// The sink was tried as often as the settings say, and gave an error each time.
    pub failed: u64,
    /// They wait, or are being written.
    pub queued: u64,
    /// Tries that failed so far.
    pub failed_tries: u64,
    /// Why the last of them did.
    pub last_error: Option<String>,
    /// Whether there is somebody to write.
    pub is_running: bool,
}

impl AuditStatus {
    pub(crate) fn of(shared: &Shared) -> Self {
        let is_aborted = *shared.phase.borrow() == Phase::Aborted;
        let meters = shared.queues.iter().map(|queue| &queue.meter);
        let sinks = meters.map(|meter| {
            let is_running = !is_aborted && !*meter.ended.borrow();
            let written = meter.written.load(Ordering::Relaxed);
            let failed = meter.failed.load(Ordering::Relaxed);
            let dropped = meter.dropped.load(Ordering::Relaxed);
            // Counted after the others, so that it is never less than they are.
            let made = shared.made.load(Ordering::Relaxed);
            let left = made.saturating_sub(written + failed + dropped);
            // Nobody will ever take what is left in the queue of a sink that has ended.
            let (queued, left) = if is_running { (left, 0) } else { (0, left) };
            SinkStatus {
                name: meter.name.clone(),
                written,
                dropped: dropped + left,
                failed,
                queued,
                failed_tries: meter.retries.load(Ordering::Relaxed),
                last_error: meter.last_error().clone(),
                is_running,
            }
        });
        Self {
            sinks: sinks.collect(),
            events: shared.made.load(Ordering::Relaxed),
        }
    }

    /// Events made.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// Each sink, in the order in which they were added.
    pub fn sinks(&self) -> &[SinkStatus] {
        &self.sinks
    }

    /// Whether every sink has written every event.
    pub fn is_complete(&self) -> bool {
        let mut sinks = self.sinks.iter();
        sinks.all(|sink| sink.written == self.events)
    }
}
