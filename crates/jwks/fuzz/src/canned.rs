//! An issuer that always answers the same, in a time that stands still until it is moved.

use std::future::pending;
use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use countersign_jwks::{BoxFuture, Clock, Fetch, FetchFailure, FetchRequest};
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Response, StatusCode};

const KEYS: &str =
    r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

/// Answers with a key set, this status and these headers.
#[derive(Debug)]
pub(super) struct Canned {
    pub(super) status: StatusCode,
    pub(super) name: HeaderName,
    pub(super) values: Vec<HeaderValue>,
}

impl Fetch for Canned {
    fn fetch(&self, _: FetchRequest) -> BoxFuture<Result<Response<Bytes>, FetchFailure>> {
        let mut response = Response::new(Bytes::from_static(KEYS.as_bytes()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for value in &self.values {
            headers.append(&self.name, value.clone());
        }
        Box::pin(async { Ok(response) })
    }
}

/// Nobody who sleeps by it ever wakes.
#[derive(Debug, Default)]
pub(super) struct Standing(Mutex<Duration>);

impl Standing {
    pub(super) fn set(&self, time: Duration) {
        *self.0.lock().expect("nobody panics with it") = time;
    }
}

impl Clock for Standing {
    fn unix_time(&self) -> Duration {
        self.monotonic()
    }

    fn monotonic(&self) -> Duration {
        *self.0.lock().expect("nobody panics with it")
    }

    fn sleep(&self, _: Duration) -> BoxFuture<()> {
        Box::pin(pending())
    }
}
