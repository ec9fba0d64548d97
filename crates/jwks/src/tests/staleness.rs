//! How long a set is trusted, and how it is kept fresh.

use std::time::Duration;

use super::keys::jwk;
use super::world::{Reply, World, found, ms, s, word};
use crate::algorithm::Algorithm;
use crate::fetch::FetchFailure;
use crate::jwks::Lookup;

const ED: Algorithm = Algorithm::Ed25519;

#[tokio::test]
async fn the_set_is_refreshed_in_the_background_at_four_fifths_of_its_time_to_live() {
    for (cache_control, earliest, latest) in [
        (None, 225, 255),
        (Some("max-age=1000"), 750, 850),
        (Some("max-age=1"), 45, 51),
        (Some("no-store"), 45, 51),
        (Some("max-age=86400"), 2700, 3060),
    ] {
        let world = World::new();
        let reply = Reply::keys(&[jwk("a")]);
        world.network.serve(match cache_control {
            Some(value) => reply.cache_control(value),
            None => reply,
        });
        let _jwks = world.build().await;
        world.clock.pass(ms(earliest * 1000 - 1)).await;
        assert_eq!(world.network.count(), 1, "{cache_control:?}");
        world.clock.pass(s(latest - earliest) + ms(1)).await;
        assert_eq!(world.network.count(), 2, "{cache_control:?}");
    }
}

#[tokio::test]
async fn a_set_is_trusted_for_an_hour_beyond_its_time_to_live_and_not_a_moment_longer() {
    let a = jwk("a");
    let world = World::serving(std::slice::from_ref(&a));
    let jwks = world.build().await;
    let key = found(jwks.key(Some("a"), ED));
    world.network.serve(Reply::Failure(FetchFailure::Connect));

    world.clock.pass(s(300 + 3600)).await;
    assert_eq!(word(&jwks.key(Some("a"), ED)), "found");
    assert!(key.is_trusted() && jwks.is_ready() && jwks.status().usable);

    let moment = Duration::from_nanos(1);
    world.clock.pass(moment).await;
    let lookup = jwks.key(Some("a"), ED);
    let Lookup::Unavailable { retry_after } = lookup else {
        panic!("{lookup:?}")
    };
    assert!((s(1)..=s(60)).contains(&retry_after), "{retry_after:?}");
    assert!(!key.is_trusted() && !jwks.is_ready());
    let status = jwks.status();
    assert!(!status.usable);
    assert_eq!(status.age, Some(s(3900) + moment));
    assert_eq!(status.last_error, Some(FetchFailure::Connect));
    assert_eq!(word(&jwks.refresh_for(Some("a"), ED).await), "unavailable");

    // It recovers by itself, and the key is still the same.
    world.network.serve(Reply::keys(&[a]));
    world.clock.pass(s(60)).await;
    assert!(key.is_trusted() && jwks.is_ready());
    assert_eq!(jwks.status().last_error, None);
}

#[tokio::test]
async fn a_stale_set_is_recovered_by_the_first_request_that_asks() {
    let a = jwk("a");
    let world = World::serving(std::slice::from_ref(&a));
    let jwks = world.build().await;
    world.network.serve(Reply::Failure(FetchFailure::Timeout));
    world.clock.pass(s(4000)).await;
    world.network.serve(Reply::keys(&[a]));
    assert_eq!(word(&jwks.key(Some("a"), ED)), "unavailable");
    assert_eq!(word(&jwks.refresh_for(Some("a"), ED).await), "found");
}

#[tokio::test]
async fn failures_are_retried_with_back_off_and_keep_the_old_set() {
    let world = World::serving(&[jwk("a")]);
    let jwks = world.build().await;
    world.network.serve(Reply::Failure(FetchFailure::Connect));
    world.until(2).await;
    world.clock.pass(s(600)).await;
    // After 1, 2, 4, 8, 16 and 32 s, a quarter more or less, and then each 45 s to 60 s.
    let retries = world.network.count() - 2;
    assert!((14..=19).contains(&retries), "{retries}");
    assert_eq!(word(&jwks.key(Some("a"), ED)), "found");
}

#[tokio::test]
async fn not_modified_renews_the_set_in_force() {
    let world = World::new();
    world.network.serve(
        Reply::keys(&[jwk("a")])
            .etag("\"one\"")
            .cache_control("max-age=600"),
    );
    let jwks = world.build().await;
    assert_eq!(world.network.requests()[0].etag, None);
    let key = found(jwks.key(Some("a"), ED));

    world.network.serve(Reply::status(304));
    world.until(2).await;
    let etag = world.network.requests()[1].etag.clone();
    assert_eq!(etag.unwrap(), "\"one\"");
    assert!(jwks.status().age.unwrap() < s(1));
    assert!(key.is_trusted());

    // The time to live of the confirmed response goes on, until a 304 says otherwise.
    let next = jwks.status().next_refresh.unwrap();
    assert!((s(449)..=s(510)).contains(&next), "{next:?}");
    world.network.serve(
        Reply::status(304)
            .etag("W/\"two\"")
            .cache_control("max-age=60"),
    );
    world.until(3).await;
    let next = jwks.status().next_refresh.unwrap();
    assert!((s(44)..=s(51)).contains(&next), "{next:?}");
    world.until(4).await;
    let etag = world.network.requests()[3].etag.clone();
    assert_eq!(etag.unwrap(), "W/\"two\"");
    assert_eq!(jwks.status().last_error, None);
}

#[tokio::test]
async fn not_modified_without_a_tag_sent_is_a_failure() {
    let world = World::serving(&[jwk("a")]);
    let jwks = world.build().await;
    world.network.serve(Reply::status(304));
    world.until(2).await;
    assert_eq!(jwks.status().last_error, Some(FetchFailure::Status(304)));
    world.clock.pass(s(3700)).await;
    assert!(!jwks.is_ready());
}

#[tokio::test]
async fn a_set_by_hand_is_not_confirmed_by_the_tag_of_the_one_before() {
    let world = World::new();
    world
        .network
        .serve(Reply::keys(&[jwk("a")]).etag("\"one\""));
    let jwks = world.build().await;
    assert!(jwks.replace(super::keys::set(&[jwk("b")])));
    world.clock.pass(s(260)).await;
    assert_eq!(world.network.requests()[1].etag, None);
    assert_eq!(word(&jwks.key(Some("a"), ED)), "found");
}

#[tokio::test]
async fn status_tells_each_key_and_algorithm_and_what_was_skipped() {
    use super::keys::{rsa, with};
    use crate::jwk::SkipReason;
    use serde_json::json;

    let world = World::serving(&[
        with(rsa(), json!({"alg": "RS256", "kid": "r"})),
        jwk("e"),
        json!({"kty": "oct", "kid": "o", "k": "c2VjcmV0"}),
    ]);
    let jwks = world.build().await;
    world.clock.pass(s(10)).await;
    let status = jwks.status();
    assert!(status.usable);
    assert_eq!(status.age, Some(s(10)));
    assert_eq!(status.last_error, None);
    let keys: Vec<_> = status
        .keys
        .iter()
        .map(|key| (key.kid.as_deref().unwrap(), key.algorithm.name()))
        .collect();
    assert_eq!(keys, [("r", "RS256"), ("e", "EdDSA"), ("e", "Ed25519")]);
    assert_eq!(status.skipped.len(), 1);
    assert_eq!(status.skipped[0].reason, SkipReason::Symmetric);
    assert_eq!(status.skipped[0].kid.as_deref(), Some("o"));
    let next = status.next_refresh.unwrap();
    assert!((s(215)..=s(245)).contains(&next), "{next:?}");
}
