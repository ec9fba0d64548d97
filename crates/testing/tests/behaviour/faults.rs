use std::sync::Arc;
use std::time::Duration;

use countersign_bearer::{Authenticator, DenialKind};
use countersign_jwks::{Algorithm, Start};
use countersign_testing::{Endpoint, FakeClock, Fault, TestIssuer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;

use crate::http::{connect, get};
use crate::{AUDIENCE, accept, good_token, refuse, trusting};

#[tokio::test]
async fn an_issuer_that_is_down_drops_new_connections_and_open_ones() {
    let issuer = TestIssuer::serve().await;
    let mut open = connect(issuer.name()).await.unwrap();
    let request = b"GET /other HTTP/1.1\r\nhost: as\r\n\r\n";
    let mut buffer = [0; 1024];
    open.write_all(request).await.unwrap();
    assert!(open.read(&mut buffer).await.unwrap() > 0);

    issuer.set_fault(Some(Fault::Down));
    open.write_all(request).await.unwrap();
    assert!(matches!(open.read(&mut buffer).await, Ok(0) | Err(_)));
    assert!(get(issuer.name(), "/jwks", "").await.is_none());
    assert_eq!(issuer.fetches().dropped, 1);
    assert_eq!(issuer.fetches().keys, 0);

    issuer.set_fault(None);
    assert_eq!(get(issuer.name(), "/jwks", "").await.unwrap().status, 200);
}

#[tokio::test]
async fn an_issuer_answers_whatever_it_is_told_to() {
    let issuer = TestIssuer::serve().await;
    issuer.set_fault(Some(Fault::Status(500)));
    assert_eq!(get(issuer.name(), "/jwks", "").await.unwrap().status, 500);

    issuer.set_fault(Some(Fault::TooManyRequests(Duration::from_secs(7))));
    let answer = get(issuer.name(), "/jwks", "").await.unwrap();
    assert_eq!(
        (answer.status, answer.header("retry-after")),
        (429, Some("7"))
    );

    issuer.set_fault(Some(Fault::Redirect("https://elsewhere.test/".to_owned())));
    let answer = get(issuer.name(), "/jwks", "").await.unwrap();
    assert_eq!(answer.status, 302);
    assert_eq!(answer.header("location"), Some("https://elsewhere.test/"));

    issuer.set_fault(Some(Fault::Body {
        content_type: "text/html".to_owned(),
        bytes: b"<p>Welcome".to_vec(),
    }));
    let answer = get(issuer.name(), "/.well-known/openid-configuration", "")
        .await
        .unwrap();
    assert_eq!(answer.header("content-type"), Some("text/html"));
    assert_eq!(answer.body, b"<p>Welcome");

    let fetches = issuer.fetches();
    assert_eq!((fetches.keys, fetches.discovery), (3, 1));
}

#[tokio::test]
async fn one_endpoint_fails_without_the_others() {
    let issuer = TestIssuer::serve().await;
    issuer.set_fault_at(Endpoint::Keys, Some(Fault::Status(503)));
    assert_eq!(get(issuer.name(), "/jwks", "").await.unwrap().status, 503);
    let metadata = "/.well-known/oauth-authorization-server";
    assert_eq!(get(issuer.name(), metadata, "").await.unwrap().status, 200);
    issuer.set_fault_at(Endpoint::Keys, None);
    assert_eq!(get(issuer.name(), "/jwks", "").await.unwrap().status, 200);
}

#[test]
#[should_panic(expected = "no final status")]
fn a_status_that_ends_no_request_is_not_taken() {
    TestIssuer::new("a").set_fault(Some(Fault::Status(100)));
}

#[tokio::test]
async fn a_slow_issuer_answers_when_its_clock_says_so() {
    let clock = FakeClock::new();
    let issuer = TestIssuer::serve()
        .await
        .with_clock(Arc::new(clock.clone()));
    issuer.set_fault(Some(Fault::Slow(Duration::from_secs(3))));
    let name = issuer.name().to_owned();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { get(&name, "/jwks", "").await.unwrap().status });
    crate::until(|| issuer.fetches().keys == 1).await;
    clock.advance(Duration::from_secs(2)).await;
    assert!(tasks.try_join_next().is_none());
    clock.advance(Duration::from_secs(1)).await;
    assert_eq!(tasks.join_next().await.unwrap().unwrap(), 200);
}

#[tokio::test]
async fn a_hanging_issuer_costs_a_request_its_wait_and_no_more() {
    let clock = FakeClock::new();
    let issuer = TestIssuer::serve()
        .await
        .with_algorithm(Algorithm::ES256)
        .with_clock(Arc::new(clock.clone()));
    let authenticator = Authenticator::builder()
        .issuer(issuer.trusted_for(AUDIENCE))
        .with_clock(Arc::new(clock.clone()))
        .build()
        .await
        .unwrap();
    let known = good_token(&issuer);
    issuer.set_fault(Some(Fault::Hang));
    issuer.rotate();
    let unknown = good_token(&issuer);
    let (kind, ()) = tokio::join!(refuse(&authenticator, &unknown), async {
        crate::until(|| issuer.fetches().keys == 2).await;
        clock.advance(Duration::from_secs(1)).await;
    });
    assert_eq!(kind, DenialKind::KeysUnavailable);
    accept(&authenticator, &known).await;
}

#[tokio::test]
async fn an_issuer_that_comes_up_late_is_noticed() {
    let issuer = TestIssuer::serve().await.with_algorithm(Algorithm::ES256);
    issuer.set_fault(Some(Fault::Down));
    let authenticator = trusting(issuer.trusted_for(AUDIENCE).with_start(Start::Degraded)).await;
    let token = good_token(&issuer);
    assert_eq!(
        refuse(&authenticator, &token).await,
        DenialKind::KeysUnavailable
    );
    issuer.set_fault(None);
    accept(&authenticator, &token).await;
}
