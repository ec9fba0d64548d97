use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use countersign_token::{CallerKind, Claims, CustomClaimsError, OrganizationId, Organizations};
use serde::de::DeserializeOwned;

/// A verified caller: the claims that its credential proved. Cheap to clone.
///
/// Everything that the claims say is read through [`Claims`], which this derefs to.
#[derive(Clone)]
pub struct Principal {
    claims: Arc<Claims>,
}

impl Principal {
    /// Asserts that these claims have been proven. It is the only way to make a principal, so that a reviewer
    /// finds every place that grants trust by this name.
    pub fn assertion(claims: Claims) -> Self {
        Self {
            claims: Arc::new(claims),
        }
    }

    /// The organization that the caller acts for, if the credential names exactly one.
    pub fn organization(&self) -> Option<&OrganizationId> {
        match self.claims.organizations() {
            Organizations::One(organization) => Some(organization),
            _ => None,
        }
    }

    /// Reads claims of the application's own into a type that names them.
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T, CustomClaimsError> {
        self.claims.custom()
    }
}

impl Deref for Principal {
    type Target = Claims;

    fn deref(&self) -> &Claims {
        &self.claims
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Principal").field(&self.claims).finish()
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
