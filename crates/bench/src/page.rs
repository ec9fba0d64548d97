//! Puts results into `docs/performance.md`: between its markers stand tables, beside it plots.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::Error;
use crate::callgrind::{Count, find};
use crate::case::Case;
use crate::disturb::{self, Latency};
use crate::plot::{Bars, Lines};
use crate::report::{Comparison, Table, read_json, write};
use crate::scale::{self, Point, issuers, memory, tokens};
use crate::systems::{COUNTERSIGN, SIGNATURE, floor, is_own};
use crate::targets;

/// What all programs have written.
#[derive(Debug)]
pub struct Results {
    compared: Vec<Comparison>,
    counted: Vec<Count>,
    disturbed: Vec<Latency>,
    scaled: Vec<Point>,
    memory: Vec<Point>,
    machine: String,
}

impl Results {
    /// Reads `compare.json`, `instructions.json`, `disturb.json`, `scale.json`, `memory.json` and `machine.md`.
    pub fn read(directory: &Path) -> Result<Self, Error> {
        let machine = directory.join("machine.md");
        Ok(Self {
            compared: read_json(&directory.join("compare.json"))?,
            counted: read_json(&directory.join("instructions.json"))?,
            disturbed: read_json(&directory.join("disturb.json"))?,
            scaled: read_json(&directory.join("scale.json"))?,
            memory: read_json(&directory.join("memory.json"))?,
            machine: fs::read_to_string(&machine)
                .map_err(|error| format!("{}: {error}", machine.display()))?,
        })
    }

    /// The page with its blocks filled.
    pub fn fill(&self, page: &str) -> Result<String, Error> {
        let time = self.compared.iter().map(|row| {
            let ratio = format!("{:.3}", row.signature_ratio);
            (&*row.system, row.case, ratio)
        });
        let allocations = self.compared.iter().map(|row| {
            let count = format!("{:.1}", row.allocations);
            (&*row.system, row.case, count)
        });
        let instructions = self
            .counted
            .iter()
            .map(|row| (&*row.system, row.case, row.instructions.to_string()));
        let memory: Vec<_> = self
            .memory
            .iter()
            .filter(|one| one.at % 5000 == 0)
            .cloned()
            .collect();
        let blocks = [
            ("machine", self.machine.clone()),
            ("figures", targets::table(&self.figures())),
            ("time", by_case(time)),
            ("allocations", by_case(allocations)),
            ("instructions", by_case(instructions)),
            ("cheaper", self.cheaper()),
            ("disturb", disturb::table(&self.disturbed)),
            ("scale", scale::table(&self.scaled)),
            ("memory", scale::table(&memory)),
        ];
        let mut page = page.to_owned();
        for (name, text) in &blocks {
            page = filled(&page, name, text)?;
        }
        Ok(page)
    }

    /// Writes the plots beside the results.
    pub fn plot(&self, directory: &Path) -> Result<(), Error> {
        let plots = [
            (
                "first_sight.svg",
                self.times(Case::ValidFirst, "A token not seen before"),
            ),
            (
                "seen_before.svg",
                self.times(Case::ValidAgain, "A token seen before"),
            ),
            ("refusals.svg", self.refusals()),
            ("disturb.svg", self.disturbances()),
            ("growth.svg", self.growth()),
            ("memory.svg", self.memory()),
        ];
        for (name, svg) in plots {
            write(&directory.join(name), &svg)?;
        }
        Ok(())
    }

    fn figures(&self) -> Vec<targets::Figure> {
        let mut figures = targets::of_counts(&self.counted);
        figures.extend(targets::of_allocations(&self.compared));
        let points: Vec<_> = self.scaled.iter().chain(&self.memory).cloned().collect();
        figures.extend(targets::of_points(&points));
        figures.extend(targets::of_latencies(&self.disturbed));
        figures
    }

    /// Who does with fewer instructions than the suite, by case.
    fn cheaper(&self) -> String {
        let mut table = Table::new(1, ["case", "countersign", "fewer instructions"]);
        for case in Case::ALL {
            let Some(own) = find(&self.counted, COUNTERSIGN, case) else {
                continue;
            };
            let others: Vec<_> = self
                .counted
                .iter()
                .filter(|row| row.case == case && row.instructions < own)
                .filter(|row| floor(&row.system).is_some() && !is_own(&row.system))
                .map(|row| format!("{} {}", row.system, row.instructions))
                .collect();
            let others = if others.is_empty() {
                "none".to_owned()
            } else {
                others.join(", ")
            };
            table.push([case.to_string(), own.to_string(), others]);
        }
        table.markdown()
    }

    fn times(&self, case: Case, what: &str) -> String {
        let mut rows: Vec<_> = self
            .compared
            .iter()
            .filter(|row| row.case == case)
            // Of the floors only what the ratios are to.
            .filter(|row| floor(&row.system).is_some() || row.system == SIGNATURE)
            .map(|row| (row.system.clone(), vec![Some(row.signature_ratio)]))
            .collect();
        rows.sort_by(|one, other| {
            one.1
                .partial_cmp(&other.1)
                .unwrap_or(std::cmp::Ordering::Equal)
        });
        Bars {
            title: format!(
                "{what}: CPU time above a layer that does nothing, in bare signature checks"
            ),
            legend: vec![],
            rows,
            digits: 2,
            mark: None,
        }
        .svg()
    }

    fn refusals(&self) -> String {
        let above = |system: &str, case| {
            let thousands =
                |system| Some(targets::as_f64(find(&self.counted, system, case)?) / 1000.0);
            Some((thousands(system)? - thousands(floor(system)?)?).max(0.0))
        };
        let systems = self.counted.iter().map(|row| &*row.system);
        let mut seen = BTreeSet::new();
        let systems = systems.filter(|name| floor(name).is_some() && seen.insert(*name));
        let cases = [Case::Garbage, Case::Expired];
        Bars {
            title: "Refusals: thousands of instructions above a layer that does nothing".into(),
            legend: cases.map(Case::name).into(),
            rows: systems
                .map(|name| (name.to_owned(), cases.map(|case| above(name, case)).into()))
                .collect(),
            digits: 1,
            mark: None,
        }
        .svg()
    }

    fn disturbances(&self) -> String {
        let kinds = ["first_sight", "seen_before"];
        let ratio = |disturbance: &str, kind| {
            self.disturbed
                .iter()
                .find(|row| row.disturbance == disturbance && row.traffic == kind)
                .map(|row| row.p99_ratio)
        };
        let disturbances = self.disturbed.iter().filter(|row| row.traffic == kinds[0]);
        Bars {
            title: "p99 of valid requests, to the quiet window of the same round; at most 1.3 is aimed at".into(),
            legend: kinds.into(),
            rows: disturbances
                .map(|row| {
                    let values = kinds.map(|kind| ratio(&row.disturbance, kind));
                    (row.disturbance.clone(), values.into())
                })
                .collect(),
            digits: 2,
            mark: Some(1.3),
        }
        .svg()
    }

    fn growth(&self) -> String {
        let series = |name: &'static str| {
            let points = self.scaled.iter().filter(|point| point.series == name);
            let points = points.map(|point| (targets::as_f64(point.at as u64), point.value));
            (name, points.collect())
        };
        Lines {
            title: "A token seen before, among many: CPU time of the whole request, ns".into(),
            below: "distinct tokens or issuers",
            powers: true,
            series: vec![series(tokens::HITS), series(issuers::AGAIN)],
            mark: None,
        }
        .svg()
    }

    fn memory(&self) -> String {
        const MEBIBYTE: f64 = 1024.0 * 1024.0;
        let configured = targets::as_f64(memory::CONFIGURED as u64) / MEBIBYTE;
        let series = |name: &'static str| {
            let points = self.memory.iter().filter(|point| point.series == name);
            let points =
                points.map(|point| (targets::as_f64(point.at as u64), point.value / MEBIBYTE));
            (name, points.collect())
        };
        Lines {
            title: format!(
                "Memory of a cache of {configured:.0} MiB; at most {:.0} MiB is aimed at",
                configured * 1.25
            ),
            below: "distinct tokens that have come",
            powers: false,
            series: vec![series(memory::ALLOCATED), series(memory::RESIDENT)],
            mark: Some(configured * 1.25),
        }
        .svg()
    }
}

/// Systems below each other, cases beside each other.
fn by_case<'a>(cells: impl Iterator<Item = (&'a str, Case, String)>) -> String {
    let headings: [&str; 8] = std::array::from_fn(|column| match column {
        0 => "system",
        _ => Case::ALL[column - 1].name(),
    });
    let mut rows: Vec<[String; 8]> = Vec::new();
    for (system, case, text) in cells {
        if rows.last().is_none_or(|row| row[0] != system) {
            let mut row: [String; 8] = Default::default();
            system.clone_into(&mut row[0]);
            rows.push(row);
        }
        let column = headings.iter().position(|name| *name == case.name());
        if let (Some(row), Some(column)) = (rows.last_mut(), column) {
            row[column] = text;
        }
    }
    let mut table = Table::new(1, headings);
    for row in rows {
        table.push(row);
    }
    table.markdown()
}

/// The page with this text between the markers of that name.
fn filled(page: &str, name: &str, text: &str) -> Result<String, Error> {
    let (begin, end) = (
        format!("<!-- begin {name} -->"),
        format!("<!-- end {name} -->"),
    );
    let parts = page
        .split_once(&begin)
        .and_then(|(before, rest)| Some((before, rest.split_once(&end)?.1)));
    let (before, after) = parts.ok_or_else(|| format!("the page has no {begin} … {end}"))?;
    Ok(format!(
        "{before}{begin}\n\n{}\n\n{end}{after}",
        text.trim()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_replaced_and_what_stands_around_it_is_kept() {
        let page = "a\n<!-- begin x -->\nold\n<!-- end x -->\nb\n";
        let once = filled(page, "x", "new\n").expect("the block is there");
        assert_eq!(once, "a\n<!-- begin x -->\n\nnew\n\n<!-- end x -->\nb\n");
        assert_eq!(filled(&once, "x", "new").expect("it still is"), once);
        assert!(filled(page, "y", "").is_err());
    }

    #[test]
    fn systems_stand_below_each_other_and_cases_beside() {
        let cells = [
            ("one", Case::ValidFirst, "1"),
            ("one", Case::Garbage, "2"),
            ("two", Case::ValidAgain, "3"),
        ];
        let table = by_case(
            cells
                .into_iter()
                .map(|(name, case, text)| (name, case, text.into())),
        );
        let rows: Vec<_> = table
            .lines()
            .skip(2)
            .map(|row| row.replace(' ', ""))
            .collect();
        assert_eq!(rows, ["|one|1||||||2|", "|two||3||||||"]);
    }
}
