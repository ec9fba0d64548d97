//! Denials as gRPC clients understand them: trailers-only responses, and `tonic::Status`.

use std::fmt::Write;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};

use crate::body::RefusalBody;
use crate::denied::Denied;
use crate::render::DPOP_NONCE;

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const PUSHBACK: HeaderName = HeaderName::from_static("grpc-retry-pushback-ms");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// What a gRPC response to this request has as its content type; `None` for any other request.
///
/// One router can serve both kinds, so that it is the request that tells, not a feature or the body's type. Every
/// gRPC call is a POST; anything else that says it is one must not get the status 200 that gRPC denials have.
pub(crate) fn content_type(method: &Method, headers: &HeaderMap) -> Option<HeaderValue> {
    if method != Method::POST {
        return None;
    }
    let requested = headers.get(CONTENT_TYPE)?.as_bytes();
    let starts_with = |prefix: &str| {
        let start = requested.get(..prefix.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
    };
    [
        "application/grpc-web-text",
        "application/grpc-web",
        "application/grpc",
    ]
    .into_iter()
    .find(|prefix| starts_with(prefix))
    .map(HeaderValue::from_static)
}

impl Denied {
    /// A trailers-only response: the status of the call in headers, and no body.
    pub(crate) fn respond_grpc<B: RefusalBody>(&self, content_type: HeaderValue) -> Response<B> {
        let mut response = Response::new(B::refusal(Bytes::new()));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, content_type);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(GRPC_STATUS, self.grpc_code().into());
        if let Ok(message) = HeaderValue::try_from(percent_encoded(self.grpc_message())) {
            headers.insert(GRPC_MESSAGE, message);
        }
        self.add_metadata(headers);
        response
    }

    fn add_metadata(&self, headers: &mut HeaderMap) {
        for challenge in self.challenges() {
            headers.append(WWW_AUTHENTICATE, challenge);
        }
        if let Some(nonce) = self.nonce() {
            headers.insert(DPOP_NONCE, nonce.clone());
        }
        if let Some(seconds) = self.retry_after_seconds() {
            headers.insert(RETRY_AFTER, seconds.into());
            // The same in gRPC's own terms.
            headers.insert(PUSHBACK, (seconds.saturating_mul(1000)).into());
        }
    }

    /// The code of the call's status.
    fn grpc_code(&self) -> i32 {
        const NOT_FOUND: i32 = 5;
        const PERMISSION_DENIED: i32 = 7;
        const INTERNAL: i32 = 13;
        const UNAVAILABLE: i32 = 14;
        const UNAUTHENTICATED: i32 = 16;
        match self.status() {
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED => UNAUTHENTICATED,
            StatusCode::FORBIDDEN => PERMISSION_DENIED,
            StatusCode::NOT_FOUND => NOT_FOUND,
            StatusCode::SERVICE_UNAVAILABLE => UNAVAILABLE,
            _ => INTERNAL,
        }
    }

    fn grpc_message(&self) -> &'static str {
        let reason = self.status().canonical_reason().unwrap_or_default();
        self.kind().description().unwrap_or(reason)
    }
}

/// As the gRPC protocol wants its messages: printable ASCII, percent signs and everything else encoded.
fn percent_encoded(message: &str) -> String {
    let mut encoded = String::with_capacity(message.len());
    for byte in message.bytes() {
        if matches!(byte, b' '..=b'~') && byte != b'%' {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// The same code, message and challenge that the layer answers with, for a handler to return. Its source is the
/// denial, so that a layer further out, which finds the status in the response's extensions, learns the reason.
#[cfg(feature = "tonic")]
impl From<Denied> for tonic::Status {
    fn from(denied: Denied) -> Self {
        denied.log();
        let mut metadata = HeaderMap::new();
        denied.add_metadata(&mut metadata);
        let mut status = Self::with_metadata(
            denied.grpc_code().into(),
            denied.grpc_message(),
            tonic::metadata::MetadataMap::from_headers(metadata),
        );
        status.set_source(std::sync::Arc::new(denied));
        status
    }
}

#[cfg(feature = "tonic")]
impl RefusalBody for tonic::body::Body {
    fn refusal(bytes: Bytes) -> Self {
        Self::new(http_body_util::Full::new(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grpc_request_is_told_by_its_content_type() {
        let cases = [
            (Some("application/grpc"), Some("application/grpc")),
            (Some("application/grpc+proto"), Some("application/grpc")),
            (Some("Application/GRPC"), Some("application/grpc")),
            (
                Some("application/grpc-web+proto"),
                Some("application/grpc-web"),
            ),
            (
                Some("application/grpc-web-text"),
                Some("application/grpc-web-text"),
            ),
            (Some("application/json"), None),
            (Some("application/grp"), None),
            (Some(""), None),
            (None, None),
        ];
        for (requested, expected) in cases {
            let headers = requested
                .map(|one| (CONTENT_TYPE, HeaderValue::from_static(one)))
                .into_iter()
                .collect();
            let expected = expected.map(HeaderValue::from_static);
            assert_eq!(
                content_type(&Method::POST, &headers),
                expected,
                "{requested:?}"
            );
            assert_eq!(content_type(&Method::GET, &headers), None, "{requested:?}");
        }
    }

    #[test]
    fn a_message_is_printable_ascii() {
        assert_eq!(percent_encoded("100% caf\u{e9}\n"), "100%25 caf%C3%A9%0A");
    }
}
