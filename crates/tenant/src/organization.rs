use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use countersign_bearer::{Authentication, Denied};
use http::request::Parts;

use crate::directory::{Directory, OrganizationRecord};
use crate::tenant::{KnownAliases, Tenant};

/// The application's record of the organization that a request acts for: an extractor.
///
/// Refuses what [`Tenant`] refuses, and: an organization that the directory does not know, 403
/// `organization_unknown`; a suspended one, 403 `organization_suspended`; a directory that does not answer, 503.
/// The router's state is a [`Directory<T>`], or has one by [`FromRef`].
///
/// Path, host and header may call the organization by one of its aliases. They are compared with those of the
/// token's own organization; nothing is looked up by what the caller sent. Other tenant extractors accept an
/// alias only behind this one: make it the first argument of the handler, or run it for a whole router with
/// [`axum::middleware::from_extractor_with_state`]. An alias may equal another organization's id, where customers
/// choose their own: look data up by [`Tenant::id`], never by what stands in the path.
///
/// ```
/// use axum::{Router, routing::get};
/// use countersign_tenant::{Directory, Organization};
///
/// struct Plan {
///     seats: u32,
/// }
///
/// async fn seats(organization: Organization<Plan>) -> String {
///     organization.seats.to_string()
/// }
///
/// fn app(directory: Directory<Plan>) -> Router {
///     Router::new().route("/orgs/{org_id}/seats", get(seats)).with_state(directory)
/// }
/// ```
pub struct Organization<T> {
    tenant: Tenant,
    found: Arc<OrganizationRecord<T>>,
}

impl<T> Organization<T> {
    /// The tenant whose record it is.
    pub fn tenant(&self) -> &Tenant {
        &self.tenant
    }
}

impl<T> Deref for Organization<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.found.record
    }
}

impl<T> Clone for Organization<T> {
    fn clone(&self) -> Self {
        Self {
            tenant: self.tenant.clone(),
            found: self.found.clone(),
        }
    }
}

impl<T> fmt::Debug for Organization<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Organization")
            .field("tenant", &self.tenant)
            .finish_non_exhaustive()
    }
}

impl<S, T> FromRequestParts<S> for Organization<T>
where
    S: Sync,
    T: Send + Sync + 'static,
    Directory<T>: FromRef<S>,
{
    type Rejection = Denied;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Denied> {
        let loaded = Self::load(parts, &Directory::from_ref(state)).await;
        loaded.map_err(|denied| denied.for_parts(parts))
    }
}

impl<T: Send + Sync + 'static> Organization<T> {
    async fn load(parts: &mut Parts, directory: &Directory<T>) -> Result<Self, Denied> {
        let authentication = Authentication::of(&parts.extensions)?.clone();
        let tenant = Tenant::of_token(&authentication)?;
        let found = directory.get(&tenant).await?;
        let aliases = found.aliases.clone();
        tenant.check_names(parts, &aliases, &authentication).await?;
        KnownAliases::leave(parts, tenant.clone(), aliases);
        Ok(Self { tenant, found })
    }
}
