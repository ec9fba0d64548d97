use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use serde_json::json;

use crate::fault::Endpoint;
use crate::introspection_endpoint;
use crate::keys::base64url;
use crate::shared::Shared;
use crate::token_endpoint;

/// The usual answer to a request.
pub(crate) async fn answer(
    endpoint: Option<Endpoint>,
    request: Request<Incoming>,
    shared: Arc<Shared>,
) -> Response<Full<Bytes>> {
    let Some(endpoint) = endpoint else {
        return with_status(StatusCode::NOT_FOUND);
    };
    let method = match endpoint {
        Endpoint::Discovery | Endpoint::Keys => Method::GET,
        Endpoint::Token | Endpoint::Introspection => Method::POST,
    };
    if request.method() != method {
        let mut response = with_status(StatusCode::METHOD_NOT_ALLOWED);
        let allowed = HeaderValue::from_static(if method == Method::GET { "GET" } else { "POST" });
        response.headers_mut().insert(ALLOW, allowed);
        return response;
    }
    match endpoint {
        Endpoint::Discovery => document(request.headers(), metadata(&shared), &shared),
        Endpoint::Keys => {
            let keys = shared.keys().json();
            document(request.headers(), keys, &shared)
        }
        Endpoint::Token => token_endpoint::answer(request, shared).await,
        Endpoint::Introspection => introspection_endpoint::answer(request, shared).await,
    }
}

pub(crate) fn with_status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

pub(crate) fn json_response(status: StatusCode, json: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(json.into()));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

/// Authorization server metadata (RFC 8414 §2), which serves as OpenID Connect's as well.
fn metadata(shared: &Shared) -> Vec<u8> {
    let name = &shared.name;
    let algorithms: Vec<_> = shared
        .keys()
        .algorithms()
        .iter()
        .map(|algorithm| json!(algorithm.name()))
        .collect();
    json!({
        "issuer": name,
        "jwks_uri": shared.jwks_url(),
        "token_endpoint": format!("{name}/token"),
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "introspection_endpoint": format!("{name}/introspect"),
        "introspection_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": algorithms,
    })
    .to_string()
    .into_bytes()
}

/// A document that may be kept, or 304 to those who have it (RFC 9110 §13.1.2).
fn document(headers: &HeaderMap, json: Vec<u8>, shared: &Shared) -> Response<Full<Bytes>> {
    let tag = format!("\"{}\"", base64url(digest(&SHA256, &json).as_ref()));
    let mut response = if is_known(headers, &tag) {
        shared.counters.count_not_modified();
        with_status(StatusCode::NOT_MODIFIED)
    } else {
        json_response(StatusCode::OK, json)
    };
    let headers = response.headers_mut();
    let tag = HeaderValue::try_from(tag).expect("base64url in quotes is a header value");
    headers.insert(ETAG, tag);
    if let Some(value) = shared.state().cache_control.clone() {
        headers.insert(CACHE_CONTROL, value);
    }
    response
}

/// Whether `If-None-Match` names the tag, compared weakly.
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    headers
        .get_all(IF_NONE_MATCH)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}
