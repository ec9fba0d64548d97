//! Reads what callgrind wrote: a file each time that the counted function returned, in the order of what the program
//! printed.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::case::Case;
use crate::report::Table;
use crate::systems::floor;

/// What the program under callgrind printed.
const OUTPUT: &str = "done.txt";

/// A row of `instructions.sh`.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Count {
    /// A crate's name, or what stands for it.
    pub system: String,
    /// What was sent.
    pub case: Case,
    /// Instructions of a request.
    pub instructions: u64,
}

/// Reads `done.txt` and the files `out.1`, `out.2`, … in the directory.
pub fn read(directory: &Path) -> Result<Vec<Count>, Error> {
    let text = |name: &str| {
        let path = directory.join(name);
        fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
    };
    let mut counts = Vec::new();
    for (number, line) in text(OUTPUT)?.lines().enumerate() {
        let [system, case, requests] = line.split(' ').collect::<Vec<_>>()[..] else {
            return Err(format!("{OUTPUT} says {line:?}").into());
        };
        let file = format!("out.{}", number + 1);
        let total = total(&text(&file)?).ok_or_else(|| format!("{file} has no total"))?;
        let requests: u64 = requests.parse()?;
        counts.push(Count {
            system: system.to_owned(),
            case: Case::named(case).ok_or_else(|| format!("{OUTPUT} names a case {case:?}"))?,
            instructions: (total + requests / 2) / requests,
        });
    }
    Ok(counts)
}

/// Instructions in one of callgrind's files.
fn total(file: &str) -> Option<u64> {
    let line = |name| file.lines().find_map(|line| line.strip_prefix(name));
    line("totals: ")
        .or_else(|| line("summary: "))?
        .trim()
        .parse()
        .ok()
}

/// The counts as a table, with what each case is above the layer that does nothing.
pub fn table(counts: &[Count]) -> String {
    let mut table = Table::new(2, ["system", "case", "instructions", "above noop"]);
    for count in counts {
        let above = floor(&count.system)
            .and_then(|floor| find(counts, floor, count.case))
            .map(|floor| count.instructions.saturating_sub(floor).to_string());
        table.push([
            count.system.clone(),
            count.case.to_string(),
            count.instructions.to_string(),
            above.unwrap_or_default(),
        ]);
    }
    table.markdown()
}

/// The instructions of a system's case.
pub fn find(counts: &[Count], system: &str, case: Case) -> Option<u64> {
    counts
        .iter()
        .find(|count| count.system == system && count.case == case)
        .map(|count| count.instructions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_total_is_the_events_of_the_whole_file() {
        let file = "version: 1\nevents: Ir\n\nfn=(1) counted\n0 70\nsummary: 70\ntotals: 70\n";
        assert_eq!(total(file), Some(70));
        assert_eq!(total("events: Ir\nsummary: 71\n"), Some(71));
        assert_eq!(total("events: Ir\n"), None);
    }

    #[test]
    fn a_table_says_what_a_case_is_above_the_layer_that_does_nothing() {
        let count = |system: &str, instructions| Count {
            system: system.to_owned(),
            case: Case::Garbage,
            instructions,
        };
        let table = table(&[count("noop", 5000), count("countersign", 7000)]);
        let rows: Vec<_> = table.lines().skip(2).map(squeezed).collect();
        assert_eq!(
            rows,
            ["|noop|garbage|5000||", "|countersign|garbage|7000|2000|"]
        );
    }

    fn squeezed(line: &str) -> String {
        line.replace(' ', "")
    }
}
