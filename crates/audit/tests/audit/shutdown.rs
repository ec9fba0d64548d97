//! How an audit ends, and that nothing is lost uncounted then.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use countersign_audit::{Audit, AuditEvent, AuditSink, SinkError};
use countersign_testing::FakeClock;

use crate::support::{LONG, Seen, assert_adds_up, make_events, with_time};

/// Never done.
struct Stalled;

impl AuditSink for Stalled {
    fn name(&self) -> &'static str {
        "stalled"
    }

    async fn write(&mut self, _: &[AuditEvent]) -> Result<(), SinkError> {
        pending().await
    }
}

fn audit_of(sink: impl AuditSink, clock: &FakeClock) -> Audit {
    let builder = Audit::builder().with_clock(Arc::new(clock.clone()));
    builder.sink(sink).build().unwrap()
}

#[tokio::test]
async fn a_shutdown_writes_what_is_queued_without_waiting_for_time() {
    let (clock, seen) = (FakeClock::new(), Seen::default());
    let audit = audit_of(seen.clone(), &clock);
    make_events(&audit, 1);
    clock.advance(Duration::ZERO).await;
    make_events(&audit, 1000); // while it lingers
    let status = audit.shutdown(LONG).await;
    assert!(status.is_complete(), "{status:?}");
    assert!(!status.sinks()[0].is_running);
    assert_eq!(seen.take().len(), 1001);
}

#[tokio::test]
async fn events_after_a_shutdown_are_counted_as_dropped() {
    let (clock, seen) = (FakeClock::new(), Seen::default());
    let audit = audit_of(seen.clone(), &clock);
    make_events(&audit, 2);
    audit.shutdown(LONG).await;
    make_events(&audit, 3);
    for status in [
        audit.status(),
        audit.flush(LONG).await,
        audit.shutdown(LONG).await,
    ] {
        let sink = &status.sinks()[0];
        assert_eq!((sink.written, sink.dropped, sink.queued), (2, 3, 0));
        assert_adds_up(&status);
        assert!(!status.is_complete());
    }
}

#[tokio::test]
async fn a_shutdown_takes_no_longer_than_it_may() {
    let clock = FakeClock::new();
    let seen = Seen::default();
    let audit = Audit::builder()
        .sink(seen.clone())
        .sink(Stalled)
        .with_clock(Arc::new(clock.clone()))
        .build()
        .unwrap();
    make_events(&audit, 300);
    let status = with_time(&clock, audit.shutdown(Duration::from_secs(5))).await;
    assert_eq!(
        countersign_jwks::Clock::monotonic(&clock),
        Duration::from_secs(5)
    );
    let [good, stalled] = status.sinks() else {
        panic!()
    };
    assert_eq!((good.written, good.dropped), (300, 0));
    assert_eq!(
        (stalled.written, stalled.dropped, stalled.queued),
        (0, 300, 0)
    );
    assert_adds_up(&status);
}

#[tokio::test]
async fn an_audit_that_is_let_go_writes_what_is_queued() {
    let (clock, seen) = (FakeClock::new(), Seen::default());
    let audit = audit_of(seen.clone(), &clock);
    make_events(&audit, 1);
    clock.advance(Duration::ZERO).await;
    make_events(&audit, 1000); // while it lingers
    drop(audit);
    clock.advance(Duration::from_millis(100)).await;
    assert_eq!(seen.take().len(), 1001);
}

#[test]
fn events_that_a_runtime_takes_along_are_counted_as_dropped() {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
    };
    let first = runtime();
    let audit = first.block_on(async {
        let audit = audit_of(Stalled, &FakeClock::new());
        make_events(&audit, 1);
        tokio::task::yield_now().await; // one is being written
        audit
    });
    make_events(&audit, 4);
    assert_eq!(audit.status().sinks()[0].queued, 5);
    drop(first);
    let status = runtime().block_on(audit.flush(LONG));
    let sink = &status.sinks()[0];
    assert_eq!((sink.dropped, sink.queued, sink.is_running), (5, 0, false));
    assert_adds_up(&status);
}
