use std::fmt;
use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use countersign_bearer::{
    Authentication, DenialKind, Denied, NeededScopes, Principal, TenantRules, Trail,
};
use countersign_token::{CallerKind, OrganizationId, ScopePolicy};
use http::request::Parts;

use crate::naming::{Own, Path, host_and_header_agree};
use crate::scoped_state::{TenantScope, Unscoped};
use crate::tenant::Tenant;

/// Somebody of the vendor's who acts for the organization that the path names: an extractor, for support staff
/// and microservices.
///
/// It needs the scope policy `P`, and a caller who is the vendor's own by a positive rule, never by a claim that
/// is missing:
///
/// - a [`Microservice`] whose token names no organization;
/// - a [`DelegatedUser`] whose token names none, of an issuer named by `with_acting_issuers` on the
///   authenticator's builder;
/// - either, if every organization that the token names was listed by `with_acting_organizations`.
///
/// Refuses: scopes missing, 403 `insufficient_scope`; any other caller, 403 `principal_not_allowed`; path
/// parameters that disagree, or a host or header that names another tenant than the path, 404; a route without
/// a path parameter that names a tenant, 500; no layer, 500.
///
/// Each use is logged at info level, with who acts and for whom.
///
/// [`Microservice`]: countersign_bearer::Microservice
/// [`DelegatedUser`]: countersign_bearer::DelegatedUser
///
/// ```
/// use axum::extract::State;
/// use countersign_tenant::{CrossTenant, Tenant, TenantScope, Unscoped};
/// use countersign_token::ScopePolicy;
///
/// struct Support;
///
/// impl ScopePolicy for Support {
///     const ALTERNATIVES: &'static [&'static [&'static str]] = &[&["support:read"]];
/// }
///
/// struct Invoices;
///
/// impl TenantScope for Invoices {
///     type Scoped = String;
///
///     fn for_tenant(&self, tenant: &Tenant) -> String {
///         format!("invoices of {}", tenant.id())
///     }
/// }
///
/// async fn look(acting: CrossTenant<Support>, State(invoices): State<Unscoped<Invoices>>) -> String {
///     acting.open(&invoices)
/// }
/// ```
pub struct CrossTenant<P: ScopePolicy> {
    tenant: Tenant,
    policy: PhantomData<fn() -> P>,
}

impl<P: ScopePolicy> CrossTenant<P> {
    /// The tenant who is acted for, marked as [acting](Tenant::is_acting).
    pub fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// The tenant's part of the state.
    pub fn open<S: TenantScope>(&self, state: &Unscoped<S>) -> S::Scoped {
        state.for_tenant(&self.tenant)
    }
}

impl<P: ScopePolicy> Clone for CrossTenant<P> {
    fn clone(&self) -> Self {
        Self {
            tenant: self.tenant.clone(),
            policy: PhantomData,
        }
    }
}

impl<P: ScopePolicy> fmt::Debug for CrossTenant<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CrossTenant").field(&self.tenant).finish()
    }
}

impl<S: Sync, P: ScopePolicy> FromRequestParts<S> for CrossTenant<P> {
    type Rejection = Denied;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Denied> {
        let found = Self::of(parts).await;
        found.map_err(|denied| denied.for_parts(parts))
    }
}

impl<P: ScopePolicy> CrossTenant<P> {
    async fn of(parts: &mut Parts) -> Result<Self, Denied> {
        let authentication = Authentication::of(&parts.extensions)?.clone();
        let principal = authentication.principal()?;
        if !may_act(principal, authentication.context().tenant_rules()) {
            return Err(authentication.deny(DenialKind::PrincipalNotAllowed));
        }
        principal.require::<P>()?;
        let rules = authentication.context().tenant_rules();
        let organization = match Path::of(parts, rules).await {
            Path::Names(names) => names.first().and_then(OrganizationId::new).filter(|id| {
                let mut others = names.iter().skip(1);
                others.all(|other| other == id.as_str())
            }),
            Path::Unreadable => None,
            Path::Silent => return Err(authentication.deny(DenialKind::MissingPathParameter)),
        };
        let agreed = organization.filter(|id| {
            let own = Own { id, aliases: &[] };
            host_and_header_agree(parts, rules, own)
        });
        let Some(organization) = agreed else {
            return Err(authentication.deny(DenialKind::OtherTenant));
        };
        tracing::info!(
            issuer = principal.issuer(),
            subject = principal.subject(),
            client = principal.client(),
            user = principal.user(),
            organization = organization.as_str(),
            "acting across tenants"
        );
        if let Some(trail) = Trail::of(&parts.extensions) {
            trail.needs(NeededScopes::Static(P::ALTERNATIVES));
            trail.acts_for(organization.clone());
        }
        let issuer = rules.acting_for_issuer.clone();
        Ok(Self {
            tenant: Tenant::acting(principal.clone(), issuer, organization),
            policy: PhantomData,
        })
    }
}

/// Whether the caller is the vendor's own. A machine that is no microservice is somebody's, whatever its token
/// leaves out.
fn may_act(principal: &Principal, rules: &TenantRules) -> bool {
    let organizations = principal.organizations().as_slice();
    let is_listed = |id: &OrganizationId| {
        let mut listed = rules.acting_organizations.iter();
        listed.any(|(issuer, one)| **issuer == *principal.issuer() && one == id)
    };
    let is_of_acting_issuer = || {
        let mut issuers = rules.acting_issuers.iter();
        issuers.any(|issuer| **issuer == *principal.issuer())
    };
    match principal.kind() {
        CallerKind::Microservice if organizations.is_empty() => true,
        CallerKind::DelegatedUser if organizations.is_empty() => is_of_acting_issuer(),
        CallerKind::Microservice | CallerKind::DelegatedUser => organizations.iter().all(is_listed),
        _ => false,
    }
}
