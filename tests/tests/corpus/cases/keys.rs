//! Poisoned key sets: a bad key among good ones is no key, and a set without good ones is no set.
//!
//! A token for a bad key is signed as if the key were good, wherever that can be done: were it used, the token would
//! pass.

use std::fmt::Write as _;

use aws_lc_rs::hmac;
use countersign::{Algorithm, Issuer};
use serde_json::{Value, json};

use super::signer::{ED25519, STRANGE_ED25519, STRANGE_P256, STRANGE_P384, STRANGE_RSA, Signer};
use super::{AUDIENCE, Case, Draft, Group, ISSUER, base64url, good, key_numbers, key_sets};

pub(super) const SYMMETRIC: &str = "RFC 7518 §6.4: a shared secret in a public set";
pub(super) const PRIVATE: &str = "RFC 7517 §9.2: a private key that was published";
const TYPE: &str = "RFC 7517 §4.1: kty";
const CURVE: &str = "RFC 7518 §6.2.1.1, RFC 8037 §2: crv";
pub(super) const ENCODING: &str = "RFC 7518 §6: base64url without padding";
const PURPOSE: &str = "RFC 7517 §4.2, §4.3: use and key_ops";
const ALG: &str = "RFC 7517 §4.4: an alg of another kind of key";
const KID: &str = "RFC 7517 §4.5: kid is a string";
pub(super) const TWICE: &str = "RFC 7517 §4: each member once";

/// A key that must be skipped.
pub(super) struct Bad {
    pub(super) name: String,
    pub(super) rule: &'static str,
    pub(super) jwk: String,
    pub(super) reason: &'static str,
    pub(super) draft: Draft,
}

pub(super) fn groups() -> Vec<Group> {
    let mut bad = symmetric_and_private();
    bad.extend(types_and_curves());
    bad.extend(key_numbers::all());
    bad.extend(purposes());
    bad.extend(algorithms());
    bad.extend(key_ids());
    bad.extend(members_twice());
    // 100 keys are what a set may have.
    let mut groups = Vec::new();
    let mut bad = bad.into_iter().peekable();
    while bad.peek().is_some() {
        groups.push(poisoned(bad.by_ref().take(60).collect()));
    }
    groups.extend(key_sets::groups());
    groups
}

pub(super) fn of_all() -> Issuer {
    Issuer::new(ISSUER, AUDIENCE).with_algorithms(Algorithm::ALL)
}

/// The good key, and these around it.
fn poisoned(bad: Vec<Bad>) -> Group {
    let half = bad.len() / 2;
    let mut keys: Vec<_> = bad.iter().map(|one| one.jwk.clone()).collect();
    keys.insert(half, ED25519.jwk().to_string());
    let index = |place: usize| if place < half { place } else { place + 1 };
    let mut group = Group::new("keys", of_all(), &Value::Null, good());
    group.keys = format!(r#"{{"keys":[{}]}}"#, keys.join(",")).into_bytes();
    group.skipped = bad
        .iter()
        .enumerate()
        .map(|(place, one)| (index(place), one.reason))
        .collect();
    group.with(
        bad.into_iter()
            .map(|one| Case::unknown_key(one.name, one.rule, one.draft)),
    )
}

/// A stranger's key with these members, under a kid of its own, and a token signed with it.
pub(super) fn bad(
    (signer, algorithm): (&'static Signer, Algorithm),
    name: &str,
    rule: &'static str,
    change: &Value,
    reason: &'static str,
) -> Bad {
    let name = format!("{}: {name}", signer.kid);
    let mut jwk = signer.jwk();
    jwk["kid"] = json!(name);
    for (member, value) in change.as_object().unwrap() {
        // Null takes a member away; a member that is null is written by hand.
        if value.is_null() {
            jwk.as_object_mut().unwrap().remove(member);
        } else {
            jwk[member] = value.clone();
        }
    }
    let kid = jwk["kid"].as_str().unwrap_or("5").to_owned();
    let draft = Draft::new(signer, algorithm).header("kid", kid);
    Bad {
        name,
        rule,
        jwk: jwk.to_string().replace("\"<null>\"", "null"),
        reason,
        draft,
    }
}

pub(super) fn rsa() -> (&'static Signer, Algorithm) {
    (&STRANGE_RSA, Algorithm::RS256)
}

pub(super) fn p256() -> (&'static Signer, Algorithm) {
    (&STRANGE_P256, Algorithm::ES256)
}

pub(super) fn p384() -> (&'static Signer, Algorithm) {
    (&STRANGE_P384, Algorithm::ES384)
}

pub(super) fn ed25519() -> (&'static Signer, Algorithm) {
    (&STRANGE_ED25519, Algorithm::Ed25519)
}

fn symmetric_and_private() -> Vec<Bad> {
    let mut keys = Vec::new();
    for (name, alg) in [
        ("a secret", json!(null)),
        ("a secret for HS256", json!("HS256")),
        ("a secret for RS256", json!("RS256")),
    ] {
        let secret = base64url([9; 32]);
        let change = json!({"kty": "oct", "k": secret, "alg": alg, "n": null, "e": null});
        let mut one = bad(rsa(), name, SYMMETRIC, &change, "symmetric");
        one.draft = one.draft.signed(|message| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, &[9; 32]);
            hmac::sign(&key, message).as_ref().to_vec()
        });
        keys.push(one);
    }
    for member in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        let change = json!({ member: base64url([9; 32]) });
        keys.push(bad(
            rsa(),
            &format!("with {member}"),
            PRIVATE,
            &change,
            "private",
        ));
    }
    for of in [p256(), p384(), ed25519()] {
        keys.push(bad(
            of,
            "with d",
            PRIVATE,
            &json!({"d": base64url([9; 32])}),
            "private",
        ));
    }
    keys.push(bad(
        ed25519(),
        "with an empty d",
        PRIVATE,
        &json!({"d": ""}),
        "private",
    ));
    keys.push(bad(
        ed25519(),
        "with a d that is null",
        PRIVATE,
        &json!({"d": "<null>"}),
        "private",
    ));
    keys
}

fn types_and_curves() -> Vec<Bad> {
    let key_type = |value: Value, reason| {
        let name = format!("kty: {value}");
        bad(ed25519(), &name, TYPE, &json!({ "kty": value }), reason)
    };
    let curve = |of, change: Value, reason| {
        let name = format!("curve: {change}");
        bad(of, &name, CURVE, &change, reason)
    };
    vec![
        key_type(json!("okp"), "key_type"),
        key_type(json!(""), "key_type"),
        key_type(json!("AKP"), "key_type"),
        key_type(json!("OCT"), "key_type"),
        key_type(json!("none"), "key_type"),
        key_type(json!(5), "malformed"),
        key_type(json!(["OKP"]), "malformed"),
        bad(
            ed25519(),
            "no kty",
            TYPE,
            &json!({"kty": null}),
            "malformed",
        ),
        curve(ed25519(), json!({"kty": "RSA"}), "malformed"),
        curve(ed25519(), json!({"kty": "EC"}), "curve"),
        curve(ed25519(), json!({"crv": null}), "malformed"),
        curve(ed25519(), json!({"crv": "ed25519"}), "curve"),
        curve(ed25519(), json!({"crv": "Ed448"}), "curve"),
        curve(ed25519(), json!({"crv": "X25519"}), "curve"),
        curve(ed25519(), json!({"crv": "P-256"}), "curve"),
        curve(p256(), json!({"kty": "OKP"}), "curve"),
        curve(p256(), json!({"crv": null}), "malformed"),
        curve(p256(), json!({"crv": "p-256"}), "curve"),
        curve(p256(), json!({"crv": "P-521"}), "curve"),
        curve(p256(), json!({"crv": "secp256k1"}), "curve"),
        curve(p256(), json!({"crv": "P-384"}), "point"),
        curve(p384(), json!({"crv": "P-256"}), "point"),
        curve(p384(), json!({"crv": 384}), "malformed"),
    ]
}

fn purposes() -> Vec<Bad> {
    let uses = ["enc", "SIG", "", "sig enc", "<null>"].map(|value| json!(value));
    let uses = uses.into_iter().chain([json!(["sig"]), json!(5)]);
    let operations = [
        json!([]),
        json!(["sign"]),
        json!(["Verify"]),
        json!(["encrypt", "wrapKey"]),
        json!("verify"),
        json!(["verify", 5]),
        json!({"verify": true}),
        json!("<null>"),
    ];
    let uses = uses.map(|value| ("use", value, "use"));
    let operations = operations.map(|value| ("key_ops", value, "key_ops"));
    let keys = uses.chain(operations).map(|(member, value, reason)| {
        let name = format!("{member}: {value}");
        bad(ed25519(), &name, PURPOSE, &json!({ member: value }), reason)
    });
    keys.collect()
}

fn algorithms() -> Vec<Bad> {
    let texts = ["none", "HS256", "ES256", "ed25519", "", "<null>"];
    let texts = texts.map(|name| (ed25519(), json!(name)));
    let others = [
        (ed25519(), json!(["Ed25519"])),
        (p256(), json!("ES384")),
        (p384(), json!("ES256")),
        (p256(), json!("RS256")),
        (rsa(), json!("ES256")),
        (rsa(), json!("RSA-OAEP")),
        (rsa(), json!("HS256")),
    ];
    let keys = texts.into_iter().chain(others).map(|(of, value)| {
        let name = format!("alg: {value}");
        bad(of, &name, ALG, &json!({ "alg": value }), "algorithm")
    });
    keys.collect()
}

fn key_ids() -> Vec<Bad> {
    let values = [json!(5), json!(true), json!(["5"]), json!({"kid": "5"})];
    let keys = values.into_iter().chain([json!("<null>")]).map(|value| {
        let name = format!("kid: {value}");
        let mut one = bad(ed25519(), &name, KID, &json!({ "kid": value }), "kid");
        let text = if value.is_string() {
            "null".to_owned()
        } else {
            value.to_string()
        };
        one.draft = one.draft.header("kid", text);
        one
    });
    keys.collect()
}

fn members_twice() -> Vec<Bad> {
    let keys = ["kty", "kid", "x", "use"].map(|member| {
        let name = format!("{member} twice");
        let mut one = bad(
            ed25519(),
            &name,
            TWICE,
            &json!({"use": "sig"}),
            "duplicate_member",
        );
        let jwk: Value = serde_json::from_str(&one.jwk).unwrap();
        one.jwk.pop();
        write!(one.jwk, r#","{member}":{}}}"#, jwk[member]).unwrap();
        one
    });
    keys.into()
}
