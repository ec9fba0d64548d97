use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use countersign_bearer::{Authentication, DenialKind, Denied, Principal};
use countersign_token::{OrganizationId, Organizations};
use http::Extensions;
use http::request::Parts;

use crate::naming::{Own, Path, host_and_header_agree};

/// The organization that a request acts for: an extractor.
///
/// It comes from the verified token and from nothing else. Where path, host or header name a tenant, too, they
/// must name the same one: by its id, or by an alias where an [`Organization`](crate::Organization) was
/// extracted before.
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
    /// The issuer that the organization is one of, if it is not the principal's own.
    issuer: Option<Arc<str>>,
    principal: Principal,
    is_acting: bool,
}

impl Tenant {
    /// The organization's identifier, as its issuer has it.
    pub fn id(&self) -> &OrganizationId {
        &self.organization
    }

    /// The issuer that the identifier is one of.
    pub fn issuer(&self) -> &str {
        self.issuer
            .as_deref()
            .unwrap_or_else(|| self.principal.issuer())
    }

    /// Who acts.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// Whether somebody of the vendor's acts for the organization; see [`CrossTenant`](crate::CrossTenant).
    pub fn is_acting(&self) -> bool {
        self.is_acting
    }

    /// The tenant that the token of a request with these extensions names, for where there is no extractor, such
    /// as in a gRPC handler. Paths, hosts and headers are not looked at.
    pub fn of(extensions: &Extensions) -> Result<Self, Denied> {
        Self::of_token(Authentication::of(extensions)?)
    }

    /// A tenant for whom somebody acts who is not of it.
    pub(crate) fn acting(
        principal: Principal,
        issuer: Option<Arc<str>>,
        organization: OrganizationId,
    ) -> Self {
        Self {
            organization,
            issuer,
            principal,
            is_acting: true,
        }
    }

    /// The tenant that the token names.
    pub(crate) fn of_token(authentication: &Authentication) -> Result<Self, Denied> {
        let principal = authentication.principal()?.clone();
        match principal.organizations() {
            Organizations::One(organization) => Ok(Self {
                organization: organization.clone(),
                issuer: None,
                principal,
                is_acting: false,
            }),
            Organizations::None => Err(authentication.deny(DenialKind::OrganizationRequired)),
            Organizations::Several(_) => {
                Err(authentication.deny(DenialKind::OrganizationAmbiguous))
            }
        }
    }

    /// What the request's path says, which must leave the tenant be, as must host and header.
    pub(crate) async fn check_names(
        &self,
        parts: &mut Parts,
        aliases: &[String],
        authentication: &Authentication,
    ) -> Result<Path, Denied> {
        let rules = authentication.context().tenant_rules();
        let own = Own {
            id: &self.organization,
            aliases,
        };
        let path = Path::of(parts, rules).await;
        if path.agrees(own) && host_and_header_agree(parts, rules, own) {
            Ok(path)
        } else {
            Err(authentication.deny(DenialKind::OtherTenant))
        }
    }

    /// The tenant of a request, and what its path says.
    async fn in_request(parts: &mut Parts) -> Result<(Self, Path, Authentication), Denied> {
        let authentication = Authentication::of(&parts.extensions)?.clone();
        let tenant = Self::of_token(&authentication)?;
        let aliases = KnownAliases::of(parts, &tenant);
        let path = tenant.check_names(parts, &aliases, &authentication).await?;
        Ok((tenant, path, authentication))
    }
}

impl PartialEq for Tenant {
    fn eq(&self, other: &Self) -> bool {
        self.organization == other.organization && self.issuer() == other.issuer()
    }
}

impl Eq for Tenant {}

impl Hash for Tenant {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.organization.hash(state);
        self.issuer().hash(state);
    }
}

impl<S: Sync> FromRequestParts<S> for Tenant {
    type Rejection = Denied;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Denied> {
        let found = Self::in_request(parts).await.map(|(tenant, _, _)| tenant);
        found.map_err(|denied| denied.for_parts(parts))
    }
}

/// The aliases of a request's tenant, left in its extensions by whoever loaded its record.
#[derive(Clone)]
pub(crate) struct KnownAliases {
    tenant: Tenant,
    aliases: Arc<[String]>,
}

impl KnownAliases {
    pub(crate) fn leave(parts: &mut Parts, tenant: Tenant, aliases: Arc<[String]>) {
        parts.extensions.insert(Self { tenant, aliases });
    }

    /// Those of this tenant, if they are known.
    fn of(parts: &Parts, tenant: &Tenant) -> Arc<[String]> {
        match parts.extensions.get::<Self>() {
            Some(known) if known.tenant == *tenant => known.aliases.clone(),
            _ => Arc::default(),
        }
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

impl Deref for PathTenant {
    type Target = Tenant;

    fn deref(&self) -> &Tenant {
        &self.0
    }
}

impl<S: Sync> FromRequestParts<S> for PathTenant {
    type Rejection = Denied;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Denied> {
        let named = |found| match found {
            (_, Path::Silent, authentication) => Err(Authentication::deny(
                &authentication,
                DenialKind::MissingPathParameter,
            )),
            (tenant, _, _) => Ok(Self(tenant)),
        };
        let found = Tenant::in_request(parts).await.and_then(named);
        found.map_err(|denied| denied.for_parts(parts))
    }
}
