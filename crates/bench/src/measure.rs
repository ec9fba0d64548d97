//! Time and allocations of each system and case, in rounds that take turns.

use std::time::{Duration, Instant};

use cpu_time::ThreadTime;

use crate::Error;
use crate::alloc;
use crate::case::Case;
use crate::system::{System, check};
use crate::world::DISTINCT_TOKENS;

/// How long one case's part of a round should take: long beside the clock's own cost, short beside a disturbance of the
/// machine.
const BATCH_TIME: Duration = Duration::from_micros(1500);

/// One case of one system.
#[derive(Debug)]
pub struct Measured {
    /// The system's name.
    pub system: &'static str,
    /// The case.
    pub case: Case,
    /// CPU time of this thread for a request: the median over the rounds.
    pub nanoseconds: f64,
    /// Allocations and reallocations for a request.
    pub allocations: f64,
}

/// What was measured, and what was left out, and why.
#[derive(Debug, Default)]
pub struct Measurements {
    /// In the order of the systems.
    pub measured: Vec<Measured>,
    /// A sentence each.
    pub left_out: Vec<String>,
}

struct Plan {
    system: usize,
    case: Case,
    requests: usize,
    nanoseconds: Vec<f64>,
}

/// Measures every case that a system can do. Each round does a batch of each, one after another.
pub fn measure(systems: &mut [Box<dyn System>], rounds: usize) -> Result<Measurements, Error> {
    let mut measurements = Measurements::default();
    let mut plans = plan(systems, &mut measurements.left_out)?;
    for round in 1..=rounds {
        for plan in &mut plans {
            let time = batch(&mut *systems[plan.system], plan.case, plan.requests)?;
            plan.nanoseconds.push(time);
        }
        if round % 10 == 0 || round == rounds {
            eprintln!("round {round} of {rounds}");
        }
    }
    for plan in plans {
        let system = &mut *systems[plan.system];
        measurements.measured.push(Measured {
            system: system.name(),
            case: plan.case,
            nanoseconds: median(plan.nanoseconds),
            allocations: allocations(system, plan.case)?,
        });
    }
    Ok(measurements)
}

/// Which cases there are, and how many requests make a batch. A batch of [`Case::ValidFirst`] is always the same
/// size, since what remembers tokens may grow with them.
fn plan(systems: &mut [Box<dyn System>], left_out: &mut Vec<String>) -> Result<Vec<Plan>, Error> {
    let mut plans = Vec::new();
    for (number, system) in systems.iter_mut().enumerate() {
        eprintln!("trying {}", system.name());
        for case in Case::ALL {
            if system.expected(case).is_none() {
                continue;
            }
            if let Err(error) = check(&mut **system, case) {
                left_out.push(format!("{}, {case}: {error}", system.name()));
                continue;
            }
            let requests = if case == Case::ValidFirst {
                DISTINCT_TOKENS / 2
            } else {
                let guess = batch(&mut **system, case, 20)?;
                batch_size(guess)
            };
            plans.push(Plan {
                system: number,
                case,
                requests,
                nanoseconds: Vec::new(),
            });
        }
    }
    Ok(plans)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is clamped to a few hundred"
)]
fn batch_size(nanoseconds: f64) -> usize {
    (BATCH_TIME.as_secs_f64() * 1e9 / nanoseconds).clamp(10.0, 500.0) as usize
}

/// Nanoseconds of CPU time a request.
fn batch(system: &mut dyn System, case: Case, requests: usize) -> Result<f64, Error> {
    system.prepare(case, requests)?;
    cpu_time(requests, || system.run())
}

/// Nanoseconds of this thread's CPU time for each of so many requests.
pub fn cpu_time(requests: usize, work: impl FnOnce() -> Result<(), Error>) -> Result<f64, Error> {
    let start = ThreadTime::now();
    work()?;
    Ok(start.elapsed().as_secs_f64() * 1e9 / float(requests))
}

/// Where several threads take part, time is what a clock on the wall shows.
#[expect(clippy::disallowed_methods, reason = "real time is what is measured")]
pub fn now() -> Instant {
    Instant::now()
}

fn allocations(system: &mut dyn System, case: Case) -> Result<f64, Error> {
    let requests = DISTINCT_TOKENS / 2;
    system.prepare(case, requests)?;
    let (done, count) = alloc::count(|| system.run());
    done?;
    Ok(float(count) / float(requests))
}

/// A count to reckon with: none here comes near the end of `u32`.
pub fn float(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// The middle of the values; of none, nothing sensible.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
