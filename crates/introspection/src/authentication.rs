use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use serde_json::json;
use url::form_urlencoded;

use crate::private_key::PrivateKey;

/// How long an assertion is good for.
const ASSERTION_LIFETIME: Duration = Duration::from_secs(60);

/// How this resource proves to the authorization server that it may ask: an endpoint that answers anybody would
/// let anybody try tokens out ([RFC 7662 §2.1](https://www.rfc-editor.org/rfc/rfc7662#section-2.1)). What is secret
/// in it is never printed.
///
/// ```
/// use countersign_introspection::ClientAuthentication;
///
/// let authentication = ClientAuthentication::secret_basic("api", "from your secret store");
/// assert!(!format!("{authentication:?}").contains("secret store"));
/// ```
#[derive(Clone)]
#[must_use = "nobody is asked until an introspection is built"]
pub struct ClientAuthentication {
    id: String,
    method: Method,
}

#[derive(Clone)]
enum Method {
    SecretBasic(Box<str>),
    SecretPost(Box<str>),
    PrivateKeyJwt(Arc<PrivateKey>, AssertionAudience),
}

/// Whom an assertion is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AssertionAudience {
    /// The issuer's name, as the successor of RFC 7523 demands.
    #[default]
    Issuer,
    /// The URL of the introspection endpoint, which some older servers want.
    Endpoint,
}

/// What a proof is made for.
pub(crate) struct Asked<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) endpoint: &'a str,
    /// Since the Unix epoch.
    pub(crate) now: Duration,
}

impl ClientAuthentication {
    /// `client_secret_basic`: id and secret in the `Authorization` header, each form-encoded
    /// ([RFC 6749 §2.3.1](https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1)).
    pub fn secret_basic(id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self::new(id, Method::SecretBasic(secret.into().into()))
    }

    /// `client_secret_post`: id and secret in the form.
    pub fn secret_post(id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self::new(id, Method::SecretPost(secret.into().into()))
    }

    /// `private_key_jwt`: for each question an assertion of its own, signed with this key and good for 60 s
    /// ([RFC 7523 §2.2](https://www.rfc-editor.org/rfc/rfc7523#section-2.2)). The server holds no secret of ours.
    pub fn private_key_jwt(id: impl Into<String>, key: PrivateKey) -> Self {
        let method = Method::PrivateKeyJwt(Arc::new(key), AssertionAudience::default());
        Self::new(id, method)
    }

    /// Makes assertions for this audience. Default: the issuer. Without assertions it means nothing.
    pub fn with_assertion_audience(mut self, audience: AssertionAudience) -> Self {
        if let Method::PrivateKeyJwt(_, current) = &mut self.method {
            *current = audience;
        }
        self
    }

    fn new(id: impl Into<String>, method: Method) -> Self {
        Self {
            id: id.into(),
            method,
        }
    }

    /// What is wrong, if anything: the setting and the words.
    pub(crate) fn problem(&self) -> Option<(&'static str, &'static str)> {
        match &self.method {
            _ if self.id.is_empty() => Some(("client.id", "is empty")),
            Method::SecretBasic(secret) | Method::SecretPost(secret) if secret.is_empty() => {
                Some(("client.secret", "is empty"))
            }
            _ => None,
        }
    }

    /// Adds the proof to a request. `None` if it cannot be made, for want of random bytes.
    pub(crate) fn prove(
        &self,
        asked: &Asked<'_>,
        headers: &mut HeaderMap,
        form: &mut form_urlencoded::Serializer<'_, String>,
    ) -> Option<()> {
        match &self.method {
            Method::SecretBasic(secret) => {
                let encoded = |text: &str| -> String {
                    form_urlencoded::byte_serialize(text.as_bytes()).collect()
                };
                let pair = format!("{}:{}", encoded(&self.id), encoded(secret));
                let value = format!("Basic {}", STANDARD.encode(pair));
                let mut value = HeaderValue::try_from(value).ok()?;
                value.set_sensitive(true);
                headers.insert(AUTHORIZATION, value);
            }
            Method::SecretPost(secret) => {
                form.append_pair("client_id", &self.id)
                    .append_pair("client_secret", secret);
            }
            Method::PrivateKeyJwt(key, audience) => {
                let audience = match audience {
                    AssertionAudience::Issuer => asked.issuer,
                    AssertionAudience::Endpoint => asked.endpoint,
                };
                form.append_pair("client_id", &self.id)
                    .append_pair(
                        "client_assertion_type",
                        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                    )
                    .append_pair(
                        "client_assertion",
                        &assertion(&self.id, key, audience, asked.now)?,
                    );
            }
        }
        Some(())
    }
}

/// A JWT by which the client speaks for itself
/// ([RFC 7523 §3](https://www.rfc-editor.org/rfc/rfc7523#section-3)).
fn assertion(client: &str, key: &PrivateKey, audience: &str, now: Duration) -> Option<String> {
    let mut id = [0; 16];
    aws_lc_rs::rand::fill(&mut id).ok()?;
    let mut header = json!({ "alg": key.algorithm().name(), "typ": "JWT" });
    if let Some(key_id) = key.key_id() {
        header["kid"] = key_id.into();
    }
    let claims = json!({
        "iss": client,
        "sub": client,
        "aud": audience,
        "iat": now.as_secs(),
        "exp": (now + ASSERTION_LIFETIME).as_secs(),
        "jti": URL_SAFE_NO_PAD.encode(id),
    });
    let encoded = |part: serde_json::Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let signed = format!("{}.{}", encoded(header), encoded(claims));
    let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes())?);
    Some(format!("{signed}.{signature}"))
}

impl fmt::Debug for ClientAuthentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method = match &self.method {
            Method::SecretBasic(_) => "client_secret_basic",
            Method::SecretPost(_) => "client_secret_post",
            Method::PrivateKeyJwt(..) => "private_key_jwt",
        };
        f.debug_struct("ClientAuthentication")
            .field("id", &self.id)
            .field("method", &method)
            .finish_non_exhaustive()
    }
}
