//! That losses are logged, and not too often.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use countersign_audit::{Audit, AuditEvent, AuditSink, QueueSettings, SinkError};
use countersign_testing::FakeClock;
use tokio::sync::watch;

use crate::support::{LONG, make_events};

/// What is logged on this thread.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(crate) fn listen() -> (Self, tracing::subscriber::DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        let bytes = std::mem::take(&mut *self.0.lock().unwrap());
        let text = String::from_utf8(bytes).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes nothing until it may.
struct Held(watch::Receiver<bool>);

impl AuditSink for Held {
    fn name(&self) -> &'static str {
        "held"
    }

    async fn write(&mut self, _: &[AuditEvent]) -> Result<(), SinkError> {
        self.0.wait_for(|may| *may).await?;
        Ok(())
    }
}

#[tokio::test]
async fn what_a_standing_sink_loses_is_logged_once_in_an_interval() {
    let (log, _guard) = Log::listen();
    let clock = FakeClock::new();
    let (go_on, may_go_on) = watch::channel(false);
    let mut small = QueueSettings::default();
    small.capacity = 10;
    let audit = Audit::builder()
        .sink_with(Held(may_go_on), small)
        .with_clock(Arc::new(clock.clone()))
        .build()
        .unwrap();
    let second = Duration::from_secs(1);

    make_events(&audit, 1);
    clock.advance(Duration::ZERO).await; // it is being written
    make_events(&audit, 15);
    clock.advance(second).await;
    let lines = log.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    for part in ["WARN", "audit events were lost", r#"sink="held""#, "lost=5"] {
        assert!(lines[0].contains(part), "{part} in {lines:?}");
    }
    for _ in 0..59 {
        make_events(&audit, 1);
        clock.advance(second).await;
    }
    assert_eq!(log.lines(), [""; 0], "more in the same minute");
    clock.advance(second).await;
    let lines = log.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("lost=59 dropped_in_all=64"), "{lines:?}");

    // What comes last is not forgotten, though the sink has nothing to do any more.
    make_events(&audit, 1);
    go_on.send_replace(true);
    audit.flush(LONG).await;
    assert_eq!(log.lines(), [""; 0]);
    for _ in 0..60 {
        clock.advance(second).await;
    }
    let lines = log.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("lost=1 dropped_in_all=65"), "{lines:?}");
    for _ in 0..120 {
        clock.advance(second).await;
    }
    audit.shutdown(LONG).await;
    let lines = log.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("ERROR") && lines[0].contains("dropped=65"));
}

#[tokio::test]
async fn a_sink_that_keeps_up_is_not_in_the_log() {
    let (log, _guard) = Log::listen();
    let clock = FakeClock::new();
    let audit = Audit::builder()
        .sink(crate::support::Seen::default())
        .with_clock(Arc::new(clock.clone()))
        .build()
        .unwrap();
    make_events(&audit, 1000);
    audit.flush(LONG).await;
    audit.shutdown(LONG).await;
    assert_eq!(log.lines(), [""; 0]);
}
