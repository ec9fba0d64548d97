//! From a token's text to a principal: every check in its order.

use std::sync::{Arc, Weak};
use std::time::Duration;

use countersign_jwks::{Algorithm, BoxFuture, Lookup};
use countersign_token::{CheckedToken, CompactToken, Refusal, UnverifiedToken};

use crate::authenticator::Inner;
use crate::issuers::TrustedIssuer;
use crate::meter;
use crate::principal::Principal;
use crate::proof::{Proof, Stands};

/// Why a token was not verified.
pub(crate) enum Stop {
    Refused(Refusal),
    NoKey(NoKey),
}

/// A key that is not known yet.
pub(crate) struct NoKey {
    /// Weak, so that it does not keep an issuer that is removed meanwhile.
    asked: Weak<TrustedIssuer>,
    key_id: Option<String>,
    algorithm: Algorithm,
    /// Set if the issuer could not be asked, so that the token is neither good nor bad.
    pub(crate) retry_after: Option<Duration>,
}

impl NoKey {
    pub(crate) fn ask(&self) -> BoxFuture<Lookup> {
        match self.asked.upgrade() {
            Some(trusted) => Box::pin(
                trusted
                    .jwks
                    .refresh_for(self.key_id.as_deref(), self.algorithm),
            ),
            None => Box::pin(std::future::ready(Lookup::Missing)),
        }
    }

    /// Whether it is this issuer that was asked.
    pub(crate) fn is_of(&self, trusted: &TrustedIssuer) -> bool {
        std::ptr::eq(self.asked.as_ptr(), trusted)
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Inner {
    /// The principal of a token that was verified before, if what it rested on still holds.
    pub(crate) fn seen_before(&self, token: &[u8]) -> Option<Principal> {
        let Some(principal) = self.verified.get(token) else {
            meter::looked_up(false);
            return None;
        };
        let now = self.clock.unix_time();
        if principal.proof()?.holds(&principal, now) {
            meter::looked_up(true);
            return Some(principal);
        }
        // Verifying it anew tells why, and may find that it is still good under a key that came back.
        meter::looked_up(false);
        self.verified.remove(token);
        None
    }

    /// Every check of the token in its order, with `find_key` to find its key.
    pub(crate) fn verify(
        &self,
        token: &[u8],
        find_key: impl FnOnce(&TrustedIssuer, Option<&str>, Algorithm) -> Lookup,
    ) -> Result<Principal, Stop> {
        let compact = CompactToken::decode(token)?;
        let unverified = UnverifiedToken::read(&compact)?;
        let trusted = self
            .issuers
            .get(unverified.issuer()?)
            .ok_or(Refusal::UnknownIssuer)?;
        let now = self.clock.unix_time();
        // Whoever is let through later has proven what its token is bound to.
        let checked = if self.sender.is_on() {
            trusted.issuer().check_bound(unverified, now)?
        } else {
            trusted.issuer().check(unverified, now)?
        };
        let key = match find_key(&trusted, checked.key_id(), checked.algorithm()) {
            Lookup::Found(key) => key,
            Lookup::Missing => return Err(Stop::no_key(&trusted, &checked, None)),
            Lookup::Unavailable { retry_after } => {
                return Err(Stop::no_key(&trusted, &checked, Some(retry_after)));
            }
            _ => return Err(Refusal::KeyMismatch.into()),
        };
        let claims = checked.verify(&key)?.claims()?;
        if !trusted.standing.is_trusted() {
            return Err(Refusal::UnknownIssuer.into());
        }
        let proof = Proof {
            issuer: trusted.standing.clone(),
            key,
        };
        let principal = Principal::assertion_within(claims, self.context.clone(), Some(proof));
        self.verified.insert(token, principal.clone());
        Ok(principal)
    }
}

impl Stop {
    fn no_key(
        trusted: &Arc<TrustedIssuer>,
        checked: &CheckedToken<'_>,
        retry_after: Option<Duration>,
    ) -> Self {
        Self::NoKey(NoKey {
            asked: Arc::downgrade(trusted),
            key_id: checked.key_id().map(Into::into),
            algorithm: checked.algorithm(),
            retry_after,
        })
    }
}
