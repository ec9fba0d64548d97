//! What each fault that brings no key set has in common.

use countersign::{DenialKind, FetchFailure, Refusal};

use crate::server::{Answer, Origin};
use crate::world::{
    KEYS, METADATA, MINUTE, SECOND, World, breathe, good_keys, good_metadata, meanwhile,
};

/// One way to misbehave.
pub(crate) struct Fault {
    pub(crate) name: &'static str,
    pub(crate) answer: fn(&Place<'_>) -> Answer,
    /// What the status says of it.
    pub(crate) error: FetchFailure,
}

/// A table of faults: `"name": answer => error,`.
macro_rules! faults {
    ($($name:literal: $answer:expr => $error:expr,)*) => {
        &[$(crate::outage::Fault { name: $name, answer: $answer, error: $error }),*]
    };
}
pub(crate) use faults;

/// Where it happens.
pub(crate) struct Place<'a> {
    pub(crate) origin: &'a Origin,
    /// Another server, with keys of its own, that nobody should be led to.
    pub(crate) elsewhere: &'a Origin,
}

/// Each fault at this path of the issuer, from its beginning to its end.
pub(crate) async fn hold(faults: &[Fault], path: &str) {
    for fault in faults {
        Outage::begin(fault, path).await.run().await;
    }
}

struct Outage<'a> {
    fault: &'a Fault,
    world: World,
    elsewhere: Origin,
    /// Signed with a key that the issuer has had only since it misbehaves.
    new: String,
}

impl<'a> Outage<'a> {
    async fn begin(fault: &'a Fault, path: &str) -> Self {
        let mut world = World::new().await;
        let mut elsewhere = Origin::start(world.clock.clone()).await;
        world.issuer.rotate();
        for path in [METADATA, KEYS, "/"] {
            elsewhere.answer(path, good_keys(&world.issuer)).await;
        }
        let answer = (fault.answer)(&Place {
            origin: &world.origin,
            elsewhere: &elsewhere,
        });
        world.origin.answer(path, answer).await;
        Self {
            new: crate::world::token(&world.issuer),
            fault,
            world,
            elsewhere,
        }
    }

    async fn run(mut self) {
        let name = self.fault.name;
        self.is_told_within_a_second().await;
        self.world.serves(name).await;
        assert_eq!(self.last_error().await, Some(self.fault.error), "{name}");

        // Refreshes in the background fail as well, one after the other.
        for _ in 0..4 {
            self.world.clock.advance(16 * MINUTE).await;
            breathe().await;
            self.world.serves(name).await;
        }
        assert!(self.world.authenticator.is_ready(), "{name}");
        self.is_over_after_the_stale_bound().await;
        assert_eq!(self.elsewhere.connections(), 0, "{name}: led elsewhere");
        self.recovers().await;
    }

    /// Only a fault that lasts is waited for, so that no other depends on how fast this machine is.
    fn takes_time(&self) -> bool {
        self.fault.error == FetchFailure::Timeout
    }

    async fn ask(&self, token: &str) -> crate::world::Answered {
        if self.takes_time() {
            self.world.ask_in_time(token).await
        } else {
            self.world.ask(token).await
        }
    }

    /// A caller with the new key is neither accepted nor refused, and need not wait for long. Meanwhile the others
    /// are served.
    async fn is_told_within_a_second(&self) {
        use countersign::Clock;
        let began = self.world.clock.monotonic();
        let told = async {
            let answered = self.ask(&self.new).await;
            let name = self.fault.name;
            assert_eq!(answered.status, 503, "{name}: {answered:?}");
            assert_eq!(answered.kind, Some(DenialKind::KeysUnavailable), "{name}");
            assert!(answered.retry_after >= Some(1), "{name}: {answered:?}");
            let waited = self.world.clock.monotonic().abs_diff(began);
            assert!(waited <= SECOND + SECOND / 5, "{name}: {waited:?}");
        };
        let others = async {
            for _ in 0..5 {
                self.world.serves(self.fault.name).await;
                breathe().await;
            }
        };
        tokio::join!(told, others);
    }

    async fn last_error(&self) -> Option<FetchFailure> {
        if self.takes_time() {
            self.world.clock.advance(5 * SECOND).await;
            let has_ended = || self.world.last_error().is_some();
            meanwhile(self.fault.name, has_ended).await;
        }
        self.world.last_error()
    }

    async fn is_over_after_the_stale_bound(&self) {
        self.world.clock.advance(2 * MINUTE).await;
        assert!(!self.world.authenticator.is_ready(), "{}", self.fault.name);
        for token in [self.world.seen(), &self.new] {
            let answered = self.ask(token).await;
            assert_eq!(answered.status, 503, "{}: {answered:?}", self.fault.name);
        }
    }

    /// By itself, with the keys that the issuer has now and no others.
    async fn recovers(&mut self) {
        let (name, world) = (self.fault.name, &mut self.world);
        let metadata = good_metadata(&world.origin);
        world.origin.answer(METADATA, metadata).await;
        world.origin.answer(KEYS, good_keys(&world.issuer)).await;
        let is_ready = || world.authenticator.is_ready();
        world.until(name, is_ready).await;
        assert_eq!(world.ask(&self.new).await.status, 200, "{name}");
        let old = world.ask(world.seen()).await;
        assert_eq!(
            old.kind,
            Some(DenialKind::InvalidToken(Refusal::UnknownKey)),
            "{name}"
        );
        assert_eq!(world.last_error(), None, "{name}");
    }
}
