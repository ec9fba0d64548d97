//! One flight for all, paid for by the budget, that nobody who waits can hurt.

use std::sync::Arc;

use super::keys::{jwk, set};
use super::world::{ISSUER, KEYS, Reply, World, found, ms, s, settle, word};
use crate::algorithm::Algorithm;
use crate::fetch::FetchFailure;
use crate::jwks::{Jwks, Lookup};
use crate::key::Key;
use crate::policy::RefreshPolicy;
use crate::source::KeySource;

const ED: Algorithm = Algorithm::Ed25519;

type Waiting = tokio::task::JoinHandle<Lookup>;

/// Asks for a key in a task of its own, so that it waits while the test moves the world.
#[expect(clippy::disallowed_methods, reason = "the request that waits")]
async fn ask(jwks: &Jwks, kid: &str) -> Waiting {
    let waiting = tokio::spawn(jwks.refresh_for(Some(kid), ED));
    settle().await;
    waiting
}

async fn answer(waiting: Waiting) -> &'static str {
    assert!(waiting.is_finished(), "still waiting");
    word(&waiting.await.unwrap())
}

#[tokio::test]
async fn an_unknown_key_is_fetched_for_and_found() {
    let (a, b) = (jwk("a"), jwk("b"));
    let world = World::serving(std::slice::from_ref(&a));
    let jwks = world.build().await;
    assert_eq!(word(&jwks.key(Some("b"), ED)), "missing");

    world.network.serve(Reply::keys(&[a, b]));
    assert_eq!(word(&jwks.refresh_for(Some("b"), ED).await), "found");
    assert_eq!(word(&jwks.key(Some("b"), ED)), "found");
    assert_eq!(world.network.count(), 2);
}

#[tokio::test]
async fn what_a_fetch_cannot_change_is_answered_without_one() {
    let (one, two) = (jwk("a"), jwk("b"));
    let world = World::serving(&[one, two]);
    let jwks = world.build().await;
    for (kid, algorithm, expected) in [
        (Some("a"), ED, "found"),
        (Some("a"), Algorithm::RS256, "unfit"),
        (None, ED, "unfit"),
    ] {
        assert_eq!(word(&jwks.key(kid, algorithm)), expected);
        assert_eq!(word(&jwks.refresh_for(kid, algorithm).await), expected);
    }
    assert_eq!(world.network.count(), 1);
}

#[tokio::test]
async fn a_thousand_who_miss_the_same_key_share_one_fetch() {
    let world = World::serving(&[jwk("a")]);
    let jwks = world.build().await;
    world.network.serve(Reply::keys(&[jwk("b")]));
    world.network.hold();
    let mut waiting = Vec::new();
    for _ in 0..1000 {
        waiting.push(ask(&jwks, "b").await);
    }
    world.network.release();
    settle().await;
    for waiting in waiting {
        assert_eq!(answer(waiting).await, "found");
    }
    assert_eq!(world.network.count(), 2);
}

#[tokio::test]
async fn a_flood_of_unknown_keys_costs_no_more_than_the_budget_and_is_refused() {
    let world = World::serving(&[jwk("a")]);
    let jwks = world.build().await;
    for n in 0..10_000 {
        let lookup = jwks.refresh_for(Some(&format!("random-{n}")), ED).await;
        assert_eq!(word(&lookup), "missing", "{n}");
    }
    assert_eq!(world.network.count(), 1 + 2);

    world.clock.pass(s(5)).await;
    for n in 0..100 {
        assert_eq!(
            word(&jwks.refresh_for(Some(&format!("more-{n}")), ED).await),
            "missing"
        );
    }
    assert_eq!(world.network.count(), 1 + 3);
}

#[tokio::test]
async fn a_flood_while_the_issuer_is_down_is_unavailable_and_costs_the_same() {
    let world = World::serving(&[jwk("a")]);
    let jwks = world.build().await;
    world.network.serve(Reply::Failure(FetchFailure::Connect));
    for n in 0..1000 {
        let lookup = jwks.refresh_for(Some(&format!("random-{n}")), ED).await;
        assert_eq!(word(&lookup), "unavailable", "{n}");
    }
    assert_eq!(world.network.count(), 1 + 2);
    assert_eq!(jwks.status().last_error, Some(FetchFailure::Connect));
    assert_eq!(word(&jwks.key(Some("a"), ED)), "found");
}

#[tokio::test]
async fn a_flood_at_one_issuer_takes_nothing_from_another() {
    let world = World::serving(&[jwk("a")]);
    let flooded = world.build().await;
    let other = world.build().await;
    for n in 0..100 {
        let _ = flooded.refresh_for(Some(&n.to_string()), ED).await;
    }
    world.network.serve(Reply::keys(&[jwk("b")]));
    assert_eq!(word(&other.refresh_for(Some("b"), ED).await), "found");
    assert_eq!(word(&flooded.key(Some("b"), ED)), "missing");
}

#[tokio::test]
async fn a_leader_that_is_cancelled_leaves_its_fetch_to_the_others() {
    let world = World::serving(&[jwk("a")]);
    let jwks = world.build().await;
    world.network.serve(Reply::keys(&[jwk("b")]));
    world.network.hold();
    let leader = ask(&jwks, "b").await;
    let follower = ask(&jwks, "b").await;
    leader.abort();
    settle().await;
    assert!(leader.is_finished());
    world.network.release();
    settle().await;
    assert_eq!(answer(follower).await, "found");
    assert_eq!(world.network.count(), 2);
}

#[tokio::test]
async fn a_fetch_whose_every_waiter_is_gone_still_swaps() {
    let world = World::serving(&[jwk("a")]);
    let jwks = world.build().await;
    world.network.serve(Reply::keys(&[jwk("b")]));
    world.network.hold();
    ask(&jwks, "b").await.abort();
    world.network.release();
    settle().await;
    assert_eq!(word(&jwks.key(Some("b"), ED)), "found");
}

#[tokio::test]
async fn a_fetch_that_panics_is_a_failed_fetch() {
    let world = World::serving(&[jwk("a")]);
    let jwks = world.build().await;
    world.network.once(Reply::Panic);
    world.network.hold();
    let (leader, follower) = (ask(&jwks, "b").await, ask(&jwks, "b").await);
    world.network.release();
    settle().await;
    assert_eq!(answer(leader).await, "unavailable");
    assert_eq!(answer(follower).await, "unavailable");
    assert_eq!(jwks.status().last_error, Some(FetchFailure::Panicked));

    world.network.serve(Reply::keys(&[jwk("b")]));
    assert_eq!(word(&jwks.refresh_for(Some("b"), ED).await), "found");
}

#[tokio::test]
async fn a_fetch_whose_end_is_lost_in_a_panic_of_the_clock_stands_in_nobodys_way() {
    let world = World::serving(&[jwk("a")]);
    let jwks = world.build().await;
    world.network.hold();
    let waiting = ask(&jwks, "b").await;
    world.clock.panic_once();
    world.network.release();
    settle().await;
    assert_eq!(answer(waiting).await, "unavailable");

    world.network.serve(Reply::keys(&[jwk("b")]));
    assert_eq!(word(&jwks.refresh_for(Some("b"), ED).await), "found");
}

#[tokio::test]
async fn nobody_waits_longer_than_a_second() {
    let world = World::serving(&[jwk("a")]);
    let jwks = world.build().await;
    world.network.serve(Reply::keys(&[jwk("b")]));
    world.network.hold();
    let waiting = ask(&jwks, "b").await;
    world.clock.pass(ms(999)).await;
    assert!(!waiting.is_finished());
    world.clock.pass(ms(1)).await;
    let Lookup::Unavailable { retry_after } = waiting.await.unwrap() else {
        panic!("the key is not there yet")
    };
    // There is budget for another try.
    assert_eq!(retry_after, s(1));
    // The fetch goes on for those who come later.
    world.network.release();
    settle().await;
    assert_eq!(word(&jwks.key(Some("b"), ED)), "found");
}

#[tokio::test]
async fn a_miss_joins_the_refresh_under_way_and_flies_once_more_if_that_was_too_old() {
    let a = jwk("a");
    let world = World::serving(std::slice::from_ref(&a));
    let jwks = world.build().await;
    world.network.hold();
    // The background refresh asks while the old set is still served ...
    world.until(2).await;
    // ... and then the issuer rotates.
    world.network.serve(Reply::keys(&[a, jwk("b")]));
    let waiting = ask(&jwks, "b").await;
    assert_eq!(world.network.count(), 2);
    world.network.release();
    settle().await;
    assert_eq!(answer(waiting).await, "found");
    assert_eq!(world.network.count(), 3);
}

#[tokio::test]
async fn a_miss_that_joined_too_old_a_fetch_is_missing_if_the_budget_is_spent() {
    let world = World::serving(&[jwk("a")]);
    let jwks = world.build().await;
    for kid in ["x", "y"] {
        assert_eq!(word(&jwks.refresh_for(Some(kid), ED).await), "missing");
    }
    world.clock.pass(ms(4_000)).await;
    assert_eq!(word(&jwks.refresh_for(Some("z"), ED).await), "missing");
    assert_eq!(world.network.count(), 3);
    // The budget has one again; whoever joins that fetch cannot have another.
    world.clock.pass(ms(1_000)).await;
    world.network.hold();
    let leader = ask(&jwks, "x").await;
    let follower = ask(&jwks, "b").await;
    world.network.serve(Reply::keys(&[jwk("b")]));
    world.network.release();
    settle().await;
    assert_eq!(answer(leader).await, "missing");
    assert_eq!(answer(follower).await, "missing");
    assert_eq!(world.network.count(), 4);
}

#[tokio::test]
async fn a_key_absent_from_a_set_asked_for_since_is_missing_without_a_second_try() {
    let world = World::serving(&[jwk("a")]);
    let jwks = world.build().await;
    assert_eq!(word(&jwks.refresh_for(Some("b"), ED).await), "missing");
    assert_eq!(world.network.count(), 2);
}

#[tokio::test]
async fn with_the_budget_spent_and_the_last_fetch_failed_it_is_unavailable_for_as_long_as_told() {
    let world = World::serving(&[jwk("a")]);
    let jwks = world.build().await;
    world.network.serve(Reply::status(429).retry_after("20"));
    assert_eq!(word(&jwks.refresh_for(Some("b"), ED).await), "unavailable");
    // The issuer has asked for quiet: there is budget, but nothing is sent.
    let lookup = jwks.refresh_for(Some("b"), ED).await;
    let Lookup::Unavailable { retry_after } = lookup else {
        panic!("{lookup:?}")
    };
    assert_eq!(retry_after, s(20));
    assert_eq!(world.network.count(), 2);
    world.network.serve(Reply::keys(&[jwk("b")]));
    world.clock.pass(s(20)).await;
    assert_eq!(word(&jwks.key(Some("b"), ED)), "found");
}

#[tokio::test]
async fn one_waiter_too_many_is_answered_at_once() {
    let world = World::serving(&[jwk("a")]);
    let policy = RefreshPolicy::default().with_max_waiters(3);
    let builder = world.builder(KeySource::url(KEYS)).with_policy(policy);
    let jwks = builder.build().await.unwrap();
    world.network.serve(Reply::keys(&[jwk("b")]));
    world.network.hold();
    let waiting = [
        ask(&jwks, "b").await,
        ask(&jwks, "b").await,
        ask(&jwks, "b").await,
    ];
    assert_eq!(word(&jwks.refresh_for(Some("b"), ED).await), "unavailable");
    // A waiter that leaves makes room.
    waiting[0].abort();
    settle().await;
    let fourth = ask(&jwks, "b").await;
    world.network.release();
    settle().await;
    assert_eq!(answer(fourth).await, "found");
}

#[tokio::test]
async fn an_older_response_never_overwrites_a_newer_set() {
    let world = World::serving(&[jwk("old")]);
    let jwks = world.build().await;
    world.network.hold();
    let waiting = ask(&jwks, "b").await;
    assert!(jwks.replace(set(&[jwk("new")])));
    world.network.release();
    settle().await;
    assert_eq!(answer(waiting).await, "missing");
    assert_eq!(word(&jwks.key(Some("new"), ED)), "found");
    assert_eq!(word(&jwks.key(Some("old"), ED)), "missing");
    // A fetch that starts later is newer.
    assert_eq!(word(&jwks.refresh_for(Some("old"), ED).await), "found");
    assert_eq!(word(&jwks.key(Some("new"), ED)), "missing");
}

#[tokio::test]
async fn identity_survives_a_refresh_and_ends_with_the_key() {
    let (a, b) = (jwk("a"), jwk("b"));
    let world = World::serving(&[a.clone(), b.clone()]);
    let jwks = world.build().await;
    let (key_a, key_b) = (
        found(jwks.key(Some("a"), ED)),
        found(jwks.key(Some("b"), ED)),
    );
    assert!(key_a.is_trusted() && key_b.is_trusted());

    world.network.serve(Reply::keys(&[a, jwk("b"), jwk("c")]));
    assert_eq!(word(&jwks.refresh_for(Some("c"), ED).await), "found");
    assert!(key_a.is_trusted());
    let again = found(jwks.key(Some("a"), ED));
    assert!(std::ptr::eq::<Key>(&raw const *key_a, &raw const *again));
    // Its name is still there, but it is another key.
    assert!(!key_b.is_trusted());

    world.network.serve(Reply::keys(&[b]));
    world.clock.pass(s(260)).await;
    assert!(!key_a.is_trusted());
    // It came back, but not as the same key: nobody can say what happened meanwhile.
    assert!(!key_b.is_trusted());
}

#[tokio::test]
async fn changed_completes_with_a_swap_to_other_keys_and_not_with_a_refresh() {
    let a = jwk("a");
    let world = World::serving(&[a]);
    let jwks = world.build().await;
    let clone = jwks.clone();
    #[expect(clippy::disallowed_methods, reason = "the watcher that waits")]
    let watcher = tokio::spawn(async move { clone.changed().await });
    world.until(2).await;
    assert!(!watcher.is_finished());
    world.network.serve(Reply::keys(&[jwk("a")]));
    world.until(3).await;
    assert!(watcher.is_finished());
}

#[tokio::test]
async fn tasks_end_with_their_owner() {
    let world = World::serving(&[jwk("a")]);
    let jwks = world.build().await;
    settle().await;
    assert_eq!(world.clock.sleepers(), 1, "the refresher's");
    drop(jwks.clone());
    settle().await;
    assert_eq!(world.clock.sleepers(), 1);

    world.network.hold();
    world.until(2).await;
    assert_eq!(world.clock.sleepers(), 1, "the deadline of the flight");
    drop(jwks);
    settle().await;
    assert_eq!(world.clock.sleepers(), 0);
    assert_eq!(Arc::strong_count(&world.network), 1);
}

#[test]
fn a_runtime_that_shuts_down_leaves_a_set_that_can_be_read_and_fetched_for_elsewhere() {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
    };
    let world = World::serving(&[jwk("a")]);
    let first = runtime();
    let jwks = first.block_on(world.build());
    world.network.hold();
    first.block_on(ask(&jwks, "b"));
    drop(first);
    assert_eq!(word(&jwks.key(Some("a"), ED)), "found");
    assert_eq!(jwks.status().last_error, Some(FetchFailure::Cancelled));

    world.network.release();
    world.network.serve(Reply::keys(&[jwk("b")]));
    let lookup = runtime().block_on(jwks.refresh_for(Some("b"), ED));
    assert_eq!(word(&lookup), "found");
}

#[test]
fn without_a_runtime_a_miss_is_unavailable_instead_of_a_panic() {
    let world = World::serving(&[jwk("a")]);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let jwks = runtime.block_on(world.build());
    let mut miss = Box::pin(jwks.refresh_for(Some("b"), ED));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(lookup) = miss.as_mut().poll(&mut context) else {
        panic!("waits for a task that was never started")
    };
    assert_eq!(word(&lookup), "unavailable");
}

#[test]
fn handles_and_futures_may_go_to_any_thread() {
    fn assert_send_sync<T: Send + Sync + 'static>(_: &T) {}
    fn assert_send<T: Send + 'static>(_: &T) {}
    let world = World::new();
    let building = world.builder(KeySource::url(KEYS)).build();
    assert_send(&building);
    drop(building);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let jwks = runtime.block_on(world.degraded());
    assert_send_sync(&jwks);
    assert_send(&jwks.refresh_for(Some("a"), ED));
    assert_eq!(jwks.clone().issuer(), ISSUER);
}
