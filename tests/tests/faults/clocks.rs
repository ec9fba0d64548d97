//! The wall clock jumps. Tokens are good by what it says at the moment; keys are trusted by the other clock, which does
//! not jump.

use countersign::{DenialKind, Refusal};

use crate::server::Answer;
use crate::world::{KEYS, MINUTE, World, token};

const DAY: i64 = 24 * 60 * 60;
const YEAR: i64 = 365 * DAY;

#[tokio::test]
async fn a_jump_of_the_clock_is_a_jump_of_every_tokens_time_and_nothing_else() {
    let world = World::new().await;
    let asked = world.origin.requests();
    // The tokens were made a second ago, for a day. The leeway is 30 s.
    for (jump, expected) in [
        (29, None),
        (-29, None),
        (-31, None),
        (-32, Some(Refusal::IssuedInFuture)),
        (-YEAR, Some(Refusal::IssuedInFuture)),
        (-40 * YEAR, Some(Refusal::IssuedInFuture)),
        (DAY - 2, None),
        (DAY + 28, None),
        (DAY + 30, Some(Refusal::Expired)),
        (YEAR, Some(Refusal::Expired)),
        (200 * YEAR, Some(Refusal::Expired)),
    ] {
        world.clock.jump_unix(jump);
        let answered = world.ask(world.seen()).await;
        let expected = expected.map(DenialKind::InvalidToken);
        assert_eq!(answered.kind, expected, "{jump}: {answered:?}");
        let new = world.ask(&token(&world.issuer)).await;
        assert_eq!(new.status, 200, "{jump}: made by the new time");
        world.clock.jump_unix(-jump);
        world.serves("after the clock was put right").await;
    }
    assert_eq!(world.origin.requests(), asked, "nothing was fetched");
}

#[tokio::test]
async fn no_jump_of_the_clock_makes_keys_stale_or_keeps_stale_ones_alive() {
    for jump in [-10 * YEAR, -DAY, DAY, 10 * YEAR] {
        let mut world = World::new().await;
        world.origin.answer(KEYS, Answer::Refused).await;
        world.clock.jump_unix(jump);
        assert!(world.authenticator.is_ready(), "{jump}");
        let new = token(&world.issuer);
        assert_eq!(world.ask(&new).await.status, 200, "{jump}");
        // The time to live of 5 min and the grace of an hour.
        world.clock.advance(64 * MINUTE).await;
        assert_eq!(world.ask(&new).await.status, 200, "{jump}");
        world.clock.advance(2 * MINUTE).await;
        assert_eq!(world.ask(&new).await.status, 503, "{jump}");
    }
}
