//! Latency of valid traffic while something goes on beside it: `README.md` says what.

use std::process::ExitCode;

use countersign_bench::{Error, arguments, disturb, ended};

const USAGE: &str = "\
disturb [--json FILE] [--markdown FILE] [--rounds N]

Prints a table; --json and --markdown write it to files, too. --rounds: 7 unless said, of 18 s each.";

fn main() -> ExitCode {
    ended(run())
}

fn run() -> Result<(), Error> {
    let Some(output) = arguments::Output::read(USAGE)? else {
        return Ok(());
    };
    let rounds = output.rounds.unwrap_or(7);
    let rows = disturb::measure(rounds)?;
    output.write(&rows, &disturb::table(&rows))
}
