//! What is counted, and under which labels.

use std::sync::{Arc, Mutex};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, Key, KeyName, Metadata, Recorder, SharedString,
    Unit,
};

use super::keys::jwk;
use super::world::{Reply, World};
use crate::fetch::FetchFailure;

/// Writes down each change as `name{label=value}` and a number.
#[derive(Clone, Debug, Default)]
struct Notes(Arc<Mutex<Vec<(String, f64)>>>);

struct Note {
    name: String,
    notes: Notes,
}

impl Note {
    fn add(&self, value: f64) {
        let mut notes = self.notes.0.lock().unwrap();
        notes.push((self.name.clone(), value));
    }
}

impl CounterFn for Note {
    fn increment(&self, value: u64) {
        self.add(f64::from(u32::try_from(value).unwrap()));
    }

    fn absolute(&self, _: u64) {}
}

impl GaugeFn for Note {
    fn increment(&self, _: f64) {}

    fn decrement(&self, _: f64) {}

    fn set(&self, value: f64) {
        self.add(value);
    }
}

impl Notes {
    fn note(&self, key: &Key) -> Arc<Note> {
        let labels: Vec<_> = key
            .labels()
            .map(|label| format!("{}={}", label.key(), label.value()))
            .collect();
        Arc::new(Note {
            name: format!("{}{{{}}}", key.name(), labels.join(",")),
            notes: self.clone(),
        })
    }
}

impl Recorder for Notes {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.note(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.note(key))
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

#[test]
fn refreshes_failures_keys_and_age_are_measured_for_each_issuer() {
    let notes = Notes::default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    // The recorder is this thread's, and so is all the work of a current-thread runtime.
    metrics::with_local_recorder(&notes, || {
        runtime.block_on(async {
            let world = World::serving(&[jwk("a"), jwk("b")]);
            let _jwks = world.build().await;
            world.network.serve(Reply::Failure(FetchFailure::Connect));
            world.until(2).await;
        });
    });
    let notes = notes.0.lock().unwrap();
    let issuer = "issuer=https://acme.example";
    let expected = [
        format!("countersign_jwks_refreshes{{{issuer}}}"),
        format!("countersign_jwks_keys{{{issuer}}}"),
        format!("countersign_jwks_age_seconds{{{issuer}}}"),
        format!("countersign_jwks_refreshes{{{issuer}}}"),
        format!("countersign_jwks_failures{{{issuer},reason=connect}}"),
        format!("countersign_jwks_keys{{{issuer}}}"),
        format!("countersign_jwks_age_seconds{{{issuer}}}"),
    ];
    let names: Vec<_> = notes.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, expected);
    let values: Vec<_> = notes.iter().map(|(_, value)| *value).collect();
    assert_eq!(values[..6], [1.0, 2.0, 0.0, 1.0, 1.0, 2.0]);
    assert!((225.0..=256.0).contains(&values[6]), "{values:?}");
}
