//! Things that happen in an order that nobody wished for.

use countersign::{Algorithm, KeySet};
use futures_util::poll;

use crate::server::{Answer, json};
use crate::world::{KEYS, MINUTE, SECOND, World, good_keys, meanwhile, token};

/// The set in force is being fetched once more in the background: the issuer has been asked, and its answer, with the
/// key until now, is on its way.
async fn refreshing() -> World {
    let mut world = World::new().await;
    let old = Answer::Held(json(world.issuer.jwks_json()));
    world.origin.answer(KEYS, old).await;
    let asked = world.origin.requests();
    world.clock.advance(5 * MINUTE).await;
    meanwhile("a refresh", || world.origin.requests() == asked + 2).await;
    world
}

#[tokio::test]
async fn a_key_that_came_and_went_during_an_outage_opens_nothing_and_the_latest_does() {
    let mut world = World::new().await;
    world.origin.answer(KEYS, Answer::Refused).await;
    world.issuer.rotate();
    let passing = token(&world.issuer);
    assert_eq!(world.ask(&passing).await.status, 503);
    world.serves("after the first rotation").await;
    world.issuer.rotate();
    let latest = token(&world.issuer);
    assert_eq!(world.ask(&latest).await.status, 503);
    world.serves("after the second rotation").await;

    world.origin.answer(KEYS, good_keys(&world.issuer)).await;
    world.clock.advance(5 * SECOND).await;
    assert_eq!(world.ask(&latest).await.status, 200);
    assert_eq!(world.ask(&passing).await.status, 401);
    assert_eq!(world.ask(world.seen()).await.status, 401);
}

#[tokio::test]
async fn an_older_answer_that_comes_later_does_not_bring_a_withdrawn_key_back() {
    let mut world = refreshing().await;
    world.serves("while it is asked").await;
    let keys = world.authenticator.jwks(world.issuer.name()).unwrap();
    world.issuer.rotate();
    world.origin.answer(KEYS, good_keys(&world.issuer)).await;
    let set = KeySet::parse(&world.issuer.jwks_json(), Algorithm::ES256.into()).unwrap();
    assert!(keys.replace(set), "by hand, in an emergency");
    let new = token(&world.issuer);
    assert_eq!(world.ask(&new).await.status, 200);

    // Whoever has the withdrawn key waits for the answer, which has it, too.
    let mut waiting = Box::pin(world.ask(world.seen()));
    assert!(poll!(&mut waiting).is_pending());
    world.origin.release();
    assert_eq!(waiting.await.status, 401);
    assert_eq!(world.ask(&new).await.status, 200);
}

#[tokio::test]
async fn a_new_key_is_not_taken_for_unknown_on_the_word_of_an_answer_that_is_older_than_it() {
    let mut world = refreshing().await;
    let asked = world.origin.requests();
    world.issuer.rotate();
    world.origin.answer(KEYS, good_keys(&world.issuer)).await;
    let new = token(&world.issuer);
    let older = async {
        world.serves("while it is asked").await;
        world.origin.release();
    };
    let (answered, ()) = tokio::join!(world.ask(&new), older);
    assert_eq!(answered.status, 200);
    assert_eq!(world.origin.requests(), asked + 1, "asked once more");
}
