//! Many at once, while the server hangs.

use futures_util::future::join_all;

use countersign::DenialKind;

use crate::server::Answer;
use crate::world::{PATH, SECOND, World, breathe};

#[tokio::test]
async fn a_server_that_hangs_is_asked_by_few_and_all_others_are_told_at_once() {
    let mut world = World::new().await;
    let before = world.origin.connections();
    world.origin.answer(PATH, Answer::Silence(Vec::new())).await;
    let tokens: Vec<_> = (0..500).map(|token| format!("unseen-{token}")).collect();
    let crowd = join_all(tokens.iter().map(|token| world.ask("/", token)));
    let others = async {
        for _ in 0..20 {
            world.serves("in the crowd").await;
            breathe().await;
        }
    };
    let (told, ()) = world.in_time(async { tokio::join!(crowd, others) }).await;
    for answered in told {
        let kind = Some(DenialKind::IntrospectionUnavailable);
        assert_eq!((answered.status, answered.kind), (503, kind));
    }
    assert_eq!(world.origin.connections() - before, 32);

    // It is left alone; when that is over, one question at a time finds out whether it is back.
    for _ in 0..3 {
        world.clock.advance(10 * SECOND).await;
        let before = world.origin.connections();
        let crowd = join_all(tokens.iter().map(|token| world.ask("/", token)));
        world.in_time(crowd).await;
        assert_eq!(world.origin.connections() - before, 1);
    }
    let good = world.good();
    world.origin.answer(PATH, good).await;
    world.clock.advance(76 * SECOND).await;
    assert_eq!(world.ask("/", "unseen").await.status, 200);
    world.serves("afterwards").await;
}

#[tokio::test]
async fn a_crowd_with_one_token_is_one_question() {
    let mut world = World::new().await;
    let before = world.origin.connections();
    let held = match world.good() {
        Answer::Bytes(bytes) => Answer::Held(bytes),
        other => other,
    };
    world.origin.answer(PATH, held).await;
    let crowd = join_all((0..500).map(|_| world.ask("/", "unseen")));
    let release = async {
        breathe().await;
        world.origin.release();
    };
    let (told, ()) = tokio::join!(crowd, release);
    assert!(told.iter().all(|answered| answered.status == 200));
    assert_eq!(world.origin.connections() - before, 1);
}
