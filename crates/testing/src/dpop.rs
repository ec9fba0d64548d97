use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use countersign_jwks::Algorithm;
use serde_json::{Map, Value, json};

use crate::keys::{SigningKey, base64url};
use crate::mint::overridden;

/// The key of a client that presents tokens bound to it ([RFC 9449](https://www.rfc-editor.org/rfc/rfc9449)).
///
/// ```
/// use std::time::{SystemTime, UNIX_EPOCH};
/// use countersign_testing::{DpopKey, TestIssuer};
///
/// let issuer = TestIssuer::new("https://as.acme.test");
/// let key = DpopKey::new();
/// let token = issuer.service_principal("m2m-acme").bound_to(&key).mint();
/// let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
/// let proof = key.proof("GET", "https://api.acme.test/invoices", &token, now).mint();
/// assert_eq!(proof.split('.').count(), 3);
/// ```
#[derive(Clone)]
pub struct DpopKey {
    key: Arc<SigningKey>,
}

/// A proof in the making, right unless it is told to be wrong.
#[derive(Clone)]
#[must_use = "a proof is made by `mint`"]
pub struct ProofBuilder {
    key: DpopKey,
    signer: DpopKey,
    header: BTreeMap<String, Option<Value>>,
    claims: BTreeMap<String, Option<Value>>,
}

impl DpopKey {
    /// A new key for ES256.
    pub fn new() -> Self {
        Self::with_algorithm(Algorithm::ES256)
    }

    /// A new key for this algorithm.
    pub fn with_algorithm(algorithm: Algorithm) -> Self {
        Self {
            key: Arc::new(SigningKey::generate(algorithm)),
        }
    }

    /// Its public half.
    pub fn jwk(&self) -> Value {
        let mut jwk = self.key.jwk();
        if let Some(members) = jwk.as_object_mut() {
            members
                .retain(|name, _| matches!(name.as_str(), "kty" | "crv" | "x" | "y" | "n" | "e"));
        }
        jwk
    }

    /// Its thumbprint in base64url ([RFC 7638](https://www.rfc-editor.org/rfc/rfc7638)), as `cnf` has it.
    pub fn thumbprint(&self) -> String {
        // The members are sorted, and are those that count.
        let members: BTreeMap<_, _> = match self.jwk() {
            Value::Object(members) => members.into_iter().collect(),
            _ => BTreeMap::new(),
        };
        let text = json!(members).to_string();
        base64url(digest(&SHA256, text.as_bytes()).as_ref())
    }

    /// A proof for this request with this token. `now` is the time since the Unix epoch.
    pub fn proof(&self, method: &str, uri: &str, token: &str, now: Duration) -> ProofBuilder {
        let hash = digest(&SHA256, token.as_bytes());
        let proof = ProofBuilder {
            key: self.clone(),
            signer: self.clone(),
            header: BTreeMap::new(),
            claims: BTreeMap::new(),
        };
        proof
            .with_header("typ", "dpop+jwt")
            .with_header("alg", self.key.algorithm().name())
            .with_claim("htm", method)
            .with_claim("htu", uri)
            .with_claim("iat", now.as_secs())
            .with_claim("ath", base64url(hash.as_ref()))
    }
}

impl Default for DpopKey {
    fn default() -> Self {
        Self::new()
    }
}

impl ProofBuilder {
    /// Repeats a nonce of the server's.
    pub fn with_nonce(self, nonce: &str) -> Self {
        self.with_claim("nonce", nonce)
    }

    /// Sets a claim to any value.
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

    /// Signs with another key. The header still has this one.
    pub fn signed_by(mut self, other: &DpopKey) -> Self {
        self.signer = other.clone();
        self
    }

    /// Makes the proof. Each has a `jti` of its own.
    pub fn mint(&self) -> String {
        let mut header = Map::new();
        header.insert("jwk".into(), self.key.jwk());
        let mut claims = Map::new();
        claims.insert("jti".into(), json!(format!("{:032x}", fastrand::u128(..))));
        let header = base64url(&overridden(header, &self.header));
        let payload = base64url(&overridden(claims, &self.claims));
        let signed = format!("{header}.{payload}");
        let signature = base64url(&self.signer.key.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }
}

impl fmt::Debug for DpopKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DpopKey")
            .field("thumbprint", &self.thumbprint())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ProofBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProofBuilder")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}
