//! How the cost of a request grows, with threads, tokens, issuers, and over HTTP: `README.md` says how.

use std::process::ExitCode;

use countersign_bench::scale::{issuers, loopback, table, threads, tokens};
use countersign_bench::world::World;
use countersign_bench::{Error, arguments, ended};

const USAGE: &str = "\
scale [--json FILE] [--markdown FILE] [--rounds N]

Prints a table; --json and --markdown write it to files, too. --rounds: 60 unless said.";

fn main() -> ExitCode {
    ended(run())
}

fn run() -> Result<(), Error> {
    let Some(output) = arguments::Output::read(USAGE)? else {
        return Ok(());
    };
    let rounds = output.rounds.unwrap_or(60);
    let world = World::new()?;
    eprintln!("threads");
    let mut points = threads::measure(&world, rounds)?;
    eprintln!("loopback");
    points.extend(loopback::measure(&world, rounds)?);
    eprintln!("issuers");
    points.extend(issuers::measure(&world, rounds)?);
    eprintln!("tokens");
    points.extend(tokens::measure(&world, rounds)?);
    output.write(&points, &table(&points))
}
