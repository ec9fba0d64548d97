//! Puts what the other programs wrote into the page: `all.sh` calls it.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use countersign_bench::page::Results;
use countersign_bench::report::write;
use countersign_bench::{Error, ended};
use pico_args::Arguments;

const USAGE: &str = "\
page DIR PAGE
    makes plots in DIR of the results there, and fills the blocks of PAGE";

fn main() -> ExitCode {
    ended(run())
}

fn run() -> Result<(), Error> {
    let mut arguments = Arguments::from_env();
    let mut path = || arguments.free_from_str().map_err(|_| USAGE);
    let (directory, page): (PathBuf, PathBuf) = (path()?, path()?);
    let results = Results::read(&directory)?;
    let text = fs::read_to_string(&page).map_err(|error| format!("{}: {error}", page.display()))?;
    let text = results.fill(&text)?;
    results.plot(&directory)?;
    write(&page, &text)
}
