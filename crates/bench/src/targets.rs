//! What the suite aims at, and how far it is.

use crate::callgrind::{Count, find};
use crate::case::Case;
use crate::disturb::{CONTROL, Latency, QUIET};
use crate::report::{Comparison, Table};
use crate::scale::{Point, issuers, loopback, memory, threads, tokens};
use crate::systems::{ACCOUNTABLE, CONNECTED, COUNTERSIGN, SIGNATURE, floor, is_own};

/// The one peer that keeps verified tokens.
const CACHING: &str = "axum-oidc-layer";

/// A figure and what it should be.
#[derive(Clone, Debug)]
pub struct Figure {
    name: String,
    /// `None` where what it needs was not measured.
    value: Option<f64>,
    target: Target,
    digits: usize,
}

#[derive(Clone, Copy, Debug)]
enum Target {
    AtMost(f64),
    AtLeast(f64),
}

impl Figure {
    fn at_most(name: impl Into<String>, value: Option<f64>, target: f64, digits: usize) -> Self {
        Self {
            name: name.into(),
            value,
            target: Target::AtMost(target),
            digits,
        }
    }

    fn at_least(name: impl Into<String>, value: Option<f64>, target: f64, digits: usize) -> Self {
        Self {
            target: Target::AtLeast(target),
            ..Self::at_most(name, value, target, digits)
        }
    }
}

/// Every figure that was measured, beside its target.
pub fn table(figures: &[Figure]) -> String {
    let mut table = Table::new(1, ["figure", "measured", "target", "reached"]);
    for figure in figures {
        let Some(value) = figure.value else { continue };
        let digits = figure.digits;
        let (sign, target, reached) = match figure.target {
            Target::AtMost(target) => ('≤', target, value <= target),
            Target::AtLeast(target) => ('≥', target, value >= target),
        };
        table.push([
            figure.name.clone(),
            format!("{value:.digits$}"),
            format!("{sign} {target:.digits$}"),
            if reached { "yes" } else { "no" }.to_owned(),
        ]);
    }
    table.markdown()
}

/// Those that follow from instructions.
pub fn of_counts(counts: &[Count]) -> Vec<Figure> {
    let whole = |system, case| find(counts, system, case).map(as_f64);
    let above_floor =
        |system: &'static str, case| Some(whole(system, case)? - whole(floor(system)?, case)?);
    let above = |case| above_floor(COUNTERSIGN, case);
    let check = whole(SIGNATURE, Case::ValidFirst);
    let again = whole(COUNTERSIGN, Case::ValidAgain);
    let mut figures = vec![
        Figure::at_most(
            "seen before: instructions above a layer that does nothing",
            above(Case::ValidAgain),
            1500.0,
            0,
        ),
        Figure::at_most(
            "the same in a server that tells who is connected",
            above_floor(CONNECTED, Case::ValidAgain),
            1500.0,
            0,
        ),
        Figure::at_most(
            "seen before: whole request, part of the best without a cache",
            ratio(again, best_without_cache(counts)),
            1.0 / 45.0,
            4,
        ),
        Figure::at_most(
            "seen before: whole request, part of axum-oidc-layer's from its cache",
            ratio(again, whole(CACHING, Case::ValidAgain)),
            1.0 / 3.5,
            4,
        ),
        Figure::at_most(
            "seen before, with revocation and audit, to without, above a layer that does nothing",
            ratio(
                above_floor(ACCOUNTABLE, Case::ValidAgain),
                above(Case::ValidAgain),
            ),
            1.5,
            3,
        ),
        Figure::at_most(
            "seen before, with revocation and audit, to without, whole request",
            ratio(whole(ACCOUNTABLE, Case::ValidAgain), again),
            1.5,
            3,
        ),
        Figure::at_most(
            "first sight: instructions above a layer that does nothing, signature checks",
            ratio(above(Case::ValidFirst), check),
            1.10,
            3,
        ),
        Figure::at_most(
            "bad signature: instructions above a layer that does nothing, signature checks",
            ratio(above(Case::BadSignature), check),
            1.06,
            3,
        ),
    ];
    for (name, case, target) in [
        ("expired", Case::Expired, 16_000.0),
        ("wrong audience", Case::WrongAudience, 16_000.0),
        ("unknown issuer", Case::UnknownIssuer, 16_000.0),
        ("garbage", Case::Garbage, 2500.0),
    ] {
        let name = format!("{name}: instructions above a layer that does nothing");
        figures.push(Figure::at_most(name, above(case), target, 0));
    }
    figures
}

/// Those that follow from allocations.
pub fn of_allocations(rows: &[Comparison]) -> Vec<Figure> {
    let of = |system: &str, case| {
        rows.iter()
            .find(|row| row.system == system && row.case == case)
            .map(|row| row.allocations)
    };
    let above_floor =
        |system: &'static str, case| Some(of(system, case)? - of(floor(system)?, case)?);
    let again = |system| above_floor(system, Case::ValidAgain);
    let check = of(SIGNATURE, Case::ValidFirst);
    let first = |system| Some(above_floor(system, Case::ValidFirst)? - check?);
    vec![
        Figure::at_most(
            "seen before: allocations above a layer that does nothing",
            again(COUNTERSIGN),
            1.0,
            1,
        ),
        Figure::at_most(
            "the same in a server that tells who is connected",
            again(CONNECTED),
            1.0,
            1,
        ),
        Figure::at_most(
            "first sight: likewise, without those of the signature check",
            first(COUNTERSIGN),
            10.0,
            1,
        ),
        Figure::at_most(
            "the same in a server that tells who is connected",
            first(CONNECTED),
            10.0,
            1,
        ),
    ]
}

/// Those that follow from growth.
pub fn of_points(points: &[Point]) -> Vec<Figure> {
    let at = |series: &str, at| {
        points
            .iter()
            .find(|point| point.series == series && point.at == at)
            .map(|point| point.value)
    };
    let grown = |series, from, to| ratio(at(series, to), at(series, from));
    let value = |series: &str| points.iter().find(|one| one.series == series);
    let rate = |series| value(series).map(|point| point.value);
    let full = |series: &str| {
        let values = points.iter().filter(|point| point.series == series);
        let most = values.map(|point| point.value).reduce(f64::max);
        ratio(most, Some(crate::measure::float(memory::CONFIGURED)))
    };
    let threads = |series| grown(series, 1, 2);
    vec![
        Figure::at_least(
            "two threads to one, first sight: part of what the bare signature check gains",
            ratio(threads(threads::FIRST), threads(threads::CHECK)),
            0.97,
            3,
        ),
        Figure::at_least(
            "two threads to one, seen before",
            threads(threads::AGAIN),
            1.8,
            3,
        ),
        Figure::at_most(
            "100,000 distinct tokens to 1,000, all hits",
            grown(tokens::HITS, tokens::FEW, tokens::MANY),
            1.5,
            3,
        ),
        Figure::at_most(
            "100,000 distinct tokens to 1,000, all misses",
            grown(tokens::MISSES, tokens::FEW, tokens::MANY),
            1.05,
            3,
        ),
        Figure::at_most(
            "1,000 issuers to 1, seen before",
            grown(issuers::AGAIN, 1, issuers::MANY),
            1.1,
            3,
        ),
        Figure::at_most(
            "1,000 issuers to 1, first sight",
            grown(issuers::FIRST, 1, issuers::MANY),
            1.1,
            3,
        ),
        Figure::at_most(
            "memory of a full cache to what is configured, allocated",
            full(memory::ALLOCATED),
            1.25,
            3,
        ),
        Figure::at_most(
            "memory of a full cache to what is configured, resident",
            full(memory::RESIDENT),
            1.25,
            3,
        ),
        Figure::at_least(
            "loopback HTTP, seen before: requests per second to those of a layer that does nothing",
            ratio(rate(loopback::AGAIN), rate(loopback::NOOP)),
            0.97,
            3,
        ),
    ]
}

/// Those that follow from latencies.
pub fn of_latencies(rows: &[Latency]) -> Vec<Figure> {
    let mut figures: Vec<_> = rows
        .iter()
        .filter(|row| ![QUIET, CONTROL].contains(&&*row.disturbance))
        .map(|row| {
            let name = format!("{}, p99 to quiet: {}", words(&row.traffic), row.disturbance);
            Figure::at_most(name, Some(row.p99_ratio), 1.3, 3)
        })
        .collect();
    let failures = rows.iter().map(|row| row.failures).sum();
    figures.push(Figure::at_most(
        "valid requests that failed in all of it",
        (!rows.is_empty()).then(|| crate::measure::float(failures)),
        0.0,
        0,
    ));
    figures
}

fn words(name: &str) -> String {
    name.replace('_', " ")
}

fn ratio(value: Option<f64>, to: Option<f64>) -> Option<f64> {
    Some(value? / to?)
}

/// The fewest instructions of a peer, or of what one writes by oneself, for a token that it does not remember.
fn best_without_cache(counts: &[Count]) -> Option<f64> {
    counts
        .iter()
        .filter(|count| count.case == Case::ValidAgain && count.system != CACHING)
        .filter(|count| floor(&count.system).is_some() && !is_own(&count.system))
        .map(|count| as_f64(count.instructions))
        .min_by(f64::total_cmp)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a request takes millions at most"
)]
pub(crate) fn as_f64(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(system: &str, case: Case, instructions: u64) -> Count {
        Count {
            system: system.to_owned(),
            case,
            instructions,
        }
    }

    fn reached(table: &str, start: &str) -> Option<bool> {
        let row = table.lines().find(|row| row.starts_with(start));
        row.map(|row| row.ends_with(" yes |"))
    }

    #[test]
    fn a_figure_stands_beside_its_target_and_says_whether_it_is_reached() {
        let counts = [
            count("noop", Case::ValidAgain, 5000),
            count("countersign", Case::ValidAgain, 6400),
            count("noop", Case::Garbage, 5000),
            count("countersign", Case::Garbage, 7501),
        ];
        let table = table(&of_counts(&counts));
        assert_eq!(
            reached(&table, "| seen before: instr"),
            Some(true),
            "{table}"
        );
        assert_eq!(reached(&table, "| garbage"), Some(false));
        assert_eq!(reached(&table, "| expired"), None, "it was not counted");
    }

    #[test]
    fn what_should_be_much_is_reached_from_its_target_on() {
        let rates = |series, one, two| {
            [
                Point::new(series, 1, one, "per second"),
                Point::new(series, 2, two, "per second"),
            ]
        };
        let cases = [(1800.0, true), (1799.0, false)];
        for (two, expected) in cases {
            let table = table(&of_points(&rates(threads::AGAIN, 1000.0, two)));
            let start = "| two threads to one, seen before";
            assert_eq!(reached(&table, start), Some(expected), "{table}");
        }
    }

    #[test]
    fn the_best_alternative_is_no_yardstick_and_keeps_no_tokens() {
        let counts = [
            count("noop", Case::ValidAgain, 5000),
            count(CACHING, Case::ValidAgain, 28_000),
            count("hand_written", Case::ValidAgain, 386_000),
            count("jwt-authorizer", Case::ValidAgain, 471_000),
        ];
        assert_eq!(best_without_cache(&counts), Some(386_000.0));
    }
}
