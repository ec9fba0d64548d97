//! What is said of tokens, and that it is never the tokens: every case of the corpus, and the good tokens beside them,
//! through the real layer, with everything logged that can be.
//!
//! Looked at are the response with its headers, `Debug` and `Display` of whatever comes out, the request as a handler
//! sees it, and the log at its finest.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, which may panic as tests may"
)]

#[allow(dead_code, reason = "shared with the corpus, which uses the rest")]
#[path = "corpus/cases/mod.rs"]
mod cases;
#[allow(dead_code, reason = "shared with the corpus, which uses the rest")]
#[path = "corpus/judge.rs"]
mod judge;
#[path = "support/log.rs"]
mod log;

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use countersign::{
    Authentication, Authenticator, AuthenticatorConfig, BoxFuture, Decision, Denied, Fetch,
    FetchFailure, FetchRequest, Issuer, KeySource, Start,
};
use countersign_testing::FakeClock;
use http_body_util::BodyExt;
use serde_json::json;
use tower::ServiceExt;

use cases::{AUDIENCE, Case, Group, Guard, ISSUER, Sent};
use judge::Judge;
use log::Log;

/// The parts of what was sent that nobody may see again: the segments of tokens, as far as they are long enough not to
/// stand somewhere by chance.
fn parts(headers: &HeaderMap) -> Vec<String> {
    let texts = headers
        .values()
        .map(|value| String::from_utf8_lossy(value.as_bytes()));
    let is_base64url = |one: char| one.is_ascii_alphanumeric() || one == '-' || one == '_';
    texts
        .flat_map(|text| {
            let parts = text.split(|one| !is_base64url(one));
            parts.map(str::to_owned).collect::<Vec<_>>()
        })
        .filter(|part| part.len() >= 24)
        .collect()
}

/// The first of these that is said.
fn leaked<'p>(said: &str, parts: &'p [String]) -> Option<&'p str> {
    parts
        .iter()
        .map(String::as_str)
        .find(|part| said.contains(part))
}

/// A handler that says all that it knows.
async fn tell(State(guard): State<Guard>, request: Request) -> Result<String, Denied> {
    let authentication = Authentication::of(request.extensions())?;
    let principal = authentication.principal()?;
    guard(principal)?;
    let (claims, custom) = (&**principal, principal.claims::<Vec<u8>>());
    tracing::trace!(?request, ?authentication, "a handler's own event");
    Ok(format!(
        "{request:?} {authentication:?} {principal:?} {claims:?} {custom:?} {:?}",
        authentication.context()
    ))
}

struct Witness {
    log: Log,
    app: Router,
    authenticator: Authenticator,
}

impl Witness {
    fn of(group: &Group, judge: &Judge, log: &Log) -> Self {
        let authenticator = judge.authenticator.clone();
        let guard = group.guard.unwrap_or(|_| Ok(()));
        Self {
            log: log.clone(),
            app: Router::new()
                .fallback(tell)
                .with_state(guard)
                .layer(authenticator.layer()),
            authenticator,
        }
    }

    /// All that is said of a request with these headers, and whether it passed.
    async fn hear(&self, headers: &HeaderMap) -> (bool, String) {
        let mut request = Request::default();
        request.headers_mut().clone_from(headers);
        let decision = self.authenticator.decide::<Body>(&request);
        let mut said = format!("{decision:?}");
        let result = match decision {
            Decision::Ready(result) => result,
            Decision::Pending(pending) => pending.await,
        };
        write!(said, "{result:?}").unwrap();
        if let Err(denied) = &result {
            let kind = denied.kind();
            let description = kind.description();
            write!(said, "{denied} {kind} {kind:?} {description:?}").unwrap();
        }
        let mut request = Request::new(Body::empty());
        *request.headers_mut() = headers.clone();
        let response = self.app.clone().oneshot(request).await.unwrap();
        write!(said, "{response:?}").unwrap();
        let passed = response.status().is_success();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        said += &String::from_utf8_lossy(&body);
        said += &self.log.take();
        (passed, said)
    }
}

/// Every way to send a case, the good token of its kind first.
fn requests(group: &Group, case: &Case) -> Vec<HeaderMap> {
    let twin = case.twin.as_ref().or(group.good.as_ref());
    let mut texts: Vec<_> = twin.iter().map(|twin| twin.text()).collect();
    match &case.sent {
        Sent::Headers(sent) => {
            let good = texts.iter().filter_map(|text| judge::bearer(text));
            return good.chain([judge::headers(sent)]).collect();
        }
        Sent::Token(draft) => {
            texts.push(draft.text());
            texts.extend(draft.with_a_bad_signature());
            texts.extend(draft.with_an_unknown_key());
        }
    }
    texts
        .iter()
        .filter_map(|text| judge::bearer(text))
        .collect()
}

#[tokio::test]
async fn no_token_is_ever_said_again() {
    let (log, _guard) = Log::listen();
    // What stands in key sets and should not.
    let published_by_mistake = cases::base64url([9; 32]);
    let (mut leaks, mut heard, mut passed) = (Vec::new(), 0, 0);
    for group in cases::groups() {
        let judge = Judge::of(&group).await.unwrap();
        let witness = Witness::of(&group, &judge, &log);
        let mut all = vec![published_by_mistake.clone()];
        for case in &group.cases {
            for headers in requests(&group, case) {
                let parts = parts(&headers);
                let (pass, said) = witness.hear(&headers).await;
                heard += 1;
                passed += usize::from(pass);
                if let Some(part) = leaked(&said, &parts).or_else(|| leaked(&said, &all[..1])) {
                    leaks.push(format!(
                        "{}: {}: {part} in {said}",
                        group.section, case.name
                    ));
                }
                all.extend(parts);
            }
        }
        let authenticator = &judge.authenticator;
        let jwks = authenticator.jwks(ISSUER);
        let status = authenticator.status();
        let settings = (&group.issuer, &group.others);
        let layer = authenticator.layer();
        let said = format!("{authenticator:?} {jwks:?} {status:?} {settings:?} {layer:?}");
        if let Some(part) = leaked(&said, &all) {
            leaks.push(format!("{}: {part} in {said}", group.section));
        }
    }
    println!("leak: {heard} requests, {passed} of them passed");
    assert!(
        leaks.is_empty(),
        "{} leaks:\n{}",
        leaks.len(),
        leaks.join("\n")
    );
    assert!(passed > 1000 && heard > 3 * passed, "{passed} of {heard}");
}

#[tokio::test]
async fn whoever_says_a_token_is_found_out() {
    let (log, _guard) = Log::listen();
    let group = Group::plain("a");
    let judge = Judge::of(&group).await.unwrap();
    let mut witness = Witness::of(&group, &judge, &log);
    let headers = judge::bearer(&group.good.as_ref().unwrap().text()).unwrap();
    let parts = parts(&headers);
    assert_eq!(parts.len(), 3);

    let (passed, said) = witness.hear(&headers).await;
    assert!(passed && said.contains("a handler's own event"), "{said}");
    assert!(said.contains(r#""authorization": Sensitive"#), "{said}");
    assert_eq!(leaked(&said, &parts), None);

    let talker = async |headers: HeaderMap| tracing::trace!(value = ?headers[header::AUTHORIZATION].to_str());
    witness.app = Router::new()
        .fallback(talker)
        .layer(judge.authenticator.layer());
    let (_, said) = witness.hear(&headers).await;
    assert_eq!(leaked(&said, &parts), Some(parts[0].as_str()), "{said}");
}

/// The network is down.
#[derive(Debug)]
struct Down;

impl Fetch for Down {
    fn fetch(
        &self,
        request: FetchRequest,
    ) -> BoxFuture<Result<axum::http::Response<axum::body::Bytes>, FetchFailure>> {
        assert!(request.url.ends_with("?key=hunter2"));
        tracing::trace!(?request, "a client's own event");
        Box::pin(async { Err(FetchFailure::Connect) })
    }
}

#[tokio::test]
async fn what_is_secret_in_a_url_is_not_said() {
    let (log, _guard) = Log::listen();
    let secrets = ["hunter2".to_owned()];
    let with_credentials = [
        "https://user:hunter2@as.acme.test/jwks",
        "http://user:hunter2@as.acme.test/jwks",
        "https://hunter2@as.acme.test/jwks",
        "https://user:hunter2@",
        "https://:hunter2@as.acme.test:99999/jwks",
    ];
    for url in with_credentials {
        let issuer = Issuer::new(ISSUER, AUDIENCE).with_keys(KeySource::url(url));
        let builder = Authenticator::builder().issuer(issuer.clone());
        let config = builder.check().unwrap_err();
        let keys = issuer.keys();
        let said = format!("{issuer:?} {keys:?} {builder:?} {config} {config:?}");
        let built = builder.build().await.unwrap_err();
        let said = format!("{said} {built} {built:?} {}", log.take());
        assert_eq!(leaked(&said, &secrets), None, "{said}");
        for keys in [
            json!({ "url": url }),
            json!(url),
            json!({"file": "x", "url": url}),
        ] {
            let issuer = json!({"issuer": ISSUER, "audiences": [AUDIENCE], "keys": keys});
            let config = AuthenticatorConfig::from_value(json!({ "issuers": [issuer] }));
            let error = config.unwrap_err();
            let said = format!("{error} {error:?} {}", log.take());
            assert_eq!(leaked(&said, &secrets), None, "{said}");
        }
    }

    // A key in the query is for the fetch alone, and the fetch does not say it either.
    let source = KeySource::url("https://as.acme.test/jwks?key=hunter2");
    let issuer = Issuer::new(ISSUER, AUDIENCE).with_keys(source);
    let builder = Authenticator::builder()
        .issuer(issuer.clone().with_start(Start::Degraded))
        .with_clock(Arc::new(FakeClock::new()))
        .with_fetch(Arc::new(Down));
    let authenticator = builder.build().await.unwrap();
    let token = Group::plain("a")
        .good
        .unwrap()
        .header("alg", "RS256")
        .text();
    let denied = authenticator.verify(&token).await.unwrap_err();
    let status = authenticator.status();
    assert_eq!(status[0].1.last_error, Some(FetchFailure::Connect));
    let said = format!(
        "{issuer:?} {:?} {authenticator:?} {status:?} {:?} {denied} {denied:?} {}",
        issuer.keys(),
        authenticator.jwks(ISSUER),
        log.take()
    );
    assert!(said.contains("connect"), "{said}");
    assert!(said.contains("a client's own event"), "{said}");
    assert_eq!(leaked(&said, &secrets), None, "{said}");
}
