//! Calls that wait for the issuer's keys, and what they are told if there are none.

use countersign::Authenticator;
use countersign_testing::{Fault, TestIssuer};
use futures_util::future::try_join_all;
use tonic::Code;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Server};
use tonic_health::pb::health_server::HealthServer;

use crate::answer::{CHECK, metadata, send};
use crate::support::{AUDIENCE, Asking, FOR_NOTHING, bearer, check, listen, token_of, watch};

async fn serve(issuer: &TestIssuer) -> Channel {
    let authenticator = Authenticator::builder()
        .issuer(issuer.trusted_for(AUDIENCE)) // discovers its keys
        .build()
        .await
        .unwrap();
    let (listener, channel) = listen().await;
    let server = Server::builder()
        .layer(authenticator.layer())
        .add_service(HealthServer::new(Asking))
        .serve_with_incoming(TcpIncoming::from(listener));
    tokio::spawn(server);
    channel
}

#[tokio::test]
async fn calls_signed_with_a_new_key_wait_until_the_issuer_was_asked_for_it_once() {
    let issuer = TestIssuer::serve().await;
    let channel = serve(&issuer).await;
    let fetched_at_start = issuer.fetches().keys;
    issuer.rotate();

    // All at once, over one connection.
    let tokens: Vec<_> = (0..8).map(|_| bearer(&token_of(&issuer))).collect();
    let calls = tokens
        .iter()
        .map(|token| check(&channel, Some(token), "org_acme"));
    try_join_all(calls).await.unwrap();
    assert_eq!(issuer.fetches().keys, fetched_at_start + 1);
    let messages = watch(&channel, Some(&tokens[0]), FOR_NOTHING).await;
    assert_eq!(messages.unwrap(), 2);
}

#[tokio::test]
async fn a_key_that_the_issuer_does_not_have_is_a_bad_token() {
    let issuer = TestIssuer::serve().await;
    let channel = serve(&issuer).await;
    let token = bearer(&token_of(&issuer).with_key_id("unheard of"));
    let denied = check(&channel, Some(&token), FOR_NOTHING).await;
    let denied = denied.unwrap_err();
    assert_eq!(denied.code(), Code::Unauthenticated);
    let challenge = metadata(&denied, "www-authenticate").unwrap();
    assert!(
        challenge.contains(r#"error="invalid_token""#),
        "{challenge}"
    );
}

#[tokio::test]
async fn keys_that_cannot_be_had_are_unavailable_with_a_time_to_try_again() {
    let issuer = TestIssuer::serve().await;
    let channel = serve(&issuer).await;
    issuer.rotate();
    issuer.set_fault(Some(Fault::Down));
    let token = bearer(&token_of(&issuer));

    let denied = check(&channel, Some(&token), FOR_NOTHING).await;
    let denied = denied.unwrap_err();
    let seconds: u64 = metadata(&denied, "retry-after").unwrap().parse().unwrap();
    assert!(seconds >= 1);
    let of_http = send(&channel, "POST", CHECK, "application/json", Some(&token)).await;
    assert!(of_http.header("retry-after").is_some());
    of_http.assert_same_denial(&denied, "down");
    assert_eq!(denied.code(), Code::Unavailable);
    assert_eq!(metadata(&denied, "www-authenticate"), None);
}
