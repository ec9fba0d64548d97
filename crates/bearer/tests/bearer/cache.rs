//! A token seen before: it passes for what it rested on, and for nothing else.

use std::sync::Arc;
use std::time::Duration;

use countersign_bearer::{Authenticator, TokenCache};
use countersign_jwks::KeySet;
use countersign_testing::{FakeClock, TestIssuer};
use countersign_token::Refusal;

use crate::support::{API, ISSUER, machine, refusal, trusting_with};

async fn at(clock: &FakeClock, issuer: &TestIssuer) -> Authenticator {
    trusting_with(issuer, |one| one.with_clock(Arc::new(clock.clone()))).await
}

fn issuer_at(clock: &FakeClock) -> TestIssuer {
    TestIssuer::new(ISSUER).with_clock(Arc::new(clock.clone()))
}

#[tokio::test]
async fn the_same_bytes_are_the_same_principal() {
    let clock = FakeClock::new();
    let issuer = issuer_at(&clock);
    let authenticator = at(&clock, &issuer).await;
    let token = machine(&issuer).mint();
    let first = authenticator.verify(&token).await.unwrap();
    let again = authenticator.verify(&token).await.unwrap();
    assert_eq!(first.client(), again.client());
    assert!(
        std::ptr::eq(&raw const *first, &raw const *again),
        "verified once"
    );
}

#[tokio::test]
async fn a_token_that_differs_in_a_byte_is_verified_anew() {
    let clock = FakeClock::new();
    let issuer = issuer_at(&clock);
    let authenticator = at(&clock, &issuer).await;
    let token = machine(&issuer).mint();
    authenticator.verify(&token).await.unwrap();
    let tampered = machine(&issuer).tampered().mint();
    assert_eq!(
        refusal(authenticator.verify(&tampered).await),
        Refusal::BadSignature
    );
    // The end of the signature stays, so that both have one place in the cache.
    let (head, signature) = token.rsplit_once('.').unwrap();
    let (_, payload) = head.split_once('.').unwrap();
    let other_header = format!("eyJhbGciOiJSUzI1NiJ9.{payload}.{signature}");
    assert_eq!(
        refusal(authenticator.verify(&other_header).await),
        Refusal::Type
    );
}

#[tokio::test]
async fn time_is_looked_at_each_time_and_in_both_directions() {
    let clock = FakeClock::new();
    let issuer = issuer_at(&clock);
    let authenticator = at(&clock, &issuer).await;
    let token = machine(&issuer).mint();
    authenticator.verify(&token).await.unwrap();
    clock.jump_unix(-3600);
    assert_eq!(
        refusal(authenticator.verify(&token).await),
        Refusal::IssuedInFuture
    );
    clock.jump_unix(3600);
    authenticator.verify(&token).await.unwrap();
    clock.advance(Duration::from_secs(3600 + 29)).await;
    authenticator.verify(&token).await.unwrap();
    clock.advance(Duration::from_secs(1)).await;
    assert_eq!(
        refusal(authenticator.verify(&token).await),
        Refusal::Expired
    );
}

#[tokio::test]
async fn a_key_that_disappears_takes_its_tokens_with_it_and_one_that_stays_keeps_them() {
    let clock = FakeClock::new();
    let issuer = issuer_at(&clock);
    let authenticator = at(&clock, &issuer).await;
    let token = machine(&issuer).mint();
    let first = authenticator.verify(&token).await.unwrap();
    let jwks = authenticator.jwks(ISSUER).unwrap();
    let keys = |issuer: &TestIssuer| {
        KeySet::parse(
            &issuer.jwks_json(),
            countersign_jwks::Algorithm::RS256.into(),
        )
        .unwrap()
    };

    issuer.publish_next();
    assert!(jwks.replace(keys(&issuer)));
    let again = authenticator.verify(&token).await.unwrap();
    assert!(
        std::ptr::eq(&raw const *first, &raw const *again),
        "the same key, the same entry"
    );

    issuer.sign_with_next();
    issuer.retire_previous();
    assert!(jwks.replace(keys(&issuer)));
    assert_eq!(
        refusal(authenticator.verify(&token).await),
        Refusal::UnknownKey
    );
}

#[tokio::test]
async fn only_successes_are_kept_and_only_by_their_own_authenticator() {
    let clock = FakeClock::new();
    let issuer = issuer_at(&clock);
    let strict = Authenticator::builder()
        .issuer(issuer.trusted_for(API).with_clients(["somebody-else"]))
        .with_clock(Arc::new(clock.clone()))
        .build()
        .await
        .unwrap();
    let lenient = at(&clock, &issuer).await;
    let token = machine(&issuer).mint();
    for _ in 0..2 {
        assert!(lenient.verify(&token).await.is_ok());
        assert_eq!(refusal(strict.verify(&token).await), Refusal::Client);
    }
}

#[tokio::test]
async fn disabled_or_far_too_small_it_changes_nothing_but_the_work() {
    let issuer = TestIssuer::new(ISSUER);
    for cache in [TokenCache::disabled(), TokenCache::new(1)] {
        let authenticator = trusting_with(&issuer, |one| one.with_token_cache(cache)).await;
        let token = machine(&issuer).mint();
        let first = authenticator.verify(&token).await.unwrap();
        let again = authenticator.verify(&token).await.unwrap();
        assert!(
            !std::ptr::eq(&raw const *first, &raw const *again),
            "verified twice"
        );
    }
}
