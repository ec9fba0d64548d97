//! A token in the making, down to its last byte.

use std::sync::Arc;

use countersign::Algorithm;
use serde_json::{Map, Value, json};

use super::signer::Signer;
use super::{AUDIENCE, ISSUER, NOW, base64url, decoded};

type Sign = Arc<dyn Fn(&[u8]) -> Vec<u8> + Send + Sync>;
type Shape = Arc<dyn Fn([&str; 3]) -> String + Send + Sync>;

/// A token of an organization's automation in the shape of RFC 9068, until it is told otherwise.
#[derive(Clone)]
pub(crate) struct Draft {
    kid: &'static str,
    header: Map<String, Value>,
    payload: Map<String, Value>,
    /// Instead of the members.
    header_text: Option<Vec<u8>>,
    payload_text: Option<Vec<u8>>,
    sign: Sign,
    /// What becomes of the three segments.
    shape: Option<Shape>,
}

impl Draft {
    pub(crate) fn new(signer: &'static Signer, algorithm: Algorithm) -> Self {
        let header = json!({"typ": "at+jwt", "alg": algorithm.name(), "kid": signer.kid});
        let payload = json!({
            "iss": ISSUER,
            "aud": AUDIENCE,
            "exp": NOW + 600,
            "iat": NOW,
            "jti": "a-token",
            "sub": "m2m-acme",
            "client_id": "m2m-acme",
            "org_id": "org_acme",
            "scope": "invoices:read",
        });
        Self {
            kid: signer.kid,
            header: members(header),
            payload: members(payload),
            header_text: None,
            payload_text: None,
            sign: Arc::new(move |message| signer.sign(algorithm, message)),
            shape: None,
        }
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header.insert(name.into(), value.into());
        self
    }

    pub(crate) fn without_header(mut self, name: &str) -> Self {
        self.header.remove(name);
        self
    }

    pub(crate) fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.payload.insert(name.into(), value.into());
        self
    }

    /// With these claims instead of the usual ones, but for those of every profile.
    pub(crate) fn claims(mut self, claims: &Value) -> Self {
        for usual in ["sub", "client_id", "org_id", "scope"] {
            self.payload.remove(usual);
        }
        self.payload.extend(members(claims.clone()));
        self
    }

    pub(crate) fn without_claim(mut self, name: &str) -> Self {
        self.payload.remove(name);
        self
    }

    /// With this text for a header.
    pub(crate) fn header_text(mut self, change: impl FnOnce(&str) -> Vec<u8>) -> Self {
        self.header_text = Some(change(&Value::Object(self.header.clone()).to_string()));
        self
    }

    /// With this text for a payload.
    pub(crate) fn payload_text(mut self, change: impl FnOnce(&str) -> Vec<u8>) -> Self {
        self.payload_text = Some(change(&Value::Object(self.payload.clone()).to_string()));
        self
    }

    /// Signed by this key, with this algorithm whatever the header says.
    pub(crate) fn signed_by(self, signer: &'static Signer, algorithm: Algorithm) -> Self {
        self.signed(move |message| signer.sign(algorithm, message))
    }

    pub(crate) fn signed(
        mut self,
        sign: impl Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        self.sign = Arc::new(sign);
        self
    }

    /// The right signature, changed like this.
    pub(crate) fn resigned(
        self,
        change: impl Fn(Vec<u8>) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        let sign = self.sign.clone();
        self.signed(move |message| change(sign(message)))
    }

    /// Put together like this out of the three segments, after signing.
    pub(crate) fn shaped(
        mut self,
        shape: impl Fn([&str; 3]) -> String + Send + Sync + 'static,
    ) -> Self {
        self.shape = Some(Arc::new(shape));
        self
    }

    pub(crate) fn text(&self) -> String {
        self.put_together(false)
    }

    /// The same token with a signature that is not one; `None` where it has no signature that could be spoilt.
    pub(crate) fn with_a_bad_signature(&self) -> Option<String> {
        let [_, _, signature] = self.segments(false);
        (!signature.is_empty()).then(|| self.put_together(true))
    }

    /// The same token, rightly signed, with a `kid` of the same length that no key has; `None` where it does not
    /// name its key as it should.
    pub(crate) fn with_an_unknown_key(&self) -> Option<String> {
        let mut other = self.clone();
        let unknown = format!("x{}", &self.kid[1..]);
        if let Some(text) = &self.header_text {
            let text = std::str::from_utf8(text).ok()?;
            let (one, two) = (format!("\"{}\"", self.kid), format!("\"{unknown}\""));
            text.contains(&one).then_some(())?;
            other.header_text = Some(text.replace(&one, &two).into_bytes());
        } else {
            (self.header.get("kid")? == self.kid).then_some(())?;
            other.header.insert("kid".into(), json!(unknown));
        }
        Some(other.text())
    }

    fn put_together(&self, spoilt: bool) -> String {
        let segments = self.segments(spoilt);
        let [header, payload, signature] = &segments;
        match &self.shape {
            Some(shape) => shape([header, payload, signature]),
            None => format!("{header}.{payload}.{signature}"),
        }
    }

    fn segments(&self, spoilt: bool) -> [String; 3] {
        let text = |members: &Map<_, _>| Value::Object(members.clone()).to_string().into_bytes();
        let header = self.header_text.clone();
        let payload = self.payload_text.clone();
        let header = base64url(header.unwrap_or_else(|| text(&self.header)));
        let payload = base64url(payload.unwrap_or_else(|| text(&self.payload)));
        let mut signature = (self.sign)(format!("{header}.{payload}").as_bytes());
        let middle = signature.len() / 2;
        if spoilt && let Some(byte) = signature.get_mut(middle) {
            *byte ^= 0x10;
        }
        [header, payload, base64url(signature)]
    }

    /// The payload's claims.
    pub(crate) fn payload(&self) -> Vec<u8> {
        let [_, payload, _] = self.segments(false);
        decoded(&payload)
    }
}

fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        other => panic!("no object: {other}"),
    }
}
