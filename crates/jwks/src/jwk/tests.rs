use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::SkipReason as R;
use crate::set::{KeySet, KeySetError};
use crate::tests::keys::{
    all, base64, ed25519, jwk, jwks, p256, p384, rsa, rsa_numbers, set, with, without,
};

/// A key, what is changed about it, and why it is then skipped.
type Case = (Value, Value, R);

fn ed() -> Value {
    ed25519(&Ed25519KeyPair::generate().unwrap())
}

fn ec() -> Value {
    p256().1
}

fn ec384() -> Value {
    p384().1
}

/// A number or coordinate out of pieces, for the member of that name.
fn number(member: &str, pieces: &[&[u8]]) -> Value {
    json!({member: base64(&pieces.concat())})
}

fn types_and_curves() -> Vec<Case> {
    vec![
        (ed(), json!({"kid": 1}), R::Kid),
        (ed(), json!({"kid": null}), R::Kid),
        (rsa(), json!({"kty": "rsa"}), R::KeyType),
        (rsa(), json!({"kty": "AKP"}), R::KeyType),
        (rsa(), json!({"kty": 1}), R::Malformed),
        (
            json!({"kty": "oct"}),
            json!({"k": "c2VjcmV0"}),
            R::Symmetric,
        ),
        (json!({}), json!({}), R::Malformed),
        (ec(), json!({"crv": "secp256k1"}), R::Curve),
        (ec(), json!({"crv": "P-521"}), R::Curve),
        (ec(), json!({"crv": "p-256"}), R::Curve),
        (ec(), json!({"kty": "OKP"}), R::Curve),
        (ed(), json!({"kty": "EC"}), R::Curve),
        (ed(), json!({"crv": "Ed448"}), R::Curve),
        (ed(), json!({"crv": "X25519"}), R::Curve),
        (without(ec(), "crv"), json!({}), R::Malformed),
        (without(ec(), "y"), json!({}), R::Malformed),
        (without(rsa(), "e"), json!({}), R::Malformed),
    ]
}

/// The coordinates of a point, the last byte of the one in front of the other.
fn one_byte_moved(key: &Value) -> Value {
    let [x, y] = ["x", "y"].map(|name| {
        let text = key[name].as_str().unwrap();
        URL_SAFE_NO_PAD.decode(text).unwrap()
    });
    let (x, moved) = x.split_at(x.len() - 1);
    json!({"x": base64(x), "y": base64(&[moved, y.as_slice()].concat())})
}

fn points() -> Vec<Case> {
    let zeros = json!({"x": base64(&[0; 32]), "y": base64(&[0; 32])});
    let not_reduced = number("x", &[&[0xf0], &[0xff; 30], &[0x7f]]);
    vec![
        (ec(), one_byte_moved(&ec()), R::Point),
        (ec(), json!({"y": ec()["y"]}), R::Point),
        (ec(), zeros, R::Point),
        (ec(), number("x", &[&[1; 31]]), R::Point),
        (ec(), json!({"crv": "P-384"}), R::Point),
        (ec384(), json!({"crv": "P-256"}), R::Point),
        (ec384(), json!({"y": ec384()["y"]}), R::Point),
        (ed(), number("x", &[&[1; 31]]), R::Point),
        (ed(), number("x", &[&[1; 33]]), R::Point),
        (ed(), number("x", &[&[2], &[0; 31]]), R::Point),
        (ed(), not_reduced, R::Point),
        (ed(), number("x", &[&[1], &[0; 31]]), R::SmallOrder),
        (ed(), number("x", &[&[0; 31], &[0x80]]), R::SmallOrder),
    ]
}

fn rsa_keys() -> Vec<Case> {
    let (n, _) = rsa_numbers();
    let (first, last) = (n[0] & 0x7f | 0x40, n[255] & 0xfe);
    vec![
        (rsa(), number("n", &[&[first], &n[1..]]), R::ModulusSize),
        (rsa(), number("n", &[&n[128..]]), R::ModulusSize),
        (rsa(), number("n", &[&[0; 128], &n[128..]]), R::ModulusSize),
        (
            rsa(),
            number("n", &[&[1], &n, &[0xff; 768]]),
            R::ModulusSize,
        ),
        (rsa(), number("n", &[]), R::ModulusSize),
        (rsa(), number("n", &[&n[..255], &[last]]), R::ModulusEven),
        (rsa(), number("e", &[&[1]]), R::Exponent),
        (rsa(), number("e", &[&[0]]), R::Exponent),
        (rsa(), number("e", &[]), R::Exponent),
        (rsa(), number("e", &[&[1, 0, 0]]), R::Exponent),
        (rsa(), number("e", &[&[3, 0, 0, 0, 1]]), R::Exponent),
        (rsa(), json!({"e": "AQAB===="}), R::Malformed),
        (rsa(), json!({"e": "AR"}), R::Malformed),
        (rsa(), json!({"e": "AQ\nAB"}), R::Malformed),
        (rsa(), json!({"e": 65537}), R::Malformed),
        (ed(), json!({"x": "+".repeat(43)}), R::Malformed),
    ]
}

fn purposes() -> Vec<Case> {
    let mixed = json!({"use": "sig", "key_ops": ["encrypt"]});
    let mut cases = vec![
        (ed(), json!({"use": "enc"}), R::Use),
        (ed(), json!({"use": 1}), R::Use),
        (ed(), json!({"key_ops": ["sign"]}), R::KeyOps),
        (ed(), json!({"key_ops": []}), R::KeyOps),
        (ed(), json!({"key_ops": "verify"}), R::KeyOps),
        (ed(), mixed, R::KeyOps),
        (rsa(), json!({"alg": "ES256"}), R::Algorithm),
        (ec(), json!({"alg": "ES384"}), R::Algorithm),
        (rsa(), json!({"alg": "RSA-OAEP"}), R::Algorithm),
        (rsa(), json!({"alg": "HS256"}), R::Algorithm),
        (rsa(), json!({"alg": "none"}), R::Algorithm),
        (rsa(), json!({"alg": null}), R::Algorithm),
    ];
    for member in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        for jwk in [rsa(), ed(), ec()] {
            cases.push((jwk, json!({member: "AQAB"}), R::Private));
        }
    }
    cases
}

#[test]
fn a_bad_key_is_skipped_for_its_reason_and_the_rest_of_the_set_is_used() {
    let cases = [types_and_curves(), points(), rsa_keys(), purposes()].concat();
    for (key, change, reason) in cases {
        let bad = with(key, change.clone());
        let set = set(&[jwk("first"), bad.clone(), jwk("last")]);
        assert_eq!(set.keys().len(), 2, "{change}");
        let [skipped] = set.skipped() else {
            panic!("{change}: {set:?}")
        };
        assert_eq!((skipped.index, skipped.reason), (1, reason), "{change}");

        let alone = KeySet::parse(&jwks(&[bad]), all()).unwrap_err();
        assert!(matches!(alone, KeySetError::NoUsableKey(_)), "{alone}");
    }
}

#[test]
fn what_is_no_object_is_no_key() {
    for bad in [Value::Null, json!("key"), json!(1), json!([])] {
        let set = set(&[bad.clone(), jwk("good")]);
        assert_eq!(set.skipped()[0].reason, R::Malformed, "{bad}");
    }
}

#[test]
fn a_member_that_stands_twice_spoils_its_key_and_no_other() {
    let good = jwk("good");
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    for twice in [
        r#"{"kty":"RSA","kty":"RSA"}"#,
        r#"{"kid":"a","k\u0069d":"b"}"#,
        &format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}","x5t":"","x5t":""}}"#),
    ] {
        let json = format!(r#"{{"keys": [{twice}, {good}]}}"#);
        let set = KeySet::parse(json.as_bytes(), all()).unwrap();
        assert_eq!(set.skipped()[0].reason, R::DuplicateMember, "{twice}");
        assert_eq!(set.keys().len(), 1);
    }
}

#[test]
fn the_largest_and_the_oddest_good_keys_are_used() {
    let (n, _) = rsa_numbers();
    for (key, change) in [
        (rsa(), number("n", &[&[0xff; 768], &n])),
        (rsa(), number("e", &[&[3]])),
        (rsa(), number("e", &[&[1, 0, 0, 0, 1]])),
        (ed(), json!({"use": "sig", "key_ops": ["sign", "verify"]})),
        (ed(), json!({"x5c": ["not", "read"], "nested": {"a": [{}]}})),
        (ec(), json!({"alg": "ES256"})),
    ] {
        let key = with(key, change.clone());
        let set = KeySet::parse(&jwks(&[key]), all());
        assert!(set.is_ok(), "{change}: {set:?}");
    }
}
