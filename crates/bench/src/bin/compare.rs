//! Time and allocations of a request, this suite beside its peers: `README.md` says how to read the table.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;

use countersign_bench::report::{comparison_table, comparisons, write, write_json};
use countersign_bench::world::World;
use countersign_bench::{Error, alloc, ended, measure, systems};
use pico_args::Arguments;

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
    let mut arguments = Arguments::from_env();
    if arguments.contains(["-h", "--help"]) {
        println!("{USAGE}");
        return Ok(());
    }
    let json: Option<PathBuf> = arguments.opt_value_from_str("--json")?;
    let markdown: Option<PathBuf> = arguments.opt_value_from_str("--markdown")?;
    let rounds = arguments.opt_value_from_str("--rounds")?.unwrap_or(60);
    let only: Option<String> = arguments.opt_value_from_str("--only")?;
    if let Some(unknown) = arguments.finish().first() {
        return Err(format!("{}: unknown\n\n{USAGE}", unknown.display()).into());
    }
    if rounds == 0 || !alloc::is_counting() {
        return Err("a measurement takes a round at least, and the counting allocator".into());
    }

    let world = Rc::new(World::new()?);
    let _runtime = world.enter();
    let mut systems = systems::all(&world, only.as_deref())?;
    let measurements = measure::measure(&mut systems, rounds)?;
    let rows = comparisons(&measurements.measured)?;

    let mut text = comparison_table(&rows);
    if !measurements.left_out.is_empty() {
        text.push_str("\nLeft out:\n\n");
        for reason in &measurements.left_out {
            writeln!(text, "- {reason}")?;
        }
    }
    print!("{text}");
    if let Some(path) = json {
        write_json(&path, &rows)?;
    }
    if let Some(path) = markdown {
        write(&path, &text)?;
    }
    Ok(())
}
