use std::sync::Arc;
use std::time::Duration;

use countersign_jwks::{Algorithm, Jwks, KeySource, Start};
use http::header::{CACHE_CONTROL, RETRY_AFTER};
use http::{HeaderName, HeaderValue, StatusCode};

use super::canned::{Canned, Standing};

/// How long a set is trusted beyond its time to live, in seconds.
const GRACE: u64 = 3600;

/// The input is what a response says of how long to keep it, a value a line.
pub fn cache_control(input: &[u8]) {
    let values: Result<Vec<_>, _> = input
        .split(|byte| *byte == b'\n')
        .map(HeaderValue::from_bytes)
        .collect();
    let Ok(values) = values else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.expect("a runtime without drivers needs nothing");
    runtime.block_on(async {
        check_time_to_live(values.clone()).await;
        check_retry_after(values).await;
    });
}

async fn check_time_to_live(values: Vec<HeaderValue>) {
    let expected = expected(&values);
    let (jwks, clock) = answered(StatusCode::OK, CACHE_CONTROL, values).await;
    let due = jwks.status().next_refresh.expect("the source changes");
    // As long as the set is trusted tells how long it is fresh.
    let (mut trusted, mut distrusted) = (0, 1 << 20);
    while distrusted - trusted > 1 {
        let middle = u64::midpoint(trusted, distrusted);
        clock.set(Duration::from_secs(middle));
        if jwks.is_ready() {
            trusted = middle;
        } else {
            distrusted = middle;
        }
    }
    let time_to_live = trusted - GRACE;
    assert!((60..=3600).contains(&time_to_live), "{time_to_live} s");
    // The refresh is due at 0.8 of it, give or take 0.05.
    let share = due.as_secs_f64() / Duration::from_secs(time_to_live).as_secs_f64();
    assert!((0.749..=0.851).contains(&share), "{share}");
    if let Some(expected) = expected {
        assert_eq!(time_to_live, expected);
    }
}

/// The same bytes as the `Retry-After` of a refusal put the next attempt off by 1 s to 60 s.
async fn check_retry_after(values: Vec<HeaderValue>) {
    let (jwks, _) = answered(StatusCode::SERVICE_UNAVAILABLE, RETRY_AFTER, values).await;
    assert!(!jwks.is_ready());
    let wait = jwks.status().next_refresh.expect("the source changes");
    assert!(
        (Duration::from_secs(1)..=Duration::from_secs(60)).contains(&wait),
        "{wait:?}"
    );
}

/// The keys after one answer.
async fn answered(
    status: StatusCode,
    name: HeaderName,
    values: Vec<HeaderValue>,
) -> (Jwks, Arc<Standing>) {
    let clock = Arc::new(Standing::default());
    let fetch = Canned {
        status,
        name,
        values,
    };
    let source = KeySource::url("https://as.acme.test/jwks");
    let jwks = Jwks::builder("https://as.acme.test", source, Algorithm::Ed25519.into())
        .with_clock(clock.clone())
        .with_fetch(Arc::new(fetch))
        .start(Start::Degraded)
        .build();
    let jwks = jwks.await.expect("it waits for nothing");
    for _ in 0..100 {
        if jwks.is_ready() || jwks.status().last_error.is_some() {
            return (jwks, clock);
        }
        tokio::task::yield_now().await;
    }
    panic!("there was no answer");
}

/// The time to live in seconds, of values without quoted strings: those are not told apart here.
fn expected(values: &[HeaderValue]) -> Option<u64> {
    let text: Vec<_> = values.iter().map(HeaderValue::to_str).collect();
    let text = text.into_iter().collect::<Result<Vec<_>, _>>().ok()?;
    let text = text.join(",").to_ascii_lowercase();
    if text.contains('"') {
        return None;
    }
    let ages = text.split(',').filter_map(|directive| {
        let (name, argument) = match directive.split_once('=') {
            Some((name, argument)) => (name.trim(), Some(argument.trim())),
            None => (directive.trim(), None),
        };
        match (name, argument) {
            ("no-store", _) | ("no-cache", None) => Some(0),
            ("max-age", argument) => Some(argument.map_or(0, seconds)),
            _ => None,
        }
    });
    Some(ages.min().map_or(300, |age| age.clamp(60, 3600)))
}

/// What is no number counts as zero; what is too large for one is more than any limit.
fn seconds(argument: &str) -> u64 {
    if argument.is_empty() || !argument.bytes().all(|byte| byte.is_ascii_digit()) {
        return 0;
    }
    argument.parse().unwrap_or(u64::MAX)
}
