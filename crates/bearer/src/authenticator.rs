use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};

use countersign_jwks::{BoxFuture, Clock, Jwks, JwksStatus, Start};
use countersign_token::{Claims, Issuer, Refusal};
use http::Request;

use crate::builder::AuthenticatorBuilder;
use crate::cache::VerifiedTokens;
use crate::context::Context;
use crate::credential::{Credential, is_b64token};
use crate::denied::{DenialKind, Denied};
use crate::error::BuildError;
use crate::introspect::{Introspect, IntrospectionFailure};
use crate::issuers::{Issuers, TrustedIssuer};
use crate::layer::BearerLayer;
use crate::metadata::ProtectedResourceMetadata;
use crate::principal::Principal;
use crate::revocations::{Revocations, Validity};
use crate::sender::{Presentation, Proving, SenderConstraint, Unproven, unreplayed};
use crate::verify::{NoKey, Stop};

/// Verifies bearer tokens of the configured issuers. Cheap to clone; all clones share keys and cache.
///
/// It is made once, before the service starts: [`builder`](Self::builder) refuses settings that do not make
/// sense, and building waits for the keys of every required issuer.
#[derive(Clone)]
pub struct Authenticator {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) issuers: Issuers,
    pub(crate) verified: VerifiedTokens,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) context: Arc<Context>,
    /// Who is asked about tokens that are no JWT.
    opaque: Option<Arc<dyn Introspect>>,
    revocations: Option<Arc<dyn Revocations>>,
    pub(crate) sender: SenderConstraint,
    /// What it was built with, for issuers that come later.
    settings: AuthenticatorBuilder,
}

/// What becomes of a credential: decided, or to be decided when a key has been asked for.
///
/// A token that was seen before and one that is signed with a known key are decided at once, without a future
/// and without a lock.
#[derive(Debug)]
#[must_use = "an undecided request has not been let through"]
pub enum Decision {
    /// It is decided.
    Ready(Result<Principal, Denied>),
    /// The signing key is not known. Its issuer is asked, within its budget and for at most 1 s.
    Pending(Pending),
}

impl Decision {
    fn pending(rest: impl Future<Output = Result<Principal, Denied>> + Send + 'static) -> Self {
        Self::Pending(Pending(Box::pin(rest)))
    }

    /// The decision, once it has been made.
    async fn settled(self) -> Result<Principal, Denied> {
        match self {
            Self::Ready(result) => result,
            Self::Pending(pending) => pending.await,
        }
    }
}

/// The rest of a decision that waits for an issuer's keys.
pub struct Pending(BoxFuture<Result<Principal, Denied>>);

impl Future for Pending {
    type Output = Result<Principal, Denied>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pending")
    }
}

impl Authenticator {
    /// Starts with no issuer; at least one must be added.
    pub fn builder() -> AuthenticatorBuilder {
        AuthenticatorBuilder::default()
    }

    pub(crate) fn new(settings: &AuthenticatorBuilder, trusted: Vec<TrustedIssuer>) -> Self {
        Self {
            inner: Arc::new(Inner {
                issuers: Issuers::new(trusted, settings.opaque()),
                verified: VerifiedTokens::new(settings.token_cache()),
                clock: settings.clock(),
                context: Arc::new(settings.context().clone().with_answers()),
                opaque: settings.opaque(),
                revocations: settings.revocations(),
                sender: settings.sender().clone(),
                settings: settings.for_issuers(Vec::new()),
            }),
        }
    }

    /// A layer that lets only authenticated requests through.
    pub fn layer(&self) -> BearerLayer {
        BearerLayer::new(self.clone())
    }

    /// Verifies a token outside of HTTP, such as one that came with a message. Put nothing but the token in:
    /// no scheme in front. A token that is bound to a key or certificate is refused: a message proves neither.
    pub async fn verify(&self, token: &str) -> Result<Principal, Denied> {
        let decision = self.decide_token(token.as_bytes(), Presentation::Bearer);
        decision.settled().await
    }

    /// Decides on the credential of a request. The layer does nothing but obey it.
    pub fn decide<B>(&self, request: &Request<B>) -> Decision {
        let sender = &self.inner.sender;
        let kind = match Credential::read(request.headers()) {
            Credential::Bearer(token) => {
                return self.decide_token(token, sender.of_bearer(request));
            }
            Credential::Dpop(token) => match sender.of_dpop(request, &self.inner.context) {
                Some(presentation) => return self.decide_token(token, presentation),
                None => DenialKind::UnsupportedScheme,
            },
            Credential::Missing => DenialKind::MissingCredential,
            Credential::Malformed => DenialKind::MalformedCredential,
        };
        Decision::Ready(Err(self.deny(kind)))
    }

    /// Whether these bytes are a token by their characters is asked only of what is no JWT: the characters of a JWT
    /// are among those of a token.
    fn decide_token(&self, token: &[u8], presentation: Presentation) -> Decision {
        if let Some(principal) = self.inner.seen_before(token) {
            return self.admit(principal, token, &presentation);
        }
        let find_key = |trusted: &TrustedIssuer, kid: Option<&str>, algorithm| {
            trusted.jwks.key(kid, algorithm)
        };
        let kind = match self.inner.verify(token, find_key) {
            Ok(principal) => return self.admit(principal, token, &presentation),
            Err(Stop::NoKey(no_key)) => {
                return Decision::pending(self.clone().ask(token.into(), presentation, no_key));
            }
            Err(Stop::Refused(Refusal::Malformed)) if !is_b64token(token) => {
                DenialKind::MalformedCredential
            }
            Err(Stop::Refused(Refusal::Malformed)) if self.is_opaque(token) => {
                return Decision::pending(self.clone().introspect(token.into(), presentation));
            }
            Err(Stop::Refused(refusal)) => DenialKind::InvalidToken(refusal),
        };
        let denied = self.deny(kind).in_dpop(presentation.is_dpop());
        Decision::Ready(Err(denied))
    }

    /// Whether a token that is no JWT is one that only its issuer can read, and there is somebody to ask. The form
    /// alone tells, so that nobody gets a JWT that was refused asked about.
    fn is_opaque(&self, token: &[u8]) -> bool {
        let is_jwt_by_form = || token.split(|byte| *byte == b'.').count() == 3;
        self.inner.opaque.is_some() && !is_jwt_by_form()
    }

    async fn introspect(
        self,
        token: Box<[u8]>,
        presentation: Presentation,
    ) -> Result<Principal, Denied> {
        let is_dpop = presentation.is_dpop();
        // Both were looked at before.
        let (Some(server), Ok(text)) = (&self.inner.opaque, std::str::from_utf8(&token)) else {
            return Err(self.deny(DenialKind::MalformedCredential).in_dpop(is_dpop));
        };
        let trusts = || {
            let refused = IntrospectionFailure::Refused(Refusal::UnknownIssuer);
            let issuers = &self.inner.issuers;
            issuers.trusts_introspected().then_some(()).ok_or(refused)
        };
        let answer = match trusts() {
            Ok(()) => server.introspect(text).await,
            Err(refused) => Err(refused),
        };
        // It may have been removed meanwhile.
        match answer.and_then(|claims| trusts().map(|()| claims)) {
            Ok(claims) => {
                let principal = self.assertion(claims);
                self.admit(principal, &token, &presentation).settled().await
            }
            Err(IntrospectionFailure::Refused(refusal)) => Err(self
                .deny(DenialKind::InvalidToken(refusal))
                .in_dpop(is_dpop)),
            Err(IntrospectionFailure::Unavailable { retry_after }) => Err(self
                .deny(DenialKind::IntrospectionUnavailable)
                .with_retry_after(retry_after)),
        }
    }

    /// Has the issuer asked for the key, and verifies the token once more with what came of it.
    async fn ask(
        self,
        token: Box<[u8]>,
        presentation: Presentation,
        no_key: NoKey,
    ) -> Result<Principal, Denied> {
        let answer = no_key.ask().await;
        let verified = self.inner.verify(&token, |trusted, key_id, algorithm| {
            if no_key.is_of(trusted) {
                answer
            } else {
                // Replaced in the meantime: the answer was another issuer's.
                trusted.jwks.key(key_id, algorithm)
            }
        });
        let refusal = match verified {
            Ok(principal) => return self.admit(principal, &token, &presentation).settled().await,
            Err(Stop::NoKey(NoKey {
                retry_after: Some(delay),
                ..
            })) => {
                let denied = self.deny(DenialKind::KeysUnavailable);
                return Err(denied.with_retry_after(delay));
            }
            // The set is fresh, and the key is not in it.
            Err(Stop::NoKey(_)) => Refusal::UnknownKey,
            Err(Stop::Refused(refusal)) => refusal,
        };
        let denied = self.deny(DenialKind::InvalidToken(refusal));
        Err(denied.in_dpop(presentation.is_dpop()))
    }

    /// Lets the caller with a good token through, unless the token was revoked or is somebody else's.
    fn admit(&self, principal: Principal, token: &[u8], presentation: &Presentation) -> Decision {
        let is_dpop = presentation.is_dpop();
        if let Err(kind) = self.check_revoked(&principal) {
            return Decision::Ready(Err(self.deny(kind).in_dpop(is_dpop)));
        }
        let Inner { sender, clock, .. } = &*self.inner;
        if !sender.is_on() && principal.confirmation().is_none() {
            return Decision::Ready(Ok(principal));
        }
        let deny = move |authenticator: &Self, unproven: Unproven| {
            let denied = authenticator.deny(unproven.kind).in_dpop(is_dpop);
            match unproven.nonce {
                Some(nonce) => denied.with_nonce(nonce),
                None => denied,
            }
        };
        match sender.prove(&principal, presentation, token, clock.unix_time()) {
            Proving::Ready(Ok(())) => Decision::Ready(Ok(principal)),
            Proving::Ready(Err(unproven)) => Decision::Ready(Err(deny(self, unproven))),
            Proving::Pending(asked) => {
                let authenticator = self.clone();
                Decision::pending(async move {
                    let proven = unreplayed(asked.await);
                    // The store may have taken its time.
                    let held = proven
                        .and_then(|()| Ok(authenticator.check_still_holds(&principal)?))
                        .and_then(|()| Ok(authenticator.check_revoked(&principal)?));
                    match held {
                        Ok(()) => Ok(principal),
                        Err(unproven) => Err(deny(&authenticator, unproven)),
                    }
                })
            }
        }
    }

    /// Whether what the principal rests on has not gone away meanwhile.
    fn check_still_holds(&self, principal: &Principal) -> Result<(), Refusal> {
        let now = self.inner.clock.unix_time();
        match principal.proof() {
            Some(proof) if proof.holds(principal, now) => Ok(()),
            Some(proof) if proof.is_of_a_trusted_issuer() => Err(Refusal::UnknownKey),
            None if self.inner.issuers.trusts_introspected() => Ok(()),
            _ => Err(Refusal::UnknownIssuer),
        }
    }

    fn check_revoked(&self, principal: &Principal) -> Result<(), DenialKind> {
        let Some(revocations) = &self.inner.revocations else {
            return Ok(());
        };
        match revocations.check(principal) {
            Validity::Valid => Ok(()),
            Validity::Revoked => Err(DenialKind::InvalidToken(Refusal::Revoked)),
            Validity::Unknown => Err(DenialKind::RevocationsUnavailable),
        }
    }

    /// Asserts that these claims have been proven by other means, as [`Principal::assertion`] does, for a
    /// caller whose denials are worded as this authenticator words them.
    pub fn assertion(&self, claims: Claims) -> Principal {
        Principal::assertion_within(claims, self.inner.context.clone(), None)
    }

    /// Whether the keys of every required issuer are usable: for a readiness probe. A degraded one that is down
    /// must not take the service from the others' callers; [`status`](Self::status) has it. Not for a liveness
    /// probe: a restart mends no issuer.
    pub fn is_ready(&self) -> bool {
        let all = self.inner.issuers.all();
        all.iter()
            .filter(|one| one.issuer().keys().start == Start::Required)
            .all(|one| one.jwks.is_ready())
    }

    /// How the keys of each issuer are, in the order of the issuers' names.
    pub fn status(&self) -> Vec<(Arc<str>, JwksStatus)> {
        let all = self.inner.issuers.all();
        all.iter()
            .map(|trusted| (trusted.issuer().name().clone(), trusted.jwks.status()))
            .collect()
    }

    /// The keys of the issuer of that exact name. Whoever keeps them keeps their refresh going, even after the
    /// issuer was removed.
    pub fn jwks(&self, issuer: &str) -> Option<Jwks> {
        let trusted = self.inner.issuers.get(issuer)?;
        Some(trusted.jwks.clone())
    }

    /// Trusts one more issuer from now on, or replaces the one of the same name, while traffic goes on. Tokens
    /// of a replaced issuer are verified anew, by the new settings; not opaque ones, which stay with the rules that
    /// their introspection was made with.
    ///
    /// The settings of all issuers together are checked as when building, and a required issuer's keys are
    /// waited for; until then, and on any error, everything stays as it was. If the same issuer is removed or
    /// replaced by somebody else meanwhile, theirs stands ([`BuildError::Overtaken`]). Must be called within a tokio
    /// runtime, which the refresh of the keys then lives in.
    pub async fn set_issuer(&self, issuer: Issuer) -> Result<(), BuildError> {
        let Inner {
            issuers, settings, ..
        } = &*self.inner;
        let check = |all| settings.for_issuers(all).check();
        let turn = issuers.take_turn(issuer.name());
        check(issuers.with(&issuer))?;
        let trusted = settings.trust(&issuer).await?;
        // Checked once more, since others may have been set in the meantime.
        issuers.set(trusted, &turn, check)?;
        self.inner.verified.forget_untrusted();
        Ok(())
    }

    /// Trusts an issuer no longer: its tokens are refused from now on, those seen before and opaque ones included, its
    /// refresh ends, and what was kept of it is dropped. `false` if there was no issuer of that exact name.
    ///
    /// Opaque tokens of the one that `with_opaque_tokens` asks are accepted again once
    /// [`set_issuer`](Self::set_issuer) trusts it, by the rules that its introspection was made with.
    pub fn remove_issuer(&self, name: &str) -> bool {
        let removed = self.inner.issuers.remove(name);
        self.inner.verified.forget_untrusted();
        removed
    }

    /// The metadata by which clients find out whom to ask for tokens, and for which scopes
    /// ([RFC 9728 §2](https://www.rfc-editor.org/rfc/rfc9728#section-2)); `None` if no resource was
    /// configured.
    pub fn resource_metadata<'a>(
        &self,
        scopes: impl IntoIterator<Item = &'a str>,
    ) -> Option<ProtectedResourceMetadata> {
        let resource = self.inner.context.resource.as_ref()?;
        let issuers = self.inner.issuers.all();
        let introspection = &self.inner.context.introspection;
        let table = &self.inner.issuers;
        let others = introspection.iter().map(|one| one.issuer().name());
        let others = others.filter(|name| !table.removed_introspected(name));
        let issuers: BTreeSet<_> = issuers
            .iter()
            .map(|one| one.issuer().name())
            .chain(others)
            .collect();
        Some(ProtectedResourceMetadata::new(
            resource,
            issuers.into_iter(),
            scopes,
            &self.inner.sender,
        ))
    }

    /// Whether a request may bring proofs.
    pub(crate) fn takes_proofs(&self) -> bool {
        self.inner.sender.dpop.is_some()
    }

    pub(crate) fn context(&self) -> &Arc<Context> {
        &self.inner.context
    }

    fn deny(&self, kind: DenialKind) -> Denied {
        Denied::new(kind, self.inner.context.clone())
    }
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticator")
            .field("issuers", &self.inner.issuers.all())
            .field("context", &self.inner.context)
            .finish_non_exhaustive()
    }
}
