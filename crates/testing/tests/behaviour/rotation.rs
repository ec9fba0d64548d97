use std::sync::Arc;
use std::time::Duration;

use countersign_bearer::Authenticator;
use countersign_jwks::Algorithm;
use countersign_testing::{Endpoint, FakeClock, Fault, TestIssuer};
use countersign_token::Refusal;

use crate::{AUDIENCE, accept, good_token, invalid, refuse, trusting, until};

#[tokio::test]
async fn after_a_rotation_the_first_new_token_is_accepted_and_old_ones_are_refused() {
    let issuer = TestIssuer::serve().await.with_algorithm(Algorithm::ES256);
    let authenticator = trusting(issuer.trusted_for(AUDIENCE)).await;
    let old = good_token(&issuer);
    accept(&authenticator, &old).await;
    assert_eq!(issuer.fetches().keys, 1);

    let old_key = issuer.key_id();
    issuer.rotate();
    assert_ne!(issuer.key_id(), old_key);
    accept(&authenticator, &good_token(&issuer)).await;
    assert_eq!(issuer.fetches().keys, 2);
    assert_eq!(
        refuse(&authenticator, &old).await,
        invalid(Refusal::UnknownKey)
    );
}

#[tokio::test]
async fn a_key_published_ahead_is_known_before_it_signs() {
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
    let old = good_token(&issuer);

    issuer.publish_next();
    issuer.publish_next();
    accept(&authenticator, &good_token(&issuer)).await;
    until_fetched_again(&issuer, &clock).await;

    issuer.sign_with_next();
    let new = good_token(&issuer);
    let fetches = issuer.fetches().keys;
    // The answer that was counted may still be on its way; no other one comes.
    issuer.set_fault(Some(Fault::Down));
    for _ in 0..100_000 {
        if authenticator.verify(&new).await.is_ok() {
            break;
        }
        tokio::task::yield_now().await;
    }
    accept(&authenticator, &new).await;
    accept(&authenticator, &old).await;
    assert_eq!(issuer.fetches().keys, fetches);

    issuer.set_fault(None);
    issuer.retire_previous();
    until_fetched_again(&issuer, &clock).await;
    for _ in 0..100_000 {
        if authenticator.verify(&old).await.is_err() {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(
        refuse(&authenticator, &old).await,
        invalid(Refusal::UnknownKey)
    );
    accept(&authenticator, &new).await;
}

/// Lets time pass until the keys are refreshed in the background.
async fn until_fetched_again(issuer: &TestIssuer, clock: &FakeClock) {
    let before = issuer.fetches().keys;
    for _ in 0..20 {
        clock.advance(Duration::from_secs(60)).await;
        if issuer.fetches().keys > before {
            return;
        }
    }
    panic!("the keys are not refreshed");
}

#[test]
#[should_panic(expected = "publish_next")]
fn a_key_that_was_not_published_cannot_sign_next() {
    TestIssuer::new("a")
        .with_algorithm(Algorithm::EdDSA)
        .sign_with_next();
}

#[tokio::test]
async fn any_key_set_can_be_published_instead() {
    let issuer = TestIssuer::serve().await.with_algorithm(Algorithm::ES256);
    let own = issuer.jwks_json();
    issuer.publish(r#"{"keys": []}"#);
    assert_eq!(issuer.jwks_json(), br#"{"keys": []}"#);
    let degraded = issuer
        .trusted_for(AUDIENCE)
        .with_start(countersign_jwks::Start::Degraded);
    let authenticator = trusting(degraded).await;
    until(|| issuer.fetches().keys == 1).await;
    let kind = refuse(&authenticator, &good_token(&issuer)).await;
    assert_eq!(kind, countersign_bearer::DenialKind::KeysUnavailable);

    issuer.publish_own_keys();
    assert_eq!(issuer.jwks_json(), own);
    issuer.set_fault_at(Endpoint::Token, Some(Fault::Down));
    accept(
        &trusting(issuer.trusted_for(AUDIENCE)).await,
        &good_token(&issuer),
    )
    .await;
}
