use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::Ed25519KeyPair;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use super::*;
use crate::key::BadSignature;
use crate::tests::keys::{
    all, base64, ed25519, jwk, jwks, p256, p384, rsa, rsa_numbers, rsa_sign, set, with, without,
};

const MESSAGE: &[u8] = b"header.payload";

fn only(set: &KeySet) -> &Arc<Key> {
    assert_eq!(set.keys().len(), 1, "{set:?}");
    &set.keys()[0]
}

#[test]
fn a_set_is_an_object_with_an_array_of_at_most_so_many_keys_and_bytes() {
    let good = jwk("good").to_string();
    let repeated = |count: usize| {
        let keys: Vec<_> = (0..count).map(|n| jwk(&n.to_string())).collect();
        jwks(&keys)
    };
    let padded = |length: usize| {
        let mut json = jwks(&[jwk("good")]);
        json.resize(length, b' ');
        json
    };
    let cases: Vec<(Vec<u8>, Result<usize, KeySetError>)> = vec![
        (b"".to_vec(), Err(KeySetError::Malformed)),
        (format!("[{good}]").into(), Err(KeySetError::Malformed)),
        (good.clone().into(), Err(KeySetError::Malformed)),
        (br#"{"keys": {}}"#.to_vec(), Err(KeySetError::Malformed)),
        (
            format!(r#"{{"keys": [{good}], "keys": [{good}]}}"#).into(),
            Err(KeySetError::Malformed),
        ),
        (
            format!(r#"{{"keys": [{good}]}} {{}}"#).into(),
            Err(KeySetError::Malformed),
        ),
        (
            format!("\u{feff}{{\"keys\": [{good}]}}").into(),
            Err(KeySetError::Malformed),
        ),
        (
            [
                format!(r#"{{"keys": [{good}], "a": ""#).as_bytes(),
                b"\xff\"}",
            ]
            .concat(),
            Err(KeySetError::Malformed),
        ),
        (
            br#"{"keys": []}"#.to_vec(),
            Err(KeySetError::NoUsableKey(vec![])),
        ),
        (
            format!(r#"{{"keys": [{good}], "more": [1]}}"#).into(),
            Ok(1),
        ),
        (repeated(100), Ok(100)),
        (repeated(101), Err(KeySetError::TooManyKeys)),
        (padded(256 * 1024), Ok(1)),
        (padded(256 * 1024 + 1), Err(KeySetError::TooLarge)),
    ];
    for (json, expected) in cases {
        let text = String::from_utf8_lossy(&json[..json.len().min(200)]).into_owned();
        let count = KeySet::parse(&json, all()).map(|set| set.keys().len());
        assert_eq!(count, expected, "{text}");
    }
}

#[test]
fn each_limit_is_kept_and_is_ones_own() {
    let json = jwks(&[jwk("a"), jwk("b")]);
    let parse = |limits| KeySet::parse_within(&json, all(), limits).err();
    let (limits, bytes) = (Limits::default(), json.len());
    assert_eq!(parse(limits.with_max_bytes(bytes).with_max_keys(2)), None);
    let small = limits.with_max_bytes(bytes - 1);
    assert_eq!(parse(small.with_max_keys(2)), Some(KeySetError::TooLarge));
    let few = limits.with_max_bytes(bytes).with_max_keys(1);
    assert_eq!(parse(few), Some(KeySetError::TooManyKeys));
}

#[test]
fn depth_is_no_danger() {
    let (deep, end) = ("[".repeat(100_000), "]".repeat(100_000));
    let good = jwk("good");
    for (json, usable) in [
        (format!(r#"{{"keys": [{good}], "more": {deep}{end}}}"#), 1),
        (format!(r#"{{"keys": [{deep}{end}, {good}]}}"#), 1),
        (
            format!(r#"{{"keys": [{{"kty": {deep}{end}}}, {good}]}}"#),
            1,
        ),
        (format!(r#"{{"keys": {deep}{end}}}"#), 0),
    ] {
        let set = KeySet::parse(json.as_bytes(), all());
        assert_eq!(set.map_or(0, |set| set.keys().len()), usable);
    }
}

proptest! {
    #[test]
    fn a_damaged_set_is_refused_or_read_but_never_a_panic(
        damage in proptest::collection::vec((any::<Index>(), any::<u8>()), 1..8),
    ) {
        let mut json = jwks(&[jwk("a"), with(p256().1, json!({"alg": "ES256", "use": "sig"}))]);
        for (index, byte) in damage {
            let index = index.index(json.len());
            json[index] = byte;
        }
        if let Ok(set) = KeySet::parse(&json, all()) {
            prop_assert!(!set.keys().is_empty());
            prop_assert!(set.keys().len() + set.skipped().len() <= 2);
        }
    }
}

#[test]
fn an_error_names_places_and_reasons_but_no_text_of_the_set() {
    let bad = with(jwk("secret name"), json!({"use": "enc"}));
    let oct = json!({"kty": "oct", "k": "c2VjcmV0"});
    let error = KeySet::parse(&jwks(&[bad, oct]), all()).unwrap_err();
    assert_eq!(error.to_string(), "no usable key: #0 use, #1 symmetric");
}

#[test]
fn every_rsa_algorithm_verifies_its_own_signatures_only() {
    let set = set(&[rsa()]);
    let key = only(&set);
    let rsa: Vec<_> = key.algorithms().iter().collect();
    assert_eq!(rsa.len(), 6);
    for signed in &rsa {
        let signature = rsa_sign(*signed, MESSAGE);
        for asked in Algorithm::ALL {
            let expected = if asked == *signed {
                Ok(())
            } else {
                Err(BadSignature)
            };
            assert_eq!(
                key.verify(asked, MESSAGE, &signature),
                expected,
                "{signed} {asked}"
            );
        }
        assert_eq!(key.verify(*signed, b"other", &signature), Err(BadSignature));
    }
}

#[test]
fn leading_zeros_of_modulus_and_exponent_change_nothing() {
    let (n, e) = rsa_numbers();
    let padded = json!({
        "kty": "RSA",
        "n": base64(&[&[0, 0], n.as_slice()].concat()),
        "e": base64(&[&[0], e.as_slice()].concat()),
    });
    let set = set(&[padded, rsa()]);
    let signature = rsa_sign(Algorithm::RS256, MESSAGE);
    assert_eq!(
        only(&set).verify(Algorithm::RS256, MESSAGE, &signature),
        Ok(())
    );
}

#[test]
fn elliptic_curves_verify_fixed_length_signatures() {
    let random = SystemRandom::new();
    for ((pair, jwk), algorithm) in [(p256(), Algorithm::ES256), (p384(), Algorithm::ES384)] {
        let set = set(&[jwk]);
        let key = only(&set);
        assert_eq!(key.algorithms(), algorithm.into());
        let mut signature = pair.sign(&random, MESSAGE).unwrap().as_ref().to_vec();
        assert_eq!(key.verify(algorithm, MESSAGE, &signature), Ok(()));
        signature[9] ^= 1;
        assert_eq!(
            key.verify(algorithm, MESSAGE, &signature),
            Err(BadSignature)
        );
    }
}

#[test]
fn an_ed25519_key_has_two_names_for_its_algorithm_unless_it_says_which() {
    let pair = Ed25519KeyPair::generate().unwrap();
    let signature = pair.sign(MESSAGE);
    for (alg, eddsa, ed) in [
        (json!({}), true, true),
        (json!({"alg": "EdDSA"}), true, false),
        (json!({"alg": "Ed25519"}), false, true),
    ] {
        let set = set(&[with(ed25519(&pair), alg)]);
        let key = only(&set);
        for (algorithm, fits) in [(Algorithm::EdDSA, eddsa), (Algorithm::Ed25519, ed)] {
            let verified = key.verify(algorithm, MESSAGE, signature.as_ref());
            assert_eq!(verified.is_ok(), fits, "{key:?} {algorithm}");
        }
    }
}

#[test]
fn only_allowed_algorithms_make_a_key_usable() {
    let allowed = Algorithms::from(Algorithm::PS256);
    let keys = [
        with(rsa(), json!({"kid": "a"})),
        with(rsa(), json!({"kid": "b", "alg": "RS256"})),
        with(jwk("c"), json!({"use": "sig", "key_ops": ["verify"]})),
    ];
    let set = KeySet::parse(&jwks(&keys), allowed).unwrap();
    assert_eq!(only(&set).kid(), Some("a"));
    assert_eq!(only(&set).algorithms(), allowed);
    let reasons: Vec<_> = set.skipped().iter().map(|skipped| skipped.reason).collect();
    assert_eq!(reasons, [SkipReason::NotAllowed; 2]);
}

#[test]
fn one_kid_and_kty_is_one_key_or_none() {
    let (one, two, other) = (jwk("a"), jwk("a"), jwk("b"));
    let named = |key| with(key, json!({"kid": "a"}));
    let nameless = |key: &Value| without(key.clone(), "kid");
    let enc = with(two.clone(), json!({"use": "enc"}));
    let renamed = with(one.clone(), json!({"kid": "b"}));
    let curves = [named(p256().1), named(p384().1), other.clone()];
    let cases: [(&[Value], usize, &[usize]); 8] = [
        (&[one.clone(), one.clone()], 1, &[]),
        (&[one.clone(), other.clone(), two.clone()], 1, &[0, 2]),
        (
            &[one.clone(), other, one.clone(), two.clone()],
            1,
            &[0, 2, 3],
        ),
        (&curves, 1, &[0, 1]),
        (&[one.clone(), named(rsa())], 2, &[]),
        (&[one.clone(), enc], 1, &[1]),
        (&[nameless(&one), nameless(&two), nameless(&one)], 2, &[]),
        (&[one, renamed], 2, &[]),
    ];
    for (keys, usable, skipped) in cases {
        let set = set(keys);
        assert_eq!(set.keys().len(), usable, "{set:?}");
        let indices: Vec<_> = set.skipped().iter().map(|skipped| skipped.index).collect();
        assert_eq!(indices, skipped, "{set:?}");
    }
}

#[test]
fn one_key_published_for_two_algorithms_is_one_key_for_both() {
    let key = |alg| with(rsa(), json!({"kid": "a", "alg": alg}));
    let set = set(&[key("RS256"), key("PS256")]);
    let algorithms: Vec<_> = only(&set).algorithms().iter().collect();
    assert_eq!(algorithms, [Algorithm::RS256, Algorithm::PS256]);
    for algorithm in algorithms {
        let signature = rsa_sign(algorithm, MESSAGE);
        assert_eq!(only(&set).verify(algorithm, MESSAGE, &signature), Ok(()));
    }
}

#[test]
fn a_key_is_selected_by_kid_and_algorithm_or_by_being_the_only_one() {
    let nameless = || without(jwk(""), "kid");
    let ed = Algorithm::Ed25519;
    let cases = [
        (vec![jwk("a"), jwk("b")], Some("a"), ed, "found"),
        (vec![jwk("a"), jwk("b")], Some("c"), ed, "missing"),
        (vec![jwk("a"), jwk("b")], Some("A"), ed, "missing"),
        (
            vec![jwk("a"), jwk("b")],
            Some("a"),
            Algorithm::RS256,
            "unfit",
        ),
        (
            vec![jwk("a"), with(rsa(), json!({"kid": "a"}))],
            Some("a"),
            Algorithm::RS256,
            "found",
        ),
        (
            vec![jwk("a"), with(rsa(), json!({"kid": "a"}))],
            Some("a"),
            Algorithm::ES256,
            "unfit",
        ),
        (vec![nameless()], Some("a"), ed, "missing"),
        (vec![nameless()], Some(""), ed, "missing"),
        (vec![jwk("")], Some(""), ed, "found"),
        (vec![nameless()], None, ed, "found"),
        (vec![jwk("a")], None, ed, "found"),
        (vec![jwk("a"), rsa()], None, ed, "found"),
        (vec![jwk("a"), nameless()], None, ed, "unfit"),
        (vec![jwk("a")], None, Algorithm::RS256, "missing"),
    ];
    for (keys, kid, algorithm, expected) in cases {
        let set = set(&keys);
        let word = match set.select(kid, algorithm) {
            Selection::Found(key) => {
                assert!(key.algorithms().contains(algorithm));
                assert!(kid.is_none() || key.kid() == kid);
                "found"
            }
            Selection::Unfit => "unfit",
            Selection::Missing => "missing",
        };
        assert_eq!(word, expected, "{set:?} {kid:?} {algorithm}");
    }
}

#[test]
fn a_key_is_carried_over_only_if_nothing_about_it_has_changed() {
    let (a, b) = (jwk("a"), jwk("b"));
    let old = set(&[a.clone(), b.clone()]);
    for (what, keys, carried) in [
        ("unchanged", vec![a.clone(), b.clone()], vec![true, true]),
        ("reordered", vec![b.clone(), a.clone()], vec![true, true]),
        ("one replaced", vec![a.clone(), jwk("b")], vec![true, false]),
        (
            "renamed",
            vec![with(a.clone(), json!({"kid": "c"}))],
            vec![false],
        ),
        (
            "narrowed",
            vec![with(a.clone(), json!({"alg": "EdDSA"}))],
            vec![false],
        ),
        (
            "members that do not matter",
            vec![with(a.clone(), json!({"use": "sig", "x5t": "t"}))],
            vec![true],
        ),
    ] {
        let new = set(&keys).carrying_over(&old);
        let same: Vec<_> = new.keys().iter().map(|key| old.holds(key)).collect();
        assert_eq!(same, carried, "{what}");
        let identical = carried == [true, true];
        assert_eq!(new.holds_the_keys_of(&old), identical, "{what}");
    }
}

#[test]
fn debug_shows_names_and_algorithms_and_no_numbers() {
    let shown = format!("{:?}", set(&[jwk("a")]));
    assert!(
        shown.contains("\"a\"") && shown.contains("Ed25519"),
        "{shown}"
    );
    assert!(shown.len() < 120, "{shown}");
}
