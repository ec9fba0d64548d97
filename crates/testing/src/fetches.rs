use std::sync::atomic::{AtomicUsize, Ordering};

use crate::fault::Endpoint;

/// How often a served [`TestIssuer`](crate::TestIssuer) was asked for something, faults included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fetches {
    /// Requests for the metadata, at either of its places.
    pub discovery: usize,
    /// Requests for the key set.
    pub keys: usize,
    /// Requests for a token.
    pub tokens: usize,
    /// Questions about a token.
    pub introspections: usize,
    /// Answers 304 to a request for the metadata or the key set, which count there as well.
    pub not_modified: usize,
    /// Connections dropped as soon as they were accepted; see [`Fault::Down`](crate::Fault::Down).
    pub dropped: usize,
}

#[derive(Default)]
pub(crate) struct Counters {
    discovery: AtomicUsize,
    keys: AtomicUsize,
    tokens: AtomicUsize,
    introspections: AtomicUsize,
    not_modified: AtomicUsize,
    dropped: AtomicUsize,
}

impl Counters {
    pub(crate) fn count_request(&self, endpoint: Endpoint) {
        count(match endpoint {
            Endpoint::Discovery => &self.discovery,
            Endpoint::Keys => &self.keys,
            Endpoint::Token => &self.tokens,
            Endpoint::Introspection => &self.introspections,
        });
    }

    pub(crate) fn count_not_modified(&self) {
        count(&self.not_modified);
    }

    pub(crate) fn count_dropped(&self) {
        count(&self.dropped);
    }

    pub(crate) fn read(&self) -> Fetches {
        let read = |counter: &AtomicUsize| counter.load(Ordering::SeqCst);
        Fetches {
            discovery: read(&self.discovery),
            keys: read(&self.keys),
            tokens: read(&self.tokens),
            introspections: read(&self.introspections),
            not_modified: read(&self.not_modified),
            dropped: read(&self.dropped),
        }
    }
}

fn count(counter: &AtomicUsize) {
    counter.fetch_add(1, Ordering::SeqCst);
}
