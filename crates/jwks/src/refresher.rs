//! The background refresh: one task for each issuer, which holds its owner weakly and ends with it.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::watch;

use crate::clock::Clock;
use crate::race::{First, race};
use crate::shared::Shared;
use crate::task;

pub(crate) fn start(shared: &Arc<Shared>) {
    let clock = Arc::clone(&shared.plan.clock);
    let schedule = shared.schedule.subscribe();
    task::spawn(run(Arc::downgrade(shared), clock, schedule));
}

async fn run(shared: Weak<Shared>, clock: Arc<dyn Clock>, mut schedule: watch::Receiver<Duration>) {
    loop {
        let due = *schedule.borrow_and_update();
        let wait = due.saturating_sub(clock.monotonic());
        if !wait.is_zero() {
            match race(schedule.changed(), clock.sleep(wait)).await {
                First::Left(Ok(())) => continue,
                First::Left(Err(_)) => return,
                First::Right(()) => {}
            }
        }
        // The strong reference must be gone before the wait.
        let Some(flight) = shared.upgrade().map(|shared| shared.fetch()) else {
            return;
        };
        flight.ended().await;
    }
}
