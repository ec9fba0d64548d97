use std::sync::{Arc, Weak};
use std::time::Duration;

use countersign_jwks::Key;
use countersign_token::Claims;

use crate::issuers::TrustedIssuer;

/// What the claims of a verified token rest on.
#[derive(Debug)]
pub(crate) struct Proof {
    /// Weak, so that an issuer that is removed is gone, whatever was verified under it.
    pub(crate) issuer: Weak<TrustedIssuer>,
    pub(crate) key: Arc<Key>,
}

impl Proof {
    /// Whether it still holds for these claims: the issuer is trusted and accepts them still, and trusts the key
    /// still. `now` is the time since the Unix epoch.
    pub(crate) fn holds(&self, claims: &Claims, now: Duration) -> bool {
        self.issuer.upgrade().is_some_and(|trusted| {
            trusted.is_trusted()
                && trusted.issuer.still_accepts(claims, now).is_ok()
                && trusted.jwks.trusts(&self.key)
        })
    }

    pub(crate) fn is_of_a_trusted_issuer(&self) -> bool {
        self.issuer.upgrade().is_some_and(|one| one.is_trusted())
    }
}
