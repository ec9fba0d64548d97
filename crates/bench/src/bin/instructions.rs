//! Instructions of a request: a program to be run under callgrind, and the reader of what callgrind wrote.
//! `instructions.sh` does both.

use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;

use countersign_bench::case::Case;
use countersign_bench::report::write_json;
use countersign_bench::system::{System, check};
use countersign_bench::world::World;
use countersign_bench::{Error, callgrind, ended, systems, targets};
use pico_args::Arguments;

const USAGE: &str = "\
instructions run [--requests N] [--only SYSTEM] [--case CASE]
    does the work, N requests a case, and prints what it did in order
instructions read DIR --json FILE
    reads callgrind's files in DIR beside the output of `run` there";

fn main() -> ExitCode {
    ended(instructions())
}

fn instructions() -> Result<(), Error> {
    let mut arguments = Arguments::from_env();
    match arguments.subcommand()?.as_deref() {
        Some("run") => {
            let requests = arguments.opt_value_from_str("--requests")?.unwrap_or(100);
            let only: Option<String> = arguments.opt_value_from_str("--only")?;
            let case: Option<String> = arguments.opt_value_from_str("--case")?;
            let case = case
                .map(|name| Case::named(&name).ok_or_else(|| format!("there is no case {name}")))
                .transpose()?;
            run(requests, only.as_deref(), case)
        }
        Some("read") => {
            let json: PathBuf = arguments.value_from_str("--json")?;
            let directory: PathBuf = arguments.free_from_str()?;
            let rows = callgrind::read(&directory)?;
            print!("{}", callgrind::table(&rows));
            print!("\n{}", targets::table(&targets::of_counts(&rows)));
            write_json(&json, &rows)
        }
        _ => Err(USAGE.into()),
    }
}

fn run(requests: usize, only: Option<&str>, case: Option<Case>) -> Result<(), Error> {
    let world = Rc::new(World::new()?);
    let _runtime = world.enter();
    eprintln!("making the systems");
    for mut system in systems::all(&world, only)? {
        eprintln!("{}", system.name());
        for case in Case::ALL
            .into_iter()
            .filter(|one| case.is_none_or(|case| *one == case))
        {
            // Twice over what is counted once: nothing is left to be set up.
            if check(&mut *system, case).is_err() || check(&mut *system, case).is_err() {
                continue;
            }
            counted_requests(&mut *system, case, requests)?;
            println!("{} {case} {requests}", system.name());
        }
    }
    Ok(())
}

/// callgrind writes a file each time that this one returns.
///
/// A request is made when the one before is gone, as a server does it: made in advance, their memory would come back
/// faster than it is taken, and the allocator's tidying be counted.
#[inline(never)]
fn counted_requests(system: &mut dyn System, case: Case, requests: usize) -> Result<(), Error> {
    system.start(case)?;
    for number in 0..requests {
        system.load(case, number..number + 1)?;
        counted_request(system)?;
    }
    Ok(())
}

/// The only function in which callgrind counts.
#[inline(never)]
fn counted_request(system: &mut dyn System) -> Result<(), Error> {
    let done = system.run();
    // A call in the last place would become a jump, and this function's frame be gone before the work is done.
    std::hint::black_box(&done);
    done
}
