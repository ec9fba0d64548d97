//! To be written.

mod algorithm;
mod clock;

pub use algorithm::{Algorithm, Algorithms, UnknownAlgorithm};
pub use clock::{BoxFuture, Clock, SystemClock};
