use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use countersign_jwks::suite::{Outage, Seldom};
use countersign_jwks::{Clock, SystemClock};

use crate::replay::{ProofId, Remembering, Replay, ReplayStore};

/// The proofs that this process has seen, in memory. One that is full of proofs that may still be replayed refuses
/// further ones: forgetting one would let it be replayed.
///
/// One key may have a quarter of them, so that a client that never stops is refused, and the others are not. A client
/// that has tokens bound to many keys has more: how many it is given is for the authorization server to say.
pub struct MemoryReplayStore {
    max_entries: usize,
    max_per_key: usize,
    clock: Arc<dyn Clock>,
    seen: Mutex<Seen>,
    /// That it was full. Any client that has a token fills it a little, so the log is told of no more than that.
    full: Outage,
    /// That one key had all that one may have.
    full_of_key: Seldom,
}

#[derive(Default)]
struct Seen {
    proofs: HashSet<[u8; 32]>,
    /// How many there are of each key that has any.
    of_key: HashMap<KeyTag, usize>,
    /// When each may be forgotten, soonest first: all live equally long.
    order: VecDeque<(Duration, KeyTag, [u8; 32])>,
}

/// As much of a thumbprint as nobody can make twice of another's.
type KeyTag = [u8; 16];

impl Seen {
    fn forget(&mut self, now: Duration) {
        while let Some((_, key, proof)) = self.order.front().filter(|(until, ..)| *until < now) {
            self.proofs.remove(proof);
            if let Some(count) = self.of_key.get_mut(key) {
                *count -= 1;
                if *count == 0 {
                    self.of_key.remove(key);
                }
            }
            self.order.pop_front();
        }
    }
}

impl MemoryReplayStore {
    /// A store of at most so many proofs, of about 160 bytes each. Room is needed for those of 95 s; requests beyond are
    /// answered with 503, whoever filled it.
    pub fn new(max_entries: usize) -> Self {
        Self::with_clock(max_entries, Arc::new(SystemClock::new()))
    }

    /// The same, with time from this clock.
    pub fn with_clock(max_entries: usize, clock: Arc<dyn Clock>) -> Self {
        Self {
            max_entries,
            max_per_key: max_entries.div_ceil(4),
            clock,
            seen: Mutex::default(),
            full: Outage::default(),
            full_of_key: Seldom::new(),
        }
    }

    /// How many of them one key may have. Further ones of that key are answered with 503. Default: a quarter of all.
    #[must_use]
    pub fn with_max_per_key(mut self, proofs: usize) -> Self {
        self.max_per_key = proofs;
        self
    }

    /// How many proofs it remembers.
    pub fn len(&self) -> usize {
        self.lock(|seen| seen.proofs.len())
    }

    /// Whether it remembers none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn report(&self, is_full: bool, now: Duration) {
        let (max_proofs, max_proofs_per_key) = (self.max_entries, self.max_per_key);
        if is_full && self.full.is_news(now) {
            tracing::warn!(
                max_proofs,
                "the store of DPoP proofs is full: further ones are answered with 503; it is told when it has room again"
            );
        } else if !is_full && self.full_of_key.is_due(now) {
            tracing::warn!(
                max_proofs_per_key,
                "a client has presented as many DPoP proofs as one key may: its further ones are answered with 503 \
                 (told once a minute at most)"
            );
        }
    }

    /// A panic elsewhere leaves at worst a proof that is known and never forgotten.
    fn lock<T>(&self, work: impl FnOnce(&mut Seen) -> T) -> T {
        work(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ReplayStore for MemoryReplayStore {
    fn remember(&self, proof: ProofId, lifetime: Duration) -> Remembering {
        let now = self.clock.monotonic();
        let mut key = KeyTag::default();
        key.copy_from_slice(&proof.key()[..16]);
        let mut is_full = false;
        let replay = self.lock(|seen| {
            seen.forget(now);
            let of_key = seen.of_key.get(&key).copied().unwrap_or(0);
            is_full = seen.proofs.len() >= self.max_entries;
            if seen.proofs.contains(proof.digest()) {
                Replay::Seen
            } else if is_full || of_key >= self.max_per_key {
                Replay::Unavailable
            } else {
                seen.proofs.insert(*proof.digest());
                seen.of_key.insert(key, of_key + 1);
                seen.order.push_back((now + lifetime, key, *proof.digest()));
                Replay::Fresh
            }
        });
        match replay {
            Replay::Fresh if self.full.is_over() => {
                tracing::info!("the store of DPoP proofs has room again");
            }
            Replay::Unavailable => self.report(is_full, now),
            Replay::Fresh | Replay::Seen => {}
        }
        Remembering::Ready(replay)
    }
}

impl fmt::Debug for MemoryReplayStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryReplayStore")
            .field("entries", &self.len())
            .field("max_entries", &self.max_entries)
            .field("max_per_key", &self.max_per_key)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_testing::FakeClock;

    /// Presents the proof of that number by the key of that number.
    fn remember(store: &MemoryReplayStore, key: u8, proof: u32) -> Replay {
        let proof = ProofId::new([key; 32], &proof.to_string());
        match store.remember(proof, Duration::from_secs(65)) {
            Remembering::Ready(replay) => replay,
            Remembering::Pending(_) => panic!("memory does not wait"),
        }
    }

    #[test]
    fn a_proof_counts_once_until_it_is_too_old_to_count() {
        let clock = FakeClock::new();
        let store = MemoryReplayStore::with_clock(10, Arc::new(clock.clone()));
        assert!(store.is_empty());
        assert_eq!(remember(&store, 1, 1), Replay::Fresh);
        assert!(!store.is_empty());
        assert_eq!(remember(&store, 1, 1), Replay::Seen);
        assert_eq!(remember(&store, 2, 1), Replay::Fresh, "another key's");
        clock.advance(Duration::from_secs(65));
        assert_eq!(remember(&store, 1, 1), Replay::Seen);
        clock.advance(Duration::from_secs(1));
        assert_eq!(remember(&store, 1, 1), Replay::Fresh);
        assert_eq!(store.len(), 1);
    }

    #[test]
    fn a_full_store_refuses_rather_than_forgets() {
        let clock = FakeClock::new();
        let store = MemoryReplayStore::with_clock(2, Arc::new(clock.clone()));
        assert_eq!(remember(&store, 1, 1), Replay::Fresh);
        assert_eq!(remember(&store, 2, 1), Replay::Fresh);
        assert_eq!(remember(&store, 3, 1), Replay::Unavailable);
        assert_eq!(remember(&store, 1, 1), Replay::Seen);
        clock.advance(Duration::from_secs(66));
        assert_eq!(remember(&store, 3, 1), Replay::Fresh);
        assert_eq!(store.len(), 1);
    }

    #[test]
    fn a_key_gets_back_as_many_places_as_were_forgotten_of_it() {
        let clock = FakeClock::new();
        let store = MemoryReplayStore::with_clock(8, Arc::new(clock.clone()));
        assert_eq!(remember(&store, 1, 1), Replay::Fresh);
        clock.advance(Duration::from_secs(30));
        assert_eq!(remember(&store, 1, 2), Replay::Fresh);
        assert_eq!(remember(&store, 2, 1), Replay::Fresh);
        assert_eq!(remember(&store, 1, 3), Replay::Unavailable);
        clock.advance(Duration::from_secs(36));
        assert_eq!(remember(&store, 1, 3), Replay::Fresh, "in place of 1");
        assert_eq!(remember(&store, 1, 4), Replay::Unavailable);
        clock.advance(Duration::from_secs(66));
        assert_eq!(remember(&store, 3, 1), Replay::Fresh);
        assert_eq!(store.lock(|seen| seen.of_key.len()), 1, "3 alone");
    }

    #[test]
    fn a_key_that_never_stops_leaves_room_for_the_others() {
        let clock = FakeClock::new();
        let store = MemoryReplayStore::with_clock(100, Arc::new(clock.clone()));
        let fresh = |key, proofs: std::ops::Range<u32>| {
            let presented = proofs.map(|proof| remember(&store, key, proof));
            presented.filter(|replay| *replay == Replay::Fresh).count()
        };
        assert_eq!(fresh(1, 0..1000), 25);
        assert_eq!(remember(&store, 1, 0), Replay::Seen, "it is known still");
        assert_eq!(fresh(2, 0..20), 20);
        clock.advance(Duration::from_secs(66));
        assert_eq!(fresh(1, 1000..2000), 25, "its place is given back");
        // Whatever is presented, no more is kept than what was said, of keys neither.
        for key in 0..=255 {
            fresh(key, 2000..2050);
        }
        let (proofs, keys) = store.lock(|seen| (seen.order.len(), seen.of_key.len()));
        assert_eq!((store.len(), proofs, keys), (100, 100, 4));
        clock.advance(Duration::from_secs(66));
        assert_eq!(fresh(9, 3000..3001), 1);
        assert_eq!(store.lock(|seen| seen.of_key.len()), 1);
    }
}
