use std::sync::Arc;
use std::time::Duration;

use countersign_jwks::{Algorithm, Algorithms, Clock};
use countersign_token::{CompactToken, DpopProof, MAX_TOKEN_BYTES, ProofRefusal, Refusal};
use http::{HeaderName, HeaderValue, Method, Request};
use url::Url;

use super::memory::MemoryReplayStore;
use super::nonce::DpopNonces;
use super::{Mode, Unproven};
use crate::context::{Context, Resource};
use crate::denied::DenialKind;
use crate::replay::{ProofId, Remembering, Replay, ReplayStore};

const PROOF: HeaderName = HeaderName::from_static("dpop");

/// How old a proof may be, and how far ahead of our clock (fixed).
const PAST: Duration = Duration::from_secs(60);
const FUTURE: Duration = Duration::from_secs(5);

/// How many proofs are remembered, unless it is said.
const MAX_PROOFS: usize = 100_000;

/// How much longer a proof is remembered than it counts, for clocks that are set back or differ (fixed).
const SKEW: Duration = Duration::from_secs(30);

/// Tokens bound to a key that the caller proves to hold
/// ([RFC 9449](https://www.rfc-editor.org/rfc/rfc9449)). Off unless an authenticator is given one of these.
///
/// Each proof is for one method, one address and one token, at most 60 s old (5 s ahead), and counts once. The address
/// is compared with what is said here, never with the request's `Host`.
///
/// | setting | default |
/// |---|---|
/// | algorithms | all that the suite knows; each proof carries its own key |
/// | replay store | in memory, of 100,000 proofs, each kept for 95 s: enough for some 1,000 requests a second |
/// | share of one key | a quarter of these: some 260 requests a second |
/// | nonces | not asked for |
///
/// ```
/// use countersign_bearer::{Dpop, DpopNonces};
///
/// let dpop = Dpop::required("https://api.acme.test").with_nonces(DpopNonces::random());
/// ```
#[derive(Clone, Debug)]
#[must_use = "it takes effect once an authenticator has it"]
pub struct Dpop {
    pub(super) mode: Mode,
    base_url: String,
    algorithms: Algorithms,
    replay: Option<Arc<dyn ReplayStore>>,
    max_proofs: usize,
    max_proofs_per_key: Option<usize>,
    nonces: Option<DpopNonces>,
}

/// The proofs of a request and what they must be for, kept while others are asked.
#[derive(Debug)]
pub(crate) struct Presented {
    proof: Result<Box<[u8]>, ProofRefusal>,
    method: Method,
    path: String,
    /// Whether this authenticator remembers it for this very request: its layer stands around itself.
    is_remembered: bool,
}

/// What the layer leaves in a request that it let through with a proof, so that the same layer further in does not take
/// the proof for a replayed one. Nobody else can make one.
#[derive(Clone, Debug)]
pub(crate) struct Remembered {
    by: Arc<Context>,
    proof: HeaderValue,
}

impl Remembered {
    /// Of a request that was let through with a token bound to a key, by the authenticator of this context.
    pub(crate) fn of<B>(request: &Request<B>, by: &Arc<Context>) -> Option<Self> {
        let proof = request.headers().get(PROOF)?.clone();
        let by = by.clone();
        Some(Self { by, proof })
    }
}

impl Presented {
    pub(crate) fn of<B>(request: &Request<B>, by: &Arc<Context>) -> Self {
        let remembered = request.extensions().get::<Remembered>();
        let is_remembered = remembered.is_some_and(|one| {
            Arc::ptr_eq(&one.by, by) && request.headers().get(PROOF) == Some(&one.proof)
        });
        let mut proofs = request.headers().get_all(PROOF).iter();
        let proof = match (proofs.next(), proofs.next()) {
            (None, _) => Err(ProofRefusal::Missing),
            (Some(_), Some(_)) => Err(ProofRefusal::Several),
            (Some(proof), None) if proof.len() > MAX_TOKEN_BYTES => Err(ProofRefusal::Malformed),
            (Some(proof), None) => Ok(proof.as_bytes().into()),
        };
        Self {
            proof,
            method: request.method().clone(),
            path: request.uri().path().into(),
            is_remembered,
        }
    }
}

impl Dpop {
    /// Accepts tokens bound to a key, in the scheme `DPoP` and with a proof, beside bearer tokens. `base_url` is the
    /// address that clients know this service by, without the path that the layer sees: behind a proxy or a
    /// `nest` that takes a prefix off, it ends with that prefix.
    pub fn allowed(base_url: impl Into<String>) -> Self {
        Self {
            mode: Mode::Allowed,
            base_url: base_url.into(),
            algorithms: Algorithm::ALL.into_iter().collect(),
            replay: None,
            max_proofs: MAX_PROOFS,
            max_proofs_per_key: None,
            nonces: None,
        }
    }

    /// The same, and refuses tokens that are not bound to a key.
    pub fn required(base_url: impl Into<String>) -> Self {
        Self {
            mode: Mode::Required,
            ..Self::allowed(base_url)
        }
    }

    /// Accepts proofs signed with these algorithms only.
    pub fn with_algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// Remembers proofs there, such as where several machines share them. Default: a [`MemoryReplayStore`].
    ///
    /// Layers of one authenticator may stand around each other; of two authenticators that do, each needs a store of its
    /// own, since to the inner one a proof that it finds there was used before.
    pub fn with_replay_store(mut self, store: Arc<dyn ReplayStore>) -> Self {
        self.replay = Some(store);
        self
    }

    /// How many proofs are remembered in memory, each for 95 s, of about 160 bytes each. Default: 100,000. Requests beyond are
    /// answered with 503. A store of one's own ([`with_replay_store`](Self::with_replay_store)) has limits of its own.
    pub fn with_max_proofs(mut self, proofs: usize) -> Self {
        self.max_proofs = proofs;
        self
    }

    /// How many of them one key may have. Further ones of that key are answered with 503 until its first are forgotten, and
    /// other keys do not notice. Default: a quarter of all. A store of one's own does not know of it.
    pub fn with_max_proofs_per_key(mut self, proofs: usize) -> Self {
        self.max_proofs_per_key = Some(proofs);
        self
    }

    /// Asks for a nonce of ours in every proof ([RFC 9449 §9](https://www.rfc-editor.org/rfc/rfc9449#section-9)), so
    /// that none can be made in advance.
    pub fn with_nonces(mut self, nonces: DpopNonces) -> Self {
        self.nonces = Some(nonces);
        self
    }

    pub(crate) fn is_required(&self) -> bool {
        self.mode == Mode::Required
    }

    pub(crate) fn algorithms(&self) -> Algorithms {
        self.algorithms
    }

    /// What is wrong with the settings, if anything.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        if Resource::new(&self.base_url).is_err() {
            Some(
                "must have the base_url that clients know this service by: an absolute https URL without user, query \
                 and fragment",
            )
        } else if self.algorithms.is_empty() {
            Some("must accept at least one algorithm")
        } else if self.max_proofs == 0 || self.max_proofs_per_key == Some(0) {
            Some("must remember at least one proof of a key")
        } else {
            None
        }
    }

    /// With a store, if none was given.
    pub(crate) fn with_default_store(mut self, clock: Arc<dyn Clock>) -> Self {
        self.replay.get_or_insert_with(|| {
            let store = MemoryReplayStore::with_clock(self.max_proofs, clock);
            Arc::new(match self.max_proofs_per_key {
                Some(proofs) => store.with_max_per_key(proofs),
                None => store,
            })
        });
        self
    }

    /// Every check of [RFC 9449 §4.3](https://www.rfc-editor.org/rfc/rfc9449#section-4.3), those that need no
    /// cryptography first.
    pub(crate) fn check(
        &self,
        presented: &Presented,
        key: [u8; 32],
        token: &[u8],
        now: Duration,
    ) -> Result<Remembering, Unproven> {
        let proof = presented.proof.as_deref().map_err(|refusal| *refusal)?;
        let compact = CompactToken::decode(proof).map_err(|_| ProofRefusal::Malformed)?;
        let proof = DpopProof::read(&compact, self.algorithms)?;
        if proof.method() != presented.method.as_str() {
            return Err(ProofRefusal::Method.into());
        }
        if !self.is_address(proof.uri(), &presented.path) {
            return Err(ProofRefusal::Uri.into());
        }
        if let Some(nonces) = &self.nonces
            && !proof.nonce().is_some_and(|nonce| nonces.accept(nonce, now))
        {
            return Err(Unproven {
                kind: DenialKind::ProofNonceRequired,
                nonce: Some(nonces.issue(now)),
            });
        }
        if !proof.is_of_now(now, PAST, FUTURE) {
            return Err(ProofRefusal::Time.into());
        }
        if !proof.is_for_token(token) {
            return Err(ProofRefusal::TokenHash.into());
        }
        if proof.thumbprint() != key {
            return Err(Refusal::UnprovenConfirmation.into());
        }
        proof.verify()?;
        if presented.is_remembered {
            return Ok(Remembering::Ready(Replay::Fresh));
        }
        let store = self.replay.as_ref();
        let store = store.ok_or(DenialKind::ReplayStoreUnavailable)?;
        Ok(store.remember(ProofId::new(key, proof.id()), PAST + FUTURE + SKEW))
    }

    /// Whether an address names this path here, query and fragment aside, both in their normal form.
    fn is_address(&self, uri: &str, path: &str) -> bool {
        let base = self.base_url.trim_end_matches('/');
        let (Ok(mut named), Ok(mut ours)) = (Url::parse(uri), Url::parse(&format!("{base}{path}")))
        else {
            return false;
        };
        // A path that is another one in its normal form is routed by what it is, and not by what it would become.
        let is_normal = ours.path().ends_with(path);
        for url in [&mut named, &mut ours] {
            url.set_query(None);
            url.set_fragment(None);
        }
        is_normal && named == ours
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_compared_in_its_normal_form_without_query_and_fragment() {
        let dpop = Dpop::allowed("https://api.acme.test/v1/");
        let same = [
            "https://api.acme.test/v1/orders",
            "https://API.acme.test:443/v1/orders",
            "HTTPS://api.acme.test/v1/./orders",
            "https://api.acme.test/v1/orders?page=2#top",
        ];
        for uri in same {
            assert!(dpop.is_address(uri, "/orders"), "{uri}");
        }
        let others = [
            "",
            "/v1/orders",
            "https://api.acme.test/orders",
            "https://api.acme.test/v1/orders/",
            "https://api.acme.test/v1/Orders",
            "http://api.acme.test/v1/orders",
            "https://api.acme.test:8443/v1/orders",
            "https://user@api.acme.test/v1/orders",
            "https://api.acme.test.evil.test/v1/orders",
        ];
        for uri in others {
            assert!(!dpop.is_address(uri, "/orders"), "{uri}");
        }
        // What the router sees is another path than the one that the proof is for.
        for path in ["/x/../orders", "/x/%2e%2e/orders", "/x\\..\\orders"] {
            assert!(
                !dpop.is_address("https://api.acme.test/v1/orders", path),
                "{path}"
            );
        }
    }
}
