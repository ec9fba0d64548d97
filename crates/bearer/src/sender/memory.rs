use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use countersign_jwks::{Clock, SystemClock};

use crate::replay::{ProofId, Remembering, Replay, ReplayStore};

/// The proofs that this process has seen, in memory. One that is full of proofs that may still be replayed refuses
/// further ones: forgetting one would let it be replayed.
pub struct MemoryReplayStore {
    max_entries: usize,
    clock: Arc<dyn Clock>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    proofs: HashSet<ProofId>,
    /// When each may be forgotten, soonest first: all live equally long.
    order: VecDeque<(Duration, ProofId)>,
}

impl MemoryReplayStore {
    /// A store of at most so many proofs, of about 100 bytes each. Room is needed for those of
    /// 95 s; requests beyond are answered with 503, whoever filled it.
    pub fn new(max_entries: usize) -> Self {
        Self::with_clock(max_entries, Arc::new(SystemClock::new()))
    }

    /// The same, with time from this clock.
    pub fn with_clock(max_entries: usize, clock: Arc<dyn Clock>) -> Self {
        Self {
            max_entries,
            clock,
            seen: Mutex::default(),
        }
    }

    /// How many proofs it remembers.
    pub fn len(&self) -> usize {
        self.lock(|seen| seen.proofs.len())
    }

    /// Whether it remembers none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A panic elsewhere leaves at worst a proof that is known and never forgotten.
    fn lock<T>(&self, work: impl FnOnce(&mut Seen) -> T) -> T {
        work(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ReplayStore for MemoryReplayStore {
    fn remember(&self, proof: ProofId, lifetime: Duration) -> Remembering {
        let now = self.clock.monotonic();
        Remembering::Ready(self.lock(|seen| {
            while let Some((_, old)) = seen.order.front().filter(|(until, _)| *until < now) {
                let old = *old;
                seen.proofs.remove(&old);
                seen.order.pop_front();
            }
            if seen.proofs.contains(&proof) {
                Replay::Seen
            } else if seen.proofs.len() >= self.max_entries {
                Replay::Unavailable
            } else {
                seen.proofs.insert(proof);
                seen.order.push_back((now + lifetime, proof));
                Replay::Fresh
            }
        }))
    }
}

impl fmt::Debug for MemoryReplayStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryReplayStore")
            .field("entries", &self.len())
            .field("max_entries", &self.max_entries)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_testing::FakeClock;

    fn remember(store: &MemoryReplayStore, proof: u8) -> Replay {
        match store.remember(ProofId([proof; 32]), Duration::from_secs(65)) {
            Remembering::Ready(replay) => replay,
            Remembering::Pending(_) => panic!("memory does not wait"),
        }
    }

    #[test]
    fn a_proof_counts_once_until_it_is_too_old_to_count() {
        let clock = FakeClock::new();
        let store = MemoryReplayStore::with_clock(10, Arc::new(clock.clone()));
        assert_eq!(remember(&store, 1), Replay::Fresh);
        assert_eq!(remember(&store, 1), Replay::Seen);
        clock.advance(Duration::from_secs(65));
        assert_eq!(remember(&store, 1), Replay::Seen);
        clock.advance(Duration::from_secs(1));
        assert_eq!(remember(&store, 1), Replay::Fresh);
        assert_eq!(store.len(), 1);
    }

    #[test]
    fn a_full_store_refuses_rather_than_forgets() {
        let clock = FakeClock::new();
        let store = MemoryReplayStore::with_clock(2, Arc::new(clock.clone()));
        assert_eq!(remember(&store, 1), Replay::Fresh);
        assert_eq!(remember(&store, 2), Replay::Fresh);
        assert_eq!(remember(&store, 3), Replay::Unavailable);
        assert_eq!(remember(&store, 1), Replay::Seen);
        clock.advance(Duration::from_secs(66));
        assert_eq!(remember(&store, 3), Replay::Fresh);
        assert_eq!(store.len(), 1);
    }
}
