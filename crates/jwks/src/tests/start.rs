//! From a configuration to the first set.

use super::keys::{all, jwk};
use super::world::{ISSUER, KEYS, Reply, World, ms, s, settle, word};
use crate::algorithm::{Algorithm, Algorithms};
use crate::builder::{JwksError, Start};
use crate::fetch::FetchFailure;
use crate::jwks::Jwks;
use crate::policy::RefreshPolicy;
use crate::source::KeySource;

const ED: Algorithm = Algorithm::Ed25519;

#[tokio::test]
async fn a_required_issuer_is_retried_until_its_first_set_comes() {
    let world = World::new();
    world.network.serve(Reply::status(503));
    #[expect(clippy::disallowed_methods, reason = "the start-up that waits")]
    let building = tokio::spawn(world.builder(KeySource::url(KEYS)).build());
    world.clock.pass(s(4)).await;
    assert!(!building.is_finished());
    assert!(world.network.count() >= 3);
    world.network.serve(Reply::keys(&[jwk("a")]));
    world.clock.pass(s(5)).await;
    assert!(building.is_finished());
    assert!(building.await.unwrap().unwrap().is_ready());
}

#[tokio::test]
async fn a_required_issuer_without_keys_fails_after_ten_seconds_and_leaves_no_task() {
    for (reply, failure, message) in [
        (
            Some(Reply::status(500)),
            Some(FetchFailure::Status(500)),
            "keys of https://acme.example: none after 10 s (status 500)",
        ),
        (
            Some(Reply::json("{}")),
            Some(FetchFailure::Malformed),
            "keys of https://acme.example: none after 10 s (malformed)",
        ),
        (
            None,
            Some(FetchFailure::Timeout),
            "keys of https://acme.example: none after 10 s (timeout)",
        ),
    ] {
        let world = World::new();
        match reply {
            Some(reply) => world.network.serve(reply),
            None => world.network.hold(),
        }
        #[expect(clippy::disallowed_methods, reason = "the start-up that waits")]
        let building = tokio::spawn(world.builder(KeySource::url(KEYS)).build());
        world.clock.pass(ms(9_999)).await;
        assert!(!building.is_finished());
        world.clock.pass(ms(1)).await;
        let error = building.await.unwrap().unwrap_err();
        assert_eq!(error.to_string(), message);
        assert!(matches!(error, JwksError::NotReady { failure: last, .. } if last == failure));
        settle().await;
        assert_eq!(world.clock.sleepers(), 0);
    }
}

#[tokio::test]
async fn a_degraded_issuer_starts_without_keys_and_recovers_by_itself() {
    let world = World::new();
    world.network.serve(Reply::Failure(FetchFailure::Connect));
    let jwks = world.degraded().await;
    assert_eq!(world.network.count(), 1);
    assert!(!jwks.is_ready());
    assert_eq!(word(&jwks.key(Some("a"), ED)), "unavailable");
    let status = jwks.status();
    assert!(!status.usable && status.keys.is_empty());
    assert_eq!(
        (status.age, status.last_error),
        (None, Some(FetchFailure::Connect))
    );

    world.network.serve(Reply::keys(&[jwk("a")]));
    let changed = jwks.changed();
    world.clock.pass(s(2)).await;
    changed.await;
    assert!(jwks.is_ready());
    assert_eq!(word(&jwks.key(Some("a"), ED)), "found");
}

#[tokio::test]
async fn a_request_to_a_degraded_issuer_fetches_within_the_budget() {
    let world = World::new();
    world.network.serve(Reply::Failure(FetchFailure::Connect));
    let jwks = world.degraded().await;
    for _ in 0..100 {
        assert_eq!(word(&jwks.refresh_for(Some("a"), ED).await), "unavailable");
    }
    assert_eq!(world.network.count(), 1 + 2);

    let other = World::new();
    other.network.once(Reply::Failure(FetchFailure::Connect));
    other.network.serve(Reply::keys(&[jwk("a")]));
    let jwks = other.degraded().await;
    assert_eq!(word(&jwks.refresh_for(Some("a"), ED).await), "found");
}

#[tokio::test]
async fn a_degraded_issuer_that_is_up_is_joined_by_its_first_request() {
    let world = World::serving(&[jwk("a")]);
    let builder = world.builder(KeySource::url(KEYS)).start(Start::Degraded);
    let jwks = builder.build().await.unwrap();
    assert_eq!(word(&jwks.key(Some("a"), ED)), "unavailable");
    assert_eq!(word(&jwks.refresh_for(Some("a"), ED).await), "found");
    assert_eq!(world.network.count(), 1);
}

#[tokio::test]
async fn every_problem_is_told_at_once_and_before_any_request() {
    let world = World::new();
    let cases = [
        (KeySource::url("http://acme.example/keys"), 1),
        (KeySource::url("acme.example/keys"), 1),
        (KeySource::url("http://127.0.0.1:8080/keys"), 0),
        (KeySource::Discovery, 0),
        (KeySource::json("{}"), 1),
        (KeySource::file("/no/such/file"), 0),
    ];
    for (source, count) in cases {
        let problems = world.builder(source.clone()).problems();
        assert_eq!(problems.len(), count, "{source:?}: {problems:?}");
    }
    for issuer in ["acme", "http://acme.example", "https://acme.example?x=1"] {
        let builder =
            Jwks::builder(issuer, KeySource::Discovery, all()).with_fetch(world.network.clone());
        assert_eq!(builder.problems().len(), 1, "{issuer}");
    }
    let source = KeySource::url("http://user:secret@acme.example/keys");
    let problems = world.builder(source).problems();
    assert!(!problems[0].contains("secret"), "{problems:?}");

    let error = Jwks::builder(ISSUER, KeySource::url("ftp://x"), Algorithms::NONE)
        .with_fetch(world.network.clone())
        .with_policy(RefreshPolicy::default().with_budget(s(1), 0))
        .build()
        .await
        .unwrap_err();
    let JwksError::Invalid { problems, .. } = error else {
        panic!("{error}")
    };
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert_eq!(world.network.count(), 0);
}

#[cfg(not(feature = "reqwest"))]
#[tokio::test]
async fn a_remote_source_without_a_fetch_is_a_problem() {
    for (source, count) in [
        (KeySource::Discovery, 1),
        (KeySource::url(KEYS), 1),
        (KeySource::file("keys.json"), 0),
    ] {
        let builder = Jwks::builder(ISSUER, source, all());
        assert_eq!(builder.problems().len(), count);
    }
}
