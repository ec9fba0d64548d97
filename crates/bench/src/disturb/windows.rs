//! Quiet and disturbed windows that take turns.

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use countersign::{Authenticator, Jwks, RefreshPolicy};
use countersign_testing::{Fault, Fetches, TestIssuer};
use tokio::runtime::Builder;
use tokio::task::JoinSet;

use super::flood::{Count, Flood};
use super::traffic::Traffic;
use super::{Disturbance, Latency, Window, latencies};
use crate::Error;
use crate::measure::now;
use crate::systems::router;
use crate::world::{AUDIENCE, usual_token};

/// A flood's rate.
pub const FLOOD_PER_SECOND: usize = 10_000;

/// Long enough for a refresh of the keys to fall into each.
const WINDOW: Duration = Duration::from_millis(1500);

/// Traffic that is not timed, after each window: callers drop the tokens of the key before, and the issuer is found back.
const PAUSE: Duration = Duration::from_millis(500);

/// What is set up once.
struct Scene {
    router: Router,
    issuer: TestIssuer,
    keys: Jwks,
    traffic: Traffic,
    floods: [(Disturbance, Flood); 3],
}

/// Measures so many rounds: 18 s each.
pub fn measure(rounds: usize) -> Result<Vec<Latency>, Error> {
    // One thread beside this one, which runs whatever is not valid traffic.
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut scene = Scene::new().await?;
        scene.traffic.go_on(PAUSE).await?;
        let mut windows = Vec::new();
        for round in 1..=rounds {
            for disturbance in Disturbance::ALL {
                windows.push(scene.window(disturbance).await?);
                scene.traffic.go_on(PAUSE).await?;
            }
            eprintln!("round {round} of {rounds}");
        }
        Ok(latencies(&windows))
    })
}

/// Everything as by default but the times, which let each window have its refresh, and each outage be felt in it.
fn policy() -> RefreshPolicy {
    RefreshPolicy::default()
        .with_time_to_live(Duration::from_secs(1))
        .with_deadline(Duration::from_millis(500))
        .with_backoff(Duration::from_millis(100), Duration::from_millis(500))
}

impl Scene {
    async fn new() -> Result<Self, Error> {
        let issuer = TestIssuer::serve().await;
        let trusted = issuer.trusted_for(AUDIENCE).with_refresh_policy(policy());
        let authenticator = Authenticator::builder().issuer(trusted).build().await?;
        let keys = authenticator.jwks(issuer.name()).ok_or("it is trusted")?;
        let router = router().layer(authenticator.layer());
        let token = usual_token(&issuer).mint();
        Ok(Self {
            traffic: Traffic::new(router.clone(), issuer.clone()),
            floods: [
                (Disturbance::UnknownKeys, Flood::of_unknown_keys(&token)?),
                (
                    Disturbance::BadSignatures,
                    Flood::of_bad_signatures(&token)?,
                ),
                (Disturbance::Garbage, Flood::of_garbage(&token)?),
            ],
            router,
            issuer,
            keys,
        })
    }

    async fn window(&mut self, disturbance: Disturbance) -> Result<Window, Error> {
        let asked = self.issuer.fetches();
        let count = Count::default();
        let mut tasks = JoinSet::new();
        self.start(disturbance, &mut tasks, &count)?;
        let start = now();
        let traffic = self.traffic.go_on(WINDOW).await?;
        let flood = super::float(count.refused.load(Ordering::Relaxed));
        let flood_per_second = flood / start.elapsed().as_secs_f64();
        self.issuer.set_fault(None);
        tasks.shutdown().await;
        if count.accepted.load(Ordering::Relaxed) > 0 {
            return Err(format!("{}: some of it was let through", disturbance.name()).into());
        }
        Ok(Window {
            disturbance,
            traffic,
            flood_per_second,
            fetches: requests(self.issuer.fetches()) - requests(asked),
        })
    }

    fn start(
        &self,
        disturbance: Disturbance,
        tasks: &mut JoinSet<()>,
        count: &Count,
    ) -> Result<(), Error> {
        match disturbance {
            Disturbance::Quiet | Disturbance::QuietAgain => {}
            Disturbance::Refused => self.issuer.set_fault(Some(Fault::Down)),
            Disturbance::Hanging => self.issuer.set_fault(Some(Fault::Hang)),
            Disturbance::Rotation => {
                tasks.spawn(rotate(self.issuer.clone(), Some(self.keys.clone())));
            }
            Disturbance::SuddenRotation => {
                tasks.spawn(rotate(self.issuer.clone(), None));
            }
            Disturbance::UnknownKeys | Disturbance::BadSignatures | Disturbance::Garbage => {
                let flood = self.floods.iter().find(|(one, _)| *one == disturbance);
                let (_, flood) = flood.ok_or("there is one of each kind")?;
                let flood = flood.clone();
                tasks.spawn(flood.run(self.router.clone(), FLOOD_PER_SECOND / 1000, count.clone()));
            }
        }
        Ok(())
    }
}

/// Withdraws the key before the last and signs with a new one: when its publication was noticed, or at once.
async fn rotate(issuer: TestIssuer, noticed_by: Option<Jwks>) {
    issuer.retire_previous();
    let changed = noticed_by.as_ref().map(Jwks::changed);
    issuer.publish_next();
    if let Some(changed) = changed {
        changed.await;
    }
    issuer.sign_with_next();
}

fn requests(fetches: Fetches) -> usize {
    fetches.discovery + fetches.keys + fetches.dropped
}
