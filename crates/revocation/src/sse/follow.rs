use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use countersign_jwks::suite::{First, race, secure_url};
use countersign_jwks::{BoxFuture, HttpFetch, HttpFetchError};
use reqwest::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use reqwest::{Response, StatusCode};

use super::event::EventReader;
use super::session::Session;
use crate::feed::{FeedFailure, FeedSink, RevocationSource};

/// How long a publisher may be silent: three heartbeats.
const IDLE: Duration = Duration::from_secs(45);

/// The feed of a [`RevocationPublisher`](crate::RevocationPublisher), or of whoever speaks as it does.
///
/// Lines and events are bounded, redirects are not followed, and a publisher that falls silent is given up.
pub struct ServerSentEvents {
    url: String,
    http: HttpFetch,
    authorization: Option<Arc<Authorize>>,
    idle: Duration,
    session: Session,
}

/// Makes the `Authorization` of a connection.
type Authorize = dyn Fn() -> BoxFuture<Option<HeaderValue>> + Send + Sync;

/// Why a feed cannot be followed at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServerSentEventsError {
    /// The URL is neither `https` nor of this machine, or has credentials in it.
    #[error("the feed's URL is neither https nor of this machine, or has credentials in it")]
    InsecureUrl,
    /// The HTTP client cannot be set up.
    #[error(transparent)]
    Client(#[from] HttpFetchError),
}

impl ServerSentEvents {
    /// The feed at this URL, with an HTTP client of its own.
    pub fn new(url: impl Into<String>) -> Result<Self, ServerSentEventsError> {
        Self::with_client(url, HttpFetch::new()?)
    }

    /// The feed at this URL, by this client.
    pub fn with_client(
        url: impl Into<String>,
        http: HttpFetch,
    ) -> Result<Self, ServerSentEventsError> {
        let url = url.into();
        if secure_url(&url).is_none() {
            return Err(ServerSentEventsError::InsecureUrl);
        }
        Ok(Self {
            url,
            http,
            authorization: None,
            idle: IDLE,
            session: Session::default(),
        })
    }

    /// Asks for the `Authorization` header whenever it connects, so that a token may be a new one each time. `None`
    /// counts as a failure, like one of the network.
    #[must_use]
    pub fn with_authorization<F>(
        mut self,
        authorize: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Option<HeaderValue>> + Send + 'static,
    {
        self.authorization = Some(Arc::new(move || Box::pin(authorize())));
        self
    }

    /// How long the publisher may say nothing that counts before it is given up: 45 s. Longer than its heartbeat.
    #[must_use]
    pub fn with_idle_timeout(mut self, idle: Duration) -> Self {
        self.idle = idle;
        self
    }

    /// Connects, and tells what it reads.
    async fn run(&mut self, sink: &FeedSink) -> Result<(), FeedFailure> {
        self.session.begin();
        let clock = sink.list().clock().clone();
        let mut response = match race(self.connect(), clock.sleep(self.idle)).await {
            First::Left(response) => response?,
            First::Right(()) => return Err(FeedFailure::Timeout),
        };
        let mut reader = EventReader::default();
        let mut patience = clock.sleep(self.idle);
        loop {
            let chunk = match race(response.chunk(), &mut patience).await {
                First::Left(chunk) => chunk.map_err(|_| FeedFailure::Interrupted)?,
                First::Right(()) => return Err(FeedFailure::Timeout),
            };
            let chunk = chunk.ok_or(FeedFailure::Interrupted)?;
            let mut has_event = false;
            let read = reader.read(&chunk, |event| {
                has_event = true;
                self.session.take(&event, sink)
            });
            self.session.record(sink);
            read?;
            // Bytes that never become an event do not keep a connection.
            if has_event {
                patience = clock.sleep(self.idle);
            }
        }
    }

    async fn connect(&self) -> Result<Response, FeedFailure> {
        let client = self.http.client_for(&self.url);
        let client = client.ok_or(FeedFailure::InsecureUrl)?;
        let mut request = client
            .get(&self.url)
            .header(ACCEPT, "text/event-stream")
            .header(CACHE_CONTROL, "no-store");
        if let Some(id) = self.session.last_event_id() {
            request = request.header("last-event-id", id);
        }
        if let Some(authorize) = &self.authorization {
            let authorization = authorize().await.ok_or(FeedFailure::NoCredential)?;
            request = request.header(AUTHORIZATION, authorization);
        }
        let request = request.build().map_err(|_| FeedFailure::InsecureUrl)?;
        let asked = request.url().clone();
        let response = client.execute(request).await.map_err(|error| {
            if error.is_connect() {
                FeedFailure::Connect
            } else {
                FeedFailure::Interrupted
            }
        })?;
        if response.url() != &asked || response.status().is_redirection() {
            return Err(FeedFailure::Redirect);
        }
        if response.status() != StatusCode::OK {
            return Err(FeedFailure::Status(response.status().as_u16()));
        }
        let content_type = response.headers().get(CONTENT_TYPE);
        let is_events = content_type
            .and_then(|value| value.to_str().ok()?.split(';').next())
            .is_some_and(|essence| essence.trim().eq_ignore_ascii_case("text/event-stream"));
        is_events
            .then_some(response)
            .ok_or(FeedFailure::ContentType)
    }
}

impl RevocationSource for ServerSentEvents {
    fn name(&self) -> &'static str {
        "sse"
    }

    async fn follow(&mut self, sink: &FeedSink) -> FeedFailure {
        match self.run(sink).await {
            Err(failure) => failure,
            Ok(()) => FeedFailure::Interrupted,
        }
    }
}

/// Without what makes the credential.
impl fmt::Debug for ServerSentEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerSentEvents")
            .field("url", &self.url)
            .field("idle", &self.idle)
            .finish_non_exhaustive()
    }
}
