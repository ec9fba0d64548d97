use std::collections::BTreeMap;
use std::sync::Arc;

use countersign_jwks::{Algorithm, Algorithms, Key, KeySet, KeySetError, Limits, Selection};
use serde_json::Value;
use serde_json::value::RawValue;

/// Members that a public key has not.
const SECRETS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// The input is a key set as an issuer publishes it.
pub fn jwk_set(input: &[u8]) {
    let parsed = KeySet::parse(input, Algorithm::ALL.into_iter().collect());
    let again = KeySet::parse(input, Algorithm::ALL.into_iter().collect());
    assert_eq!(format!("{parsed:?}"), format!("{again:?}"));
    let set = match parsed {
        Ok(set) => set,
        Err(error) => return check_error(input, &error),
    };
    let members = members(input).expect("it was read as a set");
    let limits = Limits::default();
    assert!(input.len() <= limits.max_bytes && members.len() <= limits.max_keys);

    // Equal keys become one, so that there may be fewer, never more.
    assert!(!set.keys().is_empty());
    let places: Vec<_> = set.skipped().iter().map(|skipped| skipped.index).collect();
    assert!(places.is_sorted_by(|one, next| one < next));
    assert!(places.iter().all(|place| *place < members.len()));
    let used = members
        .iter()
        .enumerate()
        .filter(|(place, _)| !places.contains(place));
    let used: Vec<Member> = used.map(|(_, member)| read(member)).collect();
    assert!(set.keys().len() <= used.len());
    for member in &used {
        check_used(member, &set);
    }
    for key in set.keys() {
        check_key(key, &set);
    }
    check_narrowed(input, &set);
}

/// The members of a key, as far as their values are what this crate looks into.
type Member = BTreeMap<String, Value>;

/// The members of the set, not looked into: what stands in a key that is skipped may be no character or number.
fn members(input: &[u8]) -> Option<Vec<&RawValue>> {
    let mut set: BTreeMap<String, &RawValue> = serde_json::from_slice(input).ok()?;
    serde_json::from_str(set.remove("keys")?.get()).ok()
}

fn read(member: &RawValue) -> Member {
    let member: BTreeMap<String, &RawValue> =
        serde_json::from_str(member.get()).expect("it was read as an object");
    let value = |raw: &RawValue| serde_json::from_str(raw.get()).unwrap_or_default();
    let read = member.into_iter().map(|(name, raw)| (name, value(raw)));
    read.collect()
}

/// An error speaks of places and in words of its own, not of what was sent.
fn check_error(input: &[u8], error: &KeySetError) {
    let is_word = |text: char| text.is_ascii_alphanumeric() || " ,:#_".contains(text);
    assert!(error.to_string().chars().all(is_word), "{error}");
    if let KeySetError::NoUsableKey(skipped) = error {
        assert!(skipped.len() <= Limits::default().max_keys);
        let members = members(input).expect("it was read as a set");
        let places = skipped.iter().map(|skipped| skipped.index);
        assert!(places.eq(0..members.len()), "each is reported");
    }
}

/// What a member that was not skipped must say.
fn check_used(member: &Member, set: &KeySet) {
    for name in SECRETS {
        assert!(!member.contains_key(name), "a key with {name} is used");
    }
    assert!(
        ["RSA", "EC", "OKP"]
            .map(Value::from)
            .contains(&member["kty"])
    );
    assert!(member.get("use").is_none_or(|purpose| purpose == "sig"));
    let can_verify = |operations: &Value| {
        let operations = operations.as_array();
        operations.is_some_and(|all| all.contains(&"verify".into()))
    };
    assert!(member.get("key_ops").is_none_or(can_verify));
    let kid = member.get("kid").map(|kid| kid.as_str().expect("a kid"));
    assert!(set.keys().iter().any(|key| key.kid() == kid));
    if let Some(name) = member.get("alg") {
        let algorithm: Algorithm = name.as_str().expect("an alg").parse().expect("known");
        let mut of_that_kid = set.keys().iter().filter(|key| key.kid() == kid);
        assert!(of_that_kid.any(|key| key.algorithms().contains(algorithm)));
    }
}

/// A key is found by its name and by no other, and verifies nothing that it did not sign.
fn check_key(key: &Arc<Key>, set: &KeySet) {
    assert!(!key.algorithms().is_empty());
    for algorithm in Algorithm::ALL {
        for length in [0, 64, 96, 256] {
            let zeros = key.verify(algorithm, b"header.payload", &[0; 256][..length]);
            assert!(zeros.is_err(), "zeros are a signature");
        }
        let found = set.select(key.kid(), algorithm);
        match (key.kid(), found) {
            (Some(_), Selection::Found(found)) => {
                assert_eq!(found.kid(), key.kid());
                let is_this = Arc::ptr_eq(found, key);
                assert_eq!(is_this, key.algorithms().contains(algorithm));
            }
            (Some(_), _) => assert!(!key.algorithms().contains(algorithm)),
            (None, Selection::Found(found)) => {
                let fits = |key: &&Arc<Key>| key.algorithms().contains(algorithm);
                assert!(fits(&found));
                assert_eq!(set.keys().iter().filter(fits).count(), 1);
            }
            (None, _) => {}
        }
    }
}

/// For fewer algorithms there are no other keys, and none for another algorithm.
fn check_narrowed(input: &[u8], set: &KeySet) {
    for algorithm in Algorithm::ALL {
        let Ok(narrowed) = KeySet::parse(input, algorithm.into()) else {
            continue;
        };
        for key in narrowed.keys() {
            assert_eq!(key.algorithms(), Algorithms::from(algorithm));
        }
        let fitting = |key: &&Arc<Key>| key.algorithms().contains(algorithm);
        let of_all = set.keys().iter().filter(fitting).count();
        // Keys of another algorithm conflict no longer.
        assert!(of_all <= narrowed.keys().len());
    }
}
