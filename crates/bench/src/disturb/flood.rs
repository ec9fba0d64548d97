//! Requests that are to be refused, at a steady rate.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderValue, StatusCode};
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use tower::ServiceExt;

use crate::Error;
use crate::world::{bearer, request};

/// How many different ones there are.
const DISTINCT: usize = 4096;

/// How many may wait for the issuer at a time.
const MOST_WAITING: usize = 2048;

/// A flood's credentials.
#[derive(Clone, Debug)]
pub(super) struct Flood(Arc<[HeaderValue]>);

/// What became of a flood.
#[derive(Clone, Debug, Default)]
pub(super) struct Count {
    pub(super) refused: Arc<AtomicUsize>,
    /// Must stay zero.
    pub(super) accepted: Arc<AtomicUsize>,
}

impl Flood {
    /// The token, each time with a key ID that nobody has.
    pub(super) fn of_unknown_keys(token: &str) -> Result<Self, Error> {
        let (_, rest) = token.split_once('.').ok_or("the token is a JWS")?;
        Self::new(|| {
            let kid = format!("rs256-{:012x}", fastrand::u64(..1 << 48));
            let header = json!({"typ": "at+jwt", "kid": kid, "alg": "RS256"});
            format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header.to_string()))
        })
    }

    /// The token, each time with another signature, of the right length and key, and wrong.
    pub(super) fn of_bad_signatures(token: &str) -> Result<Self, Error> {
        let (signed, signature) = token.rsplit_once('.').ok_or("the token is a JWS")?;
        let signature = URL_SAFE_NO_PAD.decode(signature)?;
        Self::new(|| {
            let mut signature = signature.clone();
            // From the second byte on, so that it stays less than the modulus.
            signature[1..].fill_with(|| fastrand::u8(..));
            format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
        })
    }

    /// As long as the token, of its characters but for the dots.
    pub(super) fn of_garbage(token: &str) -> Result<Self, Error> {
        Self::new(|| token.chars().map(|_| fastrand::alphanumeric()).collect())
    }

    fn new(make: impl Fn() -> String) -> Result<Self, Error> {
        let all = (0..DISTINCT).map(|_| bearer(&make()));
        Ok(Self(all.collect::<Result<Vec<_>, _>>()?.into()))
    }

    /// Goes on until it is aborted: each millisecond so many. Those that a tick leaves waiting are waited for beside.
    pub(super) async fn run(self, router: Router, a_millisecond: usize, count: Count) {
        let mut ticks = interval(Duration::from_millis(1));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut answers = JoinSet::new();
        let mut credentials = self.0.iter().cycle();
        loop {
            ticks.tick().await;
            while answers.try_join_next().is_some() {}
            for credential in credentials.by_ref().take(a_millisecond) {
                if answers.len() < MOST_WAITING {
                    let request = request::<Body>(credential.clone());
                    answers.spawn(count.clone().answer(router.clone(), request));
                }
            }
        }
    }
}

impl Count {
    async fn answer(self, router: Router, request: http::Request<Body>) {
        let Ok(response) = router.oneshot(request).await;
        let counter = if response.status() == StatusCode::OK {
            self.accepted
        } else {
            self.refused
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}
