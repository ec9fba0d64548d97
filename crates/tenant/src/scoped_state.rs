use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use countersign_bearer::Denied;
use http::request::Parts;

use crate::tenant::Tenant;

/// State that can be narrowed down to one tenant: a connection pool to a handle that queries one tenant's
/// rows, a map of tenants to one of its values.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be narrowed down to one tenant",
    note = "implement `TenantScope` for it: `for_tenant` makes the part of it that one tenant may use"
)]
pub trait TenantScope: Send + Sync + 'static {
    /// The part of the state that one tenant may use.
    type Scoped;

    /// Narrows the state down to this tenant.
    fn for_tenant(&self, tenant: &Tenant) -> Self::Scoped;
}

/// State that no handler can use as it is: only [`TenantScoped`] and
/// [`CrossTenant`](crate::CrossTenant) open it. Cheap to clone.
///
/// Keep this in the router's state, and no other copy of what is inside.
///
/// ```compile_fail,E0616
/// # use countersign_tenant::{Unscoped, Tenant, TenantScope};
/// # struct Invoices;
/// # impl TenantScope for Invoices { type Scoped = (); fn for_tenant(&self, _: &Tenant) {} }
/// use axum::extract::State;
///
/// async fn list(State(invoices): State<Unscoped<Invoices>>) {
///     let everybodys = invoices.state; // private
/// }
/// ```
pub struct Unscoped<S> {
    state: Arc<S>,
}

impl<S: TenantScope> Unscoped<S> {
    /// Locks the state away.
    pub fn new(state: S) -> Self {
        Self {
            state: Arc::new(state),
        }
    }
}

impl<S: TenantScope> Unscoped<S> {
    pub(crate) fn for_tenant(&self, tenant: &Tenant) -> S::Scoped {
        self.state.for_tenant(tenant)
    }
}

impl<S> Clone for Unscoped<S> {
    fn clone(&self) -> Self {
        Self {
            state: self.state.clone(),
        }
    }
}

/// Without what is inside, which is everybody's.
impl<S> fmt::Debug for Unscoped<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unscoped").finish_non_exhaustive()
    }
}

/// The request's tenant's part of the state `S`: an extractor, and a tenant's only way into an
/// [`Unscoped`].
///
/// It refuses what [`Tenant`] refuses, so that a handler with it needs no other tenant guard. The router's
/// state is an `Unscoped<S>`, or has one by [`FromRef`].
///
/// ```
/// use std::collections::HashMap;
///
/// use axum::{Router, routing::get};
/// use countersign_tenant::{Tenant, TenantScope, TenantScoped, Unscoped};
///
/// struct Invoices(HashMap<String, Vec<String>>);
///
/// impl TenantScope for Invoices {
///     type Scoped = Vec<String>;
///
///     fn for_tenant(&self, tenant: &Tenant) -> Vec<String> {
///         self.0.get(tenant.id().as_str()).cloned().unwrap_or_default()
///     }
/// }
///
/// async fn list(invoices: TenantScoped<Invoices>) -> String {
///     invoices.join("\n") // only this organization's: there is no other way in
/// }
///
/// let app: Router = Router::new()
///     .route("/orgs/{org_id}/invoices", get(list))
///     .with_state(Unscoped::new(Invoices(HashMap::new())));
/// ```
pub struct TenantScoped<S: TenantScope> {
    scoped: S::Scoped,
    tenant: Tenant,
}

impl<S: TenantScope> TenantScoped<S> {
    /// The tenant whose part it is.
    pub fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// The tenant's part of the state.
    pub fn into_inner(self) -> S::Scoped {
        self.scoped
    }
}

impl<S: TenantScope> Deref for TenantScoped<S> {
    type Target = S::Scoped;

    fn deref(&self) -> &S::Scoped {
        &self.scoped
    }
}

impl<S: TenantScope> DerefMut for TenantScoped<S> {
    fn deref_mut(&mut self) -> &mut S::Scoped {
        &mut self.scoped
    }
}

impl<S: TenantScope> fmt::Debug for TenantScoped<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantScoped")
            .field("tenant", &self.tenant)
            .finish_non_exhaustive()
    }
}

impl<State, S> FromRequestParts<State> for TenantScoped<S>
where
    State: Sync,
    S: TenantScope,
    Unscoped<S>: FromRef<State>,
{
    type Rejection = Denied;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Denied> {
        let tenant = Tenant::from_request_parts(parts, state).await?;
        let scoped = Unscoped::from_ref(state).for_tenant(&tenant);
        Ok(Self { scoped, tenant })
    }
}
