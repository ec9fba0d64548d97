//! A key that the set in force does not have: wait for the fetch under way, pay for one more, or say why not.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::algorithm::Algorithm;
use crate::flight::{Ended, Flight};
use crate::jwks::Lookup;
use crate::race::{First, race};
use crate::refresh::Last;
use crate::shared::Shared;

/// The whole of [`Jwks::refresh_for`](crate::Jwks::refresh_for).
pub(crate) async fn refresh_for(
    shared: Arc<Shared>,
    kid: Option<String>,
    algorithm: Algorithm,
) -> Lookup {
    let wanted = Wanted {
        kid: kid.as_deref(),
        algorithm,
    };
    if shared.plan.origin.is_none() {
        return wanted.look(&shared);
    }
    let Some(_place) = Place::take(&shared.waiters, shared.plan.policy.max_waiters) else {
        tracing::debug!(
            issuer = shared.plan.issuer,
            "too many requests wait for keys"
        );
        // Places are given back with the end of a fetch, which is never far.
        return Lookup::Unavailable {
            retry_after: Duration::from_secs(1),
        };
    };
    let patience = shared.plan.clock.sleep(shared.plan.policy.wait);
    match race(wanted.pursue(&shared), patience).await {
        First::Left(lookup) => lookup,
        First::Right(()) => wanted.look_in_vain(&shared),
    }
}

#[derive(Clone, Copy)]
struct Wanted<'a> {
    kid: Option<&'a str>,
    algorithm: Algorithm,
}

enum Step {
    Answer(Lookup),
    Wait(Flight),
}

impl Wanted<'_> {
    fn look(self, shared: &Shared) -> Lookup {
        shared.lookup(self.kid, self.algorithm)
    }

    /// The answer where no newer set could be had.
    fn look_in_vain(self, shared: &Shared) -> Lookup {
        match self.look(shared) {
            Lookup::Missing | Lookup::Unavailable { .. } => Lookup::Unavailable {
                retry_after: shared.lock().refresh.retry_after(shared.now()),
            },
            other => other,
        }
    }

    async fn pursue(self, shared: &Arc<Shared>) -> Lookup {
        let arrived = shared.lock().sequence;
        loop {
            let flight = match self.step(shared) {
                Step::Answer(lookup) => return lookup,
                Step::Wait(flight) => flight,
            };
            let started_since = flight.sequence > arrived;
            match flight.ended().await {
                Ended::Failed => return self.look_in_vain(shared),
                Ended::Succeeded if started_since => return self.look(shared),
                // What it brought may be older than the key. There is no other flight that old, so the next turn is
                // the last.
                Ended::Succeeded => {}
            }
        }
    }

    fn step(self, shared: &Arc<Shared>) -> Step {
        let now = shared.now();
        let mut state = shared.lock();
        // Looked at under the lock, so that a flight that ended a moment ago is not flown again.
        let lookup = self.look(shared);
        if !matches!(lookup, Lookup::Missing | Lookup::Unavailable { .. }) {
            return Step::Answer(lookup);
        }
        if let Some(flight) = state.flight() {
            return Step::Wait(flight.clone());
        }
        if !state.refresh.spend(now) {
            // The last fetch cannot be older than the budget's interval, or there would be budget left.
            let known_absent =
                matches!(lookup, Lookup::Missing) && state.refresh.last() == Last::Succeeded;
            return Step::Answer(if known_absent {
                Lookup::Missing
            } else {
                Lookup::Unavailable {
                    retry_after: state.refresh.retry_after(now),
                }
            });
        }
        let (flight, launch) = shared.prepare(&mut state);
        drop(state);
        launch.start();
        Step::Wait(flight)
    }
}

/// One of the places for those who wait; given back by its drop.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(taken: &'a AtomicUsize, places: usize) -> Option<Self> {
        taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |taken| {
                (taken < places).then_some(taken + 1)
            })
            .ok()
            .map(|_| Self(taken))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
