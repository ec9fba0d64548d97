//! What is counted, and under which labels.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use countersign_introspection::IntrospectionPolicy;
use metrics::{
    Counter, CounterFn, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};

use crate::world::{ISSUER, Reply, World, s};

/// The counters by name and labels.
#[derive(Clone, Default)]
struct Counts(Arc<Mutex<BTreeMap<String, u64>>>);

struct Count {
    name: String,
    counts: Counts,
}

impl CounterFn for Count {
    fn increment(&self, value: u64) {
        let mut counts = self.counts.0.lock().unwrap();
        *counts.entry(self.name.clone()).or_default() += value;
    }

    fn absolute(&self, _: u64) {}
}

impl Recorder for Counts {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let labels: Vec<_> = key
            .labels()
            .map(|label| format!("{}={}", label.key(), label.value()))
            .collect();
        Counter::from_arc(Arc::new(Count {
            name: format!("{}{{{}}}", key.name(), labels.join(",")),
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

#[test]
fn each_token_that_is_asked_about_counts_once_under_few_labels() {
    let counts = Counts::default();
    metrics::with_local_recorder(&counts, || {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(traffic());
    });
    let expected = [
        ("active", 3),
        ("refused", 100),
        ("remembered", 7),
        ("unavailable", 2),
    ];
    let expected = expected.map(|(outcome, count)| {
        let name = "countersign_introspections_total";
        (
            format!("{name}{{issuer={ISSUER},outcome={outcome}}}"),
            count,
        )
    });
    assert_eq!(*counts.0.lock().unwrap(), BTreeMap::from(expected));
}

async fn traffic() {
    let world = World::with_policy(IntrospectionPolicy::default().with_rate(1000, 1000));
    world.activate("token", "m2m", s(600));
    for _ in 0..6 {
        world.ask("token").await.unwrap();
    }
    for _ in 0..2 {
        world.ask_anew("token").await.unwrap();
    }
    for token in 0..100 {
        world.ask(&format!("made-up-{token}")).await.unwrap_err();
    }
    for _ in 0..2 {
        world.ask("made-up-0").await.unwrap_err();
    }
    world.wire.answer("broken", Reply::Status(500, None));
    for _ in 0..2 {
        world.ask("broken").await.unwrap_err();
    }
}
