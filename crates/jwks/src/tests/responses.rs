//! What a response must be, whatever the `Fetch` lets through.

use std::time::Duration;

use http::header::{CONTENT_TYPE, LOCATION};
use serde_json::json;

use super::keys::{jwk, jwks, with};
use super::world::{KEYS, Reply, World, s, settle, word};
use crate::algorithm::Algorithm;
use crate::fetch::FetchFailure;
use crate::source::KeySource;

const ED: Algorithm = Algorithm::Ed25519;

#[tokio::test]
async fn each_response_that_is_no_key_set_keeps_the_old_one_and_says_why() {
    let good = || jwks(&[jwk("b")]);
    let typed = |content_type: &str| Reply::json(good()).header(CONTENT_TYPE, content_type);
    let redirect = |status| {
        Reply::status(status)
            .header(LOCATION, "https://evil.example/keys")
            .body(good())
    };
    let mut large = good();
    large.resize(256 * 1024 + 1, b' ');
    let hundred_and_one: Vec<_> = (0..101).map(|n| jwk(&n.to_string())).collect();
    for (reply, expected) in [
        (redirect(301), FetchFailure::Redirect),
        (redirect(302), FetchFailure::Redirect),
        (redirect(307), FetchFailure::Redirect),
        (Reply::status(404), FetchFailure::Status(404)),
        (Reply::status(500), FetchFailure::Status(500)),
        (
            Reply::json(good()).status_changed(201),
            FetchFailure::Status(201),
        ),
        (Reply::status(200).body(good()), FetchFailure::ContentType),
        (typed("text/html"), FetchFailure::ContentType),
        (typed("application/jsonp"), FetchFailure::ContentType),
        (
            typed("text/plain; application/json"),
            FetchFailure::ContentType,
        ),
        (Reply::json(large), FetchFailure::TooLarge),
        (Reply::json("<html>"), FetchFailure::Malformed),
        (Reply::json(r#"{"keys": 1}"#), FetchFailure::Malformed),
        (Reply::json(r#"{"keys": []}"#), FetchFailure::NoUsableKey),
        (
            Reply::keys(&[with(jwk("b"), json!({"use": "enc"}))]),
            FetchFailure::NoUsableKey,
        ),
        (Reply::keys(&hundred_and_one), FetchFailure::TooManyKeys),
        (Reply::Failure(FetchFailure::Connect), FetchFailure::Connect),
    ] {
        let world = World::serving(&[jwk("a")]);
        let jwks = world.build().await;
        world.network.serve(reply);
        let lookup = jwks.refresh_for(Some("b"), ED).await;
        assert_eq!(word(&lookup), "unavailable", "{expected}");
        assert_eq!(jwks.status().last_error, Some(expected));
        assert_eq!(word(&jwks.key(Some("a"), ED)), "found", "{expected}");
    }
}

#[tokio::test]
async fn both_content_types_are_taken_with_parameters_and_in_any_case() {
    for content_type in [
        "application/json",
        "application/jwk-set+json",
        "application/json; charset=utf-8",
        "Application/JSON ;charset=utf-8",
    ] {
        let world = World::new();
        world
            .network
            .serve(Reply::keys(&[jwk("a")]).header(CONTENT_TYPE, content_type));
        let jwks = world.build().await;
        assert!(jwks.is_ready(), "{content_type}");
    }
}

#[tokio::test]
async fn a_set_of_exactly_the_limits_is_taken_from_the_network_and_from_a_file() {
    let mut json = jwks(&[jwk("a")]);
    json.resize(256 * 1024, b' ');
    let path = std::env::temp_dir().join(format!("countersign-limit-{}.json", std::process::id()));
    std::fs::write(&path, &json).unwrap();
    let world = World::new();
    world.network.serve(Reply::json(json));
    for source in [KeySource::url(KEYS), KeySource::file(&path)] {
        let jwks = world.builder(source).build().await.unwrap();
        assert!(jwks.is_ready());
    }
    std::fs::remove_file(&path).unwrap();
}

#[tokio::test]
async fn a_fetch_is_told_the_limits() {
    let world = World::serving(&[jwk("a")]);
    let _jwks = world.build().await;
    let request = &world.network.requests()[0];
    assert_eq!(request.url, KEYS);
    assert_eq!(request.accept, "application/jwk-set+json, application/json");
    assert_eq!((request.max_bytes, request.deadline), (256 * 1024, s(5)));
}

#[tokio::test]
async fn a_fetch_that_does_not_end_is_ended_after_five_seconds() {
    let world = World::serving(&[jwk("a")]);
    let jwks = world.build().await;
    world.network.hold();
    world.until(2).await;
    world.clock.pass(s(5)).await;
    assert_eq!(jwks.status().last_error, Some(FetchFailure::Timeout));
    // The next one is a new flight.
    world.network.release();
    world.until(3).await;
    assert_eq!(jwks.status().last_error, None);
}

#[tokio::test]
async fn a_file_is_read_at_start_and_again_at_the_end_of_its_time_to_live() {
    let path = std::env::temp_dir().join(format!("countersign-jwks-{}.json", std::process::id()));
    std::fs::write(&path, jwks(&[jwk("a")])).unwrap();
    let world = World::new();
    let keys = world.builder(KeySource::file(&path)).build().await.unwrap();
    assert_eq!(word(&keys.key(Some("a"), ED)), "found");

    std::fs::write(&path, jwks(&[jwk("b")])).unwrap();
    let changed = keys.changed();
    // Files are read in real time, so the clock must stand still meanwhile or the deadline would pass.
    let swapped = || word(&keys.key(Some("b"), ED)) == "found";
    while !swapped() && keys.status().next_refresh != Some(Duration::ZERO) {
        world.clock.pass(s(1)).await;
    }
    changed.await;
    assert_eq!(word(&keys.key(Some("a"), ED)), "missing");
    assert_eq!(word(&keys.key(Some("b"), ED)), "found");

    for (content, expected) in [
        (vec![b' '; 256 * 1024 + 1], FetchFailure::TooLarge),
        (b"{}".to_vec(), FetchFailure::Malformed),
    ] {
        std::fs::write(&path, content).unwrap();
        assert_eq!(word(&keys.refresh_for(Some("c"), ED).await), "unavailable");
        assert_eq!(keys.status().last_error, Some(expected));
    }
    std::fs::remove_file(&path).unwrap();
    world.clock.pass(s(5)).await;
    let _ = keys.refresh_for(Some("c"), ED).await;
    settle().await;
    assert_eq!(keys.status().last_error, Some(FetchFailure::File));
    assert_eq!(word(&keys.key(Some("b"), ED)), "found");
    assert_eq!(world.network.count(), 0);
}
