use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::algorithm::{Algorithm, Algorithms};
use crate::builder::JwksBuilder;
use crate::miss;
use crate::set::KeySet;
use crate::shared::Shared;
use crate::source::KeySource;
use crate::status::{JwksStatus, KeyStatus};
use crate::trusted_key::TrustedKey;

/// The keys of one issuer.
///
/// A handle: cheap to clone, and all clones share the set in force, its refresh and its budget. Nothing is shared
/// between issuers. When the last handle is dropped, the background task ends.
#[derive(Clone)]
pub struct Jwks {
    shared: Arc<Shared>,
}

impl Jwks {
    /// The keys that `issuer` publishes at `source`, as far as they fit `allowed`.
    ///
    /// `issuer` is the exact `iss`; it is compared with discovered metadata byte for byte, and labels logs and
    /// metrics.
    pub fn builder(
        issuer: impl Into<String>,
        source: KeySource,
        allowed: Algorithms,
    ) -> JwksBuilder {
        JwksBuilder::new(issuer.into(), source, allowed)
    }

    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// The issuer, as it was given.
    pub fn issuer(&self) -> &str {
        &self.shared.plan.issuer
    }

    /// The key for a token with this `kid` and `alg`, out of the set in force. Synchronous; a hit takes no lock.
    pub fn key(&self, kid: Option<&str>, algorithm: Algorithm) -> Lookup {
        self.shared.lookup(kid, algorithm)
    }

    /// The key for a token after [`key`](Self::key) found it [`Missing`](Lookup::Missing) or the set
    /// [`Unavailable`](Lookup::Unavailable): waits for a fetch, for 1 s at most.
    ///
    /// All who wait share one fetch, which runs apart from them; each may be dropped at any time. Fetches are paid for
    /// out of the issuer's budget. See [`Lookup`] for what the answers then mean.
    pub fn refresh_for(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
    ) -> impl Future<Output = Lookup> + Send + 'static + use<> {
        miss::refresh_for(Arc::clone(&self.shared), kid.map(str::to_owned), algorithm)
    }

    /// Swaps to `set` by hand, narrowed to the algorithms allowed; `false`, and the old set is kept, if no key
    /// fits one.
    ///
    /// Keys that are equal to keys of the old set stay trusted as the same keys. A fetch that was under way does not
    /// overwrite `set`; the next one does.
    pub fn replace(&self, set: KeySet) -> bool {
        self.shared.replace(set)
    }

    /// Completes with the next swap to a set of different keys, counted from this call.
    pub fn changed(&self) -> impl Future<Output = ()> + Send {
        let mut swaps = self.shared.swaps.subscribe();
        async move {
            // The sender lives as long as `self`, so this does not end without a swap.
            let _ = swaps.changed().await;
        }
    }

    /// Whether there is a set that may be trusted; for a readiness probe. A liveness probe should not ask: a
    /// restart does not bring the issuer back.
    pub fn is_ready(&self) -> bool {
        self.shared
            .snapshot()
            .is_some_and(|snapshot| self.shared.trusted(&snapshot))
    }

    /// How the keys are doing.
    pub fn status(&self) -> JwksStatus {
        let now = self.shared.now();
        let snapshot = self.shared.snapshot();
        let snapshot = snapshot.as_deref();
        let state = self.shared.lock();
        JwksStatus {
            usable: snapshot.is_some_and(|snapshot| self.shared.trusted(snapshot)),
            age: snapshot
                .and_then(|snapshot| snapshot.age)
                .map(|age| now.saturating_sub(age.since)),
            last_error: state.last_error,
            keys: snapshot.map_or_else(Vec::new, |snapshot| KeyStatus::all_of(&snapshot.set)),
            skipped: snapshot.map_or_else(Vec::new, |snapshot| snapshot.set.skipped().to_vec()),
            next_refresh: self
                .shared
                .plan
                .origin
                .is_some()
                .then(|| state.refresh.due().saturating_sub(now)),
        }
    }
}

impl fmt::Debug for Jwks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shared.fmt(f)
    }
}

/// What there is for a token's `kid` and `alg`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Lookup {
    /// This key, and no other.
    Found(TrustedKey),
    /// The `kid` is there but for no such algorithm, or there is no `kid` and several keys fit. Refuse the token; no
    /// fetch would help.
    Unfit,
    /// No such key in a usable set.
    ///
    /// From [`Jwks::key`]: a refresh may help. From [`Jwks::refresh_for`]: it is absent from a set fetched since, or
    /// the budget is spent and the last fetch succeeded. Refuse the token (401).
    Missing,
    /// The token can be neither accepted nor refused (503): there is no set that may be trusted or, from
    /// [`Jwks::refresh_for`], no newer one could be had.
    ///
    /// From [`Jwks::key`]: [`Jwks::refresh_for`] may be tried.
    Unavailable {
        /// When to ask again, 1 s to 60 s; for `Retry-After`.
        retry_after: Duration,
    },
}
