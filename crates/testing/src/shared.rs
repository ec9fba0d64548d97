use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use countersign_jwks::{Clock, SystemClock};
use http::HeaderValue;

use crate::client::Client;
use crate::fault::Faults;
use crate::fetches::Counters;
use crate::ring::KeyRing;

/// What the issuer and its server have in common.
pub(crate) struct Shared {
    pub(crate) name: String,
    pub(crate) counters: Counters,
    keys: Mutex<KeyRing>,
    state: Mutex<State>,
}

/// What can be set while it runs.
pub(crate) struct State {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) clients: Vec<Client>,
    pub(crate) default_audience: Option<String>,
    pub(crate) cache_control: Option<HeaderValue>,
    pub(crate) faults: Faults,
    /// What opaque tokens say.
    pub(crate) opaque: HashMap<String, Vec<u8>>,
    pub(crate) revoked: HashSet<String>,
}

impl Shared {
    pub(crate) fn new(name: String) -> Self {
        Self {
            name,
            counters: Counters::default(),
            keys: Mutex::default(),
            state: Mutex::new(State {
                clock: Arc::new(SystemClock::new()),
                clients: Vec::new(),
                default_audience: None,
                cache_control: None,
                faults: Faults::default(),
                opaque: HashMap::new(),
                revoked: HashSet::new(),
            }),
        }
    }

    pub(crate) fn keys(&self) -> MutexGuard<'_, KeyRing> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        self.state().clock.clone()
    }

    pub(crate) fn jwks_url(&self) -> String {
        format!("{}/jwks", self.name)
    }
}
