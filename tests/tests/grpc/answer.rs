//! What comes back to requests by hand, and how it compares with what tonic's client makes of a denial.

use axum::body::HttpBody;
use axum::http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::Value;
use tonic::body::Body;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tower::{Service, ServiceExt};

use crate::support::headers;

/// The path of the call that tests make by hand.
pub(crate) const CHECK: &str = "/grpc.health.v1.Health/Check";

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// Whether the stream ended with the headers, so that neither body nor trailers followed.
    pub(crate) ended_with_headers: bool,
    pub(crate) body: Vec<u8>,
}

/// A request by hand over the connection of tonic's client.
pub(crate) async fn send(
    channel: &Channel,
    method: &str,
    path: &str,
    content_type: &str,
    authorization: Option<&str>,
) -> Answer {
    let mut request = Request::new(Body::empty());
    *request.method_mut() = method.parse().unwrap();
    *request.uri_mut() = path.parse().unwrap();
    *request.headers_mut() = headers(authorization);
    let content_type = content_type.parse().unwrap();
    request
        .headers_mut()
        .insert(header::CONTENT_TYPE, content_type);
    let mut channel = channel.clone();
    let response = channel.ready().await.unwrap().call(request).await.unwrap();
    let (parts, body) = response.into_parts();
    Answer {
        status: parts.status,
        headers: parts.headers,
        ended_with_headers: body.is_end_stream(),
        body: body.collect().await.unwrap().to_bytes().into(),
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The problem document that the answer is, or the test fails.
    pub(crate) fn problem(&self) -> Value {
        let content_type = self.header("content-type");
        assert_eq!(content_type, Some("application/problem+json"));
        assert_eq!(self.header("cache-control"), Some("no-store"));
        assert_eq!(self.header("grpc-status"), None);
        let problem: Value = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(problem["status"], self.status.as_u16());
        problem
    }

    /// Fails unless the call was denied as this request over HTTP was: the code for the status, the sentence of
    /// the problem, and the same challenge.
    pub(crate) fn assert_same_denial(&self, denied: &Status, case: &str) {
        assert_eq!(denied.code(), code_of(self.status), "{case}: {denied:?}");
        let problem = self.problem();
        let sentence = problem.get("error_description");
        let sentence = sentence.unwrap_or(&problem["title"]);
        assert_eq!(sentence, denied.message(), "{case}");
        assert_eq!(
            metadata(denied, "www-authenticate"),
            self.header("www-authenticate"),
            "{case}"
        );
    }
}

pub(crate) fn metadata<'a>(status: &'a Status, name: &str) -> Option<&'a str> {
    let value = status.metadata().get(name);
    value.map(|value| value.to_str().unwrap())
}

fn code_of(status: StatusCode) -> Code {
    match status.as_u16() {
        400 | 401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::NotFound,
        500 => Code::Internal,
        503 => Code::Unavailable,
        _ => panic!("{status} is no denial's"),
    }
}
