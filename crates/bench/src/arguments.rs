//! The arguments that the programs have in common, and the files that they name.

use std::path::PathBuf;

use pico_args::Arguments;
use serde::Serialize;

use crate::Error;
use crate::report::{write, write_json};

/// Where the rows of a program go.
#[derive(Debug)]
pub struct Output {
    json: Option<PathBuf>,
    markdown: Option<PathBuf>,
    /// How often everything is measured, if it was said; more than zero.
    pub rounds: Option<usize>,
    /// The one system to be measured, if it was said.
    pub only: Option<String>,
}

impl Output {
    /// Reads those of the program's arguments that its usage names; after `--help`, there is nothing to be done.
    pub fn read(usage: &str) -> Result<Option<Self>, Error> {
        let mut arguments = Arguments::from_env();
        if arguments.contains(["-h", "--help"]) {
            println!("{usage}");
            return Ok(None);
        }
        let takes = |option: &str| usage.contains(option);
        let mut option = |name| -> Result<Option<String>, Error> {
            Ok(if takes(name) {
                arguments.opt_value_from_str(name)?
            } else {
                None
            })
        };
        let output = Self {
            json: option("--json")?.map(Into::into),
            markdown: option("--markdown")?.map(Into::into),
            rounds: option("--rounds")?.map(|text| text.parse()).transpose()?,
            only: option("--only")?,
        };
        if let Some(unknown) = arguments.finish().first() {
            return Err(format!("{}: unknown\n\n{usage}", unknown.display()).into());
        }
        if output.rounds == Some(0) {
            return Err("a measurement takes a round at least".into());
        }
        Ok(Some(output))
    }

    /// Prints the text, and writes text and rows to the files.
    pub fn write<T: Serialize>(&self, rows: &[T], text: &str) -> Result<(), Error> {
        print!("{text}");
        if let Some(path) = &self.json {
            write_json(path, rows)?;
        }
        if let Some(path) = &self.markdown {
            write(path, text)?;
        }
        Ok(())
    }
}
