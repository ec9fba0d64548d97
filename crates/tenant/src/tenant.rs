use axum::extract::FromRequestParts;
use countersign_bearer::{Authentication, DenialKind, Denied, Principal};
use countersign_token::{OrganizationId, Organizations};
use http::request::Parts;

use crate::naming::{Path, host_and_header_agree};

/// The organization that a request acts for: an extractor.
///
/// It comes from the verified token and from nothing else. Where path, host or header name a tenant, too, they
/// must name the same one.
///
/// Refuses: a token without organization, 403 `organization_required`; with several, 403
/// `organization_ambiguous`; another tenant named, or something that cannot be read, 404; nobody authenticated
/// behind an optional layer, 401; no layer, 500.
///
/// Two issuers may use one id for different organizations: where there are several, tell tenants apart by
/// [`issuer`](Self::issuer) and [`id`](Self::id) together. `Eq` and `Hash` do.
///
/// ```
/// use countersign_tenant::Tenant;
///
/// async fn list(tenant: Tenant) -> String {
///     format!("invoices of {}", tenant.id())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Tenant {
    organization: OrganizationId,
    principal: Principal,
}

impl Tenant {
    /// The organization's identifier, as its issuer has it.
    pub fn id(&self) -> &OrganizationId {
        &self.organization
    }

    /// The issuer that the identifier is one of.
    pub fn issuer(&self) -> &str {
        self.principal.issuer()
    }

    /// Who acts.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// The tenant of a request, and whether its path named it.
    async fn of(parts: &mut Parts) -> Result<(Self, Path, Authentication), Denied> {
        let authentication = Authentication::of(&parts.extensions)?.clone();
        let principal = authentication.principal()?.clone();
        let organization = match principal.organizations() {
            Organizations::One(organization) => organization.clone(),
            Organizations::None => {
                return Err(authentication.deny(DenialKind::OrganizationRequired));
            }
            Organizations::Several(_) => {
                return Err(authentication.deny(DenialKind::OrganizationAmbiguous));
            }
        };
        let rules = authentication.context().tenant_rules();
        let path = Path::of(parts, rules, &organization).await;
        if path == Path::Differs || !host_and_header_agree(parts, rules, &organization) {
            return Err(authentication.deny(DenialKind::OtherTenant));
        }
        let tenant = Self {
            organization,
            principal,
        };
        Ok((tenant, path, authentication))
    }
}

impl PartialEq for Tenant {
    fn eq(&self, other: &Self) -> bool {
        self.organization == other.organization && self.issuer() == other.issuer()
    }
}

impl Eq for Tenant {}

impl std::hash::Hash for Tenant {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.organization.hash(state);
        self.issuer().hash(state);
    }
}

impl<S: Sync> FromRequestParts<S> for Tenant {
    type Rejection = Denied;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Denied> {
        Self::of(parts).await.map(|(tenant, _, _)| tenant)
    }
}

/// The organization that a request acts for, on a route that names it in its path: the strict form of
/// [`Tenant`].
///
/// It refuses what [`Tenant`] refuses, and answers 500 on a route without a path parameter that names a
/// tenant, so that a misspelt `{org}` is found by the first request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PathTenant(
    /// The tenant, whom the path named as well.
    pub Tenant,
);

impl<S: Sync> FromRequestParts<S> for PathTenant {
    type Rejection = Denied;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Denied> {
        match Tenant::of(parts).await? {
            (_, Path::Silent, authentication) => {
                Err(authentication.deny(DenialKind::MissingPathParameter))
            }
            (tenant, _, _) => Ok(Self(tenant)),
        }
    }
}
