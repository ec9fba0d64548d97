//! What nearly every request is let through by, without looking at the list itself: most tokens are not on it, and a
//! few counters tell so of nine in ten even when it is full.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

use countersign_token::Claims;

use crate::revocation::RevocationKind;
use crate::table::{Entry, Table};

/// So many counters for each entry that the list may have.
const PER_ENTRY: usize = 8;

/// It may take a token that was not revoked for one that was, never the other way round.
#[derive(Debug)]
pub(crate) struct Gate {
    has_tokens: AtomicBool,
    /// For each kind the latest of its moments, as the bits of an `f64`: tokens issued since have been withdrawn by
    /// their ids at most. In the place of tokens, which have none, the latest of all.
    latest: [AtomicU64; 5],
    /// How many entries there are whose hash leads here. One that is full is never counted down.
    counters: Box<[AtomicU8]>,
    /// Odd, and known to nobody.
    keys: (u128, u64),
    /// How many bits of a product are not part of a counter's number.
    shift: u32,
}

impl Gate {
    pub(crate) fn new(capacity: usize) -> Self {
        let counters = capacity.saturating_mul(PER_ENTRY).clamp(1 << 10, 1 << 22);
        let counters = counters.next_power_of_two();
        Self {
            has_tokens: AtomicBool::new(false),
            latest: std::array::from_fn(|_| AtomicU64::new(f64::NEG_INFINITY.to_bits())),
            counters: (0..counters).map(|_| AtomicU8::new(0)).collect(),
            keys: (fastrand::u128(..) | 1, fastrand::u64(..) | 1),
            shift: u64::BITS - counters.ilog2(),
        }
    }

    /// Whether the table must be looked at.
    pub(crate) fn may_revoke(&self, claims: &Claims) -> bool {
        use RevocationKind::{Client, Issuer, Organization, Token, User};
        if self.has_tokens.load(Ordering::Acquire)
            && claims.token_id().is_some_and(|id| self.has(id))
        {
            return true;
        }
        let issued = claims.times().issued_at.unwrap_or(f64::NEG_INFINITY);
        let is_before = |kind: RevocationKind| {
            issued < f64::from_bits(self.latest[kind as usize].load(Ordering::Acquire))
        };
        if !is_before(Token) {
            return false;
        }
        (is_before(Client) && claims.client().is_some_and(|id| self.has(id)))
            || (is_before(User) && claims.user().is_some_and(|id| self.has(id)))
            || (is_before(Organization)
                && claims
                    .organizations()
                    .as_slice()
                    .iter()
                    .any(|id| self.has(id.as_str())))
            || (is_before(Issuer) && self.has(claims.issuer()))
    }

    /// Before it is in the table.
    pub(crate) fn add(&self, entry: &Entry) {
        self.count(entry, |count| count.checked_add(1));
    }

    /// After it has left the table.
    pub(crate) fn remove(&self, entry: &Entry) {
        let is_exact = |count: &u8| *count < u8::MAX;
        self.count(entry, |count| Some(count).filter(is_exact)?.checked_sub(1));
    }

    /// After the table is in force.
    pub(crate) fn open_for(&self, table: &Table) {
        let has_tokens = table.count(RevocationKind::Token) > 0;
        self.has_tokens.store(has_tokens, Ordering::Release);
        let mut latest = table.latest();
        latest[RevocationKind::Token as usize] =
            latest.into_iter().fold(f64::NEG_INFINITY, f64::max);
        for (mine, latest) in self.latest.iter().zip(latest) {
            mine.store(latest.to_bits(), Ordering::Release);
        }
    }

    fn count(&self, entry: &Entry, change: impl FnMut(u8) -> Option<u8>) {
        let counter = self.counter(entry.revocation.named());
        // It fails where the counter is to stay as it is.
        let _ = counter.fetch_update(Ordering::AcqRel, Ordering::Acquire, change);
    }

    fn has(&self, name: &str) -> bool {
        self.counter(name).load(Ordering::Acquire) > 0
    }

    /// By the first 8 bytes and the last 16, of which most names have no more that tells them apart. Names that lead to one
    /// counter cost a look at the table.
    fn counter(&self, name: &str) -> &AtomicU8 {
        let name = name.as_bytes();
        let (wide, narrow) = self.keys;
        let bits = match (
            name.first_chunk().map(|first| u64::from_be_bytes(*first)),
            name.last_chunk().map(|last| u128::from_be_bytes(*last)),
            name.last_chunk().map(|last| u64::from_be_bytes(*last)),
        ) {
            (Some(first), Some(last), _) => last ^ (u128::from(first.wrapping_mul(narrow)) << 64),
            (Some(first), None, Some(last)) => (u128::from(first) << 64) | u128::from(last),
            _ => name
                .iter()
                .fold(0, |bits, byte| (bits << 8) | u128::from(*byte)),
        };
        // Of a product the highest bits depend on all bits. Twice, so that names counted up do not fall in step.
        let product = bits.wrapping_mul(wide);
        let folded = (product >> 64) ^ (product & u128::from(u64::MAX));
        let folded = u64::try_from(folded).unwrap_or(0).wrapping_mul(narrow);
        let index = usize::try_from(folded >> self.shift).unwrap_or(0);
        &self.counters[index]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::time::Duration;

    use super::*;
    use crate::revocation::Revocation;

    fn entry(id: &str) -> Entry {
        let revocation = Revocation::user("i", id, Duration::from_secs(1)).unwrap();
        Entry::new(revocation, Duration::ZERO, 0)
    }

    #[test]
    fn a_full_counter_lets_nothing_through_by_itself_again() {
        let gate = Gate::new(1);
        let count = || gate.counter("ann").load(Ordering::Acquire);
        for _ in 0..254 {
            gate.add(&entry("ann"));
        }
        gate.remove(&entry("ann"));
        assert_eq!(count(), 253);
        for _ in 0..300 {
            gate.add(&entry("ann"));
        }
        for _ in 0..600 {
            gate.remove(&entry("ann"));
        }
        assert_eq!(count(), 255);
    }

    #[test]
    fn different_names_lead_to_different_counters_as_chance_has_it() {
        let gate = Gate::new(1000);
        let names: [fn(u32) -> String; 5] = [
            |n| format!("{n}"),
            |n| format!("client-{n}"),
            |n| format!("org_{n:020}"),
            |n| format!("{n:06}@acme.example"),
            |n| format!("0b5a6f1e-{n:04x}-4c1b-9d0e-{n:012x}"),
        ];
        for name in names {
            let counters: HashSet<_> = (0..1000)
                .map(|n| std::ptr::from_ref(gate.counter(&name(n))))
                .collect();
            // 1,000 into 8,192 at random leave 941 on average, give or take 7.
            assert!(counters.len() > 850, "{} {}", name(7), counters.len());
        }
    }

    #[test]
    fn a_counter_that_was_not_counted_up_is_not_counted_down() {
        let gate = Gate::new(1);
        gate.remove(&entry("ann"));
        assert_eq!(gate.counter("ann").load(Ordering::Acquire), 0);
    }
}
