//! An authenticator for one group of cases, which counts what it fetches.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, Request, Response, header};
use countersign::{
    Authenticator, BoxFuture, BuildError, Decision, Denied, Fetch, FetchFailure, FetchRequest,
    KeySource, Principal, RefreshPolicy, Start,
};
use countersign_testing::FakeClock;

use crate::cases::{Group, KEYS_URL};

/// The network: one document, at one address.
#[derive(Debug)]
pub(crate) struct Network {
    keys: Bytes,
    fetches: AtomicUsize,
    elsewhere: Mutex<Vec<String>>,
}

impl Network {
    fn new(keys: Vec<u8>) -> Self {
        Self {
            keys: keys.into(),
            fetches: AtomicUsize::new(0),
            elsewhere: Mutex::default(),
        }
    }

    pub(crate) fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }

    /// Whatever was asked for that nobody configured.
    pub(crate) fn elsewhere(&self) -> Vec<String> {
        self.elsewhere.lock().unwrap().clone()
    }
}

impl Fetch for Network {
    fn fetch(&self, request: FetchRequest) -> BoxFuture<Result<Response<Bytes>, FetchFailure>> {
        self.fetches.fetch_add(1, Ordering::SeqCst);
        if request.url != KEYS_URL {
            self.elsewhere.lock().unwrap().push(request.url);
        }
        let mut response = Response::new(self.keys.clone());
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        Box::pin(async { Ok(response) })
    }
}

/// Who decides the cases of a group.
pub(crate) struct Judge {
    pub(crate) authenticator: Authenticator,
    pub(crate) network: Arc<Network>,
}

/// What was decided, and at what cost.
pub(crate) struct Decided {
    pub(crate) result: Result<Principal, Denied>,
    pub(crate) fetches: usize,
    pub(crate) at_once: bool,
}

impl Judge {
    pub(crate) async fn of(group: &Group) -> Result<Self, BuildError> {
        let network = Arc::new(Network::new(group.keys.clone()));
        // Never short of budget, so that a fetch that is not made is one that was not wanted.
        let policy = RefreshPolicy::default().with_budget(Duration::from_nanos(1), 1_000_000);
        let start = if group.good.is_some() {
            Start::Required
        } else {
            Start::Degraded
        };
        let mut builder = Authenticator::builder()
            .with_clock(Arc::new(FakeClock::new()))
            .with_fetch(network.clone());
        for issuer in [&group.issuer].into_iter().chain(&group.others) {
            let issuer = issuer.clone();
            builder = builder.issuer(
                issuer
                    .with_keys(KeySource::url(KEYS_URL))
                    .with_refresh_policy(policy.clone())
                    .with_start(start),
            );
        }
        let authenticator = builder.build().await?;
        // What a degraded start began is over before anything is counted.
        while authenticator
            .status()
            .iter()
            .any(|(_, status)| !status.usable && status.last_error.is_none())
        {
            tokio::task::yield_now().await;
        }
        Ok(Self {
            authenticator,
            network,
        })
    }

    /// What the layer would do with these headers.
    pub(crate) async fn decide(&self, headers: &HeaderMap) -> Decided {
        let before = self.network.fetches();
        let mut request = Request::default();
        request.headers_mut().clone_from(headers);
        let (result, at_once) = match self.authenticator.decide::<()>(&request) {
            Decision::Ready(result) => (result, true),
            Decision::Pending(pending) => (pending.await, false),
        };
        Decided {
            result,
            fetches: self.network.fetches() - before,
            at_once,
        }
    }

    /// What becomes of a token that came without HTTP.
    pub(crate) async fn verify(&self, token: &str) -> Result<Principal, Denied> {
        self.authenticator.verify(token).await
    }
}

/// The headers of a request with this token; `None` if no header can hold it.
pub(crate) fn bearer(token: &str) -> Option<HeaderMap> {
    let value = HeaderValue::from_bytes(format!("Bearer {token}").as_bytes()).ok()?;
    Some([(header::AUTHORIZATION, value)].into_iter().collect())
}

/// The headers of a case that is no token.
pub(crate) fn headers(sent: &[(&'static str, Vec<u8>)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in sent {
        let value = HeaderValue::from_bytes(value).expect("a header value");
        headers.append(*name, value);
    }
    headers
}
