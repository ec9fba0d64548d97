use std::path::PathBuf;

use crate::event::AuditEvent;
use crate::log_file::LogFile;
use crate::sink::{AuditSink, SinkError};
use crate::thread::{BlockingSink, OnThread};

/// Writes each event as a line of [JSON](crate#the-event-in-json) to a file, which it keeps from growing.
///
/// When the file is full, or a day is over if so wished, it becomes `audit.jsonl.1`, what was that becomes
/// `audit.jsonl.2`, and the oldest is deleted. Files are readable by their owner alone (mode 0600, on Unix). They are
/// written to by one process. A file that somebody has moved or deleted is made anew; its folder is not.
///
/// What cannot be written, since the disk is full or the folder is missing, is tried again and then counted as
/// failed, as with any sink. A write that fails in the middle is taken back: every line is an event, whole and once.
/// Only a machine that stops in the middle of a write leaves a part of a line behind.
///
/// ```
/// use countersign_audit::{Audit, JsonLinesSink};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let file = JsonLinesSink::new("/var/log/acme/audit.jsonl")
///     .with_max_bytes(10_000_000)
///     .with_daily_rotation()
///     .with_kept_files(30);
/// let audit = Audit::builder().sink(file).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct JsonLinesSink(OnThread<Lines>);

impl JsonLinesSink {
    /// Writes to this file; the name of the sink is `json_lines`. Nothing is opened before the first event.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(OnThread::new(Lines {
            name: "json_lines".into(),
            file: LogFile::new(path.into()),
        }))
    }

    /// The name of the sink, where there are several.
    #[must_use]
    pub fn with_name(self, name: impl Into<String>) -> Self {
        self.with(|lines| lines.name = name.into())
    }

    /// How long a file becomes before another one is begun: 100 MiB. One event that is longer has a file of its own.
    #[must_use]
    pub fn with_max_bytes(self, bytes: u64) -> Self {
        self.with(|lines| lines.file.max_bytes = bytes)
    }

    /// Begins another file with each day, in UTC, as well.
    #[must_use]
    pub fn with_daily_rotation(self) -> Self {
        self.with(|lines| lines.file.is_daily = true)
    }

    /// How many files are kept beside the one that is written to: 9.
    #[must_use]
    pub fn with_kept_files(self, files: u32) -> Self {
        self.with(|lines| lines.file.kept = files)
    }

    fn with(self, change: impl FnOnce(&mut Lines)) -> Self {
        Self(self.0.with(change))
    }
}

impl AuditSink for JsonLinesSink {
    fn name(&self) -> &str {
        self.0.name()
    }

    async fn write(&mut self, events: &[AuditEvent]) -> Result<(), SinkError> {
        self.0.write(events).await
    }

    async fn flush(&mut self) -> Result<(), SinkError> {
        self.0.flush().await
    }
}

#[derive(Debug)]
struct Lines {
    name: String,
    file: LogFile,
}

impl BlockingSink for Lines {
    fn name(&self) -> &str {
        &self.name
    }

    fn write(&mut self, events: &[AuditEvent]) -> Result<(), SinkError> {
        let mut written = 0;
        while written < events.len() {
            let some = self.write_some(&events[written..]);
            written += some.map_err(|error| error.after(written))?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        Ok(self.file.sync()?)
    }
}

impl Lines {
    /// Writes as many of the events as go into one file, at least one, and tells how many.
    fn write_some(&mut self, events: &[AuditEvent]) -> Result<usize, SinkError> {
        let mut text = Vec::new();
        let mut count = 0;
        let mut end = 0;
        for event in events {
            serde_json::to_writer(&mut text, event)?;
            text.push(b'\n');
            if count == 0 {
                self.file.make_room(text.len(), event.time())?;
            } else if !self.file.has_room(text.len(), event.time()) {
                break;
            }
            end = text.len();
            count += 1;
        }
        self.file.append(&text[..end])?;
        Ok(count)
    }
}
