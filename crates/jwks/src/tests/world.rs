//! The clock and the network that the tests move.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, RETRY_AFTER};
use http::{HeaderName, Response, StatusCode};
use serde_json::Value;
use tokio::sync::{oneshot, watch};

use super::keys;
use crate::builder::{JwksBuilder, Start};
use crate::clock::{BoxFuture, Clock};
use crate::fetch::{Fetch, FetchFailure, FetchRequest};
use crate::jwks::{Jwks, Lookup};
use crate::source::KeySource;

pub(crate) const ISSUER: &str = "https://acme.example";
pub(crate) const KEYS: &str = "https://acme.example/keys";

pub(crate) const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// Time that stands still until it is moved.
#[derive(Debug, Default)]
pub(crate) struct FakeClock(Mutex<Time>);

#[derive(Debug, Default)]
struct Time {
    now: Duration,
    panics: bool,
    sleepers: Vec<(Duration, oneshot::Sender<()>)>,
}

impl Clock for FakeClock {
    fn unix_time(&self) -> Duration {
        s(1_800_000_000) + self.monotonic()
    }

    fn monotonic(&self) -> Duration {
        let mut time = self.0.lock().unwrap();
        let (now, panics) = (time.now, std::mem::take(&mut time.panics));
        drop(time);
        assert!(!panics, "as the test wants it");
        now
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<()> {
        let (sender, receiver) = oneshot::channel();
        let mut time = self.0.lock().unwrap();
        let until = time.now + duration;
        if duration.is_zero() {
            return Box::pin(async {});
        }
        time.sleepers.push((until, sender));
        Box::pin(async {
            let _ = receiver.await;
        })
    }
}

impl FakeClock {
    /// Lets `duration` pass, stopping at each moment somebody sleeps until, so that all happens in its order.
    pub(crate) async fn pass(&self, duration: Duration) {
        settle().await;
        let end = self.monotonic() + duration;
        while self.wake_next(end) {
            settle().await;
        }
        self.0.lock().unwrap().now = end;
        settle().await;
    }

    /// The next one who asks for the time panics.
    pub(crate) fn panic_once(&self) {
        self.0.lock().unwrap().panics = true;
    }

    fn wake_next(&self, end: Duration) -> bool {
        let mut time = self.0.lock().unwrap();
        time.sleepers.retain(|(_, sleeper)| !sleeper.is_closed());
        let Some(next) = time.sleepers.iter().map(|(until, _)| *until).min() else {
            return false;
        };
        if next > end {
            return false;
        }
        time.now = next;
        let (awake, asleep) = std::mem::take(&mut time.sleepers)
            .into_iter()
            .partition(|(until, _)| *until <= next);
        time.sleepers = asleep;
        for (_, sleeper) in awake {
            let _ = sleeper.send(());
        }
        true
    }

    pub(crate) fn sleepers(&self) -> usize {
        let mut time = self.0.lock().unwrap();
        time.sleepers.retain(|(_, sleeper)| !sleeper.is_closed());
        time.sleepers.len()
    }
}

/// Lets every task run until it waits for the clock or the network. The tests' runtime has one thread.
pub(crate) async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

/// What the network answers.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Response(Response<Bytes>),
    Failure(FetchFailure),
    Panic,
}

impl Reply {
    pub(crate) fn json(body: impl Into<Bytes>) -> Self {
        Self::status(200)
            .body(body)
            .header(CONTENT_TYPE, "application/json")
    }

    pub(crate) fn status(status: u16) -> Self {
        let mut response = Response::default();
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        Self::Response(response)
    }

    pub(crate) fn status_changed(mut self, status: u16) -> Self {
        if let Self::Response(response) = &mut self {
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
        }
        self
    }

    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Self::Response(response) = &mut self {
            response.headers_mut().insert(name, value.parse().unwrap());
        }
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Bytes>) -> Self {
        if let Self::Response(response) = &mut self {
            *response.body_mut() = body.into();
        }
        self
    }

    pub(crate) fn keys(keys: &[Value]) -> Self {
        Self::json(keys::jwks(keys))
    }

    pub(crate) fn etag(self, etag: &str) -> Self {
        self.header(ETAG, etag)
    }

    pub(crate) fn cache_control(self, value: &str) -> Self {
        self.header(CACHE_CONTROL, value)
    }

    pub(crate) fn retry_after(self, value: &str) -> Self {
        self.header(RETRY_AFTER, value)
    }
}

/// A network that answers what it is told to, and remembers what it was asked.
#[derive(Debug)]
pub(crate) struct Network {
    script: Mutex<Script>,
    held: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Script {
    once: VecDeque<Reply>,
    always: HashMap<String, Reply>,
    requests: Vec<FetchRequest>,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            script: Mutex::default(),
            held: watch::Sender::new(false),
        }
    }
}

impl Network {
    /// From now on, at that URL.
    pub(crate) fn at(&self, url: &str, reply: Reply) {
        self.script
            .lock()
            .unwrap()
            .always
            .insert(url.to_owned(), reply);
    }

    /// From now on, where the keys are.
    pub(crate) fn serve(&self, reply: Reply) {
        self.at(KEYS, reply);
    }

    /// The next request, wherever it goes.
    pub(crate) fn once(&self, reply: Reply) {
        self.script.lock().unwrap().once.push_back(reply);
    }

    /// Holds back the answers, which are those of the time of the request, until it is released.
    pub(crate) fn hold(&self) {
        self.held.send_replace(true);
    }

    pub(crate) fn release(&self) {
        self.held.send_replace(false);
    }

    pub(crate) fn requests(&self) -> Vec<FetchRequest> {
        self.script.lock().unwrap().requests.clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.script.lock().unwrap().requests.len()
    }

    pub(crate) fn urls(&self) -> Vec<String> {
        self.requests()
            .into_iter()
            .map(|request| request.url)
            .collect()
    }
}

impl Fetch for Network {
    fn fetch(&self, request: FetchRequest) -> BoxFuture<Result<Response<Bytes>, FetchFailure>> {
        let mut script = self.script.lock().unwrap();
        let reply = script
            .once
            .pop_front()
            .or_else(|| script.always.get(&request.url).cloned())
            .unwrap_or_else(|| Reply::status(404));
        script.requests.push(request);
        let mut held = self.held.subscribe();
        Box::pin(async move {
            let _ = held.wait_for(|held| !held).await;
            match reply {
                Reply::Response(response) => Ok(response),
                Reply::Failure(failure) => Err(failure),
                Reply::Panic => panic!("as the test wants it"),
            }
        })
    }
}

/// A clock, a network and the keys of [`ISSUER`] in it.
pub(crate) struct World {
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) network: Arc<Network>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            clock: Arc::default(),
            network: Arc::default(),
        }
    }

    /// A world whose issuer serves these.
    pub(crate) fn serving(keys: &[Value]) -> Self {
        let world = Self::new();
        world.network.serve(Reply::keys(keys));
        world
    }

    /// Lets time pass until that many requests have been made; jitter makes the moment of the next one unknown.
    pub(crate) async fn until(&self, requests: usize) {
        for _ in 0..100_000 {
            if self.network.count() >= requests {
                break;
            }
            self.clock.pass(ms(100)).await;
        }
        assert_eq!(self.network.count(), requests);
    }

    pub(crate) fn builder(&self, source: KeySource) -> JwksBuilder {
        Jwks::builder(ISSUER, source, keys::all())
            .with_clock(Arc::clone(&self.clock) as _)
            .with_fetch(Arc::clone(&self.network) as _)
    }

    pub(crate) async fn build(&self) -> Jwks {
        self.builder(KeySource::url(KEYS)).build().await.unwrap()
    }

    pub(crate) async fn degraded(&self) -> Jwks {
        let builder = self.builder(KeySource::url(KEYS)).start(Start::Degraded);
        let jwks = builder.build().await.unwrap();
        settle().await;
        jwks
    }
}

/// The answer in one word.
pub(crate) fn word(lookup: &Lookup) -> &'static str {
    match lookup {
        Lookup::Found(_) => "found",
        Lookup::Unfit => "unfit",
        Lookup::Missing => "missing",
        Lookup::Unavailable { .. } => "unavailable",
    }
}

pub(crate) fn found(lookup: Lookup) -> crate::trusted_key::TrustedKey {
    match lookup {
        Lookup::Found(key) => key,
        other => panic!("{other:?}"),
    }
}
