use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use countersign_jwks::suite::{self, First, Outage, race};
use countersign_jwks::{Clock, Fetch, FetchFailure, FetchRequest};
use countersign_token::{Claims, IntrospectionRules, Issuer, Refusal};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use url::form_urlencoded;

use crate::authentication::{Asked, ClientAuthentication};
use crate::endpoint::{IntrospectionEndpoint, Located};
use crate::post::{Post, PostRequest};

/// An answer is a handful of claims.
const MAX_BYTES: usize = 64 * 1024;

/// Metadata lists everything that a server can do.
const MAX_METADATA_BYTES: usize = 256 * 1024;

/// The server that is asked, and all that a question needs.
pub(crate) struct Server {
    pub(crate) issuer: Issuer,
    pub(crate) rules: IntrospectionRules,
    pub(crate) endpoint: IntrospectionEndpoint,
    pub(crate) authentication: ClientAuthentication,
    pub(crate) post: Arc<dyn Post>,
    /// For discovery.
    pub(crate) fetch: Option<Arc<dyn Fetch>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) deadline: Duration,
    pub(crate) located: Mutex<Option<Located>>,
    pub(crate) told: Told,
}

/// What the log was told, so that no caller can fill it.
#[derive(Debug, Default)]
pub(crate) struct Told {
    away: Outage,
    /// That it refused a question.
    unsaid: Outage,
}

/// A question that brought no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failed {
    pub(crate) failure: Failure,
    /// What a 429 or 503 asked for.
    pub(crate) retry_after: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    Network(FetchFailure),
    /// The system has no random bytes to make a proof with.
    Unproven,
    /// This status, by which the server refuses one question and says nothing of others.
    Unsaid(u16),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(failure) => failure.fmt(f),
            Self::Unproven => f.write_str("the client's proof cannot be made"),
            Self::Unsaid(status) => FetchFailure::Status(*status).fmt(f),
        }
    }
}

impl From<FetchFailure> for Failed {
    fn from(failure: FetchFailure) -> Self {
        Self {
            failure: Failure::Network(failure),
            retry_after: None,
        }
    }
}

impl Failed {
    /// What answers a question: whoever makes up a token can bring on a status by which the server refuses what it was
    /// sent, and that must not be held against it. What it thinks of this resource, or cannot do at all, is.
    fn of_question(self) -> Self {
        match self.failure {
            Failure::Network(FetchFailure::Status(401 | 403 | 407 | 408 | 429)) => self,
            Failure::Network(FetchFailure::Status(status @ 400..=499)) => Self {
                failure: Failure::Unsaid(status),
                retry_after: None,
            },
            _ => self,
        }
    }

    fn may_have_moved(&self) -> bool {
        !matches!(self.failure, Failure::Unsaid(status) if !matches!(status, 404 | 405 | 410 | 421))
    }
}

impl Server {
    /// What the server says of a token; done within the deadline, whatever the [`Post`].
    pub(crate) async fn ask(&self, token: &str) -> Result<Result<Claims, Refusal>, Failed> {
        let ends = self.clock.monotonic() + self.deadline;
        let timeout = self.clock.sleep(self.deadline);
        let heard = match race(self.exchange(token, ends), timeout).await {
            First::Left(heard) => heard,
            First::Right(()) => Err(FetchFailure::Timeout.into()),
        };
        match &heard {
            Ok(_) => self.report_answer(),
            Err(failed) => {
                self.report(failed);
                if failed.may_have_moved() {
                    *self.located() = None;
                }
            }
        }
        heard
    }

    async fn exchange(
        &self,
        token: &str,
        ends: Duration,
    ) -> Result<Result<Claims, Refusal>, Failed> {
        let url = self.locate(ends).await?;
        let request = self.request(url, token, ends).ok_or(Failed {
            failure: Failure::Unproven,
            retry_after: None,
        })?;
        let response = self.post.post(request).await?;
        let body = body(&response, MAX_BYTES).map_err(Failed::of_question)?;
        Ok(match std::str::from_utf8(body) {
            Ok(answer) => {
                let now = self.clock.unix_time();
                self.issuer.check_introspection(answer, self.rules, now)
            }
            Err(_) => Err(Refusal::MalformedPayload),
        })
    }

    fn request(&self, url: String, token: &str, ends: Duration) -> Option<PostRequest> {
        let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        let json = HeaderValue::from_static("application/json");
        let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, form_type), (ACCEPT, json)]);
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("token", token)
            .append_pair("token_type_hint", "access_token");
        let asked = Asked {
            issuer: self.issuer.name(),
            endpoint: &url,
            now: self.clock.unix_time(),
        };
        self.authentication.prove(&asked, &mut headers, &mut form)?;
        Some(PostRequest {
            headers,
            body: form.finish().into(),
            max_bytes: MAX_BYTES,
            deadline: ends.saturating_sub(self.clock.monotonic()),
            url,
        })
    }

    async fn locate(&self, ends: Duration) -> Result<String, Failed> {
        if let IntrospectionEndpoint::Url(url) = &self.endpoint {
            return Ok(url.clone());
        }
        let known = self.located().clone();
        if let Some(located) = known
            && located.is_recent(self.clock.monotonic())
        {
            return Ok(located.url);
        }
        let url = self.discover(ends).await?;
        *self.located() = Some(Located::new(url.clone(), self.clock.monotonic()));
        Ok(url)
    }

    async fn discover(&self, ends: Duration) -> Result<String, Failed> {
        let name = self.issuer.name();
        let issuer_url = suite::issuer_url(name).ok_or(FetchFailure::InsecureUrl)?;
        let [openid, oauth] = suite::metadata_urls(&issuer_url);
        let mut response = self.get(openid, ends).await?;
        if response.status() == StatusCode::NOT_FOUND {
            response = self.get(oauth, ends).await?;
        }
        let metadata = body(&response, MAX_METADATA_BYTES)?;
        let same_origin_only = self.issuer.keys().same_origin_only;
        let member = "introspection_endpoint";
        Ok(suite::endpoint(
            member,
            metadata,
            name,
            &issuer_url,
            same_origin_only,
        )?)
    }

    async fn get(&self, url: String, ends: Duration) -> Result<Response<Bytes>, FetchFailure> {
        let fetch = self.fetch.as_ref().ok_or(FetchFailure::Connect)?;
        let request = FetchRequest::new(url)
            .with_max_bytes(MAX_METADATA_BYTES)
            .with_deadline(ends.saturating_sub(self.clock.monotonic()));
        fetch.fetch(request).await
    }

    fn report(&self, failed: &Failed) {
        let (issuer, failure) = (&**self.issuer.name(), failed.failure);
        let told = match failure {
            Failure::Unsaid(_) => &self.told.unsaid,
            _ => &self.told.away,
        };
        if !told.is_news(self.clock.monotonic()) {
            tracing::debug!(issuer, %failure, "introspection failed");
            return;
        }
        if let Failure::Network(FetchFailure::Status(401 | 403)) | Failure::Unsaid(400) = failure {
            tracing::error!(
                issuer,
                %failure,
                "the authorization server lets this resource introspect no token: check how it authenticates"
            );
        } else {
            tracing::warn!(issuer, %failure, "introspection failed; it is told when it works again");
        }
    }

    fn report_answer(&self) {
        self.told.unsaid.is_over();
        if self.told.away.is_over() {
            let issuer = &**self.issuer.name();
            tracing::info!(issuer, "introspection works again");
        }
    }

    fn located(&self) -> MutexGuard<'_, Option<Located>> {
        self.located.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The body of a response that is an answer. [`Post`] and [`Fetch`] are told the limits, but not relied on.
fn body(response: &Response<Bytes>, max_bytes: usize) -> Result<&[u8], Failed> {
    let status = response.status();
    if status.is_redirection() {
        return Err(FetchFailure::Redirect.into());
    }
    if status != StatusCode::OK {
        let patience = [
            StatusCode::TOO_MANY_REQUESTS,
            StatusCode::SERVICE_UNAVAILABLE,
        ];
        return Err(Failed {
            retry_after: patience
                .contains(&status)
                .then(|| suite::retry_after(response.headers()))
                .flatten(),
            ..FetchFailure::Status(status.as_u16()).into()
        });
    }
    if !suite::is_one_of(response.headers(), &["application/json"]) {
        return Err(FetchFailure::ContentType.into());
    }
    if response.body().len() > max_bytes {
        return Err(FetchFailure::TooLarge.into());
    }
    Ok(response.body())
}
