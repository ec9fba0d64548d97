use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};

use crate::organization::{OrganizationId, Organizations};
use crate::scope::{Scope, ScopeSet};
use crate::times::Times;

/// Who a caller is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CallerKind {
    /// A customer organization's own automation (client credentials).
    ServicePrincipal,
    /// A third-party app acting for a user who consented (authorization code).
    DelegatedUser,
    /// One of the vendor's own services (client credentials), by a positive rule of its issuer.
    Microservice,
}

impl CallerKind {
    /// The kind as one word for logs, events and answers, such as `service_principal`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ServicePrincipal => "service_principal",
            Self::DelegatedUser => "delegated_user",
            Self::Microservice => "microservice",
        }
    }
}

impl fmt::Display for CallerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// As its word, such as `service_principal`.
impl Serialize for CallerKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// What a caller's credential says, in the suite's own terms whatever the vendor.
///
/// [`VerifiedToken::claims`](crate::VerifiedToken::claims) makes them from a token. The constructors here make
/// them from nothing, for tests and for credentials of another kind; they grant nothing by themselves.
#[derive(Clone)]
pub struct Claims {
    pub(crate) kind: CallerKind,
    pub(crate) issuer: Arc<str>,
    pub(crate) subject: Option<Box<str>>,
    pub(crate) client: Option<Box<str>>,
    pub(crate) user: Option<Box<str>>,
    pub(crate) organizations: Organizations,
    pub(crate) scopes: ScopeSet,
    pub(crate) token_id: Option<Box<str>>,
    pub(crate) times: Times,
    /// The payload as received, or empty, for claims that only the application knows.
    pub(crate) payload: Box<[u8]>,
}

impl Claims {
    /// Claims of a customer organization's automation.
    pub fn service_principal(issuer: impl Into<Arc<str>>, client: impl Into<Box<str>>) -> Self {
        Self::machine(CallerKind::ServicePrincipal, issuer.into(), client.into())
    }

    /// Claims of one of the vendor's own services.
    pub fn microservice(issuer: impl Into<Arc<str>>, client: impl Into<Box<str>>) -> Self {
        Self::machine(CallerKind::Microservice, issuer.into(), client.into())
    }

    /// Claims of an app acting for a user.
    pub fn delegated_user(
        issuer: impl Into<Arc<str>>,
        client: impl Into<Box<str>>,
        user: impl Into<Box<str>>,
    ) -> Self {
        let user = user.into();
        Self {
            subject: Some(user.clone()),
            user: Some(user),
            ..Self::machine(CallerKind::DelegatedUser, issuer.into(), client.into())
        }
    }

    fn machine(kind: CallerKind, issuer: Arc<str>, client: Box<str>) -> Self {
        Self {
            kind,
            issuer,
            subject: Some(client.clone()),
            client: Some(client),
            user: None,
            organizations: Organizations::None,
            scopes: ScopeSet::default(),
            token_id: None,
            times: Times::until(f64::INFINITY),
            payload: Box::default(),
        }
    }

    /// The claims, acting for this organization.
    #[must_use]
    pub fn with_organization(mut self, organization: OrganizationId) -> Self {
        self.organizations = Organizations::One(organization);
        self
    }

    /// The claims, granting these scopes.
    #[must_use]
    pub fn with_scopes<'a>(mut self, scopes: impl IntoIterator<Item = &'a Scope>) -> Self {
        self.scopes = ScopeSet::new(scopes);
        self
    }

    /// The claims with this JSON object for [`custom`](Self::custom) to read.
    #[must_use]
    pub fn with_custom(mut self, payload: impl Into<Box<[u8]>>) -> Self {
        self.payload = payload.into();
        self
    }

    /// Who the caller is.
    pub fn kind(&self) -> CallerKind {
        self.kind
    }

    /// The issuer that says so.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The `sub`, where there is one.
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// The OAuth client: the automation, the app or the service.
    pub fn client(&self) -> Option<&str> {
        self.client.as_deref()
    }

    /// The user on whose behalf a delegated caller acts; `None` for machines.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The organizations that the credential names.
    pub fn organizations(&self) -> &Organizations {
        &self.organizations
    }

    /// The scopes granted, with all that they imply at this issuer.
    pub fn scopes(&self) -> &ScopeSet {
        &self.scopes
    }

    /// The `jti`, where there is one.
    pub fn token_id(&self) -> Option<&str> {
        self.token_id.as_deref()
    }

    /// When the credential is valid.
    pub fn times(&self) -> &Times {
        &self.times
    }

    /// Reads claims of the application's own from the payload into a type that names them.
    pub fn custom<T: DeserializeOwned>(&self) -> Result<T, CustomClaimsError> {
        let payload: &[u8] = if self.payload.is_empty() {
            b"{}"
        } else {
            &self.payload
        };
        serde_json::from_slice(payload).map_err(|error| CustomClaimsError {
            line: error.line(),
            column: error.column(),
        })
    }

    /// What the claims occupy on the heap, in bytes, about.
    pub fn heap_bytes(&self) -> usize {
        let texts = [&self.subject, &self.client, &self.user, &self.token_id];
        texts
            .into_iter()
            .flatten()
            .map(|text| text.len())
            .sum::<usize>()
            + self
                .organizations
                .as_slice()
                .iter()
                .map(|id| id.as_str().len() + 48)
                .sum::<usize>()
            + self.scopes.heap_bytes()
            + self.payload.len()
    }
}

/// Without the payload, which may hold what is nobody's business in a log.
impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims")
            .field("kind", &self.kind)
            .field("issuer", &self.issuer)
            .field("subject", &self.subject)
            .field("client", &self.client)
            .field("user", &self.user)
            .field("organizations", &self.organizations)
            .field("scopes", &self.scopes)
            .field("times", &self.times)
            .finish_non_exhaustive()
    }
}

/// The payload does not hold the claims that the type asks for.
///
/// Only the place is told: the text around it is the token's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the token's payload does not fit the type (line {line}, column {column})")]
pub struct CustomClaimsError {
    line: usize,
    column: usize,
}
