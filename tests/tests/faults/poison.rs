//! Key sets with good keys and bad ones: the good are used, the bad are not, and nobody is served less for it.

use countersign::{DenialKind, Refusal};
use countersign_testing::TestIssuer;
use serde_json::{Value, json};

use crate::server::{self, Answer};
use crate::world::{KEYS, MINUTE, World, issuer, token};

/// The issuer's one key, as it publishes it.
fn published(issuer: &TestIssuer) -> Value {
    let set: Value = serde_json::from_slice(&issuer.jwks_json()).unwrap();
    set["keys"][0].clone()
}

fn with(mut key: Value, name: &str, value: impl Into<Value>) -> Value {
    key[name] = value.into();
    key
}

fn set(keys: &[Value]) -> Answer {
    Answer::Bytes(server::json(json!({ "keys": keys }).to_string()))
}

/// Keys beside a good one, made of a sound new key that the caller's token is signed with, and of another's key.
type Bad = fn(Value, Value) -> Vec<Value>;

const BAD: &[(&str, Bad)] = &[
    ("one that is only for encryption", |new, _| {
        vec![with(new, "use", "enc")]
    }),
    ("one that only signs", |new, _| {
        vec![with(new, "key_ops", json!(["sign"]))]
    }),
    ("one with its private part", |new, _| {
        vec![with(new, "d", "c2VjcmV0")]
    }),
    ("one for another algorithm", |new, _| {
        vec![with(new, "alg", "ES384")]
    }),
    ("one for HMAC", |new, _| vec![with(new, "alg", "HS256")]),
    ("one of another curve", |new, _| {
        vec![with(new, "crv", "P-384")]
    }),
    ("one off its curve", |new, other| {
        vec![with(new, "x", other["x"].clone())]
    }),
    ("one of an unknown type", |new, _| {
        vec![with(new, "kty", "XX")]
    }),
    ("one whose name is a number", |new, _| {
        vec![with(new, "kid", 7)]
    }),
    ("two keys of one name", |new, other| {
        let other = with(other, "kid", new["kid"].clone());
        vec![new, other]
    }),
    ("a secret", |new, _| {
        vec![json!({ "kty": "oct", "kid": new["kid"], "k": "c2VjcmV0c2VjcmV0" })]
    }),
    ("what is no object", |_, _| vec![Value::Null, json!([1])]),
];

#[tokio::test]
async fn a_bad_key_among_good_ones_is_not_used_and_spoils_no_other() {
    for (name, bad) in BAD {
        let mut world = World::new().await;
        let good = published(&world.issuer);
        world.issuer.rotate();
        let new = token(&world.issuer);
        let other = issuer(world.issuer.name(), &world.clock);
        let mut keys = bad(published(&world.issuer), published(&other));
        let skipped = keys.len();
        keys.push(good);
        world.origin.answer(KEYS, set(&keys)).await;

        let answered = world.ask(&new).await;
        let unknown = DenialKind::InvalidToken(Refusal::UnknownKey);
        assert_eq!(answered.kind, Some(unknown), "{name}");
        assert_eq!(answered.status, 401, "{name}");
        world.serves(name).await;
        world.clock.advance(30 * MINUTE).await;
        world.serves(name).await;
        let status = world.status();
        assert_eq!(status.last_error, None, "{name}");
        assert_eq!(status.keys.len(), 1, "{name}: {:?}", status.keys);
        assert_eq!(
            status.skipped.len(),
            skipped,
            "{name}: {:?}",
            status.skipped
        );
    }
    println!("faults: {} cases of bad keys among good ones", BAD.len());
}

#[tokio::test]
async fn a_name_that_a_second_key_claims_is_nobodys() {
    let mut world = World::new().await;
    let good = published(&world.issuer);
    let impostor = issuer(world.issuer.name(), &world.clock);
    let forged = impostor.service_principal("m2m-acme");
    let forged = forged.with_audience(crate::world::API);
    let forged = forged.with_key_id(&world.issuer.key_id()).mint();
    world.issuer.rotate();
    let claimed = with(published(&impostor), "kid", good["kid"].clone());
    let keys = [claimed, good, published(&world.issuer)];
    world.origin.answer(KEYS, set(&keys)).await;

    assert_eq!(world.ask(&token(&world.issuer)).await.status, 200);
    for token in [world.seen(), &forged] {
        assert_eq!(world.ask(token).await.status, 401);
    }
}
