use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use countersign_jwks::TrustedKey;
use countersign_token::Claims;

/// What the claims of a verified token rest on.
#[derive(Debug)]
pub(crate) struct Proof {
    // Of any type, for the reason that a `TrustedKey` gives.
    pub(crate) issuer: Arc<dyn Stands>,
    pub(crate) key: TrustedKey,
}

/// An issuer that may be trusted no longer.
pub(crate) trait Stands: fmt::Debug + Send + Sync {
    fn is_trusted(&self) -> bool;

    /// Whether its own rules accept a token that was verified before. `now` is the time since the Unix epoch.
    fn still_accepts(&self, claims: &Claims, now: Duration) -> bool;
}

impl Proof {
    /// Whether it still holds for these claims: the issuer is trusted and accepts them still, and trusts the key
    /// still. `now` is the time since the Unix epoch.
    pub(crate) fn holds(&self, claims: &Claims, now: Duration) -> bool {
        self.issuer.is_trusted() && self.key.is_trusted() && self.issuer.still_accepts(claims, now)
    }

    pub(crate) fn is_of_a_trusted_issuer(&self) -> bool {
        self.issuer.is_trusted()
    }
}
