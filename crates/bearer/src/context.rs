use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use countersign_jwks::{Clock, SystemClock};
use countersign_token::OrganizationId;
use http::{HeaderName, HeaderValue};

use crate::denied::DenialKind;
use crate::introspect::Introspect;
use crate::render::Answer;

/// The body of a denial in a format of the application's own: its content type and its bytes.
type DenialBody = Arc<dyn Fn(DenialKind) -> (HeaderValue, Bytes) + Send + Sync>;

/// What guards and extractors need to know of the authenticator that let a request through: how it words a
/// denial, and what besides the token may name a tenant.
#[derive(Clone)]
#[non_exhaustive]
pub struct Context {
    pub(crate) realm: String,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) resource: Option<Resource>,
    pub(crate) denial_body: Option<DenialBody>,
    pub(crate) tenant: TenantRules,
    /// The algorithms of DPoP proofs, with spaces between, where they are accepted.
    pub(crate) dpop_algorithms: Option<String>,
    /// Whether nothing but DPoP is accepted.
    pub(crate) dpop_required: bool,
    pub(crate) introspection: Vec<Arc<dyn Introspect>>,
    /// What the denials that a flood of bad tokens gets are answered with, made once.
    pub(crate) answers: Vec<(DenialKind, Answer)>,
}

impl Context {
    /// The context with its answers prepared. A body of the application's own is asked for each time.
    pub(crate) fn with_answers(mut self) -> Self {
        if self.denial_body.is_none() {
            self.answers = Answer::prepare(&self);
        }
        self
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// Who is asked whether a token of this issuer is active, if anybody can be.
    pub fn introspection(&self, issuer: &str) -> Option<&Arc<dyn Introspect>> {
        let mut known = self.introspection.iter();
        known.find(|one| **one.issuer().name() == *issuer)
    }

    /// What besides the token may name a tenant.
    pub fn tenant_rules(&self) -> &TenantRules {
        &self.tenant
    }
}

impl Default for Context {
    fn default() -> Self {
        Self {
            realm: "api".into(),
            clock: Arc::new(SystemClock::new()),
            resource: None,
            denial_body: None,
            tenant: TenantRules::default(),
            dpop_algorithms: None,
            dpop_required: false,
            introspection: Vec::new(),
            answers: Vec::new(),
        }
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("realm", &self.realm)
            .field("resource", &self.resource)
            .field("tenant", &self.tenant)
            .finish_non_exhaustive()
    }
}

/// What of a request, besides the token, names a tenant. It never chooses the tenant: it must name the one
/// that the token names, or the request is denied.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TenantRules {
    /// Path parameters that name a tenant, in whichever route they occur.
    pub path_parameters: Vec<String>,
    /// The part of the host behind the tenant's label, such as `.api.example.com`.
    pub host_suffix: Option<String>,
    /// A header that names a tenant.
    pub header: Option<HeaderName>,
    /// Issuers whose users may act for any organization where a handler allows it, if their tokens name none.
    pub acting_issuers: Vec<Arc<str>>,
    /// Organizations, each with its issuer, whose members may act for others where a handler allows it.
    pub acting_organizations: Vec<(Arc<str>, OrganizationId)>,
    /// The issuer whose organizations are acted for, if not the one of whoever acts.
    pub acting_for_issuer: Option<Arc<str>>,
    /// Whether naming another tenant is answered with 403 instead of 404.
    pub reveals_existence: bool,
}

impl Default for TenantRules {
    fn default() -> Self {
        Self {
            path_parameters: ["org_id", "organization_id", "tenant_id"]
                .map(Into::into)
                .into(),
            host_suffix: None,
            header: None,
            acting_issuers: Vec::new(),
            acting_organizations: Vec::new(),
            acting_for_issuer: None,
            reveals_existence: false,
        }
    }
}

/// The protected resource that an API is ([RFC 9728](https://www.rfc-editor.org/rfc/rfc9728)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resource {
    pub(crate) identifier: String,
    /// The path of its metadata on its own host.
    pub(crate) metadata_path: String,
    pub(crate) metadata_url: String,
}

impl Resource {
    /// Refused: what is no `https` URL (`http` on loopback excepted), has a user, a query or a fragment, holds
    /// anything but printable ASCII, or has a path that no router takes as it is.
    pub(crate) fn new(identifier: &str) -> Result<Self, &'static str> {
        const NOT_A_RESOURCE: &str =
            "must be an absolute https URL in printable ASCII, without user, query and fragment";
        let is_printable = identifier.bytes().all(|byte| byte.is_ascii_graphic());
        let url = url::Url::parse(identifier).map_err(|_| NOT_A_RESOURCE)?;
        let is_loopback = match url.host() {
            Some(url::Host::Domain(domain)) => domain == "localhost",
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        let is_secure = url.scheme() == "https" || (url.scheme() == "http" && is_loopback);
        let is_bare = url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if !is_printable || !is_secure || !is_bare {
            return Err(NOT_A_RESOURCE);
        }
        let is_pattern = |segment: &str| segment.starts_with([':', '*']);
        if url.path().split('/').any(is_pattern) || url.path().contains(['{', '}']) {
            return Err("must not have a path that looks like a route's pattern");
        }
        // The well-known path goes in front of the resource's own (RFC 9728 §3.1).
        let own_path = if url.path() == "/" { "" } else { url.path() };
        let metadata_path = format!("/.well-known/oauth-protected-resource{own_path}");
        Ok(Self {
            identifier: identifier.into(),
            metadata_url: format!("{}{metadata_path}", url.origin().ascii_serialization()),
            metadata_path,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_well_known_path_goes_in_front_of_the_resources_own() {
        let cases = [
            (
                "https://api.acme.test",
                "https://api.acme.test/.well-known/oauth-protected-resource",
            ),
            (
                "https://api.acme.test/",
                "https://api.acme.test/.well-known/oauth-protected-resource",
            ),
            (
                "https://api.acme.test:8443/v1/x",
                "https://api.acme.test:8443/.well-known/oauth-protected-resource/v1/x",
            ),
            (
                "http://127.0.0.1:80/",
                "http://127.0.0.1/.well-known/oauth-protected-resource",
            ),
        ];
        for (resource, expected) in cases {
            assert_eq!(Resource::new(resource).unwrap().metadata_url, expected);
        }
    }

    #[test]
    fn what_is_no_resource_identifier_is_refused() {
        for bad in [
            "",
            "api.acme.test",
            "http://api.acme.test",
            "https://api.acme.test?x=1",
            "https://api.acme.test/#x",
            "urn:acme:api",
            "https://api.\nacme.test/x",
            "https://user:password@api.acme.test",
            "https://api.acme.test/\u{fc}",
            "https://api.acme.test/:v1",
            "https://api.acme.test/*rest",
        ] {
            assert!(Resource::new(bad).is_err(), "{bad:?}");
        }
    }
}
