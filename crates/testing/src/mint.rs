use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::dpop::DpopKey;
use crate::issuer::TestIssuer;
use crate::keys::base64url;

/// How long a token is valid unless it is said.
const LIFETIME: Duration = Duration::from_secs(60 * 60);

/// How long ago a token [expired](TokenBuilder::expired): more than any leeway.
const LONG_AGO: Duration = Duration::from_secs(10 * 60);

/// A token in the making, right unless it is told to be wrong. A [`TestIssuer`] starts it.
///
/// ```
/// use std::time::Duration;
/// use countersign_testing::TestIssuer;
///
/// let issuer = TestIssuer::new("https://as.acme.test");
/// let token = issuer
///     .delegated_user("app", "ann")
///     .with_audience("https://api.acme.test")
///     .with_organization("org_acme")
///     .with_scopes(["invoices:read", "invoices:write"])
///     .with_lifetime(Duration::from_secs(600))
///     .with_claim("plan", "gold")
///     .mint();
/// assert_eq!(token.split('.').count(), 3);
/// ```
///
/// Of two calls that set the same thing the later counts.
#[derive(Clone)]
#[must_use = "a token is made by `mint`"]
pub struct TokenBuilder {
    issuer: TestIssuer,
    signer: Option<TestIssuer>,
    /// Over the usual members; `None`: left out.
    header: BTreeMap<String, Option<Value>>,
    claims: BTreeMap<String, Option<Value>>,
    lifetime: Duration,
    age: Duration,
    expired: bool,
    payload: Option<Vec<u8>>,
    unsigned: bool,
    tampered: bool,
}

impl TokenBuilder {
    pub(crate) fn new(issuer: TestIssuer) -> Self {
        Self {
            issuer,
            signer: None,
            header: BTreeMap::new(),
            claims: BTreeMap::new(),
            lifetime: LIFETIME,
            age: Duration::ZERO,
            expired: false,
            payload: None,
            unsigned: false,
            tampered: false,
        }
    }

    pub(crate) fn of_client(issuer: TestIssuer, client: &str, subject: &str) -> Self {
        Self::new(issuer)
            .with_claim("client_id", client)
            .with_claim("sub", subject)
    }

    /// Sets `aud` to this one string.
    pub fn with_audience(self, audience: &str) -> Self {
        self.with_claim("aud", audience)
    }

    /// Sets `aud` to an array.
    pub fn with_audiences<A: AsRef<str>>(self, audiences: impl IntoIterator<Item = A>) -> Self {
        let audiences: Vec<_> = audiences
            .into_iter()
            .map(|audience| json!(audience.as_ref()))
            .collect();
        self.with_claim("aud", audiences)
    }

    /// Sets `org_id`.
    pub fn with_organization(self, organization: &str) -> Self {
        self.with_claim("org_id", organization)
    }

    /// Sets `scope` to these scopes with spaces between.
    pub fn with_scopes<S: AsRef<str>>(self, scopes: impl IntoIterator<Item = S>) -> Self {
        let mut text = String::new();
        for scope in scopes {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(scope.as_ref());
        }
        self.with_claim("scope", text)
    }

    /// Sets `cnf` to this key's thumbprint, which binds the token to the key.
    pub fn bound_to(self, key: &DpopKey) -> Self {
        self.with_claim("cnf", json!({"jkt": key.thumbprint()}))
    }

    /// Sets `exp` to so long after `iat`, in whole seconds. Default: 1 h.
    pub fn with_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Moves `iat`, and `exp` with it, this far into the past.
    pub fn issued_ago(mut self, age: Duration) -> Self {
        self.age = age;
        self
    }

    /// Moves `iat`, and `exp` with it, so far into the past that the token expired 10 min ago, which no leeway
    /// forgives.
    pub fn expired(mut self) -> Self {
        self.expired = true;
        self
    }

    /// Sets a claim to any value, those included that the issuer sets itself.
    pub fn with_claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims.insert(name.to_owned(), Some(value.into()));
        self
    }

    /// Leaves a claim out.
    pub fn without_claim(mut self, name: &str) -> Self {
        self.claims.insert(name.to_owned(), None);
        self
    }

    /// Sets a member of the header to any value.
    pub fn with_header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header.insert(name.to_owned(), Some(value.into()));
        self
    }

    /// Leaves a member of the header out.
    pub fn without_header(mut self, name: &str) -> Self {
        self.header.insert(name.to_owned(), None);
        self
    }

    /// Sets `kid`; the key that signs stays what it is.
    pub fn with_key_id(self, kid: &str) -> Self {
        self.with_header("kid", kid)
    }

    /// Sets `alg`; the algorithm that signs stays what it is.
    pub fn with_algorithm_name(self, name: &str) -> Self {
        self.with_header("alg", name)
    }

    /// Signs with the key of a stranger. The header still names this issuer's.
    pub fn signed_by(mut self, stranger: &TestIssuer) -> Self {
        self.signer = Some(stranger.clone());
        self
    }

    /// Says `alg: none` and leaves the signature empty.
    pub fn unsigned(mut self) -> Self {
        self.unsigned = true;
        self
    }

    /// Signs these bytes as the payload instead of the claims; they need not be JSON.
    pub fn with_payload(mut self, payload: impl Into<Vec<u8>>) -> Self {
        self.payload = Some(payload.into());
        self
    }

    /// Changes the payload after it was signed, by one space at its end: every claim stays what it was.
    pub fn tampered(mut self) -> Self {
        self.tampered = true;
        self
    }

    /// Makes the token. Each has a `jti` of its own.
    pub fn mint(&self) -> String {
        let key = self.issuer.signing_key();
        let mut header = Map::new();
        header.insert("typ".into(), json!("at+jwt"));
        header.insert("kid".into(), json!(key.kid()));
        let algorithm = if self.unsigned {
            "none"
        } else {
            key.algorithm().name()
        };
        header.insert("alg".into(), json!(algorithm));
        let header = base64url(&overridden(header, &self.header));

        let mut payload = self.payload();
        let signed = format!("{header}.{}", base64url(&payload));
        if self.unsigned {
            return format!("{signed}.");
        }
        let key = self.signer.as_ref().map_or(key, TestIssuer::signing_key);
        let signature = base64url(&key.sign(signed.as_bytes()));
        if self.tampered {
            payload.push(b' ');
            return format!("{header}.{}.{signature}", base64url(&payload));
        }
        format!("{signed}.{signature}")
    }

    /// Makes a token that says nothing itself: the issuer's introspection endpoint does, with these claims. What is said
    /// of header and signature means nothing here.
    pub fn mint_opaque(&self) -> String {
        let token = format!("opaque-{:032x}", fastrand::u128(..));
        let payload = self.payload();
        let mut state = self.issuer.shared.state();
        state.opaque.insert(token.clone(), payload);
        token
    }

    fn payload(&self) -> Vec<u8> {
        match &self.payload {
            Some(payload) => payload.clone(),
            None => overridden(self.usual_claims(), &self.claims),
        }
    }

    fn usual_claims(&self) -> Map<String, Value> {
        let age = if self.expired {
            self.age.max(self.lifetime + LONG_AGO)
        } else {
            self.age
        };
        let issued_at = self.issuer.now().saturating_sub(age).as_secs();
        let mut claims = Map::new();
        claims.insert("iss".into(), json!(self.issuer.name()));
        claims.insert("iat".into(), json!(issued_at));
        claims.insert("exp".into(), json!(issued_at + self.lifetime.as_secs()));
        claims.insert("jti".into(), json!(format!("{:032x}", fastrand::u128(..))));
        claims
    }
}

pub(crate) fn overridden(
    mut members: Map<String, Value>,
    changes: &BTreeMap<String, Option<Value>>,
) -> Vec<u8> {
    for (name, value) in changes {
        match value {
            Some(value) => members.insert(name.clone(), value.clone()),
            None => members.remove(name),
        };
    }
    Value::Object(members).to_string().into_bytes()
}

/// Without claims: a token, or what makes one, is nobody's business in a log.
impl fmt::Debug for TokenBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenBuilder")
            .field("issuer", &self.issuer.name())
            .finish_non_exhaustive()
    }
}
