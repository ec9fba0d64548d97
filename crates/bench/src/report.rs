//! Tables for people, JSON for programs.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::case::Case;
use crate::measure::Measured;
use crate::systems::{SIGNATURE, floor};

/// A row of `compare`.
#[derive(Debug, Deserialize, Serialize)]
pub struct Comparison {
    /// A crate's name, or what stands for it.
    pub system: String,
    /// What was sent.
    pub case: Case,
    /// CPU time of a request, nanoseconds.
    pub cpu_ns: f64,
    /// In bare signature checks: what the system adds to a layer that does nothing. For the systems that add nothing to
    /// one (the bare check, the bare router, that layer itself) their whole time.
    pub signature_ratio: f64,
    /// Allocations of a request.
    pub allocations: f64,
}

/// The rows, with the ratios that need others' times.
pub fn comparisons(measured: &[Measured]) -> Result<Vec<Comparison>, Error> {
    let time = |system: &str, case: Case| {
        measured
            .iter()
            .find(|row| row.system == system && row.case == case)
            .map(|row| row.nanoseconds)
            .ok_or_else(|| format!("{system} was not measured for {case}"))
    };
    let check = time(SIGNATURE, Case::ValidFirst)?;
    measured
        .iter()
        .map(|row| {
            let below = floor(row.system).map_or(Ok(0.0), |floor| time(floor, row.case))?;
            Ok(Comparison {
                system: row.system.to_owned(),
                case: row.case,
                cpu_ns: rounded(row.nanoseconds, 1),
                signature_ratio: rounded((row.nanoseconds - below) / check, 4),
                allocations: rounded(row.allocations, 2),
            })
        })
        .collect()
}

/// With so many digits after the point.
pub fn rounded(value: f64, digits: i32) -> f64 {
    let unit = 10_f64.powi(digits);
    (value * unit).round() / unit
}

/// A table in Markdown whose columns stand one below the other in a terminal, too. The first columns are words, the
/// rest numbers.
#[derive(Debug)]
pub struct Table {
    words: usize,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// With these headings, of which so many first are over words.
    pub fn new<const N: usize>(words: usize, headings: [&str; N]) -> Self {
        Self {
            words,
            rows: vec![headings.map(str::to_owned).into()],
        }
    }

    /// One row more.
    pub fn push<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }

    /// As Markdown.
    pub fn markdown(&self) -> String {
        let columns = self.rows[0].len();
        let width = |column: usize| {
            let cells = self
                .rows
                .iter()
                .map(|row: &Vec<String>| row[column].chars().count());
            cells.max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut text = String::new();
        for (number, row) in self.rows.iter().enumerate() {
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let _ = if column < self.words {
                    write!(text, "| {cell:<width$} ")
                } else {
                    write!(text, "| {cell:>width$} ")
                };
            }
            text.push_str("|\n");
            if number == 0 {
                for (column, width) in widths.iter().enumerate() {
                    let end = if column < self.words { '-' } else { ':' };
                    let _ = write!(text, "|{}{end}", "-".repeat(width + 1));
                }
                text.push_str("|\n");
            }
        }
        text
    }
}

/// The table of `compare`.
pub fn comparison_table(rows: &[Comparison]) -> String {
    let mut table = Table::new(
        2,
        [
            "system",
            "case",
            "CPU ns",
            "signature checks",
            "allocations",
        ],
    );
    for row in rows {
        table.push([
            row.system.clone(),
            row.case.to_string(),
            format!("{:.0}", row.cpu_ns),
            format!("{:.3}", row.signature_ratio),
            format!("{:.1}", row.allocations),
        ]);
    }
    table.markdown()
}

/// Writes rows as a JSON array, one a line.
pub fn write_json<T: Serialize>(path: &Path, rows: &[T]) -> Result<(), Error> {
    let rows = rows
        .iter()
        .map(serde_json::to_string)
        .collect::<Result<Vec<_>, _>>()?;
    write(path, &format!("[\n  {}\n]\n", rows.join(",\n  ")))
}

/// Reads what [`write_json`] wrote.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, Error> {
    let failed = |error: &dyn std::error::Error| format!("{}: {error}", path.display());
    let text = fs::read_to_string(path).map_err(|error| failed(&error))?;
    Ok(serde_json::from_str(&text).map_err(|error| failed(&error))?)
}

/// Writes a file, and says which if it can't.
pub fn write(path: &Path, text: &str) -> Result<(), Error> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(system: &'static str, case: Case, nanoseconds: f64) -> Measured {
        Measured {
            system,
            case,
            nanoseconds,
            allocations: 1.0,
        }
    }

    #[test]
    fn a_ratio_is_what_a_system_adds_to_a_layer_that_does_nothing_in_signature_checks() {
        let rows = comparisons(&[
            measured("signature", Case::ValidFirst, 20_000.0),
            measured("noop", Case::Expired, 1000.0),
            measured("countersign", Case::Expired, 3000.0),
        ]);
        let ratios: Vec<_> = rows
            .expect("the yardsticks were measured")
            .iter()
            .map(|row| format!("{} {}", row.system, row.signature_ratio))
            .collect();
        assert_eq!(ratios, ["signature 1", "noop 0.05", "countersign 0.1"]);
    }

    #[test]
    fn without_a_yardstick_there_is_no_ratio() {
        assert!(comparisons(&[measured("noop", Case::Expired, 1000.0)]).is_err());
    }

    #[test]
    fn the_columns_of_a_table_stand_one_below_the_other() {
        let mut table = Table::new(1, ["system", "ns"]);
        table.push(["x".to_owned(), "12345".to_owned()]);
        assert_eq!(
            table.markdown(),
            "| system |    ns |\n|--------|------:|\n| x      | 12345 |\n"
        );
    }
}
