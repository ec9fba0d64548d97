use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use axum_core::extract::FromRequestParts;
use countersign_bearer::{Denied, Principal};
use countersign_token::ScopePolicy;
use http::request::Parts;

use crate::requirement::Requirement;

/// A caller whose token grants what the policy `P` needs: an extractor that guards the handler it stands in.
///
/// Refuses: scopes missing, 403 `insufficient_scope`; nobody authenticated behind an optional layer, 401; no
/// layer, 500. Several of them in one handler must all be met.
///
/// ```
/// use countersign_scope::{Scoped, scopes};
///
/// scopes! {
///     pub ReadInvoices = "invoices:read";
/// }
///
/// async fn list(caller: Scoped<ReadInvoices>) -> String {
///     format!("for {:?}", caller.client())
/// }
/// ```
pub struct Scoped<P: ScopePolicy> {
    principal: Principal,
    policy: PhantomData<fn() -> P>,
}

impl<P: ScopePolicy> Scoped<P> {
    /// The caller, what it was granted forgotten.
    pub fn into_principal(self) -> Principal {
        self.principal
    }
}

impl<P: ScopePolicy> Deref for Scoped<P> {
    type Target = Principal;

    fn deref(&self) -> &Principal {
        &self.principal
    }
}

impl<P: ScopePolicy> Clone for Scoped<P> {
    fn clone(&self) -> Self {
        Self {
            principal: self.principal.clone(),
            policy: PhantomData,
        }
    }
}

impl<P: ScopePolicy> fmt::Debug for Scoped<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Scoped").field(&self.principal).finish()
    }
}

impl<S: Sync, P: ScopePolicy> FromRequestParts<S> for Scoped<P> {
    type Rejection = Denied;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Denied> {
        let checked = Requirement::of::<P>().check(&parts.extensions).cloned();
        let scoped = |principal| Self {
            principal,
            policy: PhantomData,
        };
        checked
            .map(scoped)
            .map_err(|denied| denied.for_parts(parts))
    }
}
