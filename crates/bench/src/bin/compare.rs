//! Time and allocations of a request, this suite beside its peers: `README.md` says how to read the table.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::rc::Rc;

use countersign_bench::report::{comparison_table, comparisons};
use countersign_bench::world::World;
use countersign_bench::{Error, alloc, arguments, ended, measure, systems};

#[global_allocator]
static ALLOCATOR: &stats_alloc::StatsAlloc<std::alloc::System> = alloc::COUNTING;

const USAGE: &str = "\
compare [--json FILE] [--markdown FILE] [--rounds N] [--only SYSTEM]

Prints a table; --json and --markdown write it to files, too. --rounds: 60 unless said. --only: this system, and those
that its ratio needs.";

fn main() -> ExitCode {
    ended(compare())
}

fn compare() -> Result<(), Error> {
    let Some(output) = arguments::Output::read(USAGE)? else {
        return Ok(());
    };
    if !alloc::is_counting() {
        return Err("a measurement takes the counting allocator".into());
    }

    let world = Rc::new(World::new()?);
    let _runtime = world.enter();
    let mut systems = systems::all(&world, output.only.as_deref())?;
    let measurements = measure::measure(&mut systems, output.rounds.unwrap_or(60))?;
    let rows = comparisons(&measurements.measured)?;

    let mut text = comparison_table(&rows);
    if !measurements.left_out.is_empty() {
        text.push_str("\nLeft out:\n\n");
        for reason in &measurements.left_out {
            writeln!(text, "- {reason}")?;
        }
    }
    output.write(&rows, &text)
}
