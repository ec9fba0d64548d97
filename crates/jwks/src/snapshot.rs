use std::time::Duration;

use crate::load::Validator;
use crate::set::KeySet;

/// The set in force, and for how long. Replaced as a whole; never changed.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) set: KeySet,
    /// The number of the fetch, or the replacement by hand, that it came with: a lower one never follows a
    /// higher one.
    pub(crate) sequence: u64,
    /// `None` for fixed keys, which do not age.
    pub(crate) age: Option<Age>,
    pub(crate) validator: Option<Validator>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Age {
    /// When it was last fetched, confirmed or set by hand.
    pub(crate) since: Duration,
    pub(crate) time_to_live: Duration,
    pub(crate) trusted_until: Duration,
}

impl Age {
    pub(crate) fn new(since: Duration, time_to_live: Duration, grace: Duration) -> Self {
        Self {
            since,
            time_to_live,
            trusted_until: since.saturating_add(time_to_live).saturating_add(grace),
        }
    }
}
