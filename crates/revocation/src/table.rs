//! What a request reads: a table that never changes. Whoever changes the list makes the next one, which shares with the
//! last what is the same in both.

use std::sync::Arc;
use std::time::Duration;

use countersign_token::Claims;
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use std::hash::{BuildHasher, Hasher};

use crate::revocation::{Revocation, RevocationKind};

/// So many parts that copying one is cheap beside a full list, and copying the list of parts is, too.
const SHARDS: usize = 256;

/// One revocation in the table.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) revocation: Revocation,
    /// When it can be forgotten, by the monotonic clock.
    pub(crate) until: Duration,
    /// Tells apart entries to be forgotten at the same time.
    pub(crate) number: u64,
    /// The moment before which tokens are withdrawn, as claims have it.
    moment: f64,
}

impl Entry {
    pub(crate) fn new(revocation: Revocation, until: Duration, number: u64) -> Self {
        Self {
            moment: revocation.moment().as_secs_f64(),
            revocation,
            until,
            number,
        }
    }
}

/// One state of the list.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    shards: Box<[Arc<Shard>; SHARDS]>,
    hasher: RandomState,
    /// How many entries of each kind.
    counts: [usize; 5],
    /// For each kind the latest moment, or before all time: a token that was issued later need not be looked for.
    latest: [f64; 5],
}

type Shard = HashTable<Arc<Entry>>;

impl Table {
    pub(crate) fn new() -> Self {
        let empty = Arc::new(Shard::new());
        Self {
            shards: Box::new(std::array::from_fn(|_| empty.clone())),
            hasher: RandomState::default(),
            counts: [0; 5],
            latest: [f64::NEG_INFINITY; 5],
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.counts.iter().sum()
    }

    pub(crate) fn count(&self, kind: RevocationKind) -> usize {
        self.counts[kind as usize]
    }

    /// For each kind the latest moment, or before all time.
    pub(crate) fn latest(&self) -> [f64; 5] {
        self.latest
    }

    /// Whether a token with these claims was withdrawn.
    pub(crate) fn revokes(&self, claims: &Claims) -> bool {
        use RevocationKind::{Client, Issuer, Organization, Token, User};
        if self.counts[Token as usize] > 0
            && let Some(id) = claims.token_id()
            && self.find(Token, claims.issuer(), id).is_some()
        {
            return true;
        }
        // A token that does not tell when it was issued may have been issued at any time.
        let issued = claims.times().issued_at.unwrap_or(f64::NEG_INFINITY);
        let is_before = |kind: RevocationKind, id: &str| {
            issued < self.latest[kind as usize]
                && self
                    .find(kind, claims.issuer(), id)
                    .is_some_and(|entry| issued < entry.moment)
        };
        is_before(Issuer, "")
            || claims.client().is_some_and(|id| is_before(Client, id))
            || claims.user().is_some_and(|id| is_before(User, id))
            || (issued < self.latest[Organization as usize]
                && claims
                    .organizations()
                    .as_slice()
                    .iter()
                    .any(|id| is_before(Organization, id.as_str())))
    }

    pub(crate) fn find(&self, kind: RevocationKind, issuer: &str, id: &str) -> Option<&Arc<Entry>> {
        let hash = hash_of(&self.hasher, if id.is_empty() { issuer } else { id });
        self.shards[shard_of(hash)].find(hash, |entry| entry.revocation.is_about(kind, issuer, id))
    }

    /// Puts an entry in, in place of one about the same.
    pub(crate) fn insert(&mut self, entry: Arc<Entry>) {
        let Revocation {
            kind, issuer, id, ..
        } = &entry.revocation;
        let kind = *kind;
        let hash = hash_of(&self.hasher, entry.revocation.named());
        let hasher = &self.hasher;
        let shard = Arc::make_mut(&mut self.shards[shard_of(hash)]);
        let moment = entry.moment;
        if let Some(old) = shard.find_mut(hash, |old| old.revocation.is_about(kind, issuer, id)) {
            *old = entry;
        } else {
            shard.insert_unique(hash, entry, |entry| {
                hash_of(hasher, entry.revocation.named())
            });
            self.counts[kind as usize] += 1;
        }
        if kind != RevocationKind::Token {
            let latest = &mut self.latest[kind as usize];
            *latest = latest.max(moment);
        }
    }

    /// Takes this very entry out.
    pub(crate) fn remove(&mut self, entry: &Arc<Entry>) {
        let hash = hash_of(&self.hasher, entry.revocation.named());
        let shard = Arc::make_mut(&mut self.shards[shard_of(hash)]);
        let Ok(found) = shard.find_entry(hash, |other| Arc::ptr_eq(other, entry)) else {
            return;
        };
        let _ = found.remove();
        let kind = entry.revocation.kind;
        let count = &mut self.counts[kind as usize];
        *count -= 1;
        // Of one kind the latest moment is forgotten last, so that it stays the latest until there is none.
        if *count == 0 {
            self.latest[kind as usize] = f64::NEG_INFINITY;
        }
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.shards.iter().flat_map(|shard| shard.iter())
    }
}

fn hash_of(hasher: &RandomState, name: &str) -> u64 {
    let mut state = hasher.build_hasher();
    state.write(name.as_bytes());
    state.finish()
}

/// From bits that the table does not use: it takes the lowest and the highest.
fn shard_of(hash: u64) -> usize {
    usize::from(hash.to_be_bytes()[3])
}
