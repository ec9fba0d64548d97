//! What is measured, seen from whoever measures.

use std::ops::Range;

use http::StatusCode;

use crate::Error;
use crate::case::Case;

/// Something that takes a request with a token and answers it.
///
/// Work is prepared first, outside of what is measured, and then done as a whole.
pub trait System {
    /// Its name in reports: a crate's, for a peer.
    fn name(&self) -> &'static str;

    /// The status it must answer with, or a measurement would be one of something else. `None`: the case means
    /// nothing to it.
    fn expected(&self, case: Case) -> Option<StatusCode>;

    /// Answers one request of the case, however long that takes.
    fn answer(&mut self, case: Case) -> Result<StatusCode, Error>;

    /// Brings the system to where the case begins: for [`Case::ValidFirst`] it has seen none of the tokens, otherwise
    /// the case's token before.
    fn start(&mut self, case: Case) -> Result<(), Error>;

    /// Makes the requests of the case with these numbers.
    fn load(&mut self, case: Case, numbers: Range<usize>) -> Result<(), Error>;

    /// Starts the case and makes its first `count` requests.
    fn prepare(&mut self, case: Case, count: usize) -> Result<(), Error> {
        self.start(case)?;
        self.load(case, 0..count)
    }

    /// Answers the requests that were made. This is what is measured.
    ///
    /// An error if a request is answered with another status than [`expected`](Self::expected), or is not answered
    /// without waiting.
    fn run(&mut self) -> Result<(), Error>;
}

/// Whether the system does what the case is about, with the reason if not.
pub fn check(system: &mut dyn System, case: Case) -> Result<(), Error> {
    let Some(expected) = system.expected(case) else {
        return Err("means nothing to it".into());
    };
    let status = system.answer(case)?;
    if status != expected {
        return Err(format!("answers {status} where {expected} is right").into());
    }
    system.prepare(case, 2)?;
    system.run()
}
