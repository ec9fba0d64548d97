use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use serde_json::json;
use url::form_urlencoded;

use crate::client::Client;
use crate::endpoints::json_response;
use crate::issuer::TestIssuer;
use crate::shared::Shared;

const MAX_FORM_BYTES: usize = 64 * 1024;
const FORM: &str = "application/x-www-form-urlencoded";

/// An error code of RFC 6749 §5.2 or RFC 8707 §2.
pub(crate) type Error = &'static str;

/// The client credentials grant (RFC 6749 §4.4).
pub(crate) async fn answer(
    request: Request<Incoming>,
    shared: Arc<Shared>,
) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let issued = Form::of(&head.headers, body)
        .await
        .ok_or("invalid_request")
        .and_then(|form| issue(&head.headers, &form, shared));
    let mut response = match issued {
        Ok(json) => json_response(StatusCode::OK, json),
        Err(error) => refusal(error),
    };
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().insert(CACHE_CONTROL, no_store);
    response
}

pub(crate) fn refusal(error: Error) -> Response<Full<Bytes>> {
    let body = json!({ "error": error }).to_string();
    if error != "invalid_client" {
        return json_response(StatusCode::BAD_REQUEST, body);
    }
    let mut response = json_response(StatusCode::UNAUTHORIZED, body);
    let basic = HeaderValue::from_static("Basic realm=\"token\"");
    response.headers_mut().insert(WWW_AUTHENTICATE, basic);
    response
}

/// The response's JSON.
fn issue(headers: &HeaderMap, form: &Form, shared: Arc<Shared>) -> Result<String, Error> {
    let client = authenticate(headers, form, &shared)?;
    match form.one("grant_type")? {
        Some("client_credentials") => {}
        Some(_) => return Err("unsupported_grant_type"),
        None => return Err("invalid_request"),
    }
    let scopes = scopes(&client, form.one("scope")?)?;
    let audiences = audiences(form, &shared)?;

    let scope = scopes.join(" ");
    let issuer = TestIssuer::unserved(shared);
    let mut token = issuer.service_principal(&client.id);
    token = match audiences.as_slice() {
        [audience] => token.with_audience(audience),
        several => token.with_audiences(several),
    };
    if let Some(organization) = &client.organization {
        token = token.with_organization(organization);
    }
    if !scopes.is_empty() {
        token = token.with_scopes(&scopes);
    }
    let response = json!({
        "access_token": token.mint(),
        "token_type": "Bearer",
        "expires_in": 3600,
        "scope": scope,
    });
    Ok(response.to_string())
}

/// By `client_secret_basic` or `client_secret_post`, never both (RFC 6749 §2.3.1).
pub(crate) fn authenticate(
    headers: &HeaderMap,
    form: &Form,
    shared: &Shared,
) -> Result<Client, Error> {
    let posted = form.one("client_id")?.zip(form.one("client_secret")?);
    let basic = headers
        .get(AUTHORIZATION)
        .map(|value| basic(value).ok_or("invalid_client"));
    let (id, secret) = match (basic.transpose()?, posted) {
        (Some(_), Some(_)) => return Err("invalid_request"),
        (Some(pair), None) => pair,
        (None, Some((id, secret))) => (id.to_owned(), secret.to_owned()),
        (None, None) => return Err("invalid_client"),
    };
    let clients = &shared.state().clients;
    clients
        .iter()
        .find(|client| client.id == id && client.secret == secret)
        .cloned()
        .ok_or("invalid_client")
}

/// Both halves are form-encoded before they are joined.
fn basic(value: &HeaderValue) -> Option<(String, String)> {
    let (scheme, credentials) = value.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let credentials = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let (id, secret) = credentials.split_once(':')?;
    let decoded = |text: &str| {
        let pair = format!("={}", text.replace('&', "%26"));
        let (_, value) = form_urlencoded::parse(pair.as_bytes()).next()?;
        Some(value.into_owned())
    };
    Some((decoded(id)?, decoded(secret)?))
}

/// Those asked for, which the client must have, or all it has.
fn scopes(client: &Client, asked: Option<&str>) -> Result<Vec<String>, Error> {
    let Some(asked) = asked else {
        return Ok(client.scopes.clone());
    };
    let asked: Vec<_> = asked
        .split(' ')
        .filter(|scope| !scope.is_empty())
        .map(str::to_owned)
        .collect();
    if asked.iter().all(|scope| client.scopes.contains(scope)) {
        Ok(asked)
    } else {
        Err("invalid_scope")
    }
}

/// `resource` (RFC 8707), or `audience` as some vendors have it, or the default.
fn audiences(form: &Form, shared: &Shared) -> Result<Vec<String>, Error> {
    let mut audiences: Vec<_> = form.all("resource").chain(form.all("audience")).collect();
    let default = shared.state().default_audience.clone();
    if audiences.is_empty() {
        audiences.extend(default.as_deref());
    }
    if audiences.is_empty() || audiences.contains(&"") {
        return Err("invalid_target");
    }
    Ok(audiences.into_iter().map(str::to_owned).collect())
}

pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    pub(crate) async fn of(headers: &HeaderMap, body: Incoming) -> Option<Self> {
        let body = Limited::new(body, MAX_FORM_BYTES).collect().await.ok()?;
        Self::read(headers, &body.to_bytes())
    }

    fn read(headers: &HeaderMap, body: &[u8]) -> Option<Self> {
        let content_type = headers.get(CONTENT_TYPE)?.to_str().ok()?;
        let media_type = content_type.split(';').next()?.trim();
        media_type
            .eq_ignore_ascii_case(FORM)
            .then(|| Self(form_urlencoded::parse(body).into_owned().collect()))
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// A parameter that must not be repeated (RFC 6749 §3.2).
    pub(crate) fn one(&self, name: &str) -> Result<Option<&str>, Error> {
        let mut values = self.all(name);
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            _ => Err("invalid_request"),
        }
    }
}
