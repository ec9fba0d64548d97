//! What a server is spared.

use countersign_introspection::IntrospectionPolicy;
use countersign_jwks::{Clock, FetchFailure};

use crate::world::{Reply, World, nudge, s, unavailable, until, word};

#[tokio::test]
async fn made_up_tokens_spend_their_own_budget_and_known_callers_do_not_notice() {
    let policy = IntrospectionPolicy::default().with_rate(10, 20);
    let world = World::with_policy(policy);
    world.activate("known", "m2m", s(3600));
    assert_eq!(word(&world.ask("known").await), "m2m");

    let mut refused = 0;
    for token in 0..100 {
        let outcome = world.ask(&format!("made-up-{token}")).await;
        match unavailable(&outcome) {
            Some(retry_after) => assert!(retry_after <= s(1), "{retry_after:?}"),
            None => refused += 1,
        }
    }
    assert_eq!(
        (refused, world.wire.asked()),
        (19, 20),
        "the burst, the first question included"
    );
    // Remembered; and when that is over, asked about out of a budget of their own.
    assert_eq!(word(&world.ask("known").await), "m2m");
    for _ in 0..5 {
        assert_eq!(word(&world.ask_anew("known").await), "m2m");
    }
    world.clock.advance(s(1)).await;
    let outcome = world.ask("made-up-again").await;
    assert_eq!(word(&outcome), "inactive", "there is more after a while");
}

#[tokio::test]
async fn known_callers_have_a_budget_as_well() {
    let policy = IntrospectionPolicy::default().with_rate(10, 5);
    let world = World::with_policy(policy);
    world.activate("known", "m2m", s(3600));
    assert_eq!(word(&world.ask("known").await), "m2m");
    for _ in 0..5 {
        assert_eq!(word(&world.ask_anew("known").await), "m2m");
    }
    assert_eq!(
        word(&world.ask_anew("known").await),
        "unavailable for 0.1 s"
    );
    assert_eq!(
        word(&world.ask("known").await),
        "m2m",
        "it is remembered still"
    );
}

#[tokio::test]
async fn a_server_that_hangs_does_not_pile_up_requests() {
    let policy = IntrospectionPolicy::default().with_max_concurrent(4);
    let world = World::with_policy(policy);
    world.wire.answer_others(Reply::Hang);
    let mut hanging: Vec<_> = (0..4)
        .map(|token| {
            let token = format!("token-{token}");
            let world = &world;
            Box::pin(async move { world.ask(&token).await })
        })
        .collect();
    for one in &mut hanging {
        assert!(nudge(one).await.is_none());
    }
    // All others are told at once.
    for token in 0..50 {
        let outcome = world.ask(&format!("other-{token}")).await;
        assert_eq!(word(&outcome), "unavailable for 1 s");
    }
    assert_eq!(world.wire.asked(), 4);
    // The four are given up at the deadline, and together count as three failures, but no more.
    world.clock.advance(s(5)).await;
    for one in hanging {
        let retry_after = unavailable(&one.await).unwrap();
        assert!(retry_after <= s(2), "{retry_after:?}");
    }
    assert!(unavailable(&world.ask("at-once").await).is_some());
    assert_eq!(world.wire.asked(), 4);
    // Then one finds out whether the server is back, and the others do not wait.
    world.clock.advance(s(2)).await;
    let mut probe = Box::pin(world.ask("probe"));
    assert!(nudge(&mut probe).await.is_none());
    assert_eq!(word(&world.ask("beside").await), "unavailable for 1 s");
    assert_eq!(world.wire.asked(), 5);
    world.clock.advance(s(5)).await;
    assert!(unavailable(&probe.await).is_some());
}

#[tokio::test]
async fn a_server_that_fails_is_left_alone_for_longer_and_longer_up_to_a_minute() {
    let world = World::new();
    world
        .wire
        .answer_others(Reply::Failed(FetchFailure::Connect));
    let began = world.clock.monotonic();
    let mut asked_at = Vec::new();
    for token in 0..1500 {
        let before = world.wire.asked();
        let outcome = world.ask(&format!("token-{token}")).await;
        let retry_after = unavailable(&outcome).unwrap();
        assert!(retry_after <= s(60), "{retry_after:?}");
        if world.wire.asked() > before {
            asked_at.push(world.clock.monotonic().abs_diff(began).as_secs_f64());
        }
        world.clock.advance(s(1) / 4).await;
    }
    // Three at once, then with 1, 2, 4, 8, 16, 32 s and a minute between, give or take a quarter.
    let gaps: Vec<_> = asked_at.windows(2).map(|two| two[1] - two[0]).collect();
    let expected = [0.25, 0.25, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0];
    assert!(gaps.len() >= expected.len(), "{gaps:?}");
    for (gap, expected) in gaps.iter().zip(expected) {
        let range = expected * 0.75..=expected * 1.25 + 0.25;
        assert!(range.contains(gap), "{gap} for {expected}: {gaps:?}");
    }
}

#[tokio::test]
async fn it_is_asked_again_as_ever_once_it_is_back() {
    let world = World::new();
    world.wire.answer_others(Reply::Status(502, None));
    for token in 0..3 {
        assert!(unavailable(&world.ask(&format!("token-{token}")).await).is_some());
    }
    world.activate("token", "m2m", s(3600));
    assert!(unavailable(&world.ask("token").await).is_some());
    assert_eq!(world.wire.asked(), 3);
    world.clock.advance(s(2)).await;
    assert_eq!(word(&world.ask("token").await), "m2m");
    world
        .wire
        .answer_others(Reply::Json(r#"{"active":false}"#.into()));
    for token in 0..20 {
        assert_eq!(
            word(&world.ask(&format!("made-up-{token}")).await),
            "inactive"
        );
    }
}

#[tokio::test]
async fn a_single_failure_stops_nobody_else() {
    let world = World::new();
    world
        .wire
        .answer("unlucky", Reply::Failed(FetchFailure::Interrupted));
    world.activate("token", "m2m", s(3600));
    for _ in 0..2 {
        assert_eq!(word(&world.ask("unlucky").await), "unavailable for 1 s");
    }
    assert_eq!(word(&world.ask("token").await), "m2m");
    // A success in between starts the count anew.
    for _ in 0..2 {
        assert_eq!(word(&world.ask("unlucky").await), "unavailable for 1 s");
    }
    assert_eq!(word(&world.ask("other").await), "inactive");
}

#[tokio::test]
async fn quiet_that_the_server_asks_for_is_given_at_once() {
    for (status, asked, given) in [
        (429, Some(7), 7),
        (503, Some(7), 7),
        (429, Some(3600), 60),
        (429, Some(0), 1),
    ] {
        let world = World::new();
        world.wire.answer("first", Reply::Status(status, asked));
        let outcome = world.ask("first").await;
        assert_eq!(unavailable(&outcome), Some(s(given)), "{status} {asked:?}");
        assert_eq!(unavailable(&world.ask("second").await), Some(s(given)));
        assert_eq!(world.wire.asked(), 1);
        world.clock.advance(s(given)).await;
        assert_eq!(word(&world.ask("second").await), "inactive");
    }
    // A 500 has no say in it.
    let world = World::new();
    world.wire.answer("first", Reply::Status(500, Some(7)));
    assert_eq!(unavailable(&world.ask("first").await), Some(s(1)));
    assert_eq!(word(&world.ask("second").await), "inactive");
}

#[tokio::test]
async fn a_question_that_was_cancelled_gives_its_place_back() {
    let policy = IntrospectionPolicy::default().with_max_concurrent(1);
    let world = World::with_policy(policy);
    world
        .wire
        .answer("slow", Reply::Held(Box::new(Reply::Status(500, None))));
    let mut slow = Box::pin(world.ask("slow"));
    assert!(nudge(&mut slow).await.is_none());
    drop(slow);
    assert_eq!(word(&world.ask("token").await), "unavailable for 1 s");
    world.wire.release();
    world.activate("token", "m2m", s(3600));
    until("the place is free", || world.wire.asked() == 1).await;
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    assert_eq!(word(&world.ask("token").await), "m2m");
}

#[tokio::test]
async fn a_status_that_refuses_one_question_is_held_against_no_other() {
    for status in [204, 302, 400, 403, 404, 405, 413, 414, 415, 422, 431] {
        let policy = IntrospectionPolicy::default().with_rate(10, 20);
        let world = World::with_policy(policy);
        world.activate("known", "m2m", s(3600));
        assert_eq!(word(&world.ask("known").await), "m2m");
        world.wire.answer_others(Reply::Status(status, Some(3600)));
        for _ in 0..10 {
            let outcome = world.ask("made-up").await;
            assert_eq!(word(&outcome), "unavailable for 5 s", "{status}");
        }
        assert_eq!(world.wire.asked(), 2, "{status}: not asked over and over");
        for token in 0..100 {
            let outcome = world.ask(&format!("made-up-{token}")).await;
            let retry_after = unavailable(&outcome).unwrap();
            assert!(retry_after <= s(5), "{status}: {retry_after:?}");
        }
        assert_eq!(world.wire.asked(), 20, "{status}: within the budget");
        assert_eq!(word(&world.ask_anew("known").await), "m2m", "{status}");
        world.activate("new", "other", s(3600));
        world.clock.advance(s(1)).await;
        assert_eq!(word(&world.ask("new").await), "other", "{status}");
        // One that it knew and would not speak of stays among the known.
        world.wire.answer("known", Reply::Status(status, None));
        world.clock.advance(s(30)).await;
        assert_eq!(word(&world.ask("known").await), "unavailable for 5 s");
        world.activate("known", "m2m", s(3600));
        world.clock.advance(s(5)).await;
        for token in 0..30 {
            let _ = world.ask(&format!("made-up-again-{token}")).await;
        }
        assert_eq!(word(&world.ask("known").await), "m2m", "{status}");
    }
}

/// What a firewall in front of the server may answer to what it takes for an attack.
#[tokio::test]
async fn no_answer_that_a_made_up_token_may_bring_on_shuts_out_anybody() {
    let page = || b"<p>blocked".to_vec();
    for (name, reply) in [
        ("forbidden", Reply::Status(403, None)),
        ("forbidden for an hour", Reply::Status(403, Some(3600))),
        ("a redirect", Reply::Status(302, None)),
        ("a redirect refused", Reply::Failed(FetchFailure::Redirect)),
        ("a page", Reply::Content("text/html", page())),
        ("a page as JSON", Reply::Content("application/json", page())),
        (
            "a large page",
            Reply::Content("application/json", vec![b' '; 65 << 10]),
        ),
        ("a cut", Reply::Failed(FetchFailure::Interrupted)),
    ] {
        let world = World::new();
        world.activate("known", "m2m", s(3600));
        assert_eq!(word(&world.ask("known").await), "m2m", "{name}");
        world.wire.answer_others(reply);
        for round in 0..20 {
            for token in 0..10 {
                let outcome = world.ask(&format!("made-up-{round}-{token}")).await;
                let retry_after = unavailable(&outcome).unwrap();
                assert!(retry_after <= s(5), "{name}: {retry_after:?}");
            }
            assert_eq!(word(&world.ask_anew("known").await), "m2m", "{name}");
            let new = format!("new-{round}");
            world.activate(&new, "other", s(3600));
            world.clock.advance(s(1)).await;
            assert_eq!(word(&world.ask(&new).await), "other", "{name}");
        }
    }
}

#[tokio::test]
async fn made_up_tokens_that_a_firewall_answers_keep_no_known_caller_from_a_server_that_is_back() {
    for reply in [
        Reply::Status(403, None),
        Reply::Failed(FetchFailure::Interrupted),
    ] {
        let world = World::new();
        world.activate("known", "m2m", s(3600));
        assert_eq!(word(&world.ask("known").await), "m2m");
        world.wire.answer_others(Reply::Status(502, None));
        for token in 0..3 {
            assert!(unavailable(&world.ask(&format!("other-{token}")).await).is_some());
        }
        world.clock.advance(s(2)).await;
        // It is back, but for whoever makes up tokens, who asks again as soon as he was answered.
        world.wire.answer_others(Reply::Held(Box::new(reply)));
        for token in 0..5 {
            let token = format!("made-up-{token}");
            let mut probe = Box::pin(world.ask(&token));
            assert!(nudge(&mut probe).await.is_none());
            assert_eq!(word(&world.ask("beside").await), "unavailable for 1 s");
            world.wire.release();
            assert!(unavailable(&probe.await).is_some());
        }
        let mut probe = Box::pin(world.ask("made-up"));
        assert!(nudge(&mut probe).await.is_none());
        assert_eq!(word(&world.ask_anew("known").await), "m2m");
        // And so it is known to be back for all.
        world.activate("new", "other", s(3600));
        assert_eq!(word(&world.ask("new").await), "other");
        world.wire.release();
        assert!(unavailable(&probe.await).is_some());
    }
}

#[tokio::test]
async fn a_status_that_refuses_this_resource_or_tells_of_trouble_is_held_against_all() {
    for status in [401, 407, 408, 429, 500, 502, 503] {
        let world = World::new();
        world.wire.answer_others(Reply::Status(status, None));
        for token in 0..3 {
            let outcome = world.ask(&format!("token-{token}")).await;
            assert!(unavailable(&outcome).is_some(), "{status}");
        }
        world.activate("good", "m2m", s(3600));
        let outcome = world.ask("good").await;
        assert!(unavailable(&outcome).is_some(), "{status}");
        assert_eq!(world.wire.asked(), 3, "{status}");
    }
}
