//! An API that takes JWTs and opaque tokens, and the server that it asks about the latter.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use countersign::{
    Algorithm, Authenticator, ClientAuthentication, Clock, DenialKind, HttpFetch, Introspection,
    IntrospectionEndpoint, ServicePrincipal, require_active,
};
use countersign_testing::{FakeClock, TestIssuer};
use futures_util::poll;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::server::{self, Answer, Origin};

pub(crate) const API: &str = "https://api.acme.test";
pub(crate) const PATH: &str = "/introspect";
pub(crate) const SECOND: Duration = Duration::from_secs(1);
const CLIENT: &str = "m2m-acme";

pub(crate) struct World {
    pub(crate) clock: FakeClock,
    pub(crate) origin: Origin,
    jwt: String,
    app: Router,
}

/// What a caller got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) kind: Option<DenialKind>,
    pub(crate) retry_after: Option<u64>,
}

impl World {
    /// All is well, and an opaque token was seen.
    pub(crate) async fn new() -> Self {
        let clock = FakeClock::new();
        let mut origin = Origin::start(clock.clone()).await;
        origin.answer(PATH, good(&origin, &clock)).await;
        let issuer = TestIssuer::new(&origin.url(""))
            .with_algorithm(Algorithm::ES256)
            .with_clock(Arc::new(clock.clone()));
        let client = Arc::new(HttpFetch::new().unwrap());
        let introspection = Introspection::builder(
            issuer.trusted_for(API),
            IntrospectionEndpoint::url(origin.url(PATH)),
            ClientAuthentication::secret_basic("api", "secret"),
        )
        .with_clock(Arc::new(clock.clone()))
        .with_post(client)
        .build()
        .unwrap();
        let authenticator = Authenticator::builder()
            .issuer(issuer.trusted_for(API))
            .with_opaque_tokens(Arc::new(introspection))
            .with_clock(Arc::new(clock.clone()))
            .build()
            .await
            .unwrap();
        let token = issuer.service_principal(CLIENT).with_audience(API);
        let world = Self {
            app: app(&authenticator),
            jwt: token.with_lifetime(24 * 60 * 60 * SECOND).mint(),
            clock,
            origin,
        };
        world.serves("at first").await;
        world
    }

    /// Callers whom the server need not be asked about now are served.
    pub(crate) async fn serves(&self, when: &str) {
        for token in ["seen", &self.jwt] {
            let answered = self.ask("/", token).await;
            assert_eq!(answered.status, 200, "{when}: {answered:?}");
        }
    }

    pub(crate) fn jwt(&self) -> &str {
        &self.jwt
    }

    pub(crate) fn good(&self) -> Answer {
        good(&self.origin, &self.clock)
    }

    pub(crate) async fn ask(&self, path: &str, token: &str) -> Answered {
        let request = Request::get(path).header("authorization", format!("Bearer {token}"));
        let request = request.body(Body::empty()).unwrap();
        let response = self.app.clone().oneshot(request).await.unwrap();
        let retry_after = response.headers().get("retry-after");
        Answered {
            status: response.status().as_u16(),
            kind: response.extensions().get().copied(),
            retry_after: retry_after.map(|value| value.to_str().unwrap().parse().unwrap()),
        }
    }

    /// Lets time pass, ten times as fast as on the wall at most, until this is done.
    pub(crate) async fn in_time<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        for _ in 0..500 {
            if let Poll::Ready(done) = poll!(&mut future) {
                return done;
            }
            breathe().await;
            self.clock.advance(SECOND / 10).await;
        }
        panic!("not done in 50 s of the clock");
    }
}

fn app(authenticator: &Authenticator) -> Router {
    let handler = async |_: ServicePrincipal| "in";
    Router::new()
        .route("/now", get(handler))
        .route_layer(require_active().uncached())
        .route("/", get(handler))
        .layer(authenticator.layer())
}

/// What is under way over the network takes its real time; nothing tells when it is over.
#[expect(clippy::disallowed_methods, reason = "the network runs on real time")]
pub(crate) async fn breathe() {
    tokio::time::sleep(Duration::from_millis(10)).await;
}

/// Whole and right, about a token for a day.
pub(crate) fn answer(origin: &Origin, clock: &FakeClock) -> Value {
    let now = clock.unix_time().as_secs();
    json!({
        "active": true,
        "iss": origin.url(""),
        "aud": API,
        "sub": CLIENT,
        "client_id": CLIENT,
        "token_type": "Bearer",
        "exp": now + 24 * 60 * 60,
        "iat": now,
        "jti": "1",
    })
}

pub(crate) fn good(origin: &Origin, clock: &FakeClock) -> Answer {
    Answer::Bytes(server::json(answer(origin, clock).to_string()))
}
