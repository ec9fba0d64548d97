//! The task of one sink: it takes events out of the queue and writes them, whatever the sink does.

use std::future::{Future, pending};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use countersign_jwks::Clock;
use futures_util::FutureExt;
use futures_util::future::{Either, select};
use tokio::sync::mpsc::Receiver;
use tokio::sync::{oneshot, watch};

use crate::audit::Phase;
use crate::event::AuditEvent;
use crate::queue::{Message, QueueEnd, QueueSettings};
use crate::report::Reporter;
use crate::sink::{AuditSink, SinkError};
use crate::thread::panicked;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How often it is looked what was dropped, while the sink writes.
const LOOK: Duration = Duration::from_secs(1);

pub(crate) struct Worker<S> {
    sink: S,
    queue: QueueEnd,
    settings: QueueSettings,
    clock: Arc<dyn Clock>,
    phase: watch::Receiver<Phase>,
    reporter: Reporter,
    /// What is being written, and how much of it has been.
    batch: Vec<AuditEvent>,
    done: usize,
    /// Since when something is written and not flushed.
    unflushed: Option<Duration>,
    is_closed: bool,
}

/// Why the worker stopped gathering events.
enum Gathered {
    Some,
    Flush(oneshot::Sender<()>),
    /// The queue is closed and empty.
    End,
}

impl<S: AuditSink> Worker<S> {
    pub(crate) fn new(
        sink: S,
        queue: QueueEnd,
        settings: QueueSettings,
        clock: Arc<dyn Clock>,
        phase: watch::Receiver<Phase>,
    ) -> Self {
        let interval = settings.report_interval;
        Self {
            reporter: Reporter::new(queue.meter.clone(), clock.clone(), interval),
            sink,
            queue,
            settings,
            clock,
            phase,
            batch: Vec::new(),
            done: 0,
            unflushed: None,
            is_closed: false,
        }
    }

    /// Writes until the queue is closed and empty, or it is told to leave everything.
    pub(crate) async fn run(mut self) {
        let mut phase = self.phase.clone();
        let aborted = async move {
            if phase.wait_for(|now| *now == Phase::Aborted).await.is_err() {
                // Nobody is left who could abort; the queue is closed then.
                pending::<()>().await;
            }
        };
        select(pin!(self.work()), pin!(aborted)).await;
    }

    async fn work(&mut self) {
        loop {
            let gathered = self.gather().await;
            self.write().await;
            match gathered {
                Gathered::Some => self.flush_if_due().await,
                Gathered::Flush(done) => {
                    self.flush().await;
                    self.reporter.report();
                    // Whoever wanted it may have gone.
                    let _ = done.send(());
                }
                Gathered::End => break,
            }
            self.reporter.report();
            self.linger().await;
        }
        self.flush().await;
    }

    /// Waits for something to do and takes as much as is there, up to a batch.
    async fn gather(&mut self) -> Gathered {
        let mut next = self.first().await;
        loop {
            match next {
                Some(Message::Event(event)) => self.batch.push(event),
                Some(Message::Flush(done)) => return Gathered::Flush(done),
                None if self.is_closed => return Gathered::End,
                None => return Gathered::Some,
            }
            if self.batch.len() >= self.settings.batch {
                return Gathered::Some;
            }
            match self.queue.receiver.try_recv() {
                Ok(message) => next = Some(message),
                Err(_) => return Gathered::Some,
            }
        }
    }

    /// The next message, waited for as long as there is nothing else to do; `None` if there is, or if the queue is
    /// closed and empty.
    async fn first(&mut self) -> Option<Message> {
        if !self.is_closed {
            let wait = [self.flush_due(), self.reporter.due()];
            let wait = wait.into_iter().flatten().min();
            let (queue, clock) = (&mut self.queue.receiver, &*self.clock);
            match next(queue, &mut self.phase, clock, wait).await {
                Next::Message(message) => return Some(message),
                Next::Due => return None,
                Next::Closing => {
                    self.queue.receiver.close();
                    self.is_closed = true;
                }
            }
        }
        self.queue.receiver.recv().await
    }

    /// Writes the batch, trying again a few times.
    async fn write(&mut self) {
        let mut attempt = 0;
        while self.done < self.batch.len() {
            let rest = &self.batch[self.done..];
            let write = caught(self.sink.write(rest));
            let result = attended(write, &mut self.reporter, &*self.clock).await;
            let meter = &self.queue.meter;
            let written = match &result {
                Ok(()) => rest.len(),
                Err(error) => error.written().min(rest.len()),
            };
            meter.written.fetch_add(count(written), Ordering::Relaxed);
            self.done += written;
            if written > 0 && self.unflushed.is_none() {
                self.unflushed = Some(self.clock.monotonic());
            }
            let Err(error) = result else { break };
            meter.failed_with(error.to_string());
            attempt += 1;
            if attempt >= self.settings.attempts {
                let failed = self.batch.len() - self.done;
                meter.failed.fetch_add(count(failed), Ordering::Relaxed);
                break;
            }
            self.reporter.report();
            self.clock.sleep(pause(attempt)).await;
        }
        self.batch.clear();
        self.done = 0;
    }

    async fn flush(&mut self) {
        if self.unflushed.take().is_none() {
            return;
        }
        let flush = caught(self.sink.flush());
        if let Err(error) = attended(flush, &mut self.reporter, &*self.clock).await {
            self.queue.meter.failed_with(error.to_string());
            let sink = self.queue.meter.name.as_str();
            tracing::warn!(sink, %error, "audit events could not be flushed");
        }
    }

    async fn flush_if_due(&mut self) {
        if self.flush_due() == Some(Duration::ZERO) {
            self.flush().await;
        }
    }

    fn flush_due(&self) -> Option<Duration> {
        let since = self.clock.monotonic().saturating_sub(self.unflushed?);
        Some(self.settings.flush_interval.saturating_sub(since))
    }

    /// Lets events gather, so that they are written many at a time and a request seldom has to wake anybody.
    async fn linger(&mut self) {
        // An error says that nobody is left who could send anything.
        let is_ending = *self.phase.borrow() != Phase::Running || self.phase.has_changed().is_err();
        let is_urgent = is_ending || self.queue.receiver.len() >= self.settings.batch;
        if !is_urgent {
            let linger = self.clock.sleep(self.settings.linger);
            select(pin!(self.queue.wake.notified()), linger).await;
        }
    }
}

/// However the task goes, at its end, told to abort or with its runtime, what it leaves behind is counted.
impl<S> Drop for Worker<S> {
    fn drop(&mut self) {
        let QueueEnd {
            receiver, meter, ..
        } = &mut self.queue;
        receiver.close();
        let mut left = self.batch.len() - self.done;
        while let Ok(message) = receiver.try_recv() {
            left += usize::from(matches!(message, Message::Event(_)));
        }
        meter.dropped.fetch_add(count(left), Ordering::Relaxed);
        self.reporter.finish();
        meter.ended.send_replace(true);
    }
}

enum Next {
    Message(Message),
    /// Something else is to be done.
    Due,
    /// No message will come after those that are queued.
    Closing,
}

async fn next(
    queue: &mut Receiver<Message>,
    phase: &mut watch::Receiver<Phase>,
    clock: &dyn Clock,
    wait: Option<Duration>,
) -> Next {
    let message = async {
        let message = queue.recv().await;
        message.map_or(Next::Closing, Next::Message)
    };
    let closing = async {
        // An error says that nobody is left who could send anything.
        let _ = phase.wait_for(|now| *now != Phase::Running).await;
        Next::Closing
    };
    let due = async {
        match wait {
            Some(wait) => clock.sleep(wait).await,
            None => pending().await,
        }
        Next::Due
    };
    let (message, closing, due) = (pin!(message), pin!(closing), pin!(due));
    let other = async { select(closing, due).await.factor_first().0 };
    select(message, pin!(other)).await.factor_first().0
}

/// A panic as an error.
async fn caught(work: impl Future<Output = Result<(), SinkError>>) -> Result<(), SinkError> {
    let result = AssertUnwindSafe(work).catch_unwind().await;
    result.unwrap_or_else(|panic| Err(panicked(&*panic)))
}

/// Waits for the sink, and meanwhile reports what is dropped because of it.
async fn attended<T>(
    work: impl Future<Output = T>,
    reporter: &mut Reporter,
    clock: &dyn Clock,
) -> T {
    let mut work = pin!(work);
    loop {
        match select(work.as_mut(), clock.sleep(LOOK)).await {
            Either::Left((output, _)) => return output,
            Either::Right(_) => reporter.report(),
        }
    }
}

fn pause(attempt: u32) -> Duration {
    let factor = 1 << attempt.saturating_sub(1).min(16);
    (FIRST_PAUSE * factor).min(LONGEST_PAUSE)
}

fn count(events: usize) -> u64 {
    u64::try_from(events).unwrap_or(u64::MAX)
}
