//! An API, the issuer that it trusts, and their callers.

use std::pin::pin;
use std::sync::{Arc, Mutex, OnceLock};
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use countersign::{
    Algorithm, Authenticator, DenialKind, Fetch, FetchFailure, HttpFetch, JwksStatus, KeySource,
    RefreshPolicy, ServicePrincipal,
};
use countersign_testing::{FakeClock, TestIssuer};
use futures_util::poll;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::server::{self, Answer, Origin};

pub(crate) const API: &str = "https://api.acme.test";
pub(crate) const METADATA: &str = "/.well-known/openid-configuration";
pub(crate) const KEYS: &str = "/keys";
pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const MINUTE: Duration = Duration::from_secs(60);

pub(crate) struct World {
    pub(crate) clock: FakeClock,
    /// Where the issuer publishes its metadata and keys.
    pub(crate) origin: Origin,
    /// Mints tokens; what it publishes is up to the origin.
    pub(crate) issuer: TestIssuer,
    pub(crate) authenticator: Authenticator,
    app: Router,
    seen: String,
    unseen: Mutex<Vec<String>>,
}

/// What a caller got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) kind: Option<DenialKind>,
    pub(crate) retry_after: Option<u64>,
}

impl World {
    /// All is well: the keys are known, and a token was seen.
    pub(crate) async fn new() -> Self {
        let clock = FakeClock::new();
        let origin = Origin::start(clock.clone()).await;
        Self::around(origin, clock, None).await
    }

    /// The same around this server, and with a client of one's own.
    pub(crate) async fn around(
        mut origin: Origin,
        clock: FakeClock,
        fetch: Option<Arc<dyn Fetch>>,
    ) -> Self {
        let issuer = issuer(&origin.url(""), &clock);
        origin.answer(METADATA, good_metadata(&origin)).await;
        origin.answer(KEYS, good_keys(&issuer)).await;
        // The metadata is read again whenever the keys are, so that its faults are met.
        let policy = RefreshPolicy::default().with_rediscover_after(Duration::ZERO);
        let trusted = issuer
            .trusted_for(API)
            .with_keys(KeySource::Discovery)
            .with_same_origin_keys()
            .with_refresh_policy(policy);
        let builder = Authenticator::builder()
            .issuer(trusted)
            .with_clock(Arc::new(clock.clone()))
            .with_fetch(fetch.unwrap_or_else(client));
        let authenticator = builder.build().await.unwrap();
        let world = Self {
            app: app(&authenticator),
            seen: token(&issuer),
            unseen: Mutex::new((0..40).map(|_| token(&issuer)).collect()),
            clock,
            origin,
            issuer,
            authenticator,
        };
        world.serves("at first").await;
        world.clock.advance(SECOND).await;
        world
    }

    /// Callers whose key is known are served: one seen before, and one who comes for the first time.
    pub(crate) async fn serves(&self, when: &str) {
        let unseen = self.unseen.lock().unwrap().pop();
        for (token, whose) in [
            (self.seen.as_str(), "seen"),
            (&unseen.expect("a token more"), "unseen"),
        ] {
            let answered = ask(&self.app, token).await;
            assert_eq!(answered.status, 200, "{when}, {whose}: {answered:?}");
        }
    }

    /// A token that was seen before.
    pub(crate) fn seen(&self) -> &str {
        &self.seen
    }

    pub(crate) fn app(&self) -> Router {
        self.app.clone()
    }

    pub(crate) async fn ask(&self, token: &str) -> Answered {
        ask(&self.app, token).await
    }

    /// Asks while time passes.
    pub(crate) async fn ask_in_time(&self, token: &str) -> Answered {
        self.in_time(self.ask(token)).await
    }

    /// Lets time pass, ten times as fast as on the wall at most, until this is done.
    pub(crate) async fn in_time<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        for _ in 0..1000 {
            if let Poll::Ready(done) = poll!(&mut future) {
                return done;
            }
            breathe().await;
            self.clock.advance(SECOND / 10).await;
        }
        panic!("not done in 100 s of the clock");
    }

    /// Lets time pass until this holds: in steps of the longest that a refresh is put off, with time in between for
    /// it to be made.
    pub(crate) async fn until(&self, what: &str, holds: impl Fn() -> bool) {
        for patience in 1..20 {
            self.clock.advance(MINUTE + SECOND).await;
            for _ in 0..50 * patience {
                if holds() {
                    return;
                }
                breathe().await;
            }
        }
        panic!("it came not to hold: {what}");
    }

    pub(crate) fn status(&self) -> JwksStatus {
        self.authenticator.status().remove(0).1
    }

    pub(crate) fn last_error(&self) -> Option<FetchFailure> {
        self.status().last_error
    }
}

/// What is under way over the network takes its real time; nothing tells when it is over.
#[expect(clippy::disallowed_methods, reason = "the network runs on real time")]
pub(crate) async fn breathe() {
    tokio::time::sleep(Duration::from_millis(2)).await;
}

/// Waits, without letting time pass, until this holds.
pub(crate) async fn meanwhile(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..5000 {
        if holds() {
            return;
        }
        breathe().await;
    }
    panic!("within 10 s: {what}");
}

/// The usual client, which takes a while to make.
fn client() -> Arc<dyn Fetch> {
    static CLIENT: OnceLock<Arc<HttpFetch>> = OnceLock::new();
    let make = || Arc::new(HttpFetch::builder().build().unwrap());
    CLIENT.get_or_init(make).clone()
}

pub(crate) fn issuer(name: &str, clock: &FakeClock) -> TestIssuer {
    TestIssuer::new(name)
        .with_algorithm(Algorithm::ES256)
        .with_clock(Arc::new(clock.clone()))
}

/// A token for a day.
pub(crate) fn token(issuer: &TestIssuer) -> String {
    issuer
        .service_principal("m2m-acme")
        .with_audience(API)
        .with_lifetime(24 * 60 * MINUTE)
        .mint()
}

pub(crate) fn app(authenticator: &Authenticator) -> Router {
    Router::new()
        .route("/", get(async |_: ServicePrincipal| "in"))
        .layer(authenticator.layer())
}

pub(crate) async fn ask(app: &Router, token: &str) -> Answered {
    let request = Request::get("/").header("authorization", format!("Bearer {token}"));
    let request = request.body(Body::empty()).unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    let retry_after = response.headers().get("retry-after");
    Answered {
        status: response.status().as_u16(),
        kind: response.extensions().get().copied(),
        retry_after: retry_after.map(|value| value.to_str().unwrap().parse().unwrap()),
    }
}

pub(crate) fn metadata(issuer: &str, jwks_uri: &str) -> Value {
    json!({ "issuer": issuer, "jwks_uri": jwks_uri })
}

pub(crate) fn good_metadata(origin: &Origin) -> Answer {
    let metadata = metadata(&origin.url(""), &origin.url(KEYS));
    Answer::Bytes(server::json(metadata.to_string()))
}

pub(crate) fn good_keys(issuer: &TestIssuer) -> Answer {
    Answer::Bytes(server::json(issuer.jwks_json()))
}
