use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use countersign_token::{
    CallerKind, Claims, Confirmation, CustomClaimsError, OrganizationId, Organizations, Refusal,
    ScopePolicy, is_granted,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::context::Context;
use crate::denied::{DenialKind, Denied, StepUp};
use crate::proof::Proof;

/// A verified caller: the claims that its credential proved. Cheap to clone.
///
/// Everything that the claims say is read through [`Claims`], which this derefs to.
#[derive(Clone)]
pub struct Principal {
    inner: Arc<Inner>,
}

struct Inner {
    claims: Claims,
    context: Arc<Context>,
    /// `None` if the claims were not proven by a token.
    proof: Option<Proof>,
}

impl Principal {
    /// Asserts that these claims have been proven. It and [`Authenticator::assertion`], which also words
    /// denials as that authenticator does, are the only ways to make a principal, so that a reviewer finds
    /// every place that grants trust by this name.
    ///
    /// [`Authenticator::assertion`]: crate::Authenticator::assertion
    pub fn assertion(claims: Claims) -> Self {
        Self::assertion_within(claims, Arc::default(), None)
    }

    pub(crate) fn assertion_within(
        claims: Claims,
        context: Arc<Context>,
        proof: Option<Proof>,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                claims,
                context,
                proof,
            }),
        }
    }

    /// What it occupies with its claims, in bytes, about.
    pub(crate) fn allocated_bytes(&self) -> usize {
        // Reference counts and what the allocator rounds up.
        const OVERHEAD: usize = size_of::<Inner>() + 2 * 16 + 32;
        self.inner.claims.heap_bytes() + OVERHEAD
    }

    pub(crate) fn proof(&self) -> Option<&Proof> {
        self.inner.proof.as_ref()
    }

    /// The organization that the caller acts for, if the credential names exactly one.
    pub fn organization(&self) -> Option<&OrganizationId> {
        match self.organizations() {
            Organizations::One(organization) => Some(organization),
            _ => None,
        }
    }

    /// Reads claims of the application's own into a type that names them.
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T, CustomClaimsError> {
        self.custom()
    }

    /// Denies callers whose token does not grant what the policy needs, telling them of its first
    /// alternative. For where no extractor stands, such as in a gRPC handler.
    pub fn require<P: ScopePolicy>(&self) -> Result<(), Denied> {
        self.require_any(P::ALTERNATIVES.iter().map(|all| all.iter().copied()))
    }

    /// Denies callers who are granted none of these alternatives, each of which is scopes that must all be
    /// granted. No alternative, or an empty one, grants nothing.
    pub fn require_any<'a, A>(
        &self,
        alternatives: impl Iterator<Item = A> + Clone,
    ) -> Result<(), Denied>
    where
        A: IntoIterator<Item = &'a str>,
    {
        if is_granted(alternatives.clone(), self.scopes()) {
            return Ok(());
        }
        let mut wanted = alternatives.map(|all| all.into_iter().collect::<Vec<_>>());
        let first = wanted.find(|all| !all.is_empty());
        let scope = first.map(|all| all.join(" "));
        Err(self.deny(DenialKind::InsufficientScope).with_scope(scope))
    }

    /// Denies callers whose user did not authenticate as it is wanted, telling the client how
    /// ([RFC 9470](https://www.rfc-editor.org/rfc/rfc9470)). One whose token does not say how or when did not.
    pub fn require_authentication(&self, wanted: &Arc<StepUp>) -> Result<(), Denied> {
        /// How far the issuer's clock may be ahead, in seconds.
        const AHEAD: f64 = 30.0;
        let user: UserAuthentication = self
            .claims()
            .map_err(|_| self.deny(DenialKind::InvalidToken(Refusal::MalformedClaim)))?;
        let is_strong = wanted.acr_values.is_empty()
            || user.acr.is_some_and(|acr| wanted.acr_values.contains(&acr));
        let is_recent = wanted.max_age.is_none_or(|max_age| {
            let now = self.context().clock.unix_time().as_secs_f64();
            user.auth_time
                .is_some_and(|time| (-AHEAD..=max_age.as_secs_f64()).contains(&(now - time)))
        });
        // A machine has no user, whatever its token says: at some vendors it writes its own claims.
        if self.user().is_some() && is_strong && is_recent {
            return Ok(());
        }
        let denied = self.deny(DenialKind::InsufficientAuthentication);
        Err(denied.with_step_up(wanted.clone()))
    }

    /// A denial of this caller's request.
    pub fn deny(&self, kind: DenialKind) -> Denied {
        let is_dpop = matches!(self.confirmation(), Some(Confirmation::KeyThumbprint(_)));
        Denied::new(kind, self.context().clone()).in_dpop(is_dpop)
    }

    pub(crate) fn context(&self) -> &Arc<Context> {
        &self.inner.context
    }
}

/// How and when the user authenticated.
#[derive(Deserialize)]
struct UserAuthentication {
    acr: Option<String>,
    auth_time: Option<f64>,
}

impl Deref for Principal {
    type Target = Claims;

    fn deref(&self) -> &Claims {
        &self.inner.claims
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Principal")
            .field(&self.inner.claims)
            .finish()
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $kind(Principal);

        impl $kind {
            /// The principal, if it is of this kind.
            pub fn of(principal: Principal) -> Option<Self> {
                (principal.kind() == CallerKind::$kind).then_some(Self(principal))
            }

            /// The principal, its kind forgotten.
            pub fn into_principal(self) -> Principal {
                self.0
            }
        }

        impl Deref for $kind {
            type Target = Principal;

            fn deref(&self) -> &Principal {
                &self.0
            }
        }
    )*};
}

kinds! {
    /// A customer organization's own automation. As an extractor it refuses callers of other kinds with 403
    /// `principal_not_allowed`.
    ServicePrincipal;
    /// An app acting for a user who consented. As an extractor it refuses callers of other kinds with 403
    /// `principal_not_allowed`.
    DelegatedUser;
    /// One of the vendor's own services. As an extractor it refuses callers of other kinds with 403
    /// `principal_not_allowed`.
    Microservice;
}

impl DelegatedUser {
    /// The user on whose behalf the app acts.
    pub fn user(&self) -> &str {
        // A delegated caller without a user is never made.
        self.0.user().unwrap_or_default()
    }
}
