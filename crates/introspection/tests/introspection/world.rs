//! A server without a network, the clock that all live by, and an introspection between them.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use countersign_bearer::{Introspect, IntrospectionFailure};
use countersign_introspection::{
    ClientAuthentication, Introspection, IntrospectionBuilder, IntrospectionEndpoint,
    IntrospectionPolicy, Post, PostRequest,
};
use countersign_jwks::{BoxFuture, Clock, Fetch, FetchFailure};
use countersign_testing::FakeClock;
use countersign_token::{Claims, Issuer, Refusal};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{Response, StatusCode};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use url::form_urlencoded;

pub(crate) const ISSUER: &str = "https://as.acme.test";
pub(crate) const API: &str = "https://api.acme.test";
pub(crate) const ENDPOINT: &str = "https://as.acme.test/introspect";
pub(crate) const SECRET: &str = "a secret of the resource";

pub(crate) const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// What becomes of a question.
#[derive(Clone)]
pub(crate) enum Reply {
    /// 200 and this JSON.
    Json(String),
    /// This status, with `Retry-After` in seconds where there is one.
    Status(u16, Option<u64>),
    /// This content under this type.
    Content(&'static str, Vec<u8>),
    Failed(FetchFailure),
    /// Never an answer.
    Hang,
    /// This, once [`Wire::release`] is called.
    Held(Box<Reply>),
    Panic,
}

/// The server.
#[derive(Clone)]
pub(crate) struct Wire(Arc<Inner>);

struct Inner {
    replies: Mutex<HashMap<String, Reply>>,
    otherwise: Mutex<Reply>,
    asked: Mutex<Vec<PostRequest>>,
    released: Semaphore,
}

impl Wire {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Inner {
            replies: Mutex::default(),
            otherwise: Mutex::new(Reply::Json(r#"{"active":false}"#.into())),
            asked: Mutex::default(),
            released: Semaphore::new(0),
        }))
    }

    /// What is answered about this token from now on.
    pub(crate) fn answer(&self, token: &str, reply: Reply) {
        let mut replies = self.0.replies.lock().unwrap();
        replies.insert(token.to_owned(), reply);
    }

    /// What is answered about all other tokens from now on.
    pub(crate) fn answer_others(&self, reply: Reply) {
        *self.0.otherwise.lock().unwrap() = reply;
    }

    /// Lets one held answer go.
    pub(crate) fn release(&self) {
        self.0.released.add_permits(1);
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.0.asked.lock().unwrap().len()
    }

    pub(crate) fn last(&self) -> PostRequest {
        self.0.asked.lock().unwrap().last().unwrap().clone()
    }
}

/// The members of a form.
pub(crate) fn form(request: &PostRequest) -> HashMap<String, String> {
    form_urlencoded::parse(&request.body).into_owned().collect()
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

impl Post for Wire {
    fn post(&self, request: PostRequest) -> BoxFuture<Result<Response<Bytes>, FetchFailure>> {
        let token = form(&request)["token"].clone();
        self.0.asked.lock().unwrap().push(request);
        let reply = self.0.replies.lock().unwrap().get(&token).cloned();
        let reply = reply.unwrap_or_else(|| self.0.otherwise.lock().unwrap().clone());
        let wire = self.clone();
        Box::pin(async move { wire.give(reply).await })
    }
}

impl Wire {
    async fn give(&self, mut reply: Reply) -> Result<Response<Bytes>, FetchFailure> {
        while let Reply::Held(held) = reply {
            self.0.released.acquire().await.unwrap().forget();
            reply = *held;
        }
        let (status, content_type, body) = match reply {
            Reply::Json(text) => (200, "application/json", text.into_bytes()),
            Reply::Content(content_type, body) => (200, content_type, body),
            Reply::Status(status, retry_after) => {
                let mut response = Response::new(Bytes::new());
                *response.status_mut() = StatusCode::from_u16(status).unwrap();
                let after = retry_after.map(|seconds| (RETRY_AFTER, seconds.into()));
                response.headers_mut().extend(after);
                return Ok(response);
            }
            Reply::Failed(failure) => return Err(failure),
            Reply::Hang => std::future::pending().await,
            Reply::Panic => panic!("the client panics"),
            Reply::Held(_) => unreachable!("none is left"),
        };
        let response = Response::builder()
            .status(status)
            .header(CONTENT_TYPE, content_type);
        Ok(response.body(body.into()).unwrap())
    }
}

pub(crate) struct World {
    pub(crate) clock: FakeClock,
    pub(crate) wire: Wire,
    pub(crate) introspection: Introspection,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|builder| builder)
    }

    /// Asks where this issuer's metadata says.
    pub(crate) fn discovering(issuer: Issuer, metadata: Arc<dyn Fetch>) -> Self {
        let authentication = ClientAuthentication::secret_basic("api", SECRET);
        let endpoint = IntrospectionEndpoint::Discovery;
        Self::at(endpoint, issuer, authentication, |builder| {
            builder.with_fetch(metadata)
        })
    }

    pub(crate) fn with_policy(policy: IntrospectionPolicy) -> Self {
        Self::with(|builder| builder.with_policy(policy))
    }

    pub(crate) fn with(change: impl FnOnce(IntrospectionBuilder) -> IntrospectionBuilder) -> Self {
        Self::of(Issuer::new(ISSUER, API), change)
    }

    /// The same for an issuer of these settings.
    pub(crate) fn of(
        issuer: Issuer,
        change: impl FnOnce(IntrospectionBuilder) -> IntrospectionBuilder,
    ) -> Self {
        let authentication = ClientAuthentication::secret_basic("api", SECRET);
        Self::asking_as(issuer, authentication, change)
    }

    /// The same as a client that proves itself like this.
    pub(crate) fn asking_as(
        issuer: Issuer,
        authentication: ClientAuthentication,
        change: impl FnOnce(IntrospectionBuilder) -> IntrospectionBuilder,
    ) -> Self {
        let endpoint = IntrospectionEndpoint::url(ENDPOINT);
        Self::at(endpoint, issuer, authentication, change)
    }

    fn at(
        endpoint: IntrospectionEndpoint,
        issuer: Issuer,
        authentication: ClientAuthentication,
        change: impl FnOnce(IntrospectionBuilder) -> IntrospectionBuilder,
    ) -> Self {
        let (clock, wire) = (FakeClock::new(), Wire::new());
        let builder = Introspection::builder(issuer, endpoint, authentication)
            .with_clock(Arc::new(clock.clone()))
            .with_post(Arc::new(wire.clone()));
        Self {
            introspection: change(builder).build().unwrap(),
            clock,
            wire,
        }
    }

    /// Says that a token is an active one of this client, for this time.
    pub(crate) fn activate(&self, token: &str, client: &str, lifetime: Duration) {
        self.wire.answer(token, self.active(client, lifetime));
    }

    pub(crate) fn active(&self, client: &str, lifetime: Duration) -> Reply {
        Reply::Json(self.answer(client, lifetime).to_string())
    }

    pub(crate) fn answer(&self, client: &str, lifetime: Duration) -> Value {
        let now = self.clock.unix_time();
        answer(client, now, now + lifetime)
    }

    pub(crate) async fn ask(&self, token: &str) -> Result<Claims, IntrospectionFailure> {
        self.introspection.introspect(token).await
    }

    pub(crate) async fn ask_anew(&self, token: &str) -> Result<Claims, IntrospectionFailure> {
        self.introspection.introspect_anew(token).await
    }
}

/// Whole and right, about a machine's token.
pub(crate) fn answer(client: &str, now: Duration, expires_at: Duration) -> Value {
    json!({
        "active": true,
        "iss": ISSUER,
        "aud": API,
        "sub": client,
        "client_id": client,
        "org_id": "org_acme",
        "token_type": "Bearer",
        "exp": expires_at.as_secs(),
        "iat": now.as_secs(),
        "jti": "1",
    })
}

/// What came of it in one word: the client, the refusal, or `unavailable` with the time to try again.
pub(crate) fn word(outcome: &Result<Claims, IntrospectionFailure>) -> String {
    match outcome {
        Ok(claims) => claims.client().unwrap_or("nobody").to_owned(),
        Err(IntrospectionFailure::Refused(refusal)) => refusal.as_str().to_owned(),
        Err(IntrospectionFailure::Unavailable { retry_after }) => {
            format!("unavailable for {} s", retry_after.as_secs_f64())
        }
        Err(other) => format!("{other:?}"),
    }
}

pub(crate) fn refused(outcome: &Result<Claims, IntrospectionFailure>) -> Option<Refusal> {
    match outcome {
        Err(IntrospectionFailure::Refused(refusal)) => Some(*refusal),
        _ => None,
    }
}

/// How long to wait, where there was no answer.
pub(crate) fn unavailable(outcome: &Result<Claims, IntrospectionFailure>) -> Option<Duration> {
    match outcome {
        Err(IntrospectionFailure::Unavailable { retry_after }) => Some(*retry_after),
        _ => None,
    }
}

/// Lets others run until this holds.
pub(crate) async fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..10_000 {
        if holds() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("it came not to hold: {what}");
}

/// Polls it a few times; whether it is done.
pub(crate) async fn nudge<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    for _ in 0..50 {
        let polled = std::future::poll_fn(|cx| {
            Poll::Ready(match std::pin::Pin::new(&mut *future).poll(cx) {
                Poll::Ready(output) => Some(output),
                Poll::Pending => None,
            })
        });
        if let Some(output) = polled.await {
            return Some(output);
        }
        tokio::task::yield_now().await;
    }
    None
}
