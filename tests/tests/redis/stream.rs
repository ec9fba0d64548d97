//! Lists in one process, each kept in step with the stream of one broker.

use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign::{
    Claims, Clock, FeedFailure, FeedSettings, RedisRevocations, RedisRevokeError, RedisStream,
    Revocation, RevocationList, RevocationListSettings, Revocations, SystemClock, Validity,
    WhenOld,
};
use countersign_testing::FakeClock;

use crate::broker::{Broker, eventually, until};

const ISSUER: &str = "https://as.acme.test";
const LONG: Duration = Duration::from_secs(20);
const KEY: &str = "countersign:revocations";

fn user(name: &str) -> Revocation {
    Revocation::user(ISSUER, name, SystemClock::new().unix_time()).unwrap()
}

fn check(revocations: &RedisRevocations, name: &str) -> Validity {
    revocations.check(&Claims::delegated_user(ISSUER, "reports", name))
}

fn settings() -> FeedSettings {
    let mut settings = FeedSettings::default();
    settings.min_backoff = Duration::from_millis(10);
    settings.max_backoff = Duration::from_millis(100);
    settings
}

fn start(broker: &Broker) -> RedisRevocations {
    start_with(RevocationList::new(), broker)
}

fn start_with(list: RevocationList, broker: &Broker) -> RedisRevocations {
    let stream = RedisStream::open(&broker.url()).unwrap();
    RedisRevocations::start(list, settings(), stream)
}

async fn refuses(revocations: &RedisRevocations, name: &str) {
    let holds = || check(revocations, name) == Validity::Revoked;
    until(&format!("{name} is refused"), holds).await;
}

async fn caught_up(revocations: &RedisRevocations) {
    revocations.feed().caught_up(LONG).await.unwrap();
}

async fn length(broker: &Broker) -> usize {
    broker.ask(&["XLEN", KEY]).await
}

#[tokio::test]
async fn lists_are_kept_in_step_both_ways_and_nothing_is_sent_back() {
    let broker = Broker::start().await;
    let (one, other) = (start(&broker), start(&broker));
    one.revoke(user("ann")).await.unwrap();
    refuses(&other, "ann").await;
    // Without waiting for the broker, and whoever does it.
    other.feed().list().revoke(user("bob")).unwrap();
    refuses(&one, "bob").await;
    one.revoke(user("ann")).await.unwrap();
    let late = start(&broker);
    caught_up(&late).await;
    for name in ["ann", "bob"] {
        assert_eq!(check(&late, name), Validity::Revoked, "{name}");
    }
    assert_eq!(check(&late, "cleo"), Validity::Valid);
    late.revoke(user("cleo")).await.unwrap();
    refuses(&one, "cleo").await;
    // "ann" may have been revoked for a second time in another second.
    let length = length(&broker).await;
    assert!((3..=4).contains(&length), "{length}");
}

#[tokio::test]
async fn a_list_that_was_full_of_entries_before_is_shared_whole() {
    let broker = Broker::start().await;
    let list = RevocationList::new();
    for number in 0..5000 {
        list.revoke(user(&format!("user {number}"))).unwrap();
    }
    let one = start_with(list, &broker);
    caught_up(&one).await;
    one.revoke(user("the last")).await.unwrap();
    assert_eq!(length(&broker).await, 5001);
    let other = start(&broker);
    caught_up(&other).await;
    assert_eq!(other.feed().list().status().not_befores, 5001);

    // More at once than is kept for those who pass changes on.
    for number in 0..5000 {
        let another = user(&format!("another {number}"));
        other.feed().list().revoke(another).unwrap();
    }
    let has_all = || one.feed().list().status().not_befores == 10_001;
    until("all have come", has_all).await;
}

#[tokio::test]
async fn what_the_broker_lost_it_gets_back_from_whoever_is_up() {
    let mut broker = Broker::start().await;
    let machines = [start(&broker), start(&broker), start(&broker)];
    for name in ["ann", "bob", "cleo"] {
        machines[0].revoke(user(name)).await.unwrap();
    }
    for machine in &machines {
        refuses(machine, "cleo").await;
    }
    broker.kill().await;
    broker.lose_everything();
    broker.restart().await;
    eventually("it has got everything back", async || {
        (length(&broker).await >= 3).then_some(())
    })
    .await;
    let late = start(&broker);
    caught_up(&late).await;
    for name in ["ann", "bob", "cleo"] {
        assert_eq!(check(&late, name), Validity::Revoked, "{name}");
    }
}

#[tokio::test]
async fn while_the_broker_is_away_the_age_tells_and_what_is_revoked_is_shared_later() {
    let mut broker = Broker::start().await;
    let clock = FakeClock::new();
    clock.set_unix_time(SystemClock::new().unix_time());
    let list =
        RevocationList::with_clock(RevocationListSettings::default(), Arc::new(clock.clone()));
    let mut settings = settings();
    settings.when_old = WhenOld::Refuse;
    let stream = RedisStream::open(&broker.url()).unwrap();
    let one = RedisRevocations::start(list, settings, stream);
    assert_eq!(check(&one, "bob"), Validity::Unknown);
    until("it catches up", || one.feed().status().current).await;
    assert_eq!(check(&one, "bob"), Validity::Valid);
    let other = start(&broker);
    caught_up(&other).await;

    broker.kill().await;
    until("it breaks", || !one.feed().status().current).await;
    assert_eq!(check(&one, "bob"), Validity::Valid);
    let (revoked, ()) = tokio::join!(one.revoke(user("ann")), async {
        clock.advance(Duration::from_secs(5)).await;
    });
    assert_eq!(revoked, Err(RedisRevokeError::NotShared));
    assert_eq!(check(&one, "ann"), Validity::Revoked);
    clock.advance(Duration::from_secs(56)).await;
    assert!(one.feed().status().old);
    assert_eq!(check(&one, "bob"), Validity::Unknown);

    broker.restart().await;
    eventually("it is back", async || {
        clock.advance(Duration::from_millis(100)).await;
        one.feed().status().current.then_some(())
    })
    .await;
    assert_eq!(check(&one, "bob"), Validity::Valid);
    refuses(&other, "ann").await;
}

#[tokio::test]
async fn a_broker_without_news_is_heard_of_all_the_same() {
    let broker = Broker::start().await;
    let one = start(&broker);
    caught_up(&one).await;
    let begun = Instant::now();
    let mut oldest = Duration::ZERO;
    while begun.elapsed() < Duration::from_secs(5) {
        oldest = oldest.max(one.feed().status().age.unwrap());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(oldest < Duration::from_secs(4), "{oldest:?}");
    assert_eq!(one.feed().status().failures, 0);
}

#[tokio::test]
async fn what_is_no_revocation_is_counted_and_a_key_of_another_kind_is_told() {
    let broker = Broker::start().await;
    let long = format!(r#"{{"kind":"user","issuer":"{}"}}"#, "x".repeat(9000));
    for value in [
        "{}",
        "\u{1f980}",
        r#"{"kind":"galaxy","issuer":"i","id":"m31","not_before":1}"#,
        &long,
    ] {
        let _: String = broker.ask(&["XADD", KEY, "*", "revocation", value]).await;
    }
    let _: String = broker.ask(&["XADD", KEY, "*", "else", "1"]).await;
    let one = start(&broker);
    caught_up(&one).await;
    one.revoke(user("ann")).await.unwrap();
    assert_eq!(one.feed().status().refused, 5);
    // Something was revoked, and nobody can tell what.
    assert_eq!(check(&one, "bob"), Validity::Valid);
    let stream = RedisStream::open(&broker.url()).unwrap();
    let mut refusing = settings();
    refusing.when_old = WhenOld::Refuse;
    let certain = RedisRevocations::start(RevocationList::new(), refusing, stream);
    caught_up(&certain).await;
    assert_eq!(check(&certain, "bob"), Validity::Unknown);
    assert_eq!(check(&certain, "ann"), Validity::Revoked);
    assert!(certain.feed().status().incomplete);

    let _: String = broker.ask(&["SET", "text", "1"]).await;
    let stream = RedisStream::open(&broker.url()).unwrap().with_key("text");
    let lost = RedisRevocations::start(RevocationList::new(), settings(), stream);
    let refused = || lost.feed().status().last_failure == Some(FeedFailure::Refused);
    until("it is told", refused).await;
    assert!(
        !format!(
            "{:?}",
            RedisStream::open("redis://:secret@127.0.0.1").unwrap()
        )
        .contains("secret")
    );
}

#[tokio::test]
async fn who_may_only_read_reads() {
    let broker = Broker::start().await;
    let rules = [
        "ACL", "SETUSER", "reader", "on", ">word", "~*", "+xrange", "+xread", "+client",
    ];
    let _: String = broker.ask(&rules).await;
    let url = broker.url().replace("://", "://reader:word@");
    let stream = RedisStream::open(&url).unwrap().with_read_only();
    let reader = RedisRevocations::start(RevocationList::new(), settings(), stream);
    let writer = start(&broker);
    reader.feed().list().revoke(user("ann")).unwrap();
    writer.revoke(user("bob")).await.unwrap();
    refuses(&reader, "bob").await;
    assert_eq!(reader.feed().status().failures, 0);
    assert_eq!(length(&broker).await, 1);
}

/// So many entries from this time, by the clock that made their ids.
async fn fill(broker: &Broker, entries: u32, at: Duration) {
    for number in 0..entries {
        let revocation = Revocation::user(ISSUER, &format!("user {number}"), at).unwrap();
        let id = format!("{}-{}", at.as_millis(), number + 1);
        let json = revocation.to_json();
        let _: String = broker.ask(&["XADD", KEY, &id, "revocation", &json]).await;
    }
}

#[tokio::test]
async fn the_broker_keeps_nothing_for_longer_than_it_matters() {
    let broker = Broker::start().await;
    let now = SystemClock::new().unix_time();
    let months_ago = now.saturating_sub(Duration::from_secs(60 * 86_400));
    fill(&broker, 1000, months_ago).await;
    let one = start(&broker);
    caught_up(&one).await;
    for name in ["ann", "bob"] {
        one.revoke(user(name)).await.unwrap();
    }
    let length = length(&broker).await;
    assert!(length < 500, "{length}");
}

#[tokio::test]
async fn a_machine_whose_clock_is_wrong_takes_nothing_from_the_others() {
    let broker = Broker::start().await;
    let now = SystemClock::new().unix_time();
    let a_minute_ago = now.saturating_sub(Duration::from_secs(60));
    fill(&broker, 1000, a_minute_ago).await;
    // To this machine, all of it has been there for months.
    let clock = Arc::new(FakeClock::new());
    clock.set_unix_time(now + Duration::from_secs(60 * 86_400));
    let list = RevocationList::with_clock(RevocationListSettings::default(), clock);
    let moment = list.clock().unix_time();
    let one = start_with(list, &broker);
    until("it catches up", || one.feed().status().current).await;
    for name in ["ann", "bob", "cleo"] {
        let revocation = Revocation::user(ISSUER, name, moment).unwrap();
        one.revoke(revocation).await.unwrap();
    }
    assert_eq!(length(&broker).await, 1003);
    let other = start(&broker);
    caught_up(&other).await;
    assert_eq!(check(&other, "user 0"), Validity::Revoked);
}
