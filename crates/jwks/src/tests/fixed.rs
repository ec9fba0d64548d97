//! Keys that never change but by hand.

use super::keys::{all, jwk, jwks, rsa, set};
use super::world::{ISSUER, World, found, s, settle, word};
use crate::algorithm::{Algorithm, Algorithms};
use crate::jwks::Jwks;
use crate::source::KeySource;

const ED: Algorithm = Algorithm::Ed25519;

#[tokio::test]
async fn fixed_keys_never_age_and_need_neither_task_nor_network() {
    let keys = [jwk("a")];
    for source in [KeySource::Fixed(set(&keys)), KeySource::json(jwks(&keys))] {
        let world = World::new();
        let jwks = world.builder(source).build().await.unwrap();
        settle().await;
        assert_eq!(world.clock.sleepers(), 0);
        world.clock.pass(s(100_000_000)).await;
        let key = found(jwks.key(Some("a"), ED));
        assert!(key.is_trusted() && jwks.is_ready());
        assert_eq!(word(&jwks.refresh_for(Some("b"), ED).await), "missing");
        let status = jwks.status();
        assert_eq!((status.age, status.next_refresh), (None, None));
        assert_eq!(world.network.count(), 0);
    }
}

#[tokio::test]
async fn keys_by_hand_are_narrowed_to_what_is_allowed() {
    let allowed = Algorithms::from(ED);
    let source = KeySource::Fixed(set(&[jwk("a"), rsa()]));
    let jwks = Jwks::builder(ISSUER, source, allowed)
        .build()
        .await
        .unwrap();
    assert_eq!(word(&jwks.key(Some("a"), Algorithm::EdDSA)), "unfit");
    assert_eq!(word(&jwks.key(None, Algorithm::RS256)), "missing");
    let key = found(jwks.key(Some("a"), ED));
    assert_eq!(key.algorithms(), allowed);

    assert!(!jwks.replace(set(&[rsa()])));
    assert!(key.is_trusted(), "nothing usable replaces nothing");

    let changed = jwks.changed();
    assert!(jwks.replace(set(&[jwk("b"), rsa()])));
    changed.await;
    assert!(!key.is_trusted());
    assert_eq!(word(&jwks.key(Some("b"), ED)), "found");
}

#[tokio::test]
async fn a_key_that_stays_in_a_set_by_hand_stays_the_same_key() {
    let a = jwk("a");
    let source = KeySource::Fixed(set(&[a.clone(), jwk("b")]));
    let jwks = Jwks::builder(ISSUER, source, all()).build().await.unwrap();
    let (key_a, key_b) = (
        found(jwks.key(Some("a"), ED)),
        found(jwks.key(Some("b"), ED)),
    );
    assert!(jwks.replace(set(&[a])));
    assert!(key_a.is_trusted() && !key_b.is_trusted());
}

#[tokio::test]
async fn threads_that_read_while_sets_are_swapped_see_the_one_or_the_other() {
    let (a, b) = (set(&[jwk("a")]), set(&[jwk("b")]));
    let source = KeySource::Fixed(a.clone());
    let jwks = Jwks::builder(ISSUER, source, all()).build().await.unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..20_000 {
                    let words = ["a", "b"].map(|kid| word(&jwks.key(Some(kid), ED)));
                    assert!(words.iter().all(|word| ["found", "missing"].contains(word)));
                }
            });
        }
        let mut old = found(jwks.key(Some("a"), ED));
        for _ in 0..1000 {
            for (set, kid) in [(&b, "b"), (&a, "a")] {
                assert!(jwks.replace(set.clone()));
                // From the swap on, for whoever looks after it.
                let new = found(jwks.key(Some(kid), ED));
                assert!(new.is_trusted() && !old.is_trusted());
                old = new;
            }
        }
    });
}
