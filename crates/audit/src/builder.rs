use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use countersign_jwks::{BoxFuture, Clock, SystemClock};
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::audit::{Audit, Phase, Shared};
use crate::queue::{Queue, QueueSettings};
use crate::sink::AuditSink;
use crate::worker::Worker;

/// Makes an [`Audit`].
#[must_use = "nothing is written before `build`"]
pub struct AuditBuilder {
    clock: Arc<dyn Clock>,
    sinks: Vec<Planned>,
}

/// A sink whose task has not started.
struct Planned {
    name: String,
    settings: QueueSettings,
    start: Start,
}

/// Makes a sink's queue and the future of its task.
type Start =
    Box<dyn FnOnce(Arc<dyn Clock>, watch::Receiver<Phase>) -> (Queue, BoxFuture<()>) + Send>;

/// Why there is no audit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuditBuildError {
    /// Events would go nowhere.
    #[error("an audit needs a sink")]
    NoSink,
    /// Two sinks with this name could not be told apart.
    #[error("two sinks are called {0:?}")]
    SameName(String),
    /// A queue that holds nothing, a batch of nothing, or no attempt.
    #[error("capacity, batch and attempts of sink {0:?} must be at least 1")]
    Settings(String),
    /// The sinks' tasks need a tokio runtime.
    #[error("an audit must be built within a tokio runtime")]
    NoRuntime,
}

impl AuditBuilder {
    pub(crate) fn new() -> Self {
        Self {
            clock: Arc::new(SystemClock::new()),
            sinks: Vec::new(),
        }
    }

    /// Sends every event to this sink as well.
    pub fn sink(self, sink: impl AuditSink) -> Self {
        self.sink_with(sink, QueueSettings::default())
    }

    /// Likewise, with a queue of these settings.
    pub fn sink_with(mut self, sink: impl AuditSink, settings: QueueSettings) -> Self {
        let name = sink.name().to_owned();
        let (queue_name, queue_settings) = (name.clone(), settings.clone());
        self.sinks.push(Planned {
            name,
            settings,
            start: Box::new(move |clock, phase| {
                let (queue, end) = Queue::new(queue_name, &queue_settings);
                let worker = Worker::new(sink, end, queue_settings, clock, phase);
                (queue, Box::pin(worker.run()))
            }),
        });
        self
    }

    /// Where time comes from, if not from the machine.
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Starts a task for each sink.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that starts the tasks of sinks"
    )]
    pub fn build(self) -> Result<Audit, AuditBuildError> {
        self.check()?;
        let (phase, told) = watch::channel(Phase::Running);
        let starts = self.sinks.into_iter().map(|planned| planned.start);
        let queues = starts.map(|start| {
            let (queue, task) = start(self.clock.clone(), told.clone());
            drop(tokio::spawn(task));
            queue
        });
        Ok(Audit::new(Arc::new(Shared {
            queues: queues.collect(),
            clock: self.clock,
            made: AtomicU64::new(0),
            phase,
        })))
    }

    fn check(&self) -> Result<(), AuditBuildError> {
        if self.sinks.is_empty() {
            return Err(AuditBuildError::NoSink);
        }
        for (number, Planned { name, settings, .. }) in self.sinks.iter().enumerate() {
            if self.sinks[..number].iter().any(|other| other.name == *name) {
                return Err(AuditBuildError::SameName(name.clone()));
            }
            // Beyond the highest, tokio's queue would panic.
            let is_possible =
                (1..=tokio::sync::Semaphore::MAX_PERMITS).contains(&settings.capacity);
            if !is_possible || settings.batch == 0 || settings.attempts == 0 {
                return Err(AuditBuildError::Settings(name.clone()));
            }
        }
        Handle::try_current().map_err(|_| AuditBuildError::NoRuntime)?;
        Ok(())
    }
}

impl fmt::Debug for AuditBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.sinks.iter().map(|sink| &sink.name).collect();
        f.debug_struct("AuditBuilder")
            .field("sinks", &names)
            .finish_non_exhaustive()
    }
}
