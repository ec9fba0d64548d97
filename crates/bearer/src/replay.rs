use std::fmt;
use std::time::Duration;

use aws_lc_rs::digest::{self, SHA256};
use countersign_jwks::BoxFuture;

/// Remembers which DPoP proofs have been presented, so that each counts once
/// ([RFC 9449 §11.1](https://www.rfc-editor.org/rfc/rfc9449#section-11.1)).
pub trait ReplayStore: Send + Sync + fmt::Debug + 'static {
    /// Remembers a proof for at least `lifetime`, in one step with finding out whether it was known. The future is
    /// polled within a tokio runtime and may be dropped at any time.
    fn remember(&self, proof: ProofId, lifetime: Duration) -> Remembering;
}

/// Which proof it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProofId {
    key: [u8; 32],
    digest: [u8; 32],
}

impl ProofId {
    /// The proof of this `jti` by the key of this thumbprint: two keys may use the same `jti`.
    pub fn new(key: [u8; 32], jti: &str) -> Self {
        let mut context = digest::Context::new(&SHA256);
        context.update(&key);
        context.update(jti.as_bytes());
        let mut digest = [0; 32];
        digest.copy_from_slice(context.finish().as_ref());
        Self { key, digest }
    }

    /// The thumbprint of its key ([RFC 7638](https://www.rfc-editor.org/rfc/rfc7638)), by which a store may see to it
    /// that no key takes the place of others.
    pub fn key(&self) -> &[u8; 32] {
        &self.key
    }

    /// A digest of its key and its `jti`: what it is known by.
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }
}

/// What a store knows of a proof, at once or later.
pub enum Remembering {
    /// It is known at once.
    Ready(Replay),
    /// Others have to be asked.
    Pending(BoxFuture<Replay>),
}

/// Whether a proof was presented before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use = "a replayed proof must be refused"]
pub enum Replay {
    /// It is new, and is known from now on.
    Fresh,
    /// It was presented before: 401 `invalid_dpop_proof`.
    Seen,
    /// It cannot be told, since the store is full, of this key's proofs or of all, or does not answer: 503.
    Unavailable,
}

impl fmt::Debug for Remembering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready(replay) => f.debug_tuple("Ready").field(replay).finish(),
            Self::Pending(_) => f.write_str("Pending"),
        }
    }
}
