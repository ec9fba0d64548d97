use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::sync::{Notify, oneshot, watch};

use crate::event::AuditEvent;

/// How much a sink's queue holds, and how its task writes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct QueueSettings {
    /// Events that wait at most; those that come when it is full are dropped and counted. 8,192; at least 1.
    pub capacity: usize,
    /// Events that are written at once at most. 256; at least 1.
    pub batch: usize,
    /// How long events may gather before they are written, unless the queue is half full. 100 ms.
    pub linger: Duration,
    /// How often a batch is tried before its events are counted as failed. 5; at least 1. The pause is 100 ms after
    /// the first try and twice as long after each, 5 s at most.
    pub attempts: u32,
    /// How often the sink is flushed while events come. 1 s.
    pub flush_interval: Duration,
    /// How often it is logged, at most, that events were lost. 60 s.
    pub report_interval: Duration,
}

impl Default for QueueSettings {
    fn default() -> Self {
        Self {
            capacity: 8192,
            batch: 256,
            linger: Duration::from_millis(100),
            attempts: 5,
            flush_interval: Duration::from_secs(1),
            report_interval: Duration::from_secs(60),
        }
    }
}

/// The end of a sink's queue that requests see. Nothing here waits.
pub(crate) struct Queue {
    sender: Sender<Message>,
    wake: Arc<Notify>,
    /// Below so many free places, the task is told not to linger.
    low: usize,
    pub(crate) meter: Arc<Meter>,
}

/// The end that the sink's task sees.
pub(crate) struct QueueEnd {
    pub(crate) receiver: Receiver<Message>,
    pub(crate) wake: Arc<Notify>,
    pub(crate) meter: Arc<Meter>,
}

pub(crate) enum Message {
    Event(AuditEvent),
    /// Whatever came before is to be written and flushed first.
    Flush(oneshot::Sender<()>),
}

/// What became of a sink's events. Each is counted in one of the first three, or waits still.
#[derive(Debug)]
pub(crate) struct Meter {
    pub(crate) name: String,
    pub(crate) written: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) dropped: AtomicU64,
    /// Tries that failed.
    pub(crate) retries: AtomicU64,
    last_error: Mutex<Option<String>>,
    /// Whether the sink's task is gone.
    pub(crate) ended: watch::Sender<bool>,
}

impl Queue {
    pub(crate) fn new(name: String, settings: &QueueSettings) -> (Self, QueueEnd) {
        let (sender, receiver) = mpsc::channel(settings.capacity);
        let wake = Arc::new(Notify::new());
        let meter = Arc::new(Meter {
            name,
            written: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            last_error: Mutex::new(None),
            ended: watch::Sender::new(false),
        });
        let queue = Self {
            sender,
            wake: wake.clone(),
            low: settings.capacity / 2,
            meter: meter.clone(),
        };
        let end = QueueEnd {
            receiver,
            wake,
            meter,
        };
        (queue, end)
    }

    /// Puts the event into the queue, or counts it as dropped.
    pub(crate) fn push(&self, event: AuditEvent) {
        if self.sender.try_send(Message::Event(event)).is_err() {
            self.meter.dropped.fetch_add(1, Ordering::Relaxed);
        } else if self.sender.capacity() < self.low {
            self.wake.notify_one();
        }
    }

    /// Completes when all that was in the queue has been written, or counted otherwise.
    pub(crate) async fn flush(&self) {
        let (done, flushed) = oneshot::channel();
        self.wake.notify_one();
        // A queue that is closed, or closes, has nobody left who could write.
        if self.sender.send(Message::Flush(done)).await.is_ok() {
            self.wake.notify_one();
            let _ = flushed.await;
        }
    }

    /// Lets the task see at once what it is told.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }
}

impl Meter {
    pub(crate) fn lost(&self) -> u64 {
        self.failed.load(Ordering::Relaxed) + self.dropped.load(Ordering::Relaxed)
    }

    pub(crate) fn failed_with(&self, error: String) {
        self.retries.fetch_add(1, Ordering::Relaxed);
        *self.last_error() = Some(error);
    }

    pub(crate) fn last_error(&self) -> MutexGuard<'_, Option<String>> {
        let last = self.last_error.lock();
        last.unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) async fn wait_for_end(&self) {
        // It cannot fail: the sender is here.
        let _ = self.ended.subscribe().wait_for(|ended| *ended).await;
    }
}
