//! What happens around an issuer's keys, seen from the outside.

use std::sync::Arc;
use std::time::Duration;

use countersign_bearer::{Authenticator, BuildError, DenialKind, TokenCache};
use countersign_jwks::Start;
use countersign_testing::{FakeClock, Fault, TestIssuer};
use countersign_token::Refusal;

use crate::support::{API, machine, refusal};

const MINUTE: Duration = Duration::from_secs(60);

struct World {
    clock: FakeClock,
    issuer: TestIssuer,
}

impl World {
    async fn new() -> Self {
        let clock = FakeClock::new();
        let issuer = TestIssuer::serve()
            .await
            .with_clock(Arc::new(clock.clone()));
        Self { clock, issuer }
    }

    async fn build(&self, start: Start, cache: TokenCache) -> Result<Authenticator, BuildError> {
        Authenticator::builder()
            .issuer(self.issuer.trusted_for(API).with_start(start))
            .with_clock(Arc::new(self.clock.clone()))
            .with_token_cache(cache)
            .build()
            .await
    }

    /// A token that is valid for a day.
    fn token(&self) -> String {
        machine(&self.issuer).with_lifetime(1440 * MINUTE).mint()
    }

    /// Moves time on in steps, and lets what is due then happen on the real loopback network.
    #[expect(clippy::disallowed_methods, reason = "the network runs on real time")]
    async fn pass(&self, duration: Duration, steps: u32) {
        for _ in 0..steps {
            self.clock.advance(duration / steps).await;
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
    }

    /// Waits, for a bounded number of steps, until this holds.
    async fn until(&self, holds: impl Fn() -> bool) {
        for _ in 0..600 {
            if holds() {
                return;
            }
            self.pass(Duration::from_secs(1), 1).await;
        }
        panic!("it did not come to hold");
    }
}

fn kind<T>(result: Result<T, countersign_bearer::Denied>) -> Option<DenialKind> {
    result.err().map(|denied| denied.kind())
}

#[tokio::test]
async fn the_first_new_token_after_a_replacement_passes_and_old_ones_are_refused_from_then_on() {
    for cache in [TokenCache::default(), TokenCache::disabled()] {
        let world = World::new().await;
        let authenticator = world.build(Start::Required, cache).await.unwrap();
        let old = world.token();
        assert!(authenticator.verify(&old).await.is_ok());

        world.issuer.rotate();
        assert!(authenticator.verify(&old).await.is_ok(), "nobody knows yet");
        assert!(authenticator.verify(&world.token()).await.is_ok());
        world.pass(6 * Duration::from_secs(1), 1).await;
        assert_eq!(
            refusal(authenticator.verify(&old).await),
            Refusal::UnknownKey
        );
    }
}

#[tokio::test]
async fn a_key_that_nobody_can_be_asked_about_is_not_an_unknown_one() {
    let world = World::new().await;
    let authenticator = world
        .build(Start::Required, TokenCache::default())
        .await
        .unwrap();
    world.issuer.rotate();
    world.issuer.set_fault(Some(Fault::Down));
    let token = world.token();
    let waiting = authenticator.verify(&token);
    assert_eq!(kind(waiting.await), Some(DenialKind::KeysUnavailable));
    assert!(authenticator.is_ready(), "the old keys are there");
}

#[tokio::test]
async fn an_outage_shorter_than_the_bound_is_not_noticed_and_a_longer_one_ends_all_trust() {
    let world = World::new().await;
    let authenticator = world
        .build(Start::Required, TokenCache::default())
        .await
        .unwrap();
    let token = world.token();
    assert!(authenticator.verify(&token).await.is_ok());

    world.issuer.set_fault(Some(Fault::Down));
    world.pass(64 * MINUTE, 128).await;
    assert!(authenticator.is_ready());
    assert!(authenticator.verify(&token).await.is_ok(), "from the cache");
    assert!(
        authenticator.verify(&world.token()).await.is_ok(),
        "a new one"
    );

    // Beyond the time to live of 5 min and the grace of 1 h.
    world.pass(2 * MINUTE, 4).await;
    assert!(!authenticator.is_ready());
    let waiting = authenticator.verify(&token);
    assert_eq!(kind(waiting.await), Some(DenialKind::KeysUnavailable));

    world.issuer.set_fault(None);
    world.until(|| authenticator.is_ready()).await;
    assert!(authenticator.verify(&token).await.is_ok());
}

#[tokio::test]
async fn a_degraded_issuer_that_is_down_at_start_is_unavailable_until_it_is_back() {
    let world = World::new().await;
    world.issuer.set_fault(Some(Fault::Status(500)));
    let authenticator = world
        .build(Start::Degraded, TokenCache::default())
        .await
        .unwrap();
    let usable = || authenticator.status()[0].1.usable;
    assert!(!usable());
    assert!(
        authenticator.is_ready(),
        "the service is, for the other issuers' callers"
    );
    let token = world.token();
    let denied = authenticator.verify(&token).await.unwrap_err();
    assert_eq!(denied.kind(), DenialKind::KeysUnavailable);
    let response = denied.respond::<axum::body::Body>();
    assert_eq!(response.status(), 503);
    let delay = response.headers()["retry-after"].to_str().unwrap();
    assert!((1..=60).contains(&delay.parse::<u32>().unwrap()), "{delay}");

    world.issuer.set_fault(None);
    world.until(usable).await;
    assert!(authenticator.verify(&token).await.is_ok());
}

#[tokio::test]
async fn a_required_issuer_that_is_down_at_start_is_an_error_that_names_it() {
    let world = World::new().await;
    world.issuer.set_fault(Some(Fault::Status(500)));
    let building = world.build(Start::Required, TokenCache::default());
    let passing = world.pass(Duration::from_secs(12), 24);
    let (built, ()) = futures_util::future::join(building, passing).await;
    let error = built.unwrap_err().to_string();
    assert!(error.contains(world.issuer.name()), "{error}");
    assert!(
        error.starts_with("no keys of the required issuer"),
        "{error}"
    );
}

#[tokio::test]
async fn a_flood_of_unknown_keys_costs_the_issuer_its_budget_and_known_keys_nothing() {
    let world = World::new().await;
    let authenticator = world
        .build(Start::Required, TokenCache::disabled())
        .await
        .unwrap();
    let good = world.token();
    let stranger = TestIssuer::new("https://stranger.test");
    for number in 0..500 {
        let unknown = machine(&world.issuer)
            .signed_by(&stranger)
            .with_key_id(&format!("made-up-{number}"))
            .mint();
        assert_eq!(
            refusal(authenticator.verify(&unknown).await),
            Refusal::UnknownKey
        );
        assert!(authenticator.verify(&good).await.is_ok());
    }
    assert_eq!(
        world.issuer.fetches().keys,
        3,
        "one at start and a burst of two"
    );
}
