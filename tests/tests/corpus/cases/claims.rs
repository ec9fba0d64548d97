//! Claims of every wrong type, claims that are missing, and bound tokens.

use countersign::Refusal::{Audience, MalformedClaim, MissingClaim, UnprovenConfirmation};
use serde_json::{Value, json};

use super::{AUDIENCE, Case, Group, ISSUER, NOW, base64url, good, of_every_type};

const TYPE: &str =
    "RFC 7519 §4.1, CVE-2026-25537: a claim of another type is refused, never ignored";
const DATE: &str = "RFC 7519 §2: NumericDate";
const MISSING: &str = "RFC 7519 §4.1, RFC 9068 §2.2: required claims";
const EMPTY: &str = "an identifier names somebody";
const BOUND: &str = "RFC 9449 §7.1, RFC 8705 §3: a bound token is no plain bearer token";

pub(super) fn groups() -> Vec<Group> {
    let mut cases = identifiers();
    cases.extend(issuers_and_audiences());
    cases.extend(dates());
    cases.extend(missing());
    cases.extend(confirmations());
    vec![Group::plain("claims").with(cases)]
}

fn identifiers() -> Vec<Case> {
    let mut cases = Vec::new();
    for name in ["sub", "jti", "client_id", "org_id"] {
        let make = match name {
            "sub" | "jti" => Case::cheap,
            // A profile's claims are read of a verified token only.
            _ => Case::claims,
        };
        let wrong = of_every_type()
            .into_iter()
            .filter(|value| !value.is_string());
        for value in wrong.chain([json!(["m2m-acme"])]) {
            let title = format!("{name}: {value}");
            cases.push(make(title, TYPE, good().claim(name, value), MalformedClaim));
        }
        cases.push(make(
            format!("{name} is empty"),
            EMPTY,
            good().claim(name, ""),
            MalformedClaim,
        ));
    }
    cases
}

fn issuers_and_audiences() -> Vec<Case> {
    let values = [
        ("iss", json!(null)),
        ("iss", json!(true)),
        ("iss", json!(5)),
        ("iss", json!([])),
        ("iss", json!([ISSUER])),
        ("iss", json!({"url": ISSUER})),
        ("aud", json!(null)),
        ("aud", json!(true)),
        ("aud", json!(5)),
        ("aud", json!({})),
        ("aud", json!({AUDIENCE: true})),
        ("aud", json!([null])),
        ("aud", json!([5, AUDIENCE])),
        ("aud", json!([AUDIENCE, null])),
        ("aud", json!([AUDIENCE, 5])),
        ("aud", json!([[AUDIENCE]])),
        ("aud", json!([{"aud": AUDIENCE}])),
    ];
    let cases = values.into_iter().map(|(name, value)| {
        let title = format!("{name}: {value}");
        Case::cheap(title, TYPE, good().claim(name, value), MalformedClaim)
    });
    let others = Case::cheap(
        "aud under another name",
        TYPE,
        good().claim("aud", "x").claim("Aud", AUDIENCE),
        Audience,
    );
    cases.chain([others]).collect()
}

fn dates() -> Vec<Case> {
    let wrong = |seconds: u64| -> [(&str, Value); 13] {
        [
            ("null", json!(null)),
            ("true", json!(true)),
            ("a text", json!(seconds.to_string())),
            ("an empty text", json!("")),
            ("a date in a text", json!("2030-01-01T00:00:00Z")),
            ("an array", json!([seconds])),
            ("nothing in an array", json!([])),
            ("an object", json!({})),
            ("a second before the epoch", json!(-1)),
            ("less than a second before the epoch", json!(-0.5)),
            ("the year 10000", json!(253_402_300_800_u64)),
            ("in milliseconds", json!(seconds * 1000)),
            ("the largest integer", json!(u64::MAX)),
        ]
    };
    let mut cases = Vec::new();
    for (name, seconds) in [("exp", NOW + 600), ("nbf", NOW), ("iat", NOW)] {
        for (what, value) in wrong(seconds) {
            let title = format!("{name}: {what}");
            cases.push(Case::cheap(
                title,
                DATE,
                good().claim(name, value),
                MalformedClaim,
            ));
        }
    }
    cases
}

fn missing() -> Vec<Case> {
    let mut cases = Vec::new();
    for name in ["iss", "aud", "exp"] {
        let draft = good().without_claim(name);
        cases.push(Case::cheap(
            format!("no {name}"),
            MISSING,
            draft,
            MissingClaim,
        ));
        let capitals = good().without_claim(name).claim(&name.to_uppercase(), "x");
        cases.push(Case::cheap(
            format!("{name} in capitals"),
            MISSING,
            capitals,
            MissingClaim,
        ));
    }
    let nothing = good().payload_text(|_| b"{}".into());
    cases.push(Case::cheap("no claims", MISSING, nothing, MissingClaim));
    for name in ["sub", "client_id", "iat", "jti"] {
        let draft = good().without_claim(name);
        cases.push(Case::claims(
            format!("no {name}"),
            MISSING,
            draft,
            MissingClaim,
        ));
    }
    let elsewhere = good().without_claim("client_id").claim("azp", "m2m-acme");
    cases.push(Case::claims(
        "the client under another vendor's name",
        MISSING,
        elsewhere,
        MissingClaim,
    ));
    cases
}

fn confirmations() -> Vec<Case> {
    let thumbprint = base64url([7; 32]);
    let jwk = super::signer::STRANGE_ED25519.jwk();
    let bound = [
        ("nothing", json!({})),
        ("a key by its thumbprint", json!({"jkt": thumbprint})),
        (
            "a certificate by its thumbprint",
            json!({"x5t#S256": thumbprint}),
        ),
        ("a key", json!({"jwk": jwk})),
        (
            "a key elsewhere",
            json!({"jku": "https://evil.test/jwks.json"}),
        ),
        ("a key by its kid", json!({"kid": "key-ed25519"})),
        ("a method of tomorrow", json!({"x-future": true})),
        ("a thumbprint that is null", json!({"jkt": null})),
        ("a thumbprint of the wrong type", json!({"jkt": 5})),
        (
            "two methods",
            json!({"jkt": thumbprint, "x5t#S256": thumbprint}),
        ),
    ];
    let cases = bound.into_iter().map(|(name, value)| {
        let title = format!("bound to {name}");
        Case::cheap(
            title,
            BOUND,
            good().claim("cnf", value),
            UnprovenConfirmation,
        )
    });
    let wrong = of_every_type()
        .into_iter()
        .filter(|value| !value.is_object());
    let wrong = wrong.map(|value| {
        let title = format!("cnf: {value}");
        Case::cheap(title, TYPE, good().claim("cnf", value), MalformedClaim)
    });
    cases.chain(wrong).collect()
}
