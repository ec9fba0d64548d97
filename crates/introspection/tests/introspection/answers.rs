//! What is remembered, for how long, and how much of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use countersign_introspection::IntrospectionPolicy;
use countersign_token::{Issuer, Refusal};

use crate::world::{API, ISSUER, Reply, World, answer, refused, s, word};

#[tokio::test]
async fn an_active_token_is_asked_about_again_after_30_s_or_when_it_expires() {
    // How long the token is good for, and until when one answer does.
    for (lifetime, asked_again) in [(3600, 30), (31, 30), (30, 30), (12, 12), (1, 1)] {
        let world = World::new();
        world.activate("token", "m2m", s(lifetime));
        for second in 0..asked_again {
            assert_eq!(
                word(&world.ask("token").await),
                "m2m",
                "{lifetime}: {second}"
            );
            assert_eq!(world.wire.asked(), 1, "{lifetime}: at {second} s");
            world.clock.advance(s(1)).await;
        }
        world.ask("token").await.ok();
        assert_eq!(world.wire.asked(), 2, "{lifetime}: at {asked_again} s");
    }
}

#[tokio::test]
async fn a_token_that_has_expired_but_for_the_leeway_is_not_remembered() {
    let world = World::new();
    world.activate("token", "m2m", s(10));
    world.clock.advance(s(15)).await;
    for asked in 1..4 {
        assert_eq!(word(&world.ask("token").await), "m2m");
        assert_eq!(world.wire.asked(), asked);
    }
}

#[tokio::test]
async fn a_wall_clock_that_jumps_makes_no_remembered_token_outlive_its_expiry() {
    let world = World::new();
    world.activate("token", "m2m", s(600));
    assert_eq!(word(&world.ask("token").await), "m2m");
    world.clock.jump_unix(700);
    assert_eq!(refused(&world.ask("token").await), Some(Refusal::Expired));
    assert_eq!(world.wire.asked(), 1);
}

#[tokio::test]
async fn the_time_that_the_answer_took_counts() {
    let world = World::new();
    let reply = Reply::Held(Box::new(world.active("m2m", s(3600))));
    world.wire.answer("token", reply);
    let (outcome, ()) = tokio::join!(world.ask("token"), async {
        world.clock.advance(s(4)).await;
        world.wire.release();
    });
    assert_eq!(word(&outcome), "m2m");
    world.clock.advance(s(25)).await;
    assert_eq!(word(&world.ask("token").await), "m2m");
    assert_eq!(world.wire.asked(), 1, "29 s after it was asked");
    world.clock.advance(s(1)).await;
    world.wire.release();
    world.ask("token").await.unwrap();
    assert_eq!(world.wire.asked(), 2, "30 s after it was asked");
}

#[tokio::test]
async fn a_refusal_is_remembered_for_5_s_whatever_its_reason() {
    let expired = answer("m2m", s(1), s(1_700_000_000)).to_string();
    for (json, refusal) in [
        (r#"{"active":false}"#.to_owned(), Refusal::Inactive),
        (expired, Refusal::Expired),
    ] {
        let world = World::new();
        world.wire.answer("token", Reply::Json(json));
        for second in 0..5 {
            assert_eq!(refused(&world.ask("token").await), Some(refusal));
            assert_eq!(world.wire.asked(), 1, "at {second} s");
            world.clock.advance(s(1)).await;
        }
        assert_eq!(refused(&world.ask("token").await), Some(refusal));
        assert_eq!(world.wire.asked(), 2);
    }
}

#[tokio::test]
async fn a_revocation_is_noticed_after_the_time_that_active_tokens_are_remembered() {
    let world = World::with_policy(IntrospectionPolicy::default().with_active_for(s(10)));
    world.activate("token", "m2m", s(3600));
    assert_eq!(word(&world.ask("token").await), "m2m");
    world
        .wire
        .answer("token", Reply::Json(r#"{"active":false}"#.into()));
    world.clock.advance(s(9)).await;
    assert_eq!(word(&world.ask("token").await), "m2m");
    world.clock.advance(s(1)).await;
    assert_eq!(word(&world.ask("token").await), "inactive");
    // And one that becomes active, as where a server is slow to tell its replicas, after that of refused ones.
    world.activate("token", "m2m", s(3600));
    world.clock.advance(s(5)).await;
    assert_eq!(word(&world.ask("token").await), "m2m");
}

#[tokio::test]
async fn who_asks_anew_asks_and_the_answer_counts_for_everybody() {
    let world = World::new();
    world.activate("token", "m2m", s(3600));
    assert_eq!(word(&world.ask("token").await), "m2m");
    assert_eq!(word(&world.ask_anew("token").await), "m2m");
    assert_eq!(world.wire.asked(), 2);
    world
        .wire
        .answer("token", Reply::Json(r#"{"active":false}"#.into()));
    assert_eq!(word(&world.ask("token").await), "m2m", "as remembered");
    assert_eq!(word(&world.ask_anew("token").await), "inactive");
    assert_eq!(word(&world.ask("token").await), "inactive", "as found out");
    assert_eq!(world.wire.asked(), 3);
}

#[tokio::test]
async fn a_failure_is_not_remembered_and_forgets_nothing() {
    let world = World::new();
    world.activate("token", "m2m", s(3600));
    assert_eq!(word(&world.ask("token").await), "m2m");
    world.wire.answer("token", Reply::Status(500, None));
    assert_eq!(word(&world.ask_anew("token").await), "unavailable for 1 s");
    assert_eq!(word(&world.ask("token").await), "m2m", "remembered still");
    world.clock.advance(s(30)).await;
    assert_eq!(word(&world.ask("token").await), "unavailable for 1 s");
    world.activate("token", "m2m", s(3600));
    assert_eq!(word(&world.ask("token").await), "m2m");
}

#[tokio::test]
async fn tokens_are_told_apart_however_alike() {
    let world = World::new();
    world.activate("token", "m2m", s(3600));
    world.ask("token").await.unwrap();
    for other in ["Token", "token=", "tokens", "toke", "n"] {
        assert_eq!(word(&world.ask(other).await), "inactive", "{other}");
    }
}

#[tokio::test]
async fn without_a_cache_every_request_asks() {
    let world = World::with_policy(IntrospectionPolicy::default().without_cache());
    world.activate("token", "m2m", s(3600));
    for asked in 1..4 {
        assert_eq!(word(&world.ask("token").await), "m2m");
        assert_eq!(word(&world.ask("other").await), "inactive");
        assert_eq!(world.wire.asked(), 2 * asked);
    }
}

/// Asks about so many active tokens, without spending the budget.
async fn ask_about(world: &World, tokens: std::ops::Range<usize>) {
    world.wire.answer_others(world.active("m2m", s(100_000)));
    for token in tokens {
        world.ask(&format!("token-{token}")).await.unwrap();
        if token % 100 == 99 {
            world.clock.advance(s(1)).await;
        }
    }
}

/// How many there are, out of `Debug`.
fn kept(world: &World, of: &str) -> usize {
    let shown = format!("{:?}", world.introspection);
    let (_, behind) = shown.split_once(&format!("{of}: ")).unwrap();
    let digits: String = behind.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}

#[tokio::test]
async fn no_more_is_remembered_than_allowed_by_number_or_by_bytes() {
    let policy = || IntrospectionPolicy::default().with_active_for(s(3600));
    for (entries, bytes, most) in [
        (50, 16 << 20, 50),
        (1, 16 << 20, 1),
        // A token takes some 500 bytes.
        (10_000, 32 << 10, 100),
        (10_000, 100, 0),
    ] {
        let world = World::with_policy(policy().with_cache_size(entries, bytes));
        ask_about(&world, 0..300).await;
        let active = kept(&world, "active");
        assert!(active <= most, "{active} of {entries} in {bytes} bytes");
        assert!(
            most < 50 || active >= most / 4,
            "{active} of {entries} in {bytes} bytes"
        );
        world
            .wire
            .answer_others(Reply::Json(r#"{"active":false}"#.into()));
        for token in 0..300 {
            world.ask(&format!("made up {token}")).await.unwrap_err();
            if token % 100 == 99 {
                world.clock.advance(s(1)).await;
            }
        }
        assert!(kept(&world, "refused") <= entries);
    }
}

#[tokio::test]
async fn made_up_tokens_push_no_good_one_out() {
    let policy = IntrospectionPolicy::default()
        .with_active_for(s(3600))
        .with_cache_size(100, 16 << 20);
    let world = World::with_policy(policy);
    ask_about(&world, 0..50).await;
    let before = kept(&world, "active");
    world
        .wire
        .answer_others(Reply::Json(r#"{"active":false}"#.into()));
    for token in 0..2000 {
        world.ask(&format!("made up {token}")).await.unwrap_err();
        if token % 100 == 99 {
            world.clock.advance(s(1)).await;
        }
    }
    assert_eq!(kept(&world, "active"), before);
}

#[tokio::test]
async fn an_issuers_own_check_is_asked_each_time() {
    let open = Arc::new(AtomicBool::new(true));
    let asked = open.clone();
    let issuer = Issuer::new(ISSUER, API).with_check(move |_| asked.load(Ordering::SeqCst));
    let world = World::of(issuer, |builder| builder);
    world.activate("token", "m2m", s(3600));
    assert_eq!(word(&world.ask("token").await), "m2m");
    open.store(false, Ordering::SeqCst);
    assert_eq!(refused(&world.ask("token").await), Some(Refusal::Check));
    assert_eq!(world.wire.asked(), 1);
}
