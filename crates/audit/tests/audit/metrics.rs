//! What is counted, and under which labels.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use countersign_audit::{Audit, AuditEvent, AuditSink, QueueSettings, SinkError};
use countersign_testing::FakeClock;
use metrics::{
    Counter, CounterFn, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};

use crate::support::{LONG, Seen, make_events};

/// Counters by name and labels.
#[derive(Clone, Default)]
struct Counts(Arc<Mutex<BTreeMap<String, u64>>>);

struct One {
    key: String,
    counts: Counts,
}

impl CounterFn for One {
    fn increment(&self, value: u64) {
        let mut counts = self.counts.0.lock().unwrap();
        *counts.entry(self.key.clone()).or_default() += value;
    }

    fn absolute(&self, _: u64) {
        panic!("counts are shared with other audits");
    }
}

impl Recorder for Counts {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let labels = key
            .labels()
            .map(|label| format!(" {}={}", label.key(), label.value()));
        Counter::from_arc(Arc::new(One {
            key: key.name().to_owned() + &labels.collect::<String>(),
            counts: self.clone(),
        }))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

struct Broken;

impl AuditSink for Broken {
    fn name(&self) -> &'static str {
        "broken"
    }

    async fn write(&mut self, events: &[AuditEvent]) -> Result<(), SinkError> {
        Err(SinkError::new("broken").after(events.len() - 1))
    }
}

#[tokio::test]
async fn what_becomes_of_events_is_counted_by_sink_and_outcome() {
    let counts = Counts::default();
    let _recorder = metrics::set_default_local_recorder(&counts);
    let mut settings = QueueSettings::default();
    (settings.capacity, settings.attempts) = (10, 1);
    let audit = Audit::builder()
        .sink(Seen::default())
        .sink_with(Broken, settings)
        .with_clock(Arc::new(FakeClock::new()))
        .build()
        .unwrap();
    let now = || counts.0.lock().unwrap().clone();
    make_events(&audit, 25);
    audit.flush(LONG).await;
    let expected = [
        (
            "countersign_audit_events_total sink=broken outcome=dropped",
            15,
        ),
        (
            "countersign_audit_events_total sink=broken outcome=failed",
            1,
        ),
        (
            "countersign_audit_events_total sink=broken outcome=written",
            9,
        ),
        (
            "countersign_audit_events_total sink=seen outcome=written",
            25,
        ),
    ];
    let expected = expected.map(|(key, count)| (key.to_owned(), count)).into();
    assert_eq!(now(), expected);
    audit.flush(LONG).await;
    assert_eq!(now(), expected, "nothing is counted twice");
    make_events(&audit, 1);
    audit.shutdown(LONG).await;
    let key = "countersign_audit_events_total sink=seen outcome=written";
    assert_eq!(now()[key], 26);
}
