//! The list as a request meets it.

#![expect(
    clippy::unwrap_used,
    reason = "a helper that panics fails the test that called it"
)]

use std::sync::Arc;
use std::time::Duration;

use countersign_bearer::{Revocations, Validity};
use countersign_jwks::Clock;
use countersign_revocation::{
    Origin, Revocation, RevocationList, RevocationListSettings, RevokeError,
};
use countersign_testing::{FakeClock, TestIssuer};
use countersign_token::Claims;
use proptest::prelude::*;

const ISSUER: &str = "https://as.acme.test";
const OTHER: &str = "https://as.globex.test";
const API: &str = "https://api.acme.test";
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

struct World {
    clock: FakeClock,
    list: RevocationList,
}

impl World {
    fn new() -> Self {
        Self::with_capacity(RevocationListSettings::default().capacity)
    }

    fn with_capacity(capacity: usize) -> Self {
        let clock = FakeClock::new();
        let mut settings = RevocationListSettings::default();
        settings.capacity = capacity;
        let list = RevocationList::with_clock(settings, Arc::new(clock.clone()));
        Self { clock, list }
    }

    fn now(&self) -> Duration {
        self.clock.unix_time()
    }

    fn ago(&self, age: Duration) -> Duration {
        self.now().checked_sub(age).unwrap()
    }

    #[expect(clippy::let_underscore_future, reason = "nobody sleeps here")]
    fn pass(&self, time: Duration) {
        let _ = self.clock.advance(time);
    }

    /// Claims as the layer has them: of a token that was verified.
    async fn claims(&self, issuer: &str, members: &[(&str, serde_json::Value)]) -> Claims {
        let issuer = TestIssuer::new(issuer).with_clock(Arc::new(self.clock.clone()));
        let authenticator = countersign_bearer::Authenticator::builder()
            .issuer(issuer.trusted_for(API))
            .with_clock(Arc::new(self.clock.clone()))
            .build()
            .await
            .unwrap();
        let mut mint = issuer.delegated_user("reports", "ann").with_audience(API);
        mint = mint.with_organization("org_acme");
        for (name, value) in members {
            mint = mint.with_claim(name, value.clone());
        }
        Claims::clone(&authenticator.verify(&mint.mint()).await.unwrap())
    }

    fn token(&self, id: &str, lifetime: Duration) -> Revocation {
        Revocation::token(ISSUER, id, self.now() + lifetime).unwrap()
    }
}

#[tokio::test]
async fn each_kind_revokes_what_it_names_and_nothing_else() {
    let world = World::new();
    let now = world.now();
    let claims = world.claims(ISSUER, &[("jti", "one".into())]).await;
    let after = now + SECOND;
    for (revocation, expected) in [
        (
            Revocation::token(ISSUER, "one", now + HOUR),
            Validity::Revoked,
        ),
        (
            Revocation::token(ISSUER, "two", now + HOUR),
            Validity::Valid,
        ),
        (Revocation::token(OTHER, "one", now + HOUR), Validity::Valid),
        (
            Revocation::client(ISSUER, "reports", after),
            Validity::Revoked,
        ),
        (Revocation::client(ISSUER, "ann", after), Validity::Valid),
        (Revocation::client(OTHER, "reports", after), Validity::Valid),
        (Revocation::user(ISSUER, "ann", after), Validity::Revoked),
        (Revocation::user(ISSUER, "reports", after), Validity::Valid),
        (Revocation::user(OTHER, "ann", after), Validity::Valid),
        (
            Revocation::organization(ISSUER, "org_acme", after),
            Validity::Revoked,
        ),
        (
            Revocation::organization(ISSUER, "ann", after),
            Validity::Valid,
        ),
        (
            Revocation::organization(OTHER, "org_acme", after),
            Validity::Valid,
        ),
        (Revocation::issuer(ISSUER, after), Validity::Revoked),
        (Revocation::issuer(OTHER, after), Validity::Valid),
    ] {
        let world = World::new();
        let revocation = revocation.unwrap();
        assert_eq!(world.list.check(&claims), Validity::Valid);
        world.list.revoke(revocation.clone()).unwrap();
        assert_eq!(world.list.check(&claims), expected, "{revocation:?}");
    }
}

#[tokio::test]
async fn a_token_issued_before_the_moment_or_at_no_told_time_is_revoked() {
    let world = World::new();
    let now = world.now().as_secs();
    for (iat, expected) in [
        (Some(now - 1), Validity::Revoked),
        (Some(now), Validity::Valid),
        (Some(now + 1), Validity::Valid),
        (None, Validity::Revoked),
    ] {
        let iat_value = iat.map_or(serde_json::Value::Null, Into::into);
        let claims = match iat {
            Some(_) => world.claims(ISSUER, &[("iat", iat_value)]).await,
            None => Claims::delegated_user(ISSUER, "reports", "ann"),
        };
        assert_eq!(claims.times().issued_at.is_some(), iat.is_some());
        for revocation in [
            Revocation::client(ISSUER, "reports", world.now()),
            Revocation::user(ISSUER, "ann", world.now()),
            Revocation::issuer(ISSUER, world.now()),
        ] {
            let fresh = World::new();
            fresh.list.revoke(revocation.unwrap()).unwrap();
            assert_eq!(fresh.list.check(&claims), expected, "iat {iat:?}");
        }
    }
}

#[tokio::test]
async fn a_later_moment_replaces_an_earlier_one_and_not_the_other_way_round() {
    let world = World::new();
    let claims = world.claims(ISSUER, &[]).await;
    let client = |moment| Revocation::client(ISSUER, "reports", moment).unwrap();
    let sequence = world.list.revoke(client(world.now())).unwrap();
    assert_eq!(world.list.check(&claims), Validity::Valid);
    assert_eq!(world.list.revoke(client(world.ago(HOUR))), Ok(sequence));
    assert_eq!(
        world.list.revoke(client(world.now() + SECOND)),
        Ok(sequence + 1)
    );
    assert_eq!(world.list.check(&claims), Validity::Revoked);
    assert_eq!(world.list.revoke(client(world.now())), Ok(sequence + 1));
    assert_eq!(world.list.check(&claims), Validity::Revoked);
    assert_eq!(world.list.status().not_befores, 1);
}

#[test]
fn an_entry_is_dropped_when_its_tokens_have_expired_and_no_sooner() {
    let world = World::new();
    let minute = 60 * SECOND;
    let revocations = [
        (world.token("one", HOUR), HOUR + 5 * minute),
        // No token lives longer than a day.
        (world.token("two", 1000 * HOUR), 24 * HOUR + 5 * minute),
        (
            Revocation::user(ISSUER, "ann", world.now()).unwrap(),
            24 * HOUR + 5 * minute,
        ),
        (
            Revocation::issuer(ISSUER, world.ago(HOUR)).unwrap(),
            23 * HOUR + 5 * minute,
        ),
    ];
    for (revocation, kept) in revocations {
        let world = World::new();
        world.list.revoke(revocation.clone()).unwrap();
        world.pass(kept.checked_sub(SECOND).unwrap());
        assert_eq!(world.list.entries().1, std::slice::from_ref(&revocation));
        world.pass(SECOND);
        assert_eq!(world.list.entries().1, [], "{revocation:?}");
        let status = world.list.status();
        assert_eq!((status.tokens, status.not_befores), (0, 0));
    }
}

#[test]
fn what_has_expired_by_now_is_not_kept_and_what_is_to_come_is_refused() {
    let world = World::new();
    let user = |moment| Revocation::user(ISSUER, "ann", moment).unwrap();
    assert_eq!(world.list.revoke(user(world.ago(25 * HOUR))), Ok(0));
    let expired = Revocation::token(ISSUER, "one", world.ago(HOUR)).unwrap();
    assert_eq!(world.list.revoke(expired), Ok(0));
    let ahead = world.now() + 301 * SECOND;
    assert_eq!(world.list.revoke(user(ahead)), Err(RevokeError::InFuture));
    assert_eq!(world.list.entries(), (0, Vec::new()));
}

#[test]
fn a_full_list_refuses_counts_and_forgets_nothing_until_something_expires() {
    let world = World::with_capacity(2);
    world.list.revoke(world.token("one", HOUR)).unwrap();
    world.list.revoke(world.token("two", 2 * HOUR)).unwrap();
    for refused in 1..=2 {
        let full = world.list.revoke(world.token("three", HOUR));
        assert_eq!(full, Err(RevokeError::Full));
        assert_eq!(world.list.status().refused, refused);
    }
    // What it knows already finds its place, prolonged or not.
    world.list.revoke(world.token("one", HOUR)).unwrap();
    world.list.revoke(world.token("two", 3 * HOUR)).unwrap();
    assert_eq!(world.list.status().tokens, 2);
    world.pass(HOUR + 300 * SECOND);
    world.list.revoke(world.token("three", HOUR)).unwrap();
    assert_eq!(world.list.status().tokens, 2);
}

#[test]
fn a_wall_clock_that_jumps_forgets_nothing() {
    let world = World::new();
    world.list.revoke(world.token("one", HOUR)).unwrap();
    world.clock.jump_unix(1_000_000);
    assert_eq!(world.list.status().tokens, 1);
    world.clock.jump_unix(-2_000_000);
    assert_eq!(world.list.status().tokens, 1);
}

#[test]
fn clones_are_one_list_and_changes_are_told_with_where_they_came_from() {
    let world = World::new();
    let clone = world.list.clone();
    let mut changes = clone.subscribe();
    let feed = world.list.new_origin();
    assert_ne!(feed, Origin::BY_HAND);
    world.list.revoke(world.token("one", HOUR)).unwrap();
    let both = [world.token("one", HOUR), world.token("two", HOUR)];
    assert_eq!(world.list.record(both, feed).added, 1);
    assert!(changes.has_changed().unwrap());
    assert_eq!(*changes.borrow_and_update(), 2);
    let told = clone.changes_after(0).unwrap();
    let told: Vec<_> = told.iter().map(|one| (one.sequence, one.origin)).collect();
    assert_eq!(told, [(1, Origin::BY_HAND), (2, feed)]);
}

#[test]
fn readers_on_other_threads_see_each_change_once_it_is_made() {
    let world = World::new();
    let claims = Claims::delegated_user(ISSUER, "reports", "ann");
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while world.list.check(&claims) == Validity::Valid {
                    std::thread::yield_now();
                }
            });
        }
        for number in 0..2000 {
            world
                .list
                .revoke(world.token(&number.to_string(), HOUR))
                .unwrap();
        }
        let user = Revocation::user(ISSUER, "ann", world.now()).unwrap();
        world.list.revoke(user).unwrap();
        assert_eq!(world.list.check(&claims), Validity::Revoked);
    });
}

/// A slow list that is right by inspection.
#[derive(Default)]
struct Model(Vec<(Revocation, Duration)>);

impl Model {
    fn apply(&mut self, revocation: &Revocation, now: Duration) {
        let is_token = revocation.kind() == countersign_revocation::RevocationKind::Token;
        let lifetime = if is_token { Duration::ZERO } else { 24 * HOUR };
        let until = revocation.moment() + lifetime + 300 * SECOND;
        self.forget(now);
        if until > now && !self.0.iter().any(|(known, _)| known.covers(revocation)) {
            self.0.retain(|(known, _)| !revocation.covers(known));
            self.0.push((revocation.clone(), until));
        }
    }

    fn forget(&mut self, now: Duration) {
        self.0.retain(|(_, until)| *until > now);
    }
}

fn texts() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "a",
        "b",
        "https://c",
        "a much longer name than the others",
    ])
    .prop_map(str::to_owned)
}

fn revocations() -> impl Strategy<Value = (u8, String, String, i32)> {
    (0..5_u8, texts(), texts(), -100_000..300_i32)
}

proptest! {
    #[test]
    fn the_list_holds_what_a_slow_one_would(
        steps in prop::collection::vec((revocations(), 0..20_000_u64), 1..60),
    ) {
        let world = World::with_capacity(100);
        let mut model = Model::default();
        for ((kind, issuer, id, offset), pass) in steps {
            let now = world.now().as_secs();
            let moment = Duration::from_secs(now.saturating_add_signed(offset.into()));
            let revocation = match kind {
                0 => Revocation::token(&issuer, &id, moment),
                1 => Revocation::client(&issuer, &id, moment),
                2 => Revocation::organization(&issuer, &id, moment),
                3 => Revocation::user(&issuer, &id, moment),
                _ => Revocation::issuer(&issuer, moment),
            };
            let revocation = revocation.unwrap();
            world.list.revoke(revocation.clone()).unwrap();
            model.apply(&revocation, world.now());
            world.pass(Duration::from_secs(pass));
            model.forget(world.now());

            let json = |all: Vec<Revocation>| {
                let mut all: Vec<_> = all.iter().map(Revocation::to_json).collect();
                all.sort();
                all
            };
            let kept = model.0.iter().map(|(one, _)| one.clone()).collect();
            prop_assert_eq!(json(world.list.entries().1), json(kept));
        }
    }

    #[test]
    fn any_json_is_read_or_refused_and_what_is_read_is_written_the_same(
        text in r#"\{("kind":"(token|client|issuer)",?|"issuer":"[a-z\\n]{0,3}",?|"id":"x",?|"until":-?[0-9]{1,13},?|"not_before":[0-9]{1,13}(\.5)?,?){0,5}\}"#,
    ) {
        if let Ok(revocation) = Revocation::from_json(text.as_bytes()) {
            let written = revocation.to_json();
            prop_assert_eq!(Revocation::from_json(written.as_bytes()), Ok(revocation));
        }
    }
}
