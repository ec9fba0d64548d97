use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};

use crate::confirmation::Confirmation;
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
/// them from nothing, for tests and for credentials of another kind; they grant nothing by themselves. A name that is
/// empty there counts as absent.
#[derive(Clone)]
pub struct Claims {
    pub(crate) kind: CallerKind,
    pub(crate) issuer: Arc<str>,
    pub(crate) texts: Texts,
    pub(crate) organizations: Organizations,
    pub(crate) scopes: ScopeSet,
    pub(crate) times: Times,
    pub(crate) confirmation: Option<Confirmation>,
}

/// What the claims name, and the payload, one behind the other in one text, so that they are one allocation.
#[derive(Clone)]
pub(crate) struct Texts {
    text: Box<str>,
    /// Where each name ends. One that is empty is not there: no name is empty.
    ends: [usize; 4],
}

/// The names in their order in [`Texts`].
#[derive(Clone, Copy)]
enum Name {
    Subject,
    Client,
    User,
    TokenId,
}

impl Texts {
    /// Of subject, client, user and token id, and the payload as received, or empty, for claims that only the
    /// application knows.
    pub(crate) fn new(names: [Option<&str>; 4], payload: &str) -> Self {
        let names = names.map(Option::unwrap_or_default);
        let length = names.iter().map(|name| name.len()).sum::<usize>() + payload.len();
        let mut text = String::with_capacity(length);
        let ends = names.map(|name| {
            text.push_str(name);
            text.len()
        });
        text.push_str(payload);
        Self {
            text: text.into(),
            ends,
        }
    }

    fn name(&self, name: Name) -> Option<&str> {
        let start = match name {
            Name::Subject => 0,
            _ => self.ends[name as usize - 1],
        };
        let text = &self.text[start..self.ends[name as usize]];
        (!text.is_empty()).then_some(text)
    }

    fn payload(&self) -> &str {
        &self.text[self.ends[Name::TokenId as usize]..]
    }
}

impl Claims {
    /// Claims of a customer organization's automation.
    pub fn service_principal(issuer: impl Into<Arc<str>>, client: impl AsRef<str>) -> Self {
        let client = Some(client.as_ref());
        Self::named(CallerKind::ServicePrincipal, issuer, client, client, None)
    }

    /// Claims of one of the vendor's own services.
    pub fn microservice(issuer: impl Into<Arc<str>>, client: impl AsRef<str>) -> Self {
        let client = Some(client.as_ref());
        Self::named(CallerKind::Microservice, issuer, client, client, None)
    }

    /// Claims of an app acting for a user.
    pub fn delegated_user(
        issuer: impl Into<Arc<str>>,
        client: impl AsRef<str>,
        user: impl AsRef<str>,
    ) -> Self {
        let (client, user) = (Some(client.as_ref()), Some(user.as_ref()));
        Self::named(CallerKind::DelegatedUser, issuer, user, client, user)
    }

    fn named(
        kind: CallerKind,
        issuer: impl Into<Arc<str>>,
        subject: Option<&str>,
        client: Option<&str>,
        user: Option<&str>,
    ) -> Self {
        Self {
            kind,
            issuer: issuer.into(),
            texts: Texts::new([subject, client, user, None], ""),
            organizations: Organizations::None,
            scopes: ScopeSet::default(),
            times: Times::until(f64::INFINITY),
            confirmation: None,
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

    /// The claims with this JSON object for [`custom`](Self::custom) to read, which refuses what is none
    /// ([`CustomClaimsError`]).
    #[must_use]
    pub fn with_custom(mut self, payload: impl AsRef<str>) -> Self {
        let names = [Name::Subject, Name::Client, Name::User, Name::TokenId];
        let names = names.map(|name| self.texts.name(name));
        self.texts = Texts::new(names, payload.as_ref());
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
        self.texts.name(Name::Subject)
    }

    /// The OAuth client: the automation, the app or the service.
    pub fn client(&self) -> Option<&str> {
        self.texts.name(Name::Client)
    }

    /// The user on whose behalf a delegated caller acts; `None` for machines.
    pub fn user(&self) -> Option<&str> {
        self.texts.name(Name::User)
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
        self.texts.name(Name::TokenId)
    }

    /// When the credential is valid.
    pub fn times(&self) -> &Times {
        &self.times
    }

    /// What the credential is bound to; `None` for a bearer's.
    pub fn confirmation(&self) -> Option<Confirmation> {
        self.confirmation
    }

    /// Reads claims of the application's own from the payload into a type that names them.
    pub fn custom<T: DeserializeOwned>(&self) -> Result<T, CustomClaimsError> {
        let payload = match self.texts.payload() {
            "" => "{}",
            payload => payload,
        };
        serde_json::from_str(payload).map_err(|error| CustomClaimsError {
            line: error.line(),
            column: error.column(),
        })
    }

    /// What the claims occupy on the heap, in bytes, about.
    pub fn heap_bytes(&self) -> usize {
        let organizations = self.organizations.as_slice().iter();
        self.texts.text.len()
            + organizations
                .map(|id| id.as_str().len() + 48)
                .sum::<usize>()
            + self.scopes.heap_bytes()
    }
}

/// Without the payload, which may hold what is nobody's business in a log.
impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims")
            .field("kind", &self.kind)
            .field("issuer", &self.issuer)
            .field("subject", &self.subject())
            .field("client", &self.client())
            .field("user", &self.user())
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
