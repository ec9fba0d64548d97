//! How long valid requests take while something goes on beside them.
//!
//! ```text
//!  this thread    valid traffic: sign a token, present it, present ten that were seen before ── each call timed
//!  another        what disturbs, the issuer's server, the refresh of its keys
//! ```

mod flood;
mod traffic;
mod windows;

use serde::{Deserialize, Serialize};

pub use self::windows::{FLOOD_PER_SECOND, measure};
use crate::measure::{float, median};
use crate::report::{Table, rounded};

/// What goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disturbance {
    Quiet,
    UnknownKeys,
    BadSignatures,
    Garbage,
    /// As quiet as the first: how far two windows of one kind differ.
    QuietAgain,
    /// The issuer's next key is published, fetched, signed with.
    Rotation,
    /// A key is signed with as soon as it is published.
    SuddenRotation,
    Refused,
    Hanging,
}

impl Disturbance {
    /// A round. Between the unknown keys, which use up what an issuer may be asked, and the sudden rotation there is time
    /// for that to come back.
    pub(crate) const ALL: [Self; 9] = [
        Self::Quiet,
        Self::UnknownKeys,
        Self::BadSignatures,
        Self::Garbage,
        Self::QuietAgain,
        Self::Rotation,
        Self::SuddenRotation,
        Self::Refused,
        Self::Hanging,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Quiet => QUIET,
            Self::UnknownKeys => "flood of random kids",
            Self::BadSignatures => "flood of bad signatures",
            Self::Garbage => "flood of garbage",
            Self::QuietAgain => CONTROL,
            Self::Rotation => "key rotation",
            Self::SuddenRotation => "key rotation without notice",
            Self::Refused => "issuer refuses connections",
            Self::Hanging => "issuer does not answer",
        }
    }
}

/// The quiet windows.
pub const QUIET: &str = "quiet";
/// Those that are set against quiet ones.
pub const CONTROL: &str = "quiet again";

/// One kind of valid traffic in all windows of one disturbance.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Latency {
    /// `first_sight` or `seen_before`.
    pub traffic: String,
    /// What went on.
    pub disturbance: String,
    /// Nanoseconds of wall time for a request: each the median over the windows.
    pub p50_ns: f64,
    /// Likewise.
    pub p99_ns: f64,
    /// Likewise.
    pub p999_ns: f64,
    /// To the quiet window of the same round: the median over the rounds.
    pub p99_ratio: f64,
    /// The slowest request of all.
    pub max_ns: f64,
    /// Valid requests.
    pub requests: usize,
    /// Those of them that were not answered 200.
    pub failures: usize,
    /// Requests of the flood that were refused, per second.
    pub flood_per_second: f64,
    /// What the issuer was asked, connections that it dropped included.
    pub fetches: usize,
}

/// One kind of valid traffic in one window.
#[derive(Debug, Default)]
pub(crate) struct Times {
    pub(crate) nanoseconds: Vec<f64>,
    pub(crate) failures: usize,
}

/// A window.
#[derive(Debug)]
pub(crate) struct Window {
    pub(crate) disturbance: Disturbance,
    /// Sorted.
    pub(crate) traffic: [(&'static str, Times); 2],
    pub(crate) flood_per_second: f64,
    pub(crate) fetches: usize,
}

impl Times {
    /// Of sorted times.
    fn quantile(&self, share: f64) -> f64 {
        let count = float(self.nanoseconds.len());
        let at = (count * share).ceil() - 1.0;
        self.nanoseconds
            .iter()
            .zip(0_u32..)
            .find(|(_, number)| f64::from(*number) >= at)
            .map_or(f64::NAN, |(time, _)| *time)
    }
}

/// The windows, round by round, as a row for each traffic and disturbance.
pub(crate) fn latencies(windows: &[Window]) -> Vec<Latency> {
    let mut rows = Vec::new();
    for kind in 0..2 {
        for disturbance in Disturbance::ALL {
            rows.push(latency(windows, kind, disturbance));
        }
    }
    rows
}

fn latency(windows: &[Window], kind: usize, disturbance: Disturbance) -> Latency {
    let of = |disturbance| {
        windows
            .iter()
            .filter(move |window| window.disturbance == disturbance)
    };
    let times = || of(disturbance).map(|window| &window.traffic[kind].1);
    let quiet = of(Disturbance::Quiet).map(|window| &window.traffic[kind].1);
    let middle = |share| {
        let values = times().map(|times| times.quantile(share));
        rounded(median(values.collect()), 0)
    };
    let ratios = times()
        .zip(quiet)
        .map(|(times, quiet)| times.quantile(0.99) / quiet.quantile(0.99));
    let slowest = times().map(|times| times.quantile(1.0));
    Latency {
        traffic: windows
            .first()
            .map_or("", |window| window.traffic[kind].0)
            .to_owned(),
        disturbance: disturbance.name().to_owned(),
        p50_ns: middle(0.5),
        p99_ns: middle(0.99),
        p999_ns: middle(0.999),
        p99_ratio: rounded(median(ratios.collect()), 3),
        max_ns: rounded(slowest.fold(f64::NAN, f64::max), 0),
        requests: times().map(|times| times.nanoseconds.len()).sum(),
        failures: times().map(|times| times.failures).sum(),
        flood_per_second: rounded(
            median(
                of(disturbance)
                    .map(|window| window.flood_per_second)
                    .collect(),
            ),
            0,
        ),
        fetches: of(disturbance).map(|window| window.fetches).sum(),
    }
}

/// The rows as a table, times in microseconds.
pub fn table(rows: &[Latency]) -> String {
    let headings = [
        "traffic",
        "meanwhile",
        "p50 µs",
        "p99 µs",
        "p99.9 µs",
        "slowest µs",
        "p99 to quiet",
        "requests",
        "failed",
        "flood/s",
        "fetches",
    ];
    let mut table = Table::new(2, headings);
    for row in rows {
        let micros = |nanoseconds: f64| format!("{:.2}", nanoseconds / 1000.0);
        table.push([
            row.traffic.clone(),
            row.disturbance.clone(),
            micros(row.p50_ns),
            micros(row.p99_ns),
            micros(row.p999_ns),
            micros(row.max_ns),
            format!("{:.3}", row.p99_ratio),
            row.requests.to_string(),
            row.failures.to_string(),
            format!("{:.0}", row.flood_per_second),
            row.fetches.to_string(),
        ]);
    }
    table.markdown()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_the_least_time_that_so_large_a_share_does_not_exceed() {
        let times = Times {
            nanoseconds: (1..=1000_u32).map(f64::from).collect(),
            failures: 0,
        };
        let cases = [(0.5, 500.0), (0.99, 990.0), (0.999, 999.0), (1.0, 1000.0)];
        for (share, expected) in cases {
            assert!((times.quantile(share) - expected).abs() < 0.5, "{share}");
        }
        assert!(Times::default().quantile(0.5).is_nan());
    }

    #[test]
    fn a_window_is_set_against_the_quiet_one_of_its_round() {
        let window = |disturbance, nanoseconds| {
            let times = || Times {
                nanoseconds: vec![nanoseconds],
                failures: 1,
            };
            Window {
                disturbance,
                traffic: [("first_sight", times()), ("seen_before", times())],
                flood_per_second: 7.0,
                fetches: 2,
            }
        };
        let rows = latencies(&[
            window(Disturbance::Quiet, 10.0),
            window(Disturbance::Garbage, 20.0),
            window(Disturbance::Quiet, 100.0),
            window(Disturbance::Garbage, 200.0),
        ]);
        let row = rows
            .iter()
            .find(|row| row.disturbance == "flood of garbage");
        let row = row.expect("there is a row for each disturbance");
        assert!((row.p99_ratio - 2.0).abs() < 1e-9, "{row:?}");
        assert_eq!((row.requests, row.failures, row.fetches), (2, 2, 4));
    }
}
