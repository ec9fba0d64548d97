//! Memory of a full token cache. A program of its own, since the counting allocator would hold up two threads, and memory
//! that was used before would hide what is taken.

use std::process::ExitCode;

use countersign_bench::scale::{memory, table};
use countersign_bench::world::World;
use countersign_bench::{Error, alloc, arguments, ended};

#[global_allocator]
static ALLOCATOR: &stats_alloc::StatsAlloc<std::alloc::System> = alloc::COUNTING;

const USAGE: &str = "\
memory [--json FILE] [--markdown FILE]

Prints a table; --json and --markdown write it to files, too.";

fn main() -> ExitCode {
    ended(run())
}

fn run() -> Result<(), Error> {
    let Some(output) = arguments::Output::read(USAGE)? else {
        return Ok(());
    };
    let points = memory::measure(&World::new()?)?;
    output.write(&points, &table(&points))
}
