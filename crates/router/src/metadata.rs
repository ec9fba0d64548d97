//! The metadata of the protected resource, as a public route
//! ([RFC 9728 §3](https://www.rfc-editor.org/rfc/rfc9728#section-3)).

use std::sync::Arc;

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use countersign_bearer::Authenticator;
use http::{HeaderValue, Method, StatusCode};

use crate::access::RouteAccess;
use crate::table::{RouteKind, RouteRow, RouteTable};

/// How long clients may keep it: issuers come and go while the service runs.
const MAX_AGE: HeaderValue = HeaderValue::from_static("max-age=300");

/// Its row, if the authenticator has a resource.
pub(crate) fn row(authenticator: &Authenticator) -> Option<RouteRow> {
    let metadata = authenticator.resource_metadata([])?;
    Some(RouteRow::new(
        RouteKind::Metadata,
        Some(Method::GET),
        metadata.path(),
        RouteAccess::Public,
    ))
}

/// Its route. It is made anew for each request, with the issuers that are trusted then.
pub(crate) fn route(authenticator: &Authenticator, table: &RouteTable) -> MethodRouter {
    let authenticator = authenticator.clone();
    let scopes: Arc<[_]> = table.scopes_supported().collect();
    get(move || {
        let response = respond(&authenticator, &scopes);
        async { response }
    })
}

fn respond(authenticator: &Authenticator, scopes: &[&'static str]) -> Response {
    let metadata = authenticator.resource_metadata(scopes.iter().copied());
    let Some(Ok(json)) = metadata.map(|metadata| serde_json::to_vec(&metadata)) else {
        // It is only mounted where there is a resource, and plain fields cannot fail to serialize.
        return StatusCode::NOT_FOUND.into_response();
    };
    let content_type = HeaderValue::from_static("application/json");
    let headers = [(CONTENT_TYPE, content_type), (CACHE_CONTROL, MAX_AGE)];
    (headers, json).into_response()
}
