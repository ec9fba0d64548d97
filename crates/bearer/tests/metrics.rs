//! What is counted about decisions, and that callers cannot make the number of series grow.

#![expect(
    clippy::unwrap_used,
    reason = "a helper that panics fails the test that called it"
)]

use std::collections::BTreeMap;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use countersign_bearer::{Authenticator, Microservice};
use countersign_jwks::Algorithm;
use countersign_testing::TestIssuer;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use tower::ServiceExt;

const API: &str = "https://api.acme.test";

/// Counters and gauges as `name{label=value,…}`; of a histogram, how many values it has.
fn series(snapshotter: &Snapshotter) -> BTreeMap<String, f64> {
    let snapshot = snapshotter.snapshot().into_vec().into_iter();
    let line = |(key, _, _, value): (metrics_util::CompositeKey, _, _, DebugValue)| {
        let labels = key.key().labels();
        let labels: Vec<_> = labels
            .map(|one| format!("{}={}", one.key(), one.value()))
            .collect();
        let value = match value {
            DebugValue::Counter(count) => f64::from(u32::try_from(count).unwrap()),
            DebugValue::Gauge(value) => value.0,
            DebugValue::Histogram(values) => f64::from(u32::try_from(values.len()).unwrap()),
        };
        (
            format!("{}{{{}}}", key.key().name(), labels.join(",")),
            value,
        )
    };
    snapshot.map(line).collect()
}

struct World {
    issuer: TestIssuer,
    app: Router,
}

impl World {
    async fn new() -> Self {
        let issuer = TestIssuer::new("https://as.acme.test").with_algorithm(Algorithm::Ed25519);
        let authenticator = Authenticator::builder().issuer(issuer.trusted_for(API));
        let authenticator = authenticator.build().await.unwrap();
        let app = Router::new()
            .route("/", get(|| async {}))
            .route("/internal", get(|_: Microservice| async {}))
            .layer(authenticator.layer());
        Self { issuer, app }
    }

    async fn get(&self, path: &str, token: Option<&str>) -> u16 {
        let mut request = Request::get(path);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.body(Body::empty()).unwrap();
        self.app
            .clone()
            .oneshot(request)
            .await
            .unwrap()
            .status()
            .as_u16()
    }

    fn token(&self, client: &str) -> String {
        self.issuer
            .service_principal(client)
            .with_audience(API)
            .mint()
    }
}

/// A recorder of this thread alone, while the future runs on it.
fn recorded(work: impl Future<Output = ()>) -> BTreeMap<String, f64> {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    metrics::with_local_recorder(&recorder, || runtime.block_on(work));
    series(&snapshotter)
}

#[test]
fn each_decision_is_counted_once_under_fixed_words() {
    let all = recorded(async {
        let world = World::new().await;
        let token = world.token("m2m-acme");
        assert_eq!(world.get("/", Some(&token)).await, 200);
        assert_eq!(world.get("/", Some(&token)).await, 200);
        assert_eq!(world.get("/", None).await, 401);
        assert_eq!(world.get("/", Some("x")).await, 401);
        let expired = world
            .issuer
            .service_principal("m2m")
            .with_audience(API)
            .expired()
            .mint();
        assert_eq!(world.get("/", Some(&expired)).await, 401);
        assert_eq!(world.get("/internal", Some(&token)).await, 403);
    });
    let of = |name: &str| all.get(name).copied().unwrap_or_default();
    let decisions = |outcome: &str, reason: &str, issuer: &str| {
        of(&format!(
            "countersign_decisions_total{{outcome={outcome},reason={reason},issuer={issuer}}}"
        ))
    };
    let expected = [
        ("authenticated", "", "https://as.acme.test", 3.0),
        ("denied", "missing_credential", "", 1.0),
        ("denied", "malformed_token", "", 1.0),
        ("denied", "expired", "", 1.0),
        ("denied", "principal_not_allowed", "", 1.0),
    ];
    for (outcome, reason, issuer, count) in expected {
        assert!(
            (decisions(outcome, reason, issuer) - count).abs() < 0.1,
            "{reason}: {all:?}"
        );
    }
    let named = all
        .keys()
        .filter(|name| name.starts_with("countersign_decisions_total"));
    assert_eq!(named.count(), expected.len(), "{all:?}");
    assert!(
        (of("countersign_decision_seconds{}") - 6.0).abs() < 0.1,
        "{all:?}"
    );
    assert!(
        (of("countersign_token_cache_hits{}") - 2.0).abs() < 0.1,
        "{all:?}"
    );
    assert!(
        (of("countersign_token_cache_misses{}") - 3.0).abs() < 0.1,
        "{all:?}"
    );
    assert!(of("countersign_token_cache_bytes{}") > 500.0, "{all:?}");
}

#[test]
fn ten_thousand_clients_make_no_more_series_than_one() {
    let of_clients = |count: usize| {
        recorded(async move {
            let world = World::new().await;
            for number in 0..count {
                let token = world.token(&format!("client-{number}"));
                assert_eq!(world.get("/", Some(&token)).await, 200);
                assert_eq!(
                    world.get("/", Some(&format!("garbage-{number}"))).await,
                    401
                );
            }
        })
    };
    let (one, many) = (of_clients(1), of_clients(10_000));
    assert_eq!(
        one.keys().collect::<Vec<_>>(),
        many.keys().collect::<Vec<_>>()
    );
    assert!(
        many.keys().all(|name| !name.contains("client-")),
        "{many:?}"
    );
}
