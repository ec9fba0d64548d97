//! The one place that turns a denial into a response.

use std::fmt::Write;
use std::sync::Arc;

use bytes::Bytes;
use countersign_token::Refusal;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Response};
use serde::Serialize;

use crate::body::RefusalBody;
use crate::context::Context;
use crate::denied::{DenialKind, Denied};

/// A problem of [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457), with RFC 6750's words beside it.
#[derive(Serialize)]
struct Problem {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_description: Option<&'static str>,
}

/// Headers and body that a denial is answered with, but for what differs from request to request.
#[derive(Clone)]
pub(crate) struct Answer {
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    /// Those of every denial that the layer itself gives for a credential.
    pub(crate) fn prepare(context: &Context) -> Vec<(DenialKind, Self)> {
        let context = Arc::new(context.clone());
        let refusals = Refusal::ALL.iter().copied().map(DenialKind::InvalidToken);
        [
            DenialKind::MissingCredential,
            DenialKind::UnsupportedScheme,
            DenialKind::MalformedCredential,
        ]
        .into_iter()
        .chain(refusals)
        .map(|kind| (kind, Denied::new(kind, context.clone()).answer()))
        .collect()
    }
}

impl Denied {
    /// The response, for any body that can be made of bytes: a problem in JSON, or what
    /// [`for_request`](Self::for_request) found that the request needs.
    ///
    /// Its extensions hold the [`DenialKind`], so that a layer further out learns the reason that the client
    /// is not told.
    pub fn respond<B: RefusalBody>(&self) -> Response<B> {
        self.log();
        let mut response = match &self.grpc {
            Some(content_type) => self.respond_grpc(content_type.clone()),
            None => self.respond_http(),
        };
        response.extensions_mut().insert(self.kind());
        response
    }

    pub(crate) fn log(&self) {
        let status = self.status().as_u16();
        tracing::debug!(
            reason = self.kind().as_str(),
            status,
            scope = self.scope(),
            "denied"
        );
    }

    fn respond_http<B: RefusalBody>(&self) -> Response<B> {
        let answers = self.context.as_deref().map(|one| one.answers.as_slice());
        let mut prepared = answers.unwrap_or_default().iter();
        let answer = match prepared.find(|(kind, _)| *kind == self.kind()) {
            Some((_, answer)) => answer.clone(),
            None => self.answer(),
        };
        let mut response = Response::new(B::refusal(answer.body));
        *response.status_mut() = self.status();
        *response.headers_mut() = answer.headers;
        if let Some(seconds) = self.retry_after_seconds() {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response
    }

    fn answer(&self) -> Answer {
        let own_format = self
            .context
            .as_ref()
            .and_then(|one| one.denial_body.as_ref());
        let (content_type, body) = match own_format {
            Some(format) => format(self.kind()),
            None => self.problem(),
        };
        let mut headers = HeaderMap::with_capacity(4);
        headers.insert(CONTENT_TYPE, content_type);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(challenge) = self.challenge() {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        Answer { headers, body }
    }

    /// `Retry-After` knows whole seconds: rounded up, and at least one.
    pub(crate) fn retry_after_seconds(&self) -> Option<u64> {
        let delay = self.retry_after?;
        let started = u64::from(delay.subsec_nanos() > 0);
        Some(delay.as_secs().saturating_add(started).max(1))
    }

    fn problem(&self) -> (HeaderValue, Bytes) {
        let status = self.status();
        let problem = Problem {
            r#type: "about:blank",
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            error: self.kind().error_code(),
            error_description: self.kind().description(),
        };
        (
            HeaderValue::from_static("application/problem+json"),
            // A struct of plain fields cannot fail to serialize; an empty body would still be a denial.
            serde_json::to_vec(&problem).unwrap_or_default().into(),
        )
    }

    /// The `WWW-Authenticate` value ([RFC 6750 §3](https://www.rfc-editor.org/rfc/rfc6750#section-3)).
    pub(crate) fn challenge(&self) -> Option<HeaderValue> {
        let says_error = match self.kind() {
            DenialKind::MissingCredential | DenialKind::UnsupportedScheme => false,
            DenialKind::MalformedCredential
            | DenialKind::InvalidToken(_)
            | DenialKind::InsufficientScope => true,
            _ => return None,
        };
        let context = self.context.as_deref()?;
        let mut challenge = Challenge::new(context);
        if says_error {
            if let Some(code) = self.kind().error_code() {
                challenge.parameter("error", code);
            }
            if let Some(description) = self.kind().description() {
                challenge.parameter("error_description", description);
            }
        }
        if let Some(scope) = self.scope() {
            challenge.parameter("scope", scope);
        }
        if let Some(resource) = &context.resource {
            challenge.parameter("resource_metadata", &resource.metadata_url);
        }
        // Every part was checked when the authenticator was built.
        HeaderValue::try_from(challenge.text).ok()
    }
}

struct Challenge {
    text: String,
}

impl Challenge {
    fn new(context: &Context) -> Self {
        let mut challenge = Self {
            text: "Bearer realm=".into(),
        };
        challenge.quoted(&context.realm);
        challenge
    }

    fn parameter(&mut self, name: &str, value: &str) {
        // Writing to a string cannot fail.
        let _ = write!(self.text, ", {name}=");
        self.quoted(value);
    }

    fn quoted(&mut self, value: &str) {
        self.text.push('"');
        for character in value.chars() {
            if matches!(character, '"' | '\\') {
                self.text.push('\\');
            }
            self.text.push(character);
        }
        self.text.push('"');
    }
}
