//! How an issuer in trouble is left alone.

use futures_util::future::join_all;

use crate::server::{Answer, response};
use crate::world::{KEYS, SECOND, World, good_keys, meanwhile, token};

#[tokio::test]
async fn whoever_asks_for_quiet_gets_it_and_callers_are_told_how_long() {
    let mut world = World::new().await;
    world.issuer.rotate();
    let new = token(&world.issuer);
    let busy = response("429 Too Many Requests\r\nRetry-After: 30", "");
    world.origin.answer(KEYS, Answer::Bytes(busy)).await;
    assert_eq!(world.ask(&new).await.retry_after, Some(30));
    world.origin.answer(KEYS, good_keys(&world.issuer)).await;
    let asked = world.origin.requests();
    for second in 1..30 {
        world.clock.advance(SECOND).await;
        let answered = world.ask(&new).await;
        assert_eq!(answered.status, 503);
        assert_eq!(answered.retry_after, Some(30 - second));
        world.serves("during the quiet").await;
    }
    assert_eq!(world.origin.requests(), asked);
    world.clock.advance(SECOND).await;
    assert_eq!(world.ask(&new).await.status, 200);
}

#[tokio::test]
async fn a_flood_of_unknown_keys_at_a_silent_issuer_waits_for_one_request_and_has_an_end() {
    const PLACES: usize = 1024;
    let mut world = World::new().await;
    world.origin.answer(KEYS, Answer::Silence(Vec::new())).await;
    let asked = world.origin.requests();
    let builder = world.issuer.service_principal("m2m-acme");
    let builder = builder.with_audience(crate::world::API);
    let flood: Vec<_> = (0..PLACES + 200)
        .map(|number| builder.clone().with_key_id(&number.to_string()).mint())
        .collect();

    let all = join_all(flood.iter().map(|token| world.ask(token)));
    let others = async {
        let is_asked = || world.origin.requests() == asked + 2;
        meanwhile("the keys are asked for", is_asked).await;
        world.serves("during the flood").await;
        world.clock.advance(SECOND).await;
        world.serves("at its end").await;
    };
    let (all, ()) = tokio::join!(all, others);
    assert!(all.iter().all(|one| one.status == 503));
    // The metadata and the keys, once.
    assert_eq!(world.origin.requests(), asked + 2);
    // The places are free again.
    assert_eq!(world.ask_in_time(&flood[0]).await.status, 503);
}
