//! A vendor to read tokens of, and what a token said.

use countersign_token::{
    CallerKind, Claims, ClaimsProfile, CompactToken, Issuer, Refusal, UnverifiedToken,
};
use serde_json::Value;

use crate::support::{World, seconds, verify};

/// What the application is told of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    kind: CallerKind,
    client: Option<String>,
    user: Option<String>,
    subject: Option<String>,
    organizations: Vec<String>,
    scopes: String,
    token_id: Option<String>,
}

impl Said {
    pub(crate) fn machine(client: &str, subject: &str) -> Self {
        Self {
            kind: CallerKind::ServicePrincipal,
            client: Some(client.into()),
            user: None,
            subject: Some(subject.into()),
            organizations: Vec::new(),
            scopes: String::new(),
            token_id: None,
        }
    }

    pub(crate) fn user(client: &str, user: &str, subject: &str) -> Self {
        Self {
            kind: CallerKind::DelegatedUser,
            user: Some(user.into()),
            ..Self::machine(client, subject)
        }
    }

    pub(crate) fn kind(mut self, kind: CallerKind) -> Self {
        self.kind = kind;
        self
    }

    pub(crate) fn without_subject(mut self) -> Self {
        self.subject = None;
        self
    }

    pub(crate) fn without_client(mut self) -> Self {
        self.client = None;
        self
    }

    pub(crate) fn of<const N: usize>(mut self, organizations: [&str; N]) -> Self {
        self.organizations = organizations.map(Into::into).into();
        self
    }

    /// In ascending order.
    pub(crate) fn granted(mut self, scopes: &str) -> Self {
        self.scopes = scopes.into();
        self
    }

    pub(crate) fn with_id(mut self, token_id: &str) -> Self {
        self.token_id = Some(token_id.into());
        self
    }
}

impl From<Claims> for Said {
    fn from(claims: Claims) -> Self {
        let organizations = claims.organizations().as_slice().iter();
        Self {
            kind: claims.kind(),
            client: claims.client().map(Into::into),
            user: claims.user().map(Into::into),
            subject: claims.subject().map(Into::into),
            organizations: organizations.map(ToString::to_string).collect(),
            scopes: claims.scopes().to_string(),
            token_id: claims.token_id().map(Into::into),
        }
    }
}

/// An issuer whose tokens look like a vendor's, in the year of the examples.
pub(crate) struct Vendor {
    world: World,
    trusted: Issuer,
}

impl Vendor {
    pub(crate) fn new(issuer: &str, audience: &str, profile: ClaimsProfile) -> Self {
        let world = World::named(issuer);
        let trusted = world.server.trusted_for(audience).with_profile(profile);
        Self { world, trusted }
    }

    /// The vendor, trusted on other terms.
    pub(crate) fn with(self, change: impl FnOnce(Issuer) -> Issuer) -> Self {
        Self {
            trusted: change(self.trusted),
            world: self.world,
        }
    }

    /// What a token with this `typ`, or none, and this payload says.
    pub(crate) fn read<'t>(
        &self,
        typ: impl Into<Option<&'t str>>,
        payload: &Value,
    ) -> Result<Said, Refusal> {
        let token = self.world.server.token();
        let token = match typ.into() {
            Some(typ) => token.with_header("typ", typ),
            None => token.without_header("typ"),
        };
        let token = token.with_payload(payload.to_string());
        let now = seconds(1_900_000_100);
        verify(&token.mint(), &self.trusted, &self.world.keys, now).map(Said::from)
    }
}

impl Vendor {
    /// What a plain JWT with this payload says that is bound to a key, were the key proven.
    pub(crate) fn read_bound(&self, payload: &Value) -> Result<Said, Refusal> {
        let token = self.world.server.token().with_header("typ", "JWT");
        let token = token.with_payload(payload.to_string()).mint();
        let compact = CompactToken::decode(&token)?;
        let unverified = UnverifiedToken::read(&compact)?;
        let checked = self
            .trusted
            .check_bound(unverified, seconds(1_900_000_100))?;
        let claims = checked.verify(&self.world.keys.keys()[0])?.claims()?;
        assert!(claims.confirmation().is_some(), "it is not bound");
        Ok(claims.into())
    }
}

/// The payload with one claim set.
pub(crate) fn with(payload: &Value, claim: &str, value: impl Into<Value>) -> Value {
    let mut payload = payload.clone();
    payload[claim] = value.into();
    payload
}

/// The payload with one claim left out.
pub(crate) fn without(payload: &Value, claim: &str) -> Value {
    let mut payload = payload.clone();
    let removed = payload.as_object_mut().unwrap().remove(claim);
    assert!(removed.is_some(), "there is no {claim} to leave out");
    payload
}
