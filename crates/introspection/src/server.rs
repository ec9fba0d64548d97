use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use countersign_jwks::suite::{self, First, race};
use countersign_jwks::{Clock, Fetch, FetchFailure, FetchRequest};
use countersign_token::{Claims, IntrospectionRules, Issuer, Refusal};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use url::form_urlencoded;

use crate::authentication::{Asked, ClientAuthentication};
use crate::endpoint::{IntrospectionEndpoint, Located};
use crate::post::{Post, PostRequest};
use crate::told::Told;

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
    /// Held by the one who looks it up.
    pub(crate) looking: tokio::sync::Mutex<()>,
    pub(crate) told: Told,
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
    /// What answers a question without saying anything of its token. Whatever stands in front of the server may do so
    /// for what the caller made up, so it says nothing of other questions.
    Unsaid(FetchFailure),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(failure) | Self::Unsaid(failure) => failure.fmt(f),
            Self::Unproven => f.write_str("the client's proof cannot be made"),
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
    /// What became of a question, as opposed to what came before it. Whoever makes up a token may bring on a page, a
    /// redirect, a cut connection or a status by which what was sent is refused, of the server or a firewall in front of
    /// it; that must not be held against the server, or a few such tokens would shut out everybody. What it thinks of this
    /// resource (401, 429) or cannot do at all is.
    fn of_question(self) -> Self {
        let Failure::Network(failure) = self.failure else {
            return self;
        };
        let is_unsaid = match failure {
            FetchFailure::Status(status) => {
                !matches!(status, 401 | 407 | 408 | 429) && status < 500
            }
            FetchFailure::Redirect
            | FetchFailure::ContentType
            | FetchFailure::TooLarge
            | FetchFailure::Malformed
            | FetchFailure::Interrupted => true,
            _ => false,
        };
        if is_unsaid {
            return Self {
                failure: Failure::Unsaid(failure),
                retry_after: None,
            };
        }
        self
    }

    /// Whether the server may be elsewhere by now. What one leaves behind may answer by any status.
    pub(crate) fn may_have_moved(&self) -> bool {
        matches!(self.failure, Failure::Network(_) | Failure::Unsaid(_))
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
        let (issuer, now) = (self.issuer.name(), self.clock.monotonic());
        match &heard {
            Ok(_) => self.told.answer(issuer, now),
            Err(failed) => self.told.failure(issuer, failed.failure, now),
        }
        heard
    }

    /// Looks the endpoint up again, if it is time and nobody else does. The one that is known stays until another is
    /// found, or whoever makes up tokens could have it forgotten while the metadata is away.
    pub(crate) async fn look_again(&self, may_have_moved: bool) {
        let Ok(_looking) = self.looking.try_lock() else {
            return;
        };
        let now = self.clock.monotonic();
        let begin = |located: &mut Located| located.begin_look(now, may_have_moved);
        if !self.located().as_mut().is_some_and(begin) {
            return;
        }
        let timeout = self.clock.sleep(self.deadline);
        let found = match race(self.look(now + self.deadline), timeout).await {
            First::Left(found) => found.map(|_| ()),
            First::Right(()) => Err(FetchFailure::Timeout.into()),
        };
        self.told
            .look(self.issuer.name(), found, self.clock.monotonic());
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
        let response = self.post.post(request).await;
        let response = response.map_err(|failure| Failed::from(failure).of_question())?;
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
        if let Some(url) = self.known_place() {
            return Ok(url);
        }
        let _looking = self.looking.lock().await;
        // Somebody else may have found it meanwhile.
        match self.known_place() {
            Some(url) => Ok(url),
            None => self.look(ends).await,
        }
    }

    fn known_place(&self) -> Option<String> {
        let now = self.clock.monotonic();
        let located = self.located();
        Some(located.as_ref()?.url(now)?.to_owned())
    }

    async fn look(&self, ends: Duration) -> Result<String, Failed> {
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
