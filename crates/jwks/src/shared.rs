//! What all handles to one issuer's keys share: the set in force, read without a lock, and the state around
//! it, which is locked only by whoever fetches or waits for a fetch, never across I/O or cryptography.

use std::fmt;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::sync::watch;

use crate::algorithm::Algorithm;
use crate::fetch::FetchFailure;
use crate::flight::Flight;
use crate::jwks::Lookup;
use crate::load::{Failed, Loaded, Located, Plan, Validator};
use crate::meter;
use crate::refresh::Refresh;
use crate::set::{KeySet, Selection};
use crate::snapshot::{Age, Snapshot};
use crate::trusted_key::TrustedKey;

pub(crate) struct Shared {
    pub(crate) plan: Arc<Plan>,
    snapshot: ArcSwapOption<Snapshot>,
    state: Mutex<State>,
    /// When the next refresh is due. Its receivers learn of the owner's end by the end of this sender.
    pub(crate) schedule: watch::Sender<Duration>,
    /// Tells of each swap to a different set.
    pub(crate) swaps: watch::Sender<()>,
    pub(crate) waiters: AtomicUsize,
}

pub(crate) struct State {
    pub(crate) refresh: Refresh,
    /// Counts the fetches started and the replacements by hand.
    pub(crate) sequence: u64,
    pub(crate) flight: Option<Flight>,
    pub(crate) located: Option<Located>,
    pub(crate) last_error: Option<FetchFailure>,
}

impl State {
    /// The flight under way. One that has ended without taking itself off the list, as by a panic of a clock that
    /// somebody brought, does not count.
    pub(crate) fn flight(&self) -> Option<&Flight> {
        self.flight.as_ref().filter(|flight| !flight.is_over())
    }
}

impl Shared {
    pub(crate) fn new(plan: Plan) -> Self {
        let now = plan.clock.monotonic();
        Self {
            snapshot: ArcSwapOption::empty(),
            state: Mutex::new(State {
                refresh: Refresh::new(plan.policy.clone(), now),
                sequence: 0,
                flight: None,
                located: None,
                last_error: None,
            }),
            schedule: watch::Sender::new(now),
            swaps: watch::Sender::new(()),
            waiters: AtomicUsize::new(0),
            plan: Arc::new(plan),
        }
    }

    pub(crate) fn now(&self) -> Duration {
        self.plan.clock.monotonic()
    }

    /// A panic while it was held leaves nothing half done that the next fetch would not put right.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn snapshot(&self) -> Option<Arc<Snapshot>> {
        self.snapshot.load_full()
    }

    pub(crate) fn lookup(&self, kid: Option<&str>, algorithm: Algorithm) -> Lookup {
        let snapshot = self.snapshot.load();
        let Some(snapshot) = snapshot
            .as_deref()
            .filter(|snapshot| self.trusted(snapshot))
        else {
            return self.unavailable();
        };
        match snapshot.set.select(kid, algorithm) {
            Selection::Found(key) => match snapshot.held(key) {
                Some(held) => Lookup::Found(held.clone()),
                None => Lookup::Missing,
            },
            Selection::Unfit => Lookup::Unfit,
            Selection::Missing => Lookup::Missing,
        }
    }

    pub(crate) fn trusted(&self, snapshot: &Snapshot) -> bool {
        snapshot
            .age
            .is_none_or(|age| self.now() <= age.trusted_until)
    }

    /// There is no usable set; the next refresh may change that.
    fn unavailable(&self) -> Lookup {
        let due = *self.schedule.borrow();
        let retry_after = due
            .saturating_sub(self.now())
            .min(self.plan.policy.max_backoff)
            .max(Duration::from_secs(1));
        Lookup::Unavailable { retry_after }
    }

    /// Swaps by hand. What is fetched from now on may swap again; what was asked for before may not.
    pub(crate) fn replace(&self, set: KeySet) -> bool {
        let issuer = &self.plan.issuer;
        let Some(set) = set.restricted(self.plan.allowed) else {
            tracing::warn!(
                issuer,
                "replacement refused: no key fits an allowed algorithm"
            );
            return false;
        };
        let now = self.now();
        let mut state = self.lock();
        state.sequence += 1;
        let sequence = state.sequence;
        let changed = self.install(&mut state, set, sequence, None, None, now);
        drop(state);
        self.announce(changed);
        self.measure(now);
        true
    }

    /// The result of fetch number `sequence`.
    pub(crate) fn finish(&self, sequence: u64, result: Result<Loaded, Failed>) {
        let now = self.now();
        let mut state = self.lock();
        if state
            .flight
            .as_ref()
            .is_some_and(|flight| flight.sequence == sequence)
        {
            state.flight = None;
        }
        let failure = result.as_ref().err().map(|failed| failed.failure);
        state.last_error = failure;
        let changed = match result {
            Ok(loaded) => {
                state.located.clone_from(&loaded.memory.located);
                self.accept(&mut state, loaded, sequence, now)
            }
            Err(failed) => {
                // The key set may have moved.
                state.located = None;
                state
                    .refresh
                    .failed(now, failed.retry_after, fastrand::f64());
                false
            }
        };
        self.schedule.send_replace(state.refresh.due());
        // Loggers and recorders are somebody else's code: not under the lock.
        drop(state);
        self.announce(changed);
        self.report(failure, now);
    }

    /// Whether the keys are different ones now.
    fn accept(&self, state: &mut State, loaded: Loaded, sequence: u64, now: Duration) -> bool {
        let current = self.snapshot();
        match (current, loaded.set) {
            (Some(current), _) if current.sequence > sequence => {
                state.refresh.reachable();
                false
            }
            (Some(current), None) => {
                // A 304 without directives leaves those of the response it confirms.
                let age = current.age.map(|age| {
                    let time_to_live = loaded.max_age.map_or(age.time_to_live, |max_age| {
                        self.plan.policy.time_to_live_of(Some(max_age))
                    });
                    Age::new(now, time_to_live, self.plan.policy.stale_grace)
                });
                let validator = loaded.memory.validator;
                self.put(state, current.set.clone(), sequence, age, validator);
                false
            }
            (_, Some(set)) => {
                let validator = loaded.memory.validator;
                self.install(state, set, sequence, loaded.max_age, validator, now)
            }
            // A 304 is accepted only with an ETag, which comes with a set.
            (None, None) => false,
        }
    }

    /// Takes a set as the newest one. Whether the keys are different ones now.
    fn install(
        &self,
        state: &mut State,
        set: KeySet,
        sequence: u64,
        max_age: Option<Duration>,
        validator: Option<Validator>,
        now: Duration,
    ) -> bool {
        let policy = &self.plan.policy;
        let age = self
            .plan
            .origin
            .as_ref()
            .map(|_| Age::new(now, policy.time_to_live_of(max_age), policy.stale_grace));
        let (set, changed) = match self.snapshot() {
            Some(current) => {
                let set = set.carrying_over(&current.set);
                let changed = !set.holds_the_keys_of(&current.set);
                (set, changed)
            }
            None => (set, true),
        };
        self.put(state, set, sequence, age, validator);
        changed
    }

    fn put(
        &self,
        state: &mut State,
        set: KeySet,
        sequence: u64,
        age: Option<Age>,
        validator: Option<Validator>,
    ) {
        let new = Arc::new(Snapshot {
            held: self.hold(&set, age),
            set,
            sequence,
            age,
            validator,
        });
        let old = self.snapshot.swap(Some(Arc::clone(&new)));
        // After the swap, so that nobody finds in the set what is trusted no longer.
        for dropped in old.iter().flat_map(|old| old.dropped_by(&new.set)) {
            dropped.distrust();
        }
        if let Some(age) = age {
            state
                .refresh
                .succeeded(age.since, age.time_to_live, fastrand::f64());
            self.schedule.send_replace(state.refresh.due());
        }
    }

    /// The keys of a set, each trusted for as long as the set: those that are in force already are the same.
    fn hold(&self, set: &KeySet, age: Option<Age>) -> Vec<TrustedKey> {
        let current = self.snapshot();
        let until = age.map(|age| age.trusted_until);
        let keys = set.keys().iter().map(|key| {
            if let Some(held) = current.as_ref().and_then(|current| current.held(key)) {
                held.trust_until(until);
                return held.clone();
            }
            TrustedKey::new(Arc::clone(key), Arc::clone(&self.plan.clock), until)
        });
        keys.collect()
    }

    fn announce(&self, changed: bool) {
        let Some(snapshot) = self.snapshot().filter(|_| changed) else {
            return;
        };
        let (keys, skipped) = (snapshot.set.keys().len(), snapshot.set.skipped().len());
        tracing::info!(issuer = self.plan.issuer, keys, skipped, "keys swapped");
        self.swaps.send_replace(());
    }

    fn report(&self, failure: Option<FetchFailure>, now: Duration) {
        let issuer = &self.plan.issuer;
        meter::refreshed(issuer, failure);
        self.measure(now);
        match failure {
            Some(FetchFailure::Status(status)) => {
                tracing::warn!(issuer, reason = "status", status, "keys not refreshed");
            }
            Some(failure) => {
                tracing::warn!(issuer, reason = failure.as_str(), "keys not refreshed");
            }
            None => tracing::debug!(issuer, "keys refreshed"),
        }
    }

    fn measure(&self, now: Duration) {
        if let Some(snapshot) = self.snapshot() {
            let since = snapshot.age.map_or(now, |age| age.since);
            let keys = snapshot.set.keys().len();
            meter::in_force(&self.plan.issuer, keys, now.saturating_sub(since));
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let snapshot = self.snapshot();
        f.debug_struct("Jwks")
            .field("issuer", &self.plan.issuer)
            .field(
                "keys",
                &snapshot.as_ref().map(|snapshot| snapshot.set.keys()),
            )
            .finish_non_exhaustive()
    }
}
