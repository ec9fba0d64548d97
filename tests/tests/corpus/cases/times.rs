//! Each edge of the times, from both sides.

use std::time::Duration;

use countersign::Issuer;
use countersign::Refusal::{
    self, Expired, IssuedInFuture, LifetimeTooLong, MissingClaim, NotYetValid, TooOld,
};
use serde_json::{Number, Value, json};

use super::signer::ED25519;
use super::{Case, Draft, Group, NOW, good, issuer, key_set};

const EXP: &str = "RFC 7519 §4.1.4: on or after exp, less the leeway";
const NBF: &str = "RFC 7519 §4.1.5: before nbf, less the leeway";
const IAT: &str = "RFC 7519 §4.1.6: issued in the future";
const AGE: &str = "maximum age";
const LIFETIME: &str = "maximum lifetime";

pub(super) fn groups() -> Vec<Group> {
    let leeways = [30, 0, 300].map(|leeway| {
        let strict = issuer().with_leeway(Duration::from_secs(leeway));
        group(strict).with(edges(leeway))
    });
    let mut groups: Vec<_> = leeways.into();
    groups[0].cases.extend(long_ago());
    groups.push(group(issuer().with_max_age(Duration::from_secs(100))).with(ages()));
    groups.push(group(issuer().with_max_lifetime(Duration::from_secs(600))).with(lifetimes()));
    groups
}

fn group(issuer: Issuer) -> Group {
    Group::new("times", issuer, &key_set(&[ED25519.jwk()]), good())
}

/// A number with a fraction of three digits.
fn seconds(whole: u64, thousandths: u64) -> Value {
    let text = format!("{whole}.{thousandths:03}");
    Value::Number(text.parse::<Number>().unwrap())
}

fn edge(name: String, rule: &'static str, (bad, refusal): (Draft, Refusal), twin: Draft) -> Case {
    Case::cheap(name, rule, bad, refusal).with_twin(twin)
}

fn edges(leeway: u64) -> Vec<Case> {
    let (past, future) = (NOW - leeway, NOW + leeway);
    let exp = |value: Value| good().claim("exp", value);
    let nbf = |value: Value| good().claim("nbf", value);
    let iat = |value: Value| good().claim("iat", value);
    let title = |what: &str| format!("leeway of {leeway} s: {what}");
    vec![
        edge(
            title("exp is now"),
            EXP,
            (exp(json!(past)), Expired),
            exp(json!(past + 1)),
        ),
        edge(
            title("exp was a thousandth ago"),
            EXP,
            (exp(seconds(past - 1, 999)), Expired),
            exp(seconds(past, 1)),
        ),
        edge(
            title("exp was a second ago"),
            EXP,
            (exp(json!(past - 1)), Expired),
            exp(json!(past + 1)),
        ),
        edge(
            title("nbf is in a second"),
            NBF,
            (nbf(json!(future + 1)), NotYetValid),
            nbf(json!(future)),
        ),
        edge(
            title("nbf is in a thousandth"),
            NBF,
            (nbf(seconds(future, 1)), NotYetValid),
            nbf(seconds(future - 1, 999)),
        ),
        edge(
            title("iat is in a second"),
            IAT,
            (iat(json!(future + 1)), IssuedInFuture),
            iat(json!(future)),
        ),
        edge(
            title("iat is in a thousandth"),
            IAT,
            (iat(seconds(future, 1)), IssuedInFuture),
            iat(seconds(future - 1, 999)),
        ),
    ]
}

fn long_ago() -> Vec<Case> {
    let number = |text: &str| Value::Number(text.parse::<Number>().unwrap());
    let rows: [(&str, &'static str, Draft, Refusal); 9] = [
        ("exp is the epoch", EXP, good().claim("exp", 0), Expired),
        (
            "exp is minus zero",
            EXP,
            good().claim("exp", number("-0.0")),
            Expired,
        ),
        (
            "exp is just behind the epoch",
            EXP,
            good().claim("exp", number("1e-300")),
            Expired,
        ),
        (
            "exp is small by its exponent",
            EXP,
            good().claim("exp", number("1.8e8")),
            Expired,
        ),
        ("exp is a duration", EXP, good().claim("exp", 600), Expired),
        (
            "nbf is in the year 9999",
            NBF,
            good().claim("nbf", 253_402_300_799_u64),
            NotYetValid,
        ),
        (
            "iat is in the year 9999",
            IAT,
            good().claim("iat", 253_402_300_799_u64),
            IssuedInFuture,
        ),
        (
            "it ends before it begins",
            EXP,
            good().claim("exp", NOW - 600).claim("nbf", NOW + 600),
            Expired,
        ),
        (
            "it was issued after it began",
            IAT,
            good().claim("iat", NOW + 600).claim("nbf", NOW),
            IssuedInFuture,
        ),
    ];
    let cases = rows.map(|(name, rule, draft, refusal)| Case::cheap(name, rule, draft, refusal));
    cases.into()
}

fn ages() -> Vec<Case> {
    let iat = |value: Value| good().claim("iat", value);
    vec![
        edge(
            "issued a second too long ago".into(),
            AGE,
            (iat(json!(NOW - 131)), TooOld),
            iat(json!(NOW - 130)),
        ),
        edge(
            "issued a thousandth too long ago".into(),
            AGE,
            (iat(seconds(NOW - 131, 999)), TooOld),
            iat(seconds(NOW - 130, 1)),
        ),
        Case::cheap("issued at the epoch", AGE, iat(json!(0)), TooOld),
        Case::cheap("of no age", AGE, good().without_claim("iat"), MissingClaim),
        Case::cheap(
            "issued in the future",
            IAT,
            iat(json!(NOW + 31)),
            IssuedInFuture,
        ),
    ]
}

fn lifetimes() -> Vec<Case> {
    let exp = |value: Value| good().claim("exp", value);
    vec![
        edge(
            "a second too long".into(),
            LIFETIME,
            (exp(json!(NOW + 601)), LifetimeTooLong),
            exp(json!(NOW + 600)),
        ),
        edge(
            "a thousandth too long".into(),
            LIFETIME,
            (exp(seconds(NOW + 600, 1)), LifetimeTooLong),
            exp(seconds(NOW + 599, 999)),
        ),
        Case::cheap(
            "for ever",
            LIFETIME,
            exp(json!(253_402_300_799_u64)),
            LifetimeTooLong,
        ),
        Case::cheap(
            "a lifetime that nearly is over",
            LIFETIME,
            good().claim("iat", NOW - 86_400).claim("exp", NOW + 60),
            LifetimeTooLong,
        ),
        Case::cheap(
            "of no beginning",
            LIFETIME,
            good().without_claim("iat"),
            MissingClaim,
        ),
    ]
}
