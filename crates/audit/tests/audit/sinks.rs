//! What sinks may do, and what becomes of the events.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use countersign_audit::{
    Audit, AuditBuildError, AuditEvent, AuditSink, BlockingSink, OnThread, QueueSettings, SinkError,
};
use countersign_jwks::Clock;
use countersign_testing::FakeClock;

use crate::support::{LONG, Seen, assert_adds_up, make_events, with_time};

/// Does with its nth call what the nth plan says, and with later ones what the last says.
#[derive(Clone)]
struct Planned {
    plans: Arc<[Plan]>,
    clock: FakeClock,
    calls: Arc<Mutex<Vec<Call>>>,
}

#[derive(Clone, Copy)]
enum Plan {
    Write,
    Fail,
    /// After so many events.
    FailAfter(usize),
    Panic,
}

/// How many events came when.
type Call = (usize, Duration);

impl Planned {
    fn new(plans: &[Plan], clock: &FakeClock) -> Self {
        Self {
            plans: plans.into(),
            clock: clock.clone(),
            calls: Arc::default(),
        }
    }

    fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }

    fn act(&self, events: &[AuditEvent]) -> Result<(), SinkError> {
        let number = {
            let mut calls = self.calls.lock().unwrap();
            calls.push((events.len(), self.clock.monotonic()));
            calls.len() - 1
        };
        match self.plans[number.min(self.plans.len() - 1)] {
            Plan::Write => Ok(()),
            Plan::Fail => Err("the disk is full".into()),
            Plan::FailAfter(written) => Err(SinkError::new("torn").after(written)),
            Plan::Panic => panic!("ouch"),
        }
    }
}

impl AuditSink for Planned {
    fn name(&self) -> &'static str {
        "planned"
    }

    async fn write(&mut self, events: &[AuditEvent]) -> Result<(), SinkError> {
        self.act(events)
    }
}

impl BlockingSink for Planned {
    fn name(&self) -> &'static str {
        "planned"
    }

    fn write(&mut self, events: &[AuditEvent]) -> Result<(), SinkError> {
        self.act(events)
    }
}

fn audit_of(sink: impl AuditSink, settings: QueueSettings, clock: &FakeClock) -> Audit {
    let builder = Audit::builder().with_clock(Arc::new(clock.clone()));
    builder.sink_with(sink, settings).build().unwrap()
}

/// With every field as it is by default, but for what the closure changes.
fn settings(change: impl FnOnce(&mut QueueSettings)) -> QueueSettings {
    let mut settings = QueueSettings::default();
    change(&mut settings);
    settings
}

#[tokio::test]
async fn a_sink_that_fails_is_tried_again_with_longer_pauses_and_then_given_up() {
    use Plan::{Fail, FailAfter, Panic, Write};
    for (plans, attempts, written, failed, tries) in [
        (&[Write][..], 5, 3, 0, &[(3, 0)][..]),
        (&[Fail, Write], 5, 3, 0, &[(3, 0), (3, 100)]),
        (
            &[Panic, Fail, Write],
            5,
            3,
            0,
            &[(3, 0), (3, 100), (3, 300)],
        ),
        (
            &[Fail],
            5,
            0,
            3,
            &[(3, 0), (3, 100), (3, 300), (3, 700), (3, 1500)],
        ),
        (&[Panic], 2, 0, 3, &[(3, 0), (3, 100)]),
        (&[Fail], 1, 0, 3, &[(3, 0)]),
        // What was written is not written again.
        (&[FailAfter(1), Write], 5, 3, 0, &[(3, 0), (2, 100)]),
        (&[FailAfter(2), Fail], 2, 2, 1, &[(3, 0), (1, 100)]),
        // A sink that says more than there is.
        (&[FailAfter(4)], 5, 3, 0, &[(3, 0)]),
    ] {
        let clock = FakeClock::new();
        let sink = Planned::new(plans, &clock);
        let settings = settings(|one| one.attempts = attempts);
        let audit = audit_of(sink.clone(), settings, &clock);
        make_events(&audit, 3);
        let status = with_time(&clock, audit.flush(LONG)).await;
        let [seen] = status.sinks() else { panic!() };
        assert_eq!(
            (seen.written, seen.failed, seen.dropped),
            (written, failed, 0)
        );
        assert_adds_up(&status);
        let expected: Vec<_> = tries
            .iter()
            .map(|(events, millis)| (*events, Duration::from_millis(*millis)))
            .collect();
        assert_eq!(sink.calls(), expected);
    }
}

#[tokio::test]
async fn a_pause_is_five_seconds_at_most() {
    let clock = FakeClock::new();
    let sink = Planned::new(&[Plan::Fail], &clock);
    let settings = settings(|one| one.attempts = 10);
    let audit = audit_of(sink.clone(), settings, &clock);
    make_events(&audit, 1);
    with_time(&clock, audit.flush(LONG)).await;
    let calls = sink.calls();
    let pauses: Vec<_> = calls
        .windows(2)
        .map(|two| two[1].1.saturating_sub(two[0].1))
        .collect();
    let expected = [100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000];
    assert_eq!(pauses, expected.map(Duration::from_millis));
}

#[tokio::test]
async fn why_a_sink_failed_is_in_its_status() {
    for (plan, expected) in [
        (Plan::Fail, "the disk is full"),
        (Plan::Panic, "panicked: ouch"),
    ] {
        let clock = FakeClock::new();
        let sink = || Planned::new(&[plan, Plan::Write], &clock);
        let on_thread = audit_of(OnThread::new(sink()), QueueSettings::default(), &clock);
        let in_task = audit_of(sink(), QueueSettings::default(), &clock);
        for audit in [in_task, on_thread] {
            make_events(&audit, 1);
            let status = eventually(&clock, &audit).await;
            assert_eq!(status.last_error.as_deref(), Some(expected));
        }
    }
}

/// Flushes while real time, which a thread needs, and the clock's pass.
async fn eventually(clock: &FakeClock, audit: &Audit) -> countersign_audit::SinkStatus {
    let flush = audit.flush(Duration::from_secs(100_000));
    let status = with_time_and_threads(clock, flush).await;
    assert_adds_up(&status);
    status.sinks()[0].clone()
}

async fn with_time_and_threads<F: Future>(clock: &FakeClock, future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    loop {
        if let std::task::Poll::Ready(output) = futures_util::poll!(future.as_mut()) {
            return output;
        }
        clock.advance(Duration::from_millis(100)).await;
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn a_sink_that_panics_on_its_thread_goes_on() {
    let clock = FakeClock::new();
    let sink = Planned::new(&[Plan::Panic, Plan::Write], &clock);
    let audit = audit_of(OnThread::new(sink), QueueSettings::default(), &clock);
    make_events(&audit, 1);
    let first = eventually(&clock, &audit).await;
    make_events(&audit, 1);
    let second = eventually(&clock, &audit).await;
    assert_eq!((first.failed_tries, first.written), (1, 1));
    assert_eq!((second.failed_tries, second.written), (1, 2));
}

#[tokio::test]
async fn events_gather_and_are_written_many_at_a_time() {
    let clock = FakeClock::new();
    let sink = Planned::new(&[Plan::Write], &clock);
    let limits = settings(|one| (one.capacity, one.batch) = (20, 8));
    let audit = audit_of(sink.clone(), limits, &clock);
    let sizes = |sink: &Planned| -> Vec<_> { sink.calls().iter().map(|call| call.0).collect() };

    make_events(&audit, 1);
    clock.advance(Duration::ZERO).await;
    assert_eq!(sizes(&sink), [1], "the first is not kept waiting");
    make_events(&audit, 5);
    clock.advance(Duration::from_millis(99)).await;
    assert!(sizes(&sink).is_empty(), "others gather for a while");
    make_events(&audit, 4);
    clock.advance(Duration::from_millis(1)).await;
    assert_eq!(sizes(&sink), [8], "no batch is longer than it may be");
    clock.advance(Duration::from_millis(100)).await;
    assert_eq!(sizes(&sink), [1], "what is left gathers again");
    clock.advance(Duration::from_millis(100)).await;
    make_events(&audit, 1);
    clock.advance(Duration::ZERO).await;
    make_events(&audit, 11);
    clock.advance(Duration::ZERO).await;
    assert_eq!(sizes(&sink), [1, 8], "a queue half full does not wait");
}

#[tokio::test]
async fn a_full_queue_drops_what_comes_and_keeps_what_it_has() {
    let clock = FakeClock::new();
    let seen = Seen::default();
    let small = settings(|one| one.capacity = 10);
    let audit = audit_of(seen.clone(), small, &clock);
    make_events(&audit, 25);
    let before = audit.status();
    let after = audit.flush(LONG).await;
    for (status, written, queued) in [(before, 0, 10), (after, 10, 0)] {
        let sink = &status.sinks()[0];
        assert_eq!(
            (sink.written, sink.queued, sink.dropped),
            (written, queued, 15)
        );
        assert_adds_up(&status);
    }
    assert_eq!(seen.take().len(), 10);
}

#[tokio::test]
async fn an_audit_that_could_not_work_is_not_built() {
    let clock = FakeClock::new();
    let sink = || Planned::new(&[Plan::Write], &clock);
    let name = || "planned".to_owned();
    let none = Audit::builder();
    let two = Audit::builder().sink(sink()).sink(sink());
    let with =
        |change: fn(&mut QueueSettings)| Audit::builder().sink_with(sink(), settings(change));
    for (builder, expected) in [
        (none, AuditBuildError::NoSink),
        (two, AuditBuildError::SameName(name())),
        (
            with(|one| one.capacity = 0),
            AuditBuildError::Settings(name()),
        ),
        (
            with(|one| one.capacity = usize::MAX),
            AuditBuildError::Settings(name()),
        ),
        (with(|one| one.batch = 0), AuditBuildError::Settings(name())),
        (
            with(|one| one.attempts = 0),
            AuditBuildError::Settings(name()),
        ),
    ] {
        assert_eq!(builder.build().unwrap_err(), expected);
    }
    let elsewhere = std::thread::spawn(|| Audit::builder().sink(Seen::default()).build());
    let result = elsewhere.join().unwrap();
    assert_eq!(result.unwrap_err(), AuditBuildError::NoRuntime);
}
