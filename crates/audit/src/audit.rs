use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use countersign_jwks::Clock;
use futures_util::future::{join_all, select};
use tokio::sync::watch;

use crate::builder::AuditBuilder;
use crate::event::AuditEvent;
use crate::layer::AuditLayer;
use crate::queue::Queue;
use crate::status::AuditStatus;

/// The sinks, and what is sent to them. Clones are one.
///
/// A sink's task ends when the last clone and the last layer are gone, and writes first what is queued. To wait for
/// that at the end of a program, call [`shutdown`](Self::shutdown).
#[derive(Clone, Debug)]
pub struct Audit(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) made: AtomicU64,
    pub(crate) queues: Box<[Queue]>,
    pub(crate) phase: watch::Sender<Phase>,
}

/// What the tasks of sinks are to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Write what comes.
    Running,
    /// Write what is queued, and end.
    Draining,
    /// End.
    Aborted,
}

impl Audit {
    /// An audit without sinks so far.
    pub fn builder() -> AuditBuilder {
        AuditBuilder::new()
    }

    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self(shared)
    }

    /// The layer that makes the events.
    pub fn layer(&self) -> AuditLayer {
        AuditLayer::new(self.0.clone())
    }

    /// What became of the events so far.
    pub fn status(&self) -> AuditStatus {
        AuditStatus::of(&self.0)
    }

    /// Waits until every event made before is written, or counted as dropped or failed, for this long at most.
    ///
    /// Then, for each sink, the events written, dropped and failed together are the events made.
    pub async fn flush(&self, timeout: Duration) -> AuditStatus {
        let flushed = join_all(self.0.queues.iter().map(Queue::flush));
        select(pin!(flushed), self.0.clock.sleep(timeout)).await;
        self.status()
    }

    /// Writes what is queued and ends the sinks' tasks, within this time. What is not written by then is counted as
    /// dropped, and so are events made from now on: call it when the server has answered its last request.
    pub async fn shutdown(&self, timeout: Duration) -> AuditStatus {
        self.tell(Phase::Draining);
        let queues = || self.0.queues.iter();
        let ended = join_all(queues().map(|queue| queue.meter.wait_for_end()));
        select(pin!(ended), self.0.clock.sleep(timeout)).await;
        self.tell(Phase::Aborted);
        let status = self.status();
        for sink in status.sinks() {
            if sink.dropped + sink.failed > 0 {
                tracing::error!(
                    sink = sink.name,
                    events = status.events(),
                    written = sink.written,
                    dropped = sink.dropped,
                    failed = sink.failed,
                    last_error = sink.last_error,
                    "the audit has ended, and not every event was written"
                );
            }
        }
        status
    }

    fn tell(&self, phase: Phase) {
        self.0.phase.send_if_modified(|now| {
            let is_later = *now != phase && *now != Phase::Aborted;
            if is_later {
                *now = phase;
            }
            is_later
        });
        for queue in &self.0.queues {
            queue.wake();
        }
    }
}

impl Shared {
    /// Hands the event to every sink. Nothing here waits.
    pub(crate) fn record(&self, event: AuditEvent) {
        self.made.fetch_add(1, Ordering::Relaxed);
        if let Some((last, others)) = self.queues.split_last() {
            for queue in others {
                queue.push(event.clone());
            }
            last.push(event);
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("status", &AuditStatus::of(self))
            .finish_non_exhaustive()
    }
}
