use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::Clock;
use crate::key::Key;

/// A key out of an issuer's set in force, which knows for how long it is that.
///
/// It is trusted until a swap drops it, which is for ever, or the set has not been confirmed for too long, which the
/// issuer's next answer ends. A key that comes back after it was dropped is another one: nobody can say what happened
/// meanwhile. Cheap to clone, and asking takes neither a lock nor a look at the set.
#[derive(Clone)]
pub struct TrustedKey {
    key: Arc<Key>,
    // Of any type, so that what holds a key, and compares something else, is taken for no changing key of a map by
    // clippy's `mutable_key_type` in programs that have it in one.
    trust: Arc<dyn Trust>,
}

/// For how long a key is trusted.
trait Trust: Send + Sync {
    fn is_given(&self) -> bool;

    fn give_until(&self, end: u64);
}

struct Timed {
    clock: Arc<dyn Clock>,
    /// The first nanosecond of the clock's monotonic time at which it is trusted no longer.
    end: AtomicU64,
}

/// Fixed keys have no end.
const NEVER: u64 = u64::MAX;

impl Trust for Timed {
    fn is_given(&self) -> bool {
        let end = self.end.load(Ordering::Acquire);
        end == NEVER || nanoseconds(self.clock.monotonic()) < end
    }

    fn give_until(&self, end: u64) {
        self.end.store(end, Ordering::Release);
    }
}

impl TrustedKey {
    /// A key that is trusted up to and including `until`; for ever without.
    pub(crate) fn new(key: Arc<Key>, clock: Arc<dyn Clock>, until: Option<Duration>) -> Self {
        let trust = Timed {
            clock,
            end: AtomicU64::new(end(until)),
        };
        Self {
            key,
            trust: Arc::new(trust),
        }
    }

    /// Whether a token that was verified with it may be accepted again.
    pub fn is_trusted(&self) -> bool {
        self.trust.is_given()
    }

    /// The same up to another time. By whoever swaps sets, one at a time.
    pub(crate) fn trust_until(&self, until: Option<Duration>) {
        self.trust.give_until(end(until));
    }

    /// It is in the set no longer.
    pub(crate) fn distrust(&self) {
        self.trust.give_until(0);
    }

    /// Whether it is this very key, not one that looks like it.
    pub(crate) fn is(&self, key: &Arc<Key>) -> bool {
        Arc::ptr_eq(&self.key, key)
    }
}

fn end(until: Option<Duration>) -> u64 {
    until.map_or(NEVER, |until| nanoseconds(until).saturating_add(1))
}

/// Of a time of less than 584 years.
fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(NEVER)
}

impl Deref for TrustedKey {
    type Target = Key;

    fn deref(&self) -> &Key {
        &self.key
    }
}

impl fmt::Debug for TrustedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.key.fmt(f)
    }
}
