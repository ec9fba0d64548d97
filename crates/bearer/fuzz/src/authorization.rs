use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use bytes::Bytes;
use countersign_bearer::{Authenticator, Decision, DenialKind, Denied, Principal};
use countersign_testing::{FakeClock, TestIssuer};
use countersign_token::Refusal;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use http_body_util::{BodyExt, Full};
use tokio::runtime::Runtime;

const AUDIENCE: &str = "https://api.acme.test";

/// Stands for a token that is accepted.
const PLACE_OF_A_TOKEN: &str = "{token}";

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime without drivers needs nothing")
});

static CLOCK: LazyLock<FakeClock> = LazyLock::new(FakeClock::new);

static ISSUER: LazyLock<TestIssuer> =
    LazyLock::new(|| TestIssuer::new("https://as.acme.test").with_clock(Arc::new(CLOCK.clone())));

static TOKEN: LazyLock<String> = LazyLock::new(|| {
    let machine = ISSUER.service_principal("m2m-acme");
    machine.with_audience(AUDIENCE).mint()
});

static AUTHENTICATOR: LazyLock<Authenticator> = LazyLock::new(|| {
    let builder = Authenticator::builder()
        .issuer(ISSUER.trusted_for(AUDIENCE))
        .with_resource(AUDIENCE)
        .with_clock(Arc::new(CLOCK.clone()));
    RUNTIME
        .block_on(builder.build())
        .expect("its keys are fixed")
});

/// How a denial of each kind is answered. Whatever the request, it is always the same: nothing is echoed.
static ANSWERS: LazyLock<Mutex<HashMap<DenialKind, [String; 2]>>> = LazyLock::new(Mutex::default);

/// The input is the `Authorization` header of a request, or several, one a line.
pub fn authorization(input: &[u8]) {
    let lines = input.split(|byte| *byte == b'\n').map(with_a_token);
    let values: Result<Vec<HeaderValue>, _> = lines
        .map(|line| HeaderValue::from_maybe_shared(Bytes::from(line)))
        .collect();
    let Ok(values) = values else {
        return;
    };
    let mut headers = HeaderMap::new();
    for value in &values {
        headers.append(AUTHORIZATION, value.clone());
    }
    // The second time, a token that was accepted is found among those seen before.
    let first = decide(&headers);
    let second = decide(&headers);
    match (first, second) {
        (Ok(principal), Ok(again)) => {
            assert_eq!(principal.client(), Some("m2m-acme"));
            assert_eq!(again.client(), Some("m2m-acme"));
            assert!(is_one_good_bearer(&values), "it was let through");
        }
        (Err(denied), Err(again)) => {
            assert_eq!(denied.kind(), again.kind(), "one header, two answers");
            assert!(!is_one_good_bearer(&values), "it was denied");
            check_kind(&values, denied.kind());
            check_answer(&denied);
        }
        _ => panic!("one header, two answers"),
    }
}

fn with_a_token(line: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(line) {
        Ok(line) => line.replace(PLACE_OF_A_TOKEN, &TOKEN).into_bytes(),
        Err(_) => line.to_vec(),
    }
}

fn request_with(headers: HeaderMap) -> Request<()> {
    let mut request = Request::default();
    *request.headers_mut() = headers;
    request
}

fn decide(headers: &HeaderMap) -> Result<Principal, Denied> {
    match AUTHENTICATOR.decide(&request_with(headers.clone())) {
        Decision::Ready(result) => result,
        Decision::Pending(pending) => RUNTIME.block_on(pending),
    }
}

/// One header: the scheme in any case, spaces, the very token.
fn is_one_good_bearer(values: &[HeaderValue]) -> bool {
    let [value] = values else {
        return false;
    };
    value.to_str().is_ok_and(|value| {
        value.split_once(' ').is_some_and(|(scheme, token)| {
            scheme.eq_ignore_ascii_case("bearer") && token.trim_start_matches(' ') == *TOKEN
        })
    })
}

/// What the denial must be, as far as the scheme alone tells.
fn check_kind(values: &[HeaderValue], kind: DenialKind) {
    let [value] = values else {
        assert_eq!(kind, DenialKind::MalformedCredential);
        return;
    };
    let scheme = value.as_bytes().split(|byte| *byte == b' ').next();
    match scheme.unwrap_or_default().to_ascii_lowercase().as_slice() {
        b"bearer" => assert!(matches!(
            kind,
            DenialKind::MalformedCredential | DenialKind::InvalidToken(_)
        )),
        b"dpop" => assert_eq!(kind, DenialKind::UnsupportedScheme),
        scheme if scheme.iter().any(u8::is_ascii_alphanumeric) => assert!(matches!(
            kind,
            DenialKind::MalformedCredential | DenialKind::MissingCredential
        )),
        _ => {}
    }
    if let DenialKind::InvalidToken(refusal) = kind {
        let text = value.to_str().expect("a bearer token is ASCII");
        let token = text["bearer".len()..].trim_start_matches(' ');
        let outside_of_http = RUNTIME.block_on(AUTHENTICATOR.verify(token));
        assert_eq!(
            outside_of_http.map_err(|denied| denied.kind()).err(),
            Some(kind)
        );
        let is_three_parts = token.split('.').count() == 3;
        assert!(is_three_parts || refusal == Refusal::Malformed);
    }
}

fn check_answer(denied: &Denied) {
    let status = denied.status().as_u16();
    assert!([400, 401, 503].contains(&status), "{status}");
    assert_eq!(status == 503, denied.kind() == DenialKind::KeysUnavailable);
    let mut grpc = HeaderMap::new();
    grpc.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    let mut grpc = request_with(grpc);
    *grpc.method_mut() = Method::POST;
    let of_grpc = denied.clone().for_request(&grpc);
    let answer = [text_of(denied.respond()), text_of(of_grpc.respond())];
    let mut answers = ANSWERS.lock().unwrap_or_else(PoisonError::into_inner);
    let known = answers
        .entry(denied.kind())
        .or_insert_with(|| answer.clone());
    assert_eq!(*known, answer, "an answer depends on the request");
}

fn text_of(response: Response<Full<Bytes>>) -> String {
    let (parts, body) = response.into_parts();
    let body = RUNTIME.block_on(body.collect());
    let body = body.expect("it cannot fail").to_bytes();
    let body = String::from_utf8(body.into()).expect("it is text");
    let token = TOKEN.rsplit('.').next().expect("a signature");
    let text = format!("{} {:?} {body}", parts.status, parts.headers);
    assert!(!text.contains(token), "an answer holds a token");
    text
}
