//! The valid requests, and how long each takes.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use countersign_testing::TestIssuer;
use http::{HeaderValue, StatusCode};
use tower::ServiceExt;

use super::Times;
use crate::Error;
use crate::measure::now;
use crate::world::{bearer, request, usual_token};

/// How many of the latest tokens are presented again.
const REMEMBERED: usize = 64;

/// How often one is presented again for each that is new.
const AGAIN: usize = 10;

/// What callers do: get a token, and present it many times, until it is replaced by a newer one. So they follow each
/// change of the issuer's key.
pub(super) struct Traffic {
    router: Router,
    issuer: TestIssuer,
    seen: Vec<HeaderValue>,
    oldest: usize,
}

impl Traffic {
    pub(super) fn new(router: Router, issuer: TestIssuer) -> Self {
        Self {
            router,
            issuer,
            seen: Vec::new(),
            oldest: 0,
        }
    }

    /// Requests one after another for so long: first sights, and tokens seen before. Timed is the call of the router until
    /// its response is there.
    pub(super) async fn go_on(
        &mut self,
        time: Duration,
    ) -> Result<[(&'static str, Times); 2], Error> {
        let (mut first, mut again) = (Times::default(), Times::default());
        let end = now() + time;
        while now() < end {
            let credential = bearer(&usual_token(&self.issuer).mint())?;
            self.present(&credential, &mut first).await;
            self.remember(credential);
            for _ in 0..AGAIN {
                let credential = self.seen[fastrand::usize(..self.seen.len())].clone();
                self.present(&credential, &mut again).await;
            }
        }
        for times in [&mut first, &mut again] {
            times.nanoseconds.sort_by(f64::total_cmp);
        }
        Ok([("first_sight", first), ("seen_before", again)])
    }

    async fn present(&self, credential: &HeaderValue, times: &mut Times) {
        let request = request::<Body>(credential.clone());
        let start = now();
        let Ok(response) = self.router.clone().oneshot(request).await;
        let time = start.elapsed();
        times.nanoseconds.push(time.as_secs_f64() * 1e9);
        if response.status() != StatusCode::OK {
            times.failures += 1;
        }
    }

    fn remember(&mut self, credential: HeaderValue) {
        if self.seen.len() < REMEMBERED {
            self.seen.push(credential);
        } else {
            self.seen[self.oldest] = credential;
            self.oldest = (self.oldest + 1) % REMEMBERED;
        }
    }
}
