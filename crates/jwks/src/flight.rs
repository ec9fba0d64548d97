//! A fetch under way. There is at most one for each issuer, whoever wanted it; it runs apart from those who wait
//! for it, so that none of them can hurt the others by being cancelled.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::watch;

use crate::fetch::FetchFailure;
use crate::load::{Failed, Loaded, Memory, Plan};
use crate::race::{First, race};
use crate::shared::{Shared, State};
use crate::task;

/// How a fetch ended, for those who waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Succeeded,
    Failed,
}

/// The end of a flight that can be waited for.
#[derive(Clone, Debug)]
pub(crate) struct Flight {
    pub(crate) sequence: u64,
    ended: watch::Receiver<Option<Ended>>,
}

impl Flight {
    pub(crate) fn is_over(&self) -> bool {
        // An error means that the sender is gone.
        self.ended.borrow().is_some() || self.ended.has_changed().is_err()
    }

    pub(crate) async fn ended(mut self) -> Ended {
        match self.ended.wait_for(Option::is_some).await {
            Ok(ended) => ended.unwrap_or(Ended::Failed),
            // Dropped without a word, together with all that it could have reported to.
            Err(_) => Ended::Failed,
        }
    }
}

impl Shared {
    /// Joins the fetch under way, or starts one.
    pub(crate) fn fetch(self: &Arc<Self>) -> Flight {
        let mut state = self.lock();
        if let Some(flight) = state.flight() {
            return flight.clone();
        }
        let (flight, launch) = self.prepare(&mut state);
        drop(state);
        launch.start();
        flight
    }

    /// Enters a new flight into `state`. The launch must be started after the lock is released: where there is
    /// no runtime, starting it ends it, which needs the lock.
    pub(crate) fn prepare(self: &Arc<Self>, state: &mut State) -> (Flight, Launch) {
        state.sequence += 1;
        let (sender, ended) = watch::channel(None);
        let flight = Flight {
            sequence: state.sequence,
            ended,
        };
        state.flight = Some(flight.clone());
        let launch = Launch {
            memory: Memory {
                located: state.located.clone(),
                validator: self
                    .snapshot()
                    .and_then(|snapshot| snapshot.validator.clone()),
            },
            plan: Arc::clone(&self.plan),
            closed: self.schedule.subscribe(),
            landing: Landing {
                shared: Arc::downgrade(self),
                sequence: state.sequence,
                sender,
                landed: false,
            },
        };
        (flight, launch)
    }
}

/// A flight that has not started yet.
#[must_use]
pub(crate) struct Launch {
    plan: Arc<Plan>,
    memory: Memory,
    closed: watch::Receiver<Duration>,
    landing: Landing,
}

impl Launch {
    pub(crate) fn start(self) {
        task::spawn(self.run());
    }

    async fn run(self) {
        let Self {
            plan,
            memory,
            mut closed,
            landing,
        } = self;
        let owner_gone = async { while closed.changed().await.is_ok() {} };
        if let First::Left(result) = race(plan.load(memory), owner_gone).await {
            landing.land(result);
        }
    }
}

/// Reports the end of a flight exactly once, however it ends: its drop is the report of a fetch that panicked or
/// was dropped half-way.
struct Landing {
    shared: Weak<Shared>,
    sequence: u64,
    sender: watch::Sender<Option<Ended>>,
    landed: bool,
}

impl Landing {
    fn land(mut self, result: Result<Loaded, Failed>) {
        self.report(result);
    }

    fn report(&mut self, result: Result<Loaded, Failed>) {
        self.landed = true;
        let ended = if result.is_ok() {
            Ended::Succeeded
        } else {
            Ended::Failed
        };
        if let Some(shared) = self.shared.upgrade() {
            shared.finish(self.sequence, result);
        }
        self.sender.send_replace(Some(ended));
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        if self.landed {
            return;
        }
        let failure = if std::thread::panicking() {
            FetchFailure::Panicked
        } else {
            FetchFailure::Cancelled
        };
        self.report(Err(failure.into()));
    }
}
