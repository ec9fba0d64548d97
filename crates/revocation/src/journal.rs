//! The last changes of the list, numbered, for those who pass them on.

use std::collections::VecDeque;

use crate::revocation::Revocation;

/// Where a change came from, so that whoever passes changes on does not send them back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Origin(pub(crate) u64);

impl Origin {
    /// Not from a feed.
    pub const BY_HAND: Self = Self(0);
}

/// One change of a [`RevocationList`](crate::RevocationList).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// Its number, counted from 1 without a gap.
    pub sequence: u64,
    /// What was added.
    pub revocation: Revocation,
    /// Who added it.
    pub origin: Origin,
}

#[derive(Debug)]
pub(crate) struct Journal {
    changes: VecDeque<Change>,
    capacity: usize,
    last: u64,
}

impl Journal {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            changes: VecDeque::new(),
            capacity,
            last: 0,
        }
    }

    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    pub(crate) fn push(&mut self, revocation: Revocation, origin: Origin) {
        self.last += 1;
        self.changes.push_back(Change {
            sequence: self.last,
            revocation,
            origin,
        });
        if self.changes.len() > self.capacity {
            self.changes.pop_front();
        }
    }

    /// What came after that number; `None` if some of it is no longer there, or the number has not been given.
    pub(crate) fn after(&self, sequence: u64) -> Option<Vec<Change>> {
        let missing = self.last.checked_sub(sequence)?;
        let start = self
            .changes
            .len()
            .checked_sub(usize::try_from(missing).ok()?)?;
        Some(self.changes.range(start..).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_came_after_a_number_is_told_whole_or_not_at_all() {
        let mut journal = Journal::new(3);
        assert_eq!(journal.after(0), Some(Vec::new()));
        assert_eq!(journal.after(1), None);
        for second in 1..=5 {
            let revocation = Revocation::issuer("i", Duration::from_secs(second)).unwrap();
            journal.push(revocation, Origin::BY_HAND);
        }
        for (after, expected) in [
            (0, None),
            (1, None),
            (2, Some(vec![3, 4, 5])),
            (4, Some(vec![5])),
            (5, Some(vec![])),
            (6, None),
            (u64::MAX, None),
        ] {
            let told = journal.after(after);
            let numbers = told.map(|all| all.iter().map(|one| one.sequence).collect::<Vec<_>>());
            assert_eq!(numbers, expected, "after {after}");
        }
    }
}
