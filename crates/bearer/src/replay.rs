use std::fmt;
use std::time::Duration;

use countersign_jwks::BoxFuture;

/// Remembers which DPoP proofs have been presented, so that each counts once
/// ([RFC 9449 §11.1](https://www.rfc-editor.org/rfc/rfc9449#section-11.1)).
pub trait ReplayStore: Send + Sync + fmt::Debug + 'static {
    /// Remembers a proof for at least `lifetime`, in one step with finding out whether it was known. The future is
    /// polled within a tokio runtime and may be dropped at any time.
    fn remember(&self, proof: ProofId, lifetime: Duration) -> Remembering;
}

/// Which proof it was: a digest of its key and its `jti`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProofId(pub [u8; 32]);

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
    /// It cannot be told, since the store is full or does not answer: 503.
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
