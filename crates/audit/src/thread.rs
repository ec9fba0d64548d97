use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;

use tokio::sync::oneshot;

use crate::event::AuditEvent;
use crate::sink::{AuditSink, SinkError};

/// A sink that writes with calls that block, such as those of files; [`OnThread`] makes an [`AuditSink`] of it.
pub trait BlockingSink: Send + 'static {
    /// As [`AuditSink::name`].
    fn name(&self) -> &str;

    /// As [`AuditSink::write`].
    fn write(&mut self, events: &[AuditEvent]) -> Result<(), SinkError>;

    /// As [`AuditSink::flush`].
    fn flush(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}

/// Runs a [`BlockingSink`] on a thread of its own, so that a write that hangs hangs nothing else. The thread starts
/// with the first event and ends with the audit.
///
/// ```
/// use std::io::Write;
///
/// use countersign_audit::{Audit, AuditEvent, BlockingSink, OnThread, SinkError};
///
/// struct Stdout;
///
/// impl BlockingSink for Stdout {
///     fn name(&self) -> &str {
///         "stdout"
///     }
///
///     fn write(&mut self, events: &[AuditEvent]) -> Result<(), SinkError> {
///         let mut text = String::new();
///         for event in events {
///             text += &serde_json::to_string(event)?;
///             text.push('\n');
///         }
///         Ok(std::io::stdout().lock().write_all(text.as_bytes())?)
///     }
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let audit = Audit::builder().sink(OnThread::new(Stdout)).build()?;
/// # Ok(())
/// # }
/// ```
pub struct OnThread<S> {
    name: String,
    state: State<S>,
}

enum State<S> {
    NotStarted(Option<S>),
    Started(mpsc::Sender<Job>),
}

struct Job {
    task: Task,
    done: oneshot::Sender<Result<(), SinkError>>,
}

enum Task {
    Write(Vec<AuditEvent>),
    Flush,
}

impl<S: BlockingSink> OnThread<S> {
    /// This sink, on a thread of its own.
    pub fn new(sink: S) -> Self {
        Self {
            name: sink.name().to_owned(),
            state: State::NotStarted(Some(sink)),
        }
    }

    /// The sink changed, so long as its thread has not started.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut S)) -> Self {
        if let State::NotStarted(Some(sink)) = &mut self.state {
            change(sink);
            sink.name().clone_into(&mut self.name);
        }
        self
    }

    async fn run(&mut self, task: Task) -> Result<(), SinkError> {
        let (done, result) = oneshot::channel();
        self.started()?.send(Job { task, done })?;
        result.await?
    }

    fn started(&mut self) -> Result<&mpsc::Sender<Job>, SinkError> {
        if let State::NotStarted(sink) = &mut self.state {
            let (sender, jobs) = mpsc::channel();
            // The sink goes with the thread: one that cannot be started takes it along.
            let sink = sink.take().ok_or("its thread could not be started")?;
            let thread = std::thread::Builder::new().name(format!("audit-{}", self.name));
            thread.spawn(move || work(sink, &jobs))?;
            self.state = State::Started(sender);
        }
        match &self.state {
            State::Started(jobs) => Ok(jobs),
            State::NotStarted(_) => Err("its thread has not started".into()),
        }
    }
}

impl<S: BlockingSink> AuditSink for OnThread<S> {
    fn name(&self) -> &str {
        &self.name
    }

    async fn write(&mut self, events: &[AuditEvent]) -> Result<(), SinkError> {
        self.run(Task::Write(events.to_vec())).await
    }

    async fn flush(&mut self) -> Result<(), SinkError> {
        self.run(Task::Flush).await
    }
}

fn work<S: BlockingSink>(mut sink: S, jobs: &mpsc::Receiver<Job>) {
    while let Ok(Job { task, done }) = jobs.recv() {
        let result = catch_unwind(AssertUnwindSafe(|| match &task {
            Task::Write(events) => sink.write(events),
            Task::Flush => sink.flush(),
        }));
        // Nobody waits for it any more after a shutdown whose time was up.
        let _ = done.send(result.unwrap_or_else(|panic| Err(panicked(&*panic))));
    }
}

/// What a panic becomes.
pub(crate) fn panicked(panic: &(dyn Any + Send)) -> SinkError {
    let message = panic.downcast_ref::<String>().map(String::as_str);
    let message = message.or_else(|| panic.downcast_ref::<&str>().copied());
    SinkError::new(format!("panicked: {}", message.unwrap_or("no message")))
}

impl<S> fmt::Debug for OnThread<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnThread")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
