use std::error::Error;
use std::fmt;
use std::future::{Future, ready};

use crate::event::AuditEvent;

/// Where events go. Give one of your own to [`AuditBuilder::sink`](crate::AuditBuilder::sink), or, if it writes with
/// calls that block, make it a [`BlockingSink`](crate::BlockingSink).
///
/// Each sink has a queue and a task of its own, so that it may be slow, fail or panic: that delays no request and no
/// other sink.
///
/// ```
///
/// use countersign_audit::{Audit, AuditEvent, AuditSink, SinkError};
///
/// struct Alarm(tokio::sync::mpsc::Sender<String>);
///
/// impl AuditSink for Alarm {
///     fn name(&self) -> &str {
///         "alarm"
///     }
///
///     async fn write(&mut self, events: &[AuditEvent]) -> Result<(), SinkError> {
///         for (number, event) in events.iter().enumerate() {
///             if let Some(organization) = event.acting_for() {
///                 let sent = self.0.send(format!("support looked at {organization}")).await;
///                 sent.map_err(|error| SinkError::new(error).after(number))?;
///             }
///         }
///         Ok(())
///     }
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (sender, _receiver) = tokio::sync::mpsc::channel(1);
/// let audit = Audit::builder().sink(Alarm(sender)).build()?;
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "audit events cannot be written to `{Self}`",
    note = "implement `AuditSink` for it; a `BlockingSink` is put into `OnThread::new`"
)]
pub trait AuditSink: Send + 'static {
    /// What it is called in logs, metrics and [`AuditStatus`](crate::AuditStatus). No two sinks of one
    /// [`Audit`](crate::Audit) have the same name.
    fn name(&self) -> &str;

    /// Writes these events, in this order. Only when it is done is it called again.
    ///
    /// On an error, or a panic, the events are tried again later, all but those that
    /// [`SinkError::after`] says were written.
    fn write(
        &mut self,
        events: &[AuditEvent],
    ) -> impl Future<Output = Result<(), SinkError>> + Send;

    /// Makes sure that what was written stays, so far as writing does not: called from time to time after
    /// writing, and in the end.
    fn flush(&mut self) -> impl Future<Output = Result<(), SinkError>> + Send {
        ready(Ok(()))
    }
}

/// Why a sink could not write. Any error becomes one by `?`.
pub struct SinkError {
    written: usize,
    source: Box<dyn Error + Send + Sync>,
}

impl SinkError {
    /// No event was written, for this reason.
    pub fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            written: 0,
            source: source.into(),
        }
    }

    /// The first so many of the events were written before it failed, and are not to be tried again.
    #[must_use]
    pub fn after(mut self, written: usize) -> Self {
        self.written = written;
        self
    }

    pub(crate) fn written(&self) -> usize {
        self.written
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for SinkError {
    fn from(source: E) -> Self {
        Self::new(source)
    }
}

impl fmt::Display for SinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.source)?;
        let mut next = self.source.source();
        while let Some(error) = next {
            write!(f, ": {error}")?;
            next = error.source();
        }
        Ok(())
    }
}

impl fmt::Debug for SinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SinkError")
            .field("written", &self.written)
            .field("source", &self.source)
            .finish()
    }
}
