use std::time::Duration;

use crate::algorithm::Algorithm;
use crate::fetch::FetchFailure;
use crate::set::{KeySet, SkippedKey};

/// How one issuer's keys are doing, for a status page.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct JwksStatus {
    /// Whether there is a set that is still trusted.
    pub usable: bool,
    /// Time since the set in force was last fetched, confirmed (304) or set by hand. `None` without a set, and for
    /// fixed keys.
    pub age: Option<Duration>,
    /// Why the last fetch failed; `None` if it did not.
    pub last_error: Option<FetchFailure>,
    /// One entry for each key and algorithm it may verify.
    pub keys: Vec<KeyStatus>,
    /// What the set in force has beside usable keys.
    pub skipped: Vec<SkippedKey>,
    /// Time until the next refresh in the background; zero while one is due or under way. `None` for fixed keys.
    pub next_refresh: Option<Duration>,
}

/// A key under one of the algorithms it may verify.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyStatus {
    /// The key's `kid`.
    pub kid: Option<String>,
    /// The algorithm.
    pub algorithm: Algorithm,
}

impl KeyStatus {
    pub(crate) fn all_of(set: &KeySet) -> Vec<Self> {
        set.keys()
            .iter()
            .flat_map(|key| {
                key.algorithms().iter().map(|algorithm| Self {
                    kid: key.kid().map(str::to_owned),
                    algorithm,
                })
            })
            .collect()
    }
}
