//! Whether whoever presents a token may: proof that the caller holds the key or certificate that the token is bound to.

mod certificate;
mod dpop;
mod memory;
mod nonce;

use std::sync::Arc;
use std::time::Duration;

use countersign_jwks::BoxFuture;
use countersign_token::{Claims, Confirmation, ProofRefusal, Refusal};
use http::{HeaderValue, Request};

pub use self::certificate::{CertificateSource, ClientCertificate, ClientCertificates};
pub use self::dpop::Dpop;
pub(crate) use self::dpop::{Presented, Remembered};
pub use self::memory::MemoryReplayStore;
pub use self::nonce::DpopNonces;
use crate::context::Context;
use crate::denied::DenialKind;
use crate::replay::{Remembering, Replay};

/// Whether tokens must be bound, where binding is accepted at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Bound tokens must be proven; others are bearers.
    Allowed,
    /// A token that is not bound is refused.
    Required,
}

/// What an authenticator accepts as proof.
#[derive(Clone, Debug, Default)]
pub(crate) struct SenderConstraint {
    pub(crate) dpop: Option<Dpop>,
    pub(crate) certificates: Option<ClientCertificates>,
}

/// What a request brings besides its token.
#[derive(Debug)]
pub(crate) enum Presentation {
    /// Nothing, in the scheme `Bearer`.
    Bearer,
    /// A certificate, in the scheme `Bearer`.
    Certificate(ClientCertificate),
    /// The scheme `DPoP`, and what its proof must be for.
    Dpop(Box<Presented>),
}

/// What becomes of a token that is good by itself.
pub(crate) enum Proving {
    Ready(Result<(), Unproven>),
    /// Whether the proof is new has to be asked.
    Pending(BoxFuture<Replay>),
}

/// Why it is not the sender's.
#[derive(Debug)]
pub(crate) struct Unproven {
    pub(crate) kind: DenialKind,
    /// A fresh nonce for the client to put into its proof.
    pub(crate) nonce: Option<HeaderValue>,
}

impl From<DenialKind> for Unproven {
    fn from(kind: DenialKind) -> Self {
        Self { kind, nonce: None }
    }
}

impl From<ProofRefusal> for Unproven {
    fn from(refusal: ProofRefusal) -> Self {
        DenialKind::InvalidProof(refusal).into()
    }
}

impl From<Refusal> for Unproven {
    fn from(refusal: Refusal) -> Self {
        DenialKind::InvalidToken(refusal).into()
    }
}

impl Presentation {
    pub(crate) fn is_dpop(&self) -> bool {
        matches!(self, Self::Dpop(_))
    }
}

impl SenderConstraint {
    /// Whether bound tokens can be proven here.
    pub(crate) fn is_on(&self) -> bool {
        self.dpop.is_some() || self.certificates.is_some()
    }

    /// What a request in the scheme `Bearer` brings.
    pub(crate) fn of_bearer<B>(&self, request: &Request<B>) -> Presentation {
        let source = self.certificates.as_ref();
        let certificate = source.and_then(|one| one.of(request.headers(), request.extensions()));
        certificate.map_or(Presentation::Bearer, Presentation::Certificate)
    }

    /// What a request in the scheme `DPoP` brings, if that is accepted here.
    pub(crate) fn of_dpop<B>(
        &self,
        request: &Request<B>,
        by: &Arc<Context>,
    ) -> Option<Presentation> {
        self.dpop.as_ref()?;
        Some(Presentation::Dpop(Box::new(Presented::of(request, by))))
    }

    /// Whether the token with these claims may be presented like this. `now` is the time since the Unix epoch.
    pub(crate) fn prove(
        &self,
        claims: &Claims,
        presentation: &Presentation,
        token: &[u8],
        now: Duration,
    ) -> Proving {
        match self.check(claims, presentation, token, now) {
            Ok(None) => Proving::Ready(Ok(())),
            Ok(Some(Remembering::Ready(replay))) => Proving::Ready(unreplayed(replay)),
            Ok(Some(Remembering::Pending(pending))) => Proving::Pending(pending),
            Err(unproven) => Proving::Ready(Err(unproven)),
        }
    }

    fn check(
        &self,
        claims: &Claims,
        presentation: &Presentation,
        token: &[u8],
        now: Duration,
    ) -> Result<Option<Remembering>, Unproven> {
        self.check_is_bound(claims)?;
        match (claims.confirmation(), presentation) {
            (None, Presentation::Dpop(_)) => Err(Refusal::NotBound.into()),
            (None, _) => Ok(None),
            (Some(Confirmation::KeyThumbprint(key)), Presentation::Dpop(presented)) => {
                let dpop = self.dpop.as_ref().ok_or(Refusal::UnprovenConfirmation)?;
                dpop.check(presented, key, token, now).map(Some)
            }
            (
                Some(Confirmation::CertificateThumbprint(thumbprint)),
                Presentation::Certificate(certificate),
            ) if certificate.has(thumbprint) => Ok(None),
            _ => Err(Refusal::UnprovenConfirmation.into()),
        }
    }

    /// Whether the token is bound as it must be here.
    fn check_is_bound(&self, claims: &Claims) -> Result<(), Refusal> {
        let key = self.dpop.as_ref().map(|dpop| dpop.mode);
        let certificate = self.certificates.as_ref().map(|one| one.mode);
        let is_met = match claims.confirmation() {
            Some(Confirmation::KeyThumbprint(_)) => certificate != Some(Mode::Required),
            Some(Confirmation::CertificateThumbprint(_)) => key != Some(Mode::Required),
            _ => key != Some(Mode::Required) && certificate != Some(Mode::Required),
        };
        is_met.then_some(()).ok_or(Refusal::NotBound)
    }
}

/// Whether the store of proofs lets it through.
pub(crate) fn unreplayed(replay: Replay) -> Result<(), Unproven> {
    match replay {
        Replay::Fresh => Ok(()),
        Replay::Seen => Err(ProofRefusal::Replayed.into()),
        Replay::Unavailable => Err(DenialKind::ReplayStoreUnavailable.into()),
    }
}
