//! Questions under way: one for each token, whoever waits for it.

use std::task::Poll;

use countersign_introspection::IntrospectionPolicy;

use crate::world::{Reply, World, nudge, s, until, word};

fn held(world: &World, client: &str) -> Reply {
    Reply::Held(Box::new(world.active(client, s(3600))))
}

#[tokio::test]
async fn requests_with_the_same_token_at_the_same_time_share_one_question() {
    let world = World::new();
    world.wire.answer("token", held(&world, "m2m"));
    let mut asking: Vec<_> = (0..100).map(|_| Box::pin(world.ask("token"))).collect();
    for one in &mut asking {
        assert!(futures_poll(one).is_pending());
    }
    until("it is asked", || world.wire.asked() == 1).await;
    world.wire.release();
    for one in asking {
        assert_eq!(word(&one.await), "m2m");
    }
    assert_eq!(world.wire.asked(), 1);
}

#[tokio::test]
async fn different_tokens_do_not_wait_for_each_other() {
    let world = World::new();
    world.wire.answer("slow", Reply::Hang);
    world.activate("token", "m2m", s(3600));
    let mut slow = Box::pin(world.ask("slow"));
    assert!(nudge(&mut slow).await.is_none());
    assert_eq!(word(&world.ask("token").await), "m2m");
}

#[tokio::test]
async fn whoever_asked_first_and_leaves_hurts_nobody() {
    let world = World::new();
    world.wire.answer("token", held(&world, "m2m"));
    let mut first = Box::pin(world.ask("token"));
    assert!(nudge(&mut first).await.is_none());
    let mut second = Box::pin(world.ask("token"));
    assert!(nudge(&mut second).await.is_none());
    drop(first);
    world.wire.release();
    assert_eq!(word(&second.await), "m2m");
    assert_eq!(world.wire.asked(), 1);
}

#[tokio::test]
async fn an_answer_that_nobody_waits_for_any_more_is_remembered() {
    let world = World::new();
    world.wire.answer("token", held(&world, "m2m"));
    let mut only = Box::pin(world.ask("token"));
    assert!(nudge(&mut only).await.is_none());
    drop(only);
    world.wire.release();
    until("it is remembered", || {
        format!("{:?}", world.introspection).contains("active: 1")
    })
    .await;
    assert_eq!(word(&world.ask("token").await), "m2m");
    assert_eq!(world.wire.asked(), 1);
}

#[tokio::test]
async fn a_client_that_panics_is_a_failure_for_all_who_wait_and_over_then() {
    let world = World::new();
    world
        .wire
        .answer("token", Reply::Held(Box::new(Reply::Panic)));
    let mut first = Box::pin(world.ask("token"));
    let mut second = Box::pin(world.ask("token"));
    assert!(nudge(&mut first).await.is_none() && nudge(&mut second).await.is_none());
    world.wire.release();
    assert_eq!(word(&first.await), "unavailable for 1 s");
    assert_eq!(word(&second.await), "unavailable for 1 s");
    world.activate("token", "m2m", s(3600));
    assert_eq!(word(&world.ask("token").await), "m2m");
}

#[test]
fn a_runtime_that_ends_ends_its_questions_and_no_others() {
    let world = World::new();
    world.wire.answer("token", Reply::Hang);
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.build().unwrap()
    };
    runtime().block_on(async {
        let mut asking = Box::pin(world.ask("token"));
        assert!(nudge(&mut asking).await.is_none());
    });
    world.activate("token", "m2m", s(3600));
    let outcome = runtime().block_on(world.ask("token"));
    assert_eq!(word(&outcome), "m2m");
}

#[tokio::test]
async fn who_asks_anew_does_not_take_an_answer_to_an_older_question() {
    let world = World::new();
    world.wire.answer("token", held(&world, "before"));
    let mut older = Box::pin(world.ask("token"));
    assert!(nudge(&mut older).await.is_none());
    // What was asked cannot know of what happens now.
    world.wire.answer("token", held(&world, "after"));
    let mut anew: Vec<_> = (0..10).map(|_| Box::pin(world.ask_anew("token"))).collect();
    for one in &mut anew {
        assert!(nudge(one).await.is_none());
    }
    assert_eq!(world.wire.asked(), 1);
    world.wire.release();
    assert_eq!(word(&older.await), "before");
    for one in &mut anew {
        assert!(nudge(one).await.is_none());
    }
    world.wire.release();
    for one in anew {
        assert_eq!(word(&one.await), "after");
    }
    assert_eq!(world.wire.asked(), 2, "one for all of them");
}

#[tokio::test]
async fn places_to_wait_are_counted_and_given_back() {
    let world = World::with_policy(IntrospectionPolicy::default().with_max_waiters(2));
    world.wire.answer("token", held(&world, "m2m"));
    let mut first = Box::pin(world.ask("token"));
    let mut second = Box::pin(world.ask("token"));
    assert!(nudge(&mut first).await.is_none() && nudge(&mut second).await.is_none());
    assert_eq!(word(&world.ask("token").await), "unavailable for 1 s");
    drop(second);
    let mut third = Box::pin(world.ask("token"));
    assert!(nudge(&mut third).await.is_none());
    world.wire.release();
    assert_eq!(word(&first.await), "m2m");
    assert_eq!(word(&third.await), "m2m");
}

#[tokio::test]
async fn those_who_wait_about_made_up_tokens_take_no_place_of_known_callers() {
    let world = World::with_policy(IntrospectionPolicy::default().with_max_waiters(2));
    world.activate("known", "m2m", s(3600));
    assert_eq!(word(&world.ask("known").await), "m2m");
    world.wire.answer_others(Reply::Hang);
    let mut waiting = ["a", "b"].map(|token| Box::pin(world.ask(token)));
    for one in &mut waiting {
        assert!(nudge(one).await.is_none());
    }
    assert_eq!(word(&world.ask("c").await), "unavailable for 1 s");
    assert_eq!(word(&world.ask_anew("known").await), "m2m");
}

/// Polls once.
fn futures_poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    std::pin::Pin::new(future).poll(&mut context)
}
