//! One refresh from end to end: discovery where it is due, then the key set, within one deadline.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, ETAG};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use url::Url;

use crate::algorithm::Algorithms;
use crate::cache_control;
use crate::clock::Clock;
use crate::discovery;
use crate::fetch::{Fetch, FetchFailure, FetchRequest};
use crate::policy::RefreshPolicy;
use crate::race::{First, race};
use crate::set::{KeySet, KeySetError, Limits};
use crate::source::Origin;
use crate::task;

const METADATA: &str = "application/json";
const KEY_SET: &str = "application/jwk-set+json, application/json";

/// What a refresh needs to know; it changes never.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) issuer: String,
    pub(crate) origin: Option<Origin>,
    pub(crate) allowed: Algorithms,
    pub(crate) same_origin_only: bool,
    pub(crate) limits: Limits,
    pub(crate) policy: RefreshPolicy,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) fetch: Option<Arc<dyn Fetch>>,
}

/// What is left from the refreshes before.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    pub(crate) located: Option<Located>,
    pub(crate) validator: Option<Validator>,
}

/// A discovered `jwks_uri` and when it was discovered.
#[derive(Clone, Debug)]
pub(crate) struct Located {
    uri: String,
    at: Duration,
}

/// The `ETag` of the set in force, and the URL it was given for.
#[derive(Clone, Debug)]
pub(crate) struct Validator {
    url: String,
    etag: HeaderValue,
}

/// A refresh that went well.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// `None`: the set in force is still the newest (304).
    pub(crate) set: Option<KeySet>,
    pub(crate) max_age: Option<Duration>,
    pub(crate) memory: Memory,
}

/// A refresh that did not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failed {
    pub(crate) failure: FetchFailure,
    /// What a 429 or 503 asked for.
    pub(crate) retry_after: Option<Duration>,
}

impl From<FetchFailure> for Failed {
    fn from(failure: FetchFailure) -> Self {
        Self {
            failure,
            retry_after: None,
        }
    }
}

impl From<KeySetError> for Failed {
    fn from(error: KeySetError) -> Self {
        let failure = match error {
            KeySetError::TooLarge => FetchFailure::TooLarge,
            KeySetError::TooManyKeys => FetchFailure::TooManyKeys,
            KeySetError::Malformed => FetchFailure::Malformed,
            KeySetError::NoUsableKey(_) => FetchFailure::NoUsableKey,
        };
        failure.into()
    }
}

impl Plan {
    /// Reads the key set, whatever the source; done within the deadline, whatever the [`Fetch`].
    pub(crate) async fn load(&self, memory: Memory) -> Result<Loaded, Failed> {
        let ends = self.clock.monotonic() + self.policy.deadline;
        let timeout = self.clock.sleep(self.policy.deadline);
        match race(self.read(memory, ends), timeout).await {
            First::Left(loaded) => loaded,
            First::Right(()) => Err(FetchFailure::Timeout.into()),
        }
    }

    async fn read(&self, memory: Memory, ends: Duration) -> Result<Loaded, Failed> {
        match &self.origin {
            Some(Origin::Discovery(issuer)) => {
                let located = match memory.located {
                    Some(located) if self.is_recent(&located) => located,
                    _ => self.discover(issuer, ends).await?,
                };
                let mut loaded = self
                    .key_set(located.uri.clone(), memory.validator, ends)
                    .await?;
                loaded.memory.located = Some(located);
                Ok(loaded)
            }
            Some(Origin::Url(url)) => self.key_set(url.clone(), memory.validator, ends).await,
            Some(Origin::File(path)) => {
                let content = task::read_file(path.clone(), self.limits.max_bytes).await?;
                Ok(Loaded {
                    set: Some(self.parse(&content)?),
                    max_age: None,
                    memory: Memory::default(),
                })
            }
            // Fixed keys are never read again.
            None => Err(FetchFailure::Cancelled.into()),
        }
    }

    fn is_recent(&self, located: &Located) -> bool {
        let age = self.clock.monotonic().saturating_sub(located.at);
        age <= self.policy.rediscover_after
    }

    async fn discover(&self, issuer: &Url, ends: Duration) -> Result<Located, Failed> {
        let [openid, oauth] = discovery::metadata_urls(issuer);
        let mut response = self.get(openid, METADATA, None, ends).await?;
        if response.status() == StatusCode::NOT_FOUND {
            response = self.get(oauth, METADATA, None, ends).await?;
        }
        let body = self.body(&response, &["application/json"])?;
        let uri = discovery::endpoint(
            "jwks_uri",
            body,
            &self.issuer,
            issuer,
            self.same_origin_only,
        )?;
        Ok(Located {
            uri,
            at: self.clock.monotonic(),
        })
    }

    async fn key_set(
        &self,
        url: String,
        validator: Option<Validator>,
        ends: Duration,
    ) -> Result<Loaded, Failed> {
        // An ETag means nothing at another URL than its own.
        let validator = validator.filter(|validator| validator.url == url);
        let etag = validator.as_ref().map(|validator| validator.etag.clone());
        let response = self.get(url.clone(), KEY_SET, etag, ends).await?;
        let max_age = cache_control::max_age(response.headers());
        let fresh = response.headers().get(ETAG).map(|etag| Validator {
            url,
            etag: etag.clone(),
        });
        if response.status() == StatusCode::NOT_MODIFIED && validator.is_some() {
            return Ok(Loaded {
                set: None,
                max_age,
                memory: Memory {
                    located: None,
                    validator: fresh.or(validator),
                },
            });
        }
        let body = self.body(&response, &["application/json", "application/jwk-set+json"])?;
        Ok(Loaded {
            set: Some(self.parse(body)?),
            max_age,
            memory: Memory {
                located: None,
                validator: fresh,
            },
        })
    }

    async fn get(
        &self,
        url: String,
        accept: &'static str,
        etag: Option<HeaderValue>,
        ends: Duration,
    ) -> Result<Response<Bytes>, Failed> {
        let fetch = self.fetch.as_ref().ok_or(FetchFailure::Connect)?;
        let request = FetchRequest::new(url)
            .with_accept(accept)
            .with_etag(etag)
            .with_max_bytes(self.limits.max_bytes)
            .with_deadline(ends.saturating_sub(self.clock.monotonic()));
        Ok(fetch.fetch(request).await?)
    }

    /// The body of a response that is an answer. The [`Fetch`] is told the limits, but not relied on.
    fn body<'a>(
        &self,
        response: &'a Response<Bytes>,
        content_types: &[&str],
    ) -> Result<&'a [u8], Failed> {
        let status = response.status();
        match status {
            StatusCode::OK => {}
            // Without an ETag sent, a 304 is as wrong as any other status.
            _ if status.is_redirection() && status != StatusCode::NOT_MODIFIED => {
                return Err(FetchFailure::Redirect.into());
            }
            _ => {
                let patience = [
                    StatusCode::TOO_MANY_REQUESTS,
                    StatusCode::SERVICE_UNAVAILABLE,
                ];
                return Err(Failed {
                    failure: FetchFailure::Status(status.as_u16()),
                    retry_after: patience
                        .contains(&status)
                        .then(|| cache_control::retry_after(response.headers()))
                        .flatten(),
                });
            }
        }
        if !is_one_of(response.headers(), content_types) {
            return Err(FetchFailure::ContentType.into());
        }
        if response.body().len() > self.limits.max_bytes {
            return Err(FetchFailure::TooLarge.into());
        }
        Ok(response.body())
    }

    fn parse(&self, json: &[u8]) -> Result<KeySet, Failed> {
        let parsed = KeySet::parse_within(json, self.allowed, self.limits);
        let skipped = match &parsed {
            Ok(set) => set.skipped(),
            Err(KeySetError::NoUsableKey(skipped)) => skipped,
            Err(_) => &[],
        };
        for skipped in skipped {
            tracing::debug!(
                issuer = self.issuer,
                index = skipped.index,
                reason = skipped.reason.as_str(),
                "key skipped"
            );
        }
        Ok(parsed?)
    }
}

/// Whether the content is of one of these media types; parameters are allowed.
pub fn is_one_of(headers: &HeaderMap, content_types: &[&str]) -> bool {
    let Some(content_type) = headers.get(CONTENT_TYPE) else {
        return false;
    };
    let essence = content_type.as_bytes().split(|byte| *byte == b';').next();
    let essence = essence.unwrap_or_default().trim_ascii();
    content_types
        .iter()
        .any(|expected| essence.eq_ignore_ascii_case(expected.as_bytes()))
}
