//! A question under way. There is at most one for each token, whoever wanted it; it runs apart from those who wait
//! for it, so that none of them can hurt the others by being cancelled.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use countersign_bearer::IntrospectionFailure;
use countersign_jwks::{FetchFailure, suite};
use countersign_token::{Claims, Refusal};
use tokio::sync::watch;

use crate::answers::{Answers, Outcome, Tagger, TokenTag};
use crate::budget::Budget;
use crate::health::Health;
use crate::policy::IntrospectionPolicy;
use crate::server::{Failed, Failure, Server};

/// Everything that the clones of one introspection share.
pub(crate) struct Shared {
    pub(crate) server: Server,
    pub(crate) answers: Answers,
    pub(crate) tagger: Tagger,
    policy: IntrospectionPolicy,
    /// About tokens that were active before, and about all others, so that made-up ones take nobody's place.
    waiting: [AtomicUsize; 2],
    state: Mutex<State>,
}

struct State {
    flights: HashMap<TokenTag, Flight>,
    /// How many there have been.
    sequence: u64,
    health: Health,
    /// Of tokens that were active before, and of all others.
    known: Budget,
    unknown: Budget,
}

impl State {
    fn budget(&mut self, is_known: bool) -> &mut Budget {
        if is_known {
            &mut self.known
        } else {
            &mut self.unknown
        }
    }
}

#[derive(Clone)]
struct Flight {
    sequence: u64,
    landed: watch::Receiver<Option<Outcome>>,
}

impl Flight {
    async fn landed(mut self) -> Outcome {
        match self.landed.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone(),
            Err(_) => None,
        }
        // Dropped without a word, which its landing does not do.
        .unwrap_or(Err(unavailable(Duration::from_secs(1))))
    }
}

/// Which answers will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// Also one that is remembered or asked for already.
    Remembered,
    /// One to a question put from now on.
    Anew,
}

pub(crate) fn unavailable(retry_after: Duration) -> IntrospectionFailure {
    IntrospectionFailure::Unavailable { retry_after }
}

impl Shared {
    pub(crate) fn new(server: Server, policy: IntrospectionPolicy, tagger: Tagger) -> Self {
        Self {
            server,
            answers: Answers::new(&policy),
            tagger,
            waiting: Default::default(),
            state: Mutex::new(State {
                flights: HashMap::new(),
                sequence: 0,
                health: Health::default(),
                known: Budget::new(&policy),
                unknown: Budget::new(&policy),
            }),
            policy,
        }
    }

    /// What is remembered of a token.
    pub(crate) fn remembered(&self, tag: TokenTag) -> Option<Outcome> {
        let Server { issuer, clock, .. } = &self.server;
        self.answers.get(tag, issuer, &**clock)
    }

    /// Waits for the question under way about this token, or puts one.
    pub(crate) async fn pursue(
        self: Arc<Self>,
        tag: TokenTag,
        token: Box<str>,
        freshness: Freshness,
    ) -> Outcome {
        let waiting = &self.waiting[usize::from(self.answers.was_active(tag))];
        let Some(_place) = Place::take(waiting, self.policy.max_waiters) else {
            return Err(unavailable(Duration::from_secs(1)));
        };
        let arrived = self.lock().sequence;
        loop {
            let flight = match self.step(tag, &token, freshness) {
                Step::Answer(outcome) => return outcome,
                Step::Wait(flight) => flight,
            };
            let will_do = freshness == Freshness::Remembered || flight.sequence > arrived;
            let outcome = flight.landed().await;
            if will_do {
                return outcome;
            }
            // There is no other flight that old, so the next turn is the last.
        }
    }

    fn step(self: &Arc<Self>, tag: TokenTag, token: &str, freshness: Freshness) -> Step {
        let mut state = self.lock();
        // Looked at under the lock, so that what was answered a moment ago is not asked again.
        if freshness == Freshness::Remembered
            && let Some(outcome) = self.remembered(tag)
        {
            return Step::Answer(outcome);
        }
        if let Some(flight) = state.flights.get(&tag) {
            return Step::Wait(flight.clone());
        }
        match self.prepare(&mut state, tag) {
            Err(retry_after) => Step::Answer(Err(unavailable(retry_after))),
            Ok((flight, landing)) => {
                // Where there is no runtime, starting it ends it, which needs the lock.
                drop(state);
                suite::spawn(landing.fly(token.into()));
                Step::Wait(flight)
            }
        }
    }

    /// Enters a new flight into `state`, or says when to try again.
    fn prepare(
        self: &Arc<Self>,
        state: &mut State,
        tag: TokenTag,
    ) -> Result<(Flight, Landing), Duration> {
        let now = self.server.clock.monotonic();
        let is_known = self.answers.was_active(tag);
        state.budget(is_known).check(now)?;
        state.health.admit(now, is_known)?;
        state.budget(is_known).spend(now);
        state.sequence += 1;
        let (sender, landed) = watch::channel(None);
        let flight = Flight {
            sequence: state.sequence,
            landed,
        };
        state.flights.insert(tag, flight.clone());
        let landing = Landing {
            shared: Arc::clone(self),
            tag,
            started: now,
            is_known,
            sender,
            has_landed: false,
        };
        Ok((flight, landing))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Step {
    Answer(Outcome),
    Wait(Flight),
}

/// Reports the end of a flight exactly once, however it ends: its drop is the report of one that panicked or was
/// dropped half-way.
struct Landing {
    shared: Arc<Shared>,
    tag: TokenTag,
    started: Duration,
    is_known: bool,
    sender: watch::Sender<Option<Outcome>>,
    has_landed: bool,
}

impl Landing {
    async fn fly(mut self, token: Box<str>) {
        let heard = self.shared.server.ask(&token).await;
        drop(token);
        let may_have_moved = matches!(&heard, Err(failed) if failed.may_have_moved());
        self.land(heard);
        // Whoever waited has been told.
        self.shared.server.look_again(may_have_moved).await;
    }

    fn land(&mut self, heard: Result<Result<Claims, Refusal>, Failed>) {
        self.has_landed = true;
        let Shared {
            server,
            answers,
            policy,
            ..
        } = &*self.shared;
        let now = server.clock.monotonic();
        let mut state = self.shared.lock();
        state.budget(self.is_known).release();
        let outcome = match heard {
            Err(Failed {
                failure: Failure::Unsaid(FetchFailure::Interrupted),
                ..
            }) => {
                state.health.unsaid(self.started, self.is_known);
                // Most often chance, such as a connection that was closed for having been idle: not remembered.
                Err(unavailable(state.health.retry_after(now)))
            }
            Err(Failed {
                failure: Failure::Unsaid(_),
                ..
            }) => {
                state.health.unsaid(self.started, self.is_known);
                let outcome = Err(unavailable(policy.refused_for));
                answers.keep_unsaid(self.tag, &outcome, self.started);
                outcome
            }
            Err(Failed { retry_after, .. }) => {
                let jitter = fastrand::f64();
                state.health.failed(self.started, now, retry_after, jitter);
                Err(unavailable(state.health.retry_after(now)))
            }
            Ok(answer) => {
                state.health.succeeded();
                let outcome = answer.map_err(|refusal| match refusal {
                    // It says nothing of the token, good or bad. Nor does it of the server, which others' tokens
                    // may fare better with.
                    Refusal::MalformedPayload => unavailable(policy.refused_for),
                    refusal => IntrospectionFailure::Refused(refusal),
                });
                let unix_time = server.clock.unix_time();
                answers.keep(self.tag, &outcome, self.started, unix_time);
                outcome
            }
        };
        state.flights.remove(&self.tag);
        drop(state);
        self.sender.send_replace(Some(outcome));
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        if self.has_landed {
            return;
        }
        let failure = if std::thread::panicking() {
            FetchFailure::Panicked
        } else {
            FetchFailure::Cancelled
        };
        self.land(Err(failure.into()));
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
