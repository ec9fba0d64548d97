//! What the suite aims at, in instructions, and how far it is.

use crate::callgrind::{Count, find};
use crate::case::Case;
use crate::report::Table;
use crate::systems::{COUNTERSIGN, FLOORS};

/// The one peer that keeps verified tokens.
const CACHING: &str = "axum-oidc-layer";

/// A figure and the most that it should be.
struct Figure {
    name: &'static str,
    /// `None` where what it needs was not counted.
    value: Option<f64>,
    target: f64,
    digits: usize,
}

/// Every figure that follows from the counts, beside its target.
pub fn table(counts: &[Count]) -> String {
    let mut table = Table::new(1, ["figure", "counted", "at most", "reached"]);
    for figure in figures(counts) {
        let Some(value) = figure.value else { continue };
        table.push([
            figure.name.to_owned(),
            format!("{value:.*}", figure.digits),
            format!("{:.*}", figure.digits, figure.target),
            if value <= figure.target { "yes" } else { "no" }.to_owned(),
        ]);
    }
    table.markdown()
}

fn figures(counts: &[Count]) -> Vec<Figure> {
    let whole = |system, case| find(counts, system, case).map(as_f64);
    let above = |case| Some(whole("countersign", case)? - whole("noop", case)?);
    let check = whole("signature", Case::ValidFirst);
    let again = whole("countersign", Case::ValidAgain);
    let ratio = |value: Option<f64>, to: Option<f64>| Some(value? / to?);
    let figure = |name, value, target, digits| Figure {
        name,
        value,
        target,
        digits,
    };
    vec![
        figure(
            "seen before: above a layer that does nothing",
            above(Case::ValidAgain),
            1500.0,
            0,
        ),
        figure(
            "seen before: whole request, part of the best peer without a cache",
            ratio(again, best_without_cache(counts)),
            1.0 / 45.0,
            4,
        ),
        figure(
            "seen before: whole request, part of axum-oidc-layer's from its cache",
            ratio(again, whole(CACHING, Case::ValidAgain)),
            1.0 / 3.5,
            4,
        ),
        figure(
            "first sight: above a layer that does nothing, signature checks",
            ratio(above(Case::ValidFirst), check),
            1.10,
            3,
        ),
        figure(
            "bad signature: above a layer that does nothing, signature checks",
            ratio(above(Case::BadSignature), check),
            1.06,
            3,
        ),
        figure(
            "expired: above a layer that does nothing",
            above(Case::Expired),
            16_000.0,
            0,
        ),
        figure(
            "wrong audience: likewise",
            above(Case::WrongAudience),
            16_000.0,
            0,
        ),
        figure(
            "unknown issuer: likewise",
            above(Case::UnknownIssuer),
            16_000.0,
            0,
        ),
        figure("garbage: likewise", above(Case::Garbage), 2500.0, 0),
    ]
}

/// The fewest instructions of a peer, or of what one writes by oneself, for a token that it does not remember.
fn best_without_cache(counts: &[Count]) -> Option<f64> {
    counts
        .iter()
        .filter(|count| count.case == Case::ValidAgain && count.system != CACHING)
        .filter(|count| !FLOORS.contains(&&*count.system) && count.system != COUNTERSIGN)
        .map(|count| as_f64(count.instructions))
        .min_by(f64::total_cmp)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a request takes millions at most"
)]
fn as_f64(count: u64) -> f64 {
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

    #[test]
    fn a_figure_stands_beside_its_target_and_says_whether_it_is_reached() {
        let counts = [
            count("noop", Case::ValidAgain, 5000),
            count("countersign", Case::ValidAgain, 6400),
            count("noop", Case::Garbage, 5000),
            count("countersign", Case::Garbage, 7501),
        ];
        let table = table(&counts);
        let reached = |start| {
            let row = table.lines().find(|row| row.starts_with(start));
            row.map(|row| row.ends_with("yes |"))
        };
        assert_eq!(reached("| seen before: above"), Some(true));
        assert_eq!(reached("| garbage"), Some(false));
        assert_eq!(reached("| expired"), None, "it was not counted");
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
