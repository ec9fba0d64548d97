use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use countersign_jwks::{Algorithm, KeySet, Selection};
use http::header::CACHE_CONTROL;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use serde_json::{Map, Value, json};

use crate::endpoints::json_response;
use crate::shared::Shared;
use crate::token_endpoint::{Error, Form, authenticate, refusal};

/// Whether a token is active, for any client that proves itself (RFC 7662 §2).
pub(crate) async fn answer(
    request: Request<Incoming>,
    shared: Arc<Shared>,
) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let answered = Form::of(&head.headers, body)
        .await
        .ok_or("invalid_request")
        .and_then(|form| look(&head.headers, &form, &shared));
    let mut response = match answered {
        Ok(answer) => json_response(StatusCode::OK, answer.to_string()),
        Err(error) => refusal(error),
    };
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().insert(CACHE_CONTROL, no_store);
    response
}

fn look(headers: &HeaderMap, form: &Form, shared: &Shared) -> Result<Value, Error> {
    authenticate(headers, form, shared)?;
    let token = form.one("token")?.ok_or("invalid_request")?;
    let claims = claims(token, shared).filter(|claims| {
        let expires_at = claims.get("exp").and_then(Value::as_f64);
        let now = shared.clock().unix_time().as_secs_f64();
        expires_at.is_none_or(|time| now < time)
    });
    Ok(match claims {
        // Whoever made the token may have said otherwise; it is for tests.
        Some(mut claims) => {
            claims.entry("token_type").or_insert(json!("Bearer"));
            claims.entry("active").or_insert(json!(true));
            Value::Object(claims)
        }
        None => json!({ "active": false }),
    })
}

/// What a token of this issuer says that was not revoked.
fn claims(token: &str, shared: &Shared) -> Option<Map<String, Value>> {
    let opaque = {
        let state = shared.state();
        if state.revoked.contains(token) {
            return None;
        }
        state.opaque.get(token).cloned()
    };
    let payload = opaque.or_else(|| signed_payload(token, shared))?;
    serde_json::from_slice(&payload).ok()
}

/// The payload of a JWT, if it is signed with a key that is published.
fn signed_payload(token: &str, shared: &Shared) -> Option<Vec<u8>> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, payload) = signed.split_once('.')?;
    let decode = |part| URL_SAFE_NO_PAD.decode(part).ok();
    let header: Value = serde_json::from_slice(&decode(header)?).ok()?;
    let algorithm: Algorithm = header["alg"].as_str()?.parse().ok()?;
    let keys = KeySet::parse(&shared.keys().json(), algorithm.into()).ok()?;
    let Selection::Found(key) = keys.select(header["kid"].as_str(), algorithm) else {
        return None;
    };
    key.verify(algorithm, signed.as_bytes(), &decode(signature)?)
        .ok()?;
    decode(payload)
}
