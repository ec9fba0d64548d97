use std::sync::Arc;
use std::time::Duration;

use countersign_bearer::Validity;
use countersign_jwks::Clock;
use countersign_revocation::{
    FeedSettings, Revocation, RevocationFeed, RevocationList, RevocationListSettings, WhenOld,
};
use countersign_testing::FakeClock;

use crate::world::{
    Answer, ISSUER, Raw, breathe, check, events, everything, list_by, meanwhile, source, user,
};

const SECOND: Duration = Duration::from_secs(1);

fn refusing() -> FeedSettings {
    let mut settings = FeedSettings::default();
    settings.when_old = WhenOld::Refuse;
    settings
}

fn down() -> Answer {
    Answer::Ended(b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n".to_vec())
}

#[tokio::test]
async fn an_old_feed_lets_in_or_refuses_as_it_was_told() {
    for (settings, when_old) in [
        (FeedSettings::default(), Validity::Valid),
        (refusing(), Validity::Unknown),
    ] {
        let clock = FakeClock::new();
        let list = list_by(Arc::new(clock.clone()));
        let good = Answer::Held(events(&everything(&[&user(&list, "ann")], 1)));
        let server = Raw::new(good.clone()).await;
        // The server's silence is told by the age of the feed, not by giving it up.
        let patient = source(&server.url).with_idle_timeout(1000 * SECOND);
        let feed = RevocationFeed::start(list, settings, patient);
        if when_old == Validity::Unknown {
            assert_eq!(
                check(&feed, "bob"),
                Validity::Unknown,
                "before it has caught up"
            );
        }
        meanwhile("it catches up", || feed.status().current).await;
        assert_eq!(check(&feed, "bob"), Validity::Valid);
        server.answer(down());

        clock.advance(60 * SECOND).await;
        assert_eq!(check(&feed, "bob"), Validity::Valid);
        assert!(!feed.status().old);
        clock.advance(SECOND).await;
        assert_eq!(check(&feed, "bob"), when_old);
        assert_eq!(check(&feed, "ann"), Validity::Revoked);
        let status = feed.status();
        assert!(status.old, "{status:?}");
        assert_eq!(status.age, Some(61 * SECOND));

        clock.advance(1000 * SECOND).await;
        meanwhile("it is given up", || feed.status().last_failure.is_some()).await;
        server.answer(good);
        let is_current = async {
            while !feed.status().current {
                clock.advance(SECOND).await;
                breathe().await;
            }
        };
        is_current.await;
        assert_eq!(check(&feed, "bob"), Validity::Valid);
    }
}

#[tokio::test]
async fn heartbeats_keep_a_quiet_feed_young() {
    let clock = FakeClock::new();
    let origin = list_by(Arc::new(clock.clone()));
    let publisher = countersign_revocation::RevocationPublisher::new(origin.clone());
    let server = crate::world::Served::publishing(&publisher).await;
    let list = list_by(Arc::new(clock.clone()));
    let feed = RevocationFeed::start(list, refusing(), source(&server.url()));
    meanwhile("it catches up", || feed.status().current).await;
    for _ in 0..10 {
        clock.advance(15 * SECOND).await;
        let is_young = || feed.status().age.is_some_and(|age| age < 15 * SECOND);
        meanwhile("a heartbeat has come", is_young).await;
    }
    assert_eq!(feed.status().failures, 0);
    assert_eq!(check(&feed, "bob"), Validity::Valid);
}

#[tokio::test]
async fn what_found_no_place_makes_a_list_that_must_be_sure_unsure_until_it_is_over() {
    let clock = FakeClock::new();
    let mut settings = RevocationListSettings::default();
    settings.capacity = 1;
    let list = RevocationList::with_clock(settings, Arc::new(clock.clone()));
    let hour = 3600 * SECOND;
    let token =
        |id, hours: u32| Revocation::token(ISSUER, id, clock.unix_time() + hours * hour).unwrap();
    let text = everything(&[&token("one", 2), &token("two", 1)], 1);
    let server = Raw::new(Answer::Held(events(&text))).await;
    let mut settings = refusing();
    settings.max_age = 100 * hour;
    let patient = source(&server.url).with_idle_timeout(100 * hour);
    let feed = RevocationFeed::start(list, settings, patient);
    meanwhile("it catches up", || feed.status().current).await;
    assert_eq!((feed.status().added, feed.status().full), (1, 1));
    assert_eq!(check(&feed, "bob"), Validity::Unknown);
    clock.advance(hour + 299 * SECOND).await;
    assert_eq!(check(&feed, "bob"), Validity::Unknown);
    clock.advance(2 * SECOND).await;
    assert_eq!(check(&feed, "bob"), Validity::Valid);
}

#[tokio::test]
async fn a_feed_that_has_never_caught_up_is_old_once_its_bound_has_passed() {
    let clock = FakeClock::new();
    let server = Raw::new(down()).await;
    let list = list_by(Arc::new(clock.clone()));
    let feed = RevocationFeed::start(list, FeedSettings::default(), source(&server.url));
    assert!(!feed.status().old);
    clock.advance(61 * SECOND).await;
    let status = feed.status();
    assert!(status.old && !status.current, "{status:?}");
    assert_eq!(status.age, None);
}

#[tokio::test]
async fn what_was_revoked_and_cannot_be_told_makes_a_list_that_must_be_sure_unsure() {
    let ahead = |clock: &FakeClock, seconds: u64| {
        let moment = clock.unix_time() + Duration::from_secs(seconds);
        crate::world::change(2, &Revocation::user(ISSUER, "ann", moment).unwrap())
    };
    let event =
        |name: &str, json: &str| format!("id: 00000000000000aa-2\nevent: {name}\ndata: {json}\n\n");
    let galaxy = r#"{"kind":"galaxy","issuer":"i","id":"m31","not_before":1}"#;
    let day = 86_400 * SECOND;
    for (what, text, lasts) in [
        (
            "an unknown kind of event",
            event("revocation-of-all", "{}"),
            day + 600 * SECOND,
        ),
        (
            "an unknown kind of revocation",
            event("revocation", galaxy),
            day + 600 * SECOND,
        ),
        (
            "no revocation",
            event("revocation", "{}"),
            day + 600 * SECOND,
        ),
        // By a clock that is right, it is about tokens of then.
        (
            "a moment in the future",
            ahead(&FakeClock::new(), 3600),
            day + 3900 * SECOND,
        ),
    ] {
        for (when_old, validity) in [
            (WhenOld::Accept, Validity::Valid),
            (WhenOld::Refuse, Validity::Unknown),
        ] {
            let clock = FakeClock::new();
            let text = everything(&[], 1) + &text;
            let server = Raw::new(Answer::Held(events(&text))).await;
            let mut settings = FeedSettings::default();
            settings.when_old = when_old;
            settings.max_age = 100 * day;
            let patient = source(&server.url).with_idle_timeout(100 * day);
            let list = list_by(Arc::new(clock.clone()));
            let feed = RevocationFeed::start(list, settings, patient);
            let is_read = || feed.status().current && feed.status().refused == 1;
            meanwhile(what, is_read).await;
            assert!(feed.status().incomplete, "{what}");
            assert_eq!(check(&feed, "bob"), validity, "{what}");
            clock.advance(lasts.saturating_sub(SECOND)).await;
            assert_eq!(check(&feed, "bob"), validity, "{what}, shortly before");
            clock.advance(2 * SECOND).await;
            assert_eq!(check(&feed, "bob"), Validity::Valid, "{what}, over");
            assert!(!feed.status().incomplete, "{what}, over");
        }
    }
}
