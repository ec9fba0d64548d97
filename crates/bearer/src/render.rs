//! The one place that turns a denial into a response.

use std::fmt::Write;
use std::sync::Arc;

use bytes::Bytes;
use countersign_token::Refusal;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use serde::Serialize;

use crate::body::RefusalBody;
use crate::context::Context;
use crate::denied::{DenialKind, Denied};

pub(crate) const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

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
        // They are those of the scheme `Bearer`.
        let answers = answers.filter(|_| !self.is_dpop).unwrap_or_default();
        let mut prepared = answers.iter();
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
        if let Some(nonce) = self.nonce() {
            response.headers_mut().insert(DPOP_NONCE, nonce.clone());
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
        for challenge in self.challenges() {
            headers.append(WWW_AUTHENTICATE, challenge);
        }
        Answer { headers, body }
    }

    pub(crate) fn nonce(&self) -> Option<&HeaderValue> {
        self.advice()?.nonce.as_ref()
    }

    /// `Retry-After` knows whole seconds: rounded up, and at least one.
    pub(crate) fn retry_after_seconds(&self) -> Option<u64> {
        let delay = self.advice()?.retry_after?;
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

    /// The `WWW-Authenticate` values, one for each scheme that is accepted
    /// ([RFC 6750 §3](https://www.rfc-editor.org/rfc/rfc6750#section-3),
    /// [RFC 9449 §7.1](https://www.rfc-editor.org/rfc/rfc9449#section-7.1)). The error stands in the one of the scheme
    /// that was used.
    pub(crate) fn challenges(&self) -> impl Iterator<Item = HeaderValue> {
        let says_error = match self.kind() {
            DenialKind::MissingCredential | DenialKind::UnsupportedScheme => Some(false),
            DenialKind::MalformedCredential
            | DenialKind::InvalidToken(_)
            | DenialKind::InvalidProof(_)
            | DenialKind::ProofNonceRequired
            | DenialKind::InsufficientAuthentication
            | DenialKind::InsufficientScope => Some(true),
            _ => None,
        };
        let context = self.context.as_deref();
        let worded = context.zip(says_error);
        let bearer = worded
            .filter(|(context, _)| !context.dpop_required)
            .map(|(context, says)| self.challenge("Bearer", context, says && !self.is_dpop));
        let dpop = worded.and_then(|(context, says)| {
            let algorithms = context.dpop_algorithms.as_ref()?;
            let says = says && (self.is_dpop || context.dpop_required);
            let mut challenge = self.challenge("DPoP", context, says);
            challenge.parameter("algs", algorithms);
            Some(challenge)
        });
        // Every part was checked when the authenticator was built.
        let challenges = [bearer, dpop].into_iter().flatten();
        challenges.filter_map(|challenge| HeaderValue::try_from(challenge.text).ok())
    }

    fn challenge(&self, scheme: &str, context: &Context, says_error: bool) -> Challenge {
        let mut challenge = Challenge::new(scheme, context);
        if says_error {
            if let Some(code) = self.kind().error_code() {
                challenge.parameter("error", code);
            }
            if let Some(description) = self.kind().description() {
                challenge.parameter("error_description", description);
            }
            if let Some(wanted) = self.advice().and_then(|one| one.step_up.as_ref()) {
                if !wanted.acr_values.is_empty() {
                    challenge.parameter("acr_values", &wanted.acr_values.join(" "));
                }
                if let Some(max_age) = wanted.max_age {
                    challenge.parameter("max_age", &max_age.as_secs().to_string());
                }
            }
            if let Some(scope) = self.scope() {
                challenge.parameter("scope", scope);
            }
        }
        if let Some(resource) = &context.resource {
            challenge.parameter("resource_metadata", &resource.metadata_url);
        }
        challenge
    }
}

struct Challenge {
    text: String,
}

impl Challenge {
    fn new(scheme: &str, context: &Context) -> Self {
        let mut challenge = Self {
            text: format!("{scheme} realm="),
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
