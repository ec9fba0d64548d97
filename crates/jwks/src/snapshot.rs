use std::sync::Arc;
use std::time::Duration;

use crate::key::Key;
use crate::load::Validator;
use crate::set::KeySet;
use crate::trusted_key::TrustedKey;

/// The set in force, and for how long. Replaced as a whole; never changed.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) set: KeySet,
    /// Each key of the set, in its order.
    pub(crate) held: Vec<TrustedKey>,
    /// The number of the fetch, or the replacement by hand, that it came with: a lower one never follows a
    /// higher one.
    pub(crate) sequence: u64,
    /// `None` for fixed keys, which do not age.
    pub(crate) age: Option<Age>,
    pub(crate) validator: Option<Validator>,
}

impl Snapshot {
    /// This very key of the set, with what is known of its trust.
    pub(crate) fn held(&self, key: &Arc<Key>) -> Option<&TrustedKey> {
        self.held.iter().find(|held| held.is(key))
    }

    /// The keys that are not in the set that comes after it.
    pub(crate) fn dropped_by<'s>(
        &'s self,
        next: &'s KeySet,
    ) -> impl Iterator<Item = &'s TrustedKey> {
        let stays = |held: &TrustedKey| next.keys().iter().any(|key| held.is(key));
        self.held.iter().filter(move |held| !stays(held))
    }
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
