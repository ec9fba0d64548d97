//! Many events at once, and sinks that do not keep up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use countersign_audit::{
    Audit, AuditEvent, AuditSink, AuditStatus, BlockingSink, OnThread, QueueSettings, SinkError,
    SinkStatus,
};
use countersign_testing::FakeClock;
use tokio::sync::watch;

use crate::support::{LONG, assert_adds_up, make_events};

const EVENTS: u64 = 50_000;

/// Counts events, and stops before this one until it may go on.
#[derive(Clone)]
struct Counting {
    name: &'static str,
    stops_before: u64,
    may_go_on: watch::Receiver<bool>,
    count: Arc<AtomicU64>,
}

impl Counting {
    /// Tells how many of the events come before the stop.
    fn stop(&self, events: &[AuditEvent]) -> bool {
        let count = self.count.load(Ordering::SeqCst);
        let after = count + u64::try_from(events.len()).unwrap();
        (count..after).contains(&self.stops_before) && !*self.may_go_on.borrow()
    }

    fn take(&self, events: &[AuditEvent]) {
        let count = u64::try_from(events.len()).unwrap();
        self.count.fetch_add(count, Ordering::SeqCst);
    }
}

impl AuditSink for Counting {
    fn name(&self) -> &str {
        self.name
    }

    async fn write(&mut self, events: &[AuditEvent]) -> Result<(), SinkError> {
        if self.stop(events) {
            self.may_go_on.wait_for(|may| *may).await?;
        }
        self.take(events);
        Ok(())
    }
}

/// Blocks its thread.
struct Blocking(Counting);

impl BlockingSink for Blocking {
    fn name(&self) -> &str {
        self.0.name
    }

    fn write(&mut self, events: &[AuditEvent]) -> Result<(), SinkError> {
        while self.0.stop(events) {
            std::thread::yield_now();
        }
        self.0.take(events);
        Ok(())
    }
}

/// Fails always.
struct Broken;

impl AuditSink for Broken {
    fn name(&self) -> &'static str {
        "broken"
    }

    async fn write(&mut self, _: &[AuditEvent]) -> Result<(), SinkError> {
        Err("broken".into())
    }
}

fn of<'s>(status: &'s AuditStatus, name: &str) -> &'s SinkStatus {
    let mut sinks = status.sinks().iter();
    sinks.find(|sink| sink.name == name).unwrap()
}

/// Makes the events on four threads, each response in one poll.
async fn make_all(audit: &Audit) {
    let makers = (0..4).map(|_| {
        let audit = audit.clone();
        let count = usize::try_from(EVENTS / 4).unwrap();
        tokio::task::spawn_blocking(move || make_events(&audit, count))
    });
    for maker in makers.collect::<Vec<_>>() {
        maker.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_thousand_events_add_up_for_every_sink_while_one_stands_still() {
    let clock = FakeClock::new();
    let (go_on, may_go_on) = watch::channel(false);
    let counting = |name, stops_before| Counting {
        name,
        stops_before,
        may_go_on: may_go_on.clone(),
        count: Arc::default(),
    };
    let (fast, stalled) = (counting("fast", u64::MAX), counting("stalled", EVENTS / 2));
    let blocked = counting("blocked", EVENTS / 2);
    let mut wide = QueueSettings::default();
    wide.capacity = usize::try_from(EVENTS).unwrap();
    let mut hasty = QueueSettings::default();
    hasty.attempts = 1;
    let audit = Audit::builder()
        .sink_with(fast.clone(), wide.clone())
        // So that they have not dropped half of the events when they stop.
        .sink_with(stalled.clone(), with_capacity(30_000))
        .sink_with(
            OnThread::new(Blocking(blocked.clone())),
            with_capacity(30_000),
        )
        .sink_with(Broken, hasty)
        .with_clock(Arc::new(clock.clone()))
        .build()
        .unwrap();

    make_all(&audit).await;
    let (before, ()) = tokio::join!(audit.flush(LONG), async {
        // The fast ones are through when nothing but time is left to wait for.
        while of(&audit.status(), "fast").queued + of(&audit.status(), "broken").queued > 0
            || stalled.count.load(Ordering::SeqCst) + 256 <= EVENTS / 2
            || blocked.count.load(Ordering::SeqCst) + 256 <= EVENTS / 2
        {
            tokio::task::yield_now().await;
        }
        clock.advance(LONG).await;
    });
    assert_eq!(before.events(), EVENTS);
    assert_adds_up(&before);
    assert_eq!(of(&before, "fast").written, EVENTS);
    assert_eq!(fast.count.load(Ordering::SeqCst), EVENTS);
    assert_eq!(
        of(&before, "broken").failed + of(&before, "broken").dropped,
        EVENTS
    );
    for sink in [&stalled, &blocked] {
        let status = of(&before, sink.name);
        assert!(status.queued > 0, "{status:?}");
        assert_eq!(status.written, sink.count.load(Ordering::SeqCst));
        assert!(status.written <= EVENTS / 2, "{status:?}");
    }

    // It stands still, and its queue runs over; that is counted, too.
    make_all(&audit).await;
    for name in ["stalled", "blocked"] {
        assert!(of(&audit.status(), name).dropped > 0, "{name}");
    }
    go_on.send_replace(true);
    let after = audit.flush(LONG).await;
    assert_eq!(after.events(), 2 * EVENTS);
    assert_adds_up(&after);
    for sink in [&fast, &stalled, &blocked] {
        let status = of(&after, sink.name);
        assert_eq!((status.queued, status.failed), (0, 0));
        assert_eq!(status.written, sink.count.load(Ordering::SeqCst));
    }
}

fn with_capacity(events: usize) -> QueueSettings {
    let mut settings = QueueSettings::default();
    settings.capacity = events;
    settings
}
