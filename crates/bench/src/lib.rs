//! countersign beside what users would take instead: one process, one token, no network in what is measured.
//!
//! ```text
//!              World: issuer, keys, tokens
//!                │
//!   systems::*  ─┤  a router per system          ┌─► bin/compare        time, ratio, allocations
//!                ▼                               │
//!   System: start(case), load(..) ─► run() ──────┤
//!           not measured            measured     │
//!                                                └─► bin/instructions   under callgrind
//!
//!   the suite's router alone ─► disturb, scale ────► bin/disturb, bin/scale, bin/memory
//!
//!   what they wrote ─► targets, plot, page ────────► bin/page           docs/performance.md
//! ```
//!
//! What the columns mean and how to run it: `README.md`.

pub mod alloc;
pub mod arguments;
pub mod callgrind;
pub mod case;
pub mod disturb;
pub mod measure;
pub mod page;
pub mod plot;
pub mod report;
pub mod routed;
pub mod scale;
pub mod system;
pub mod systems;
pub mod targets;
pub mod world;

use std::process::ExitCode;

/// An error of set-up; each says what was attempted in its own words.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// How a program ends: an error is printed as it reads.
pub fn ended(result: Result<(), Error>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
