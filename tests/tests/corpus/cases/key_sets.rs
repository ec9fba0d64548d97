//! Sets in which no key can be told from another, and what is no set at all.

use countersign::{Algorithm, DenialKind};
use serde_json::{Value, json};

use super::keys::{PRIVATE, SYMMETRIC, ed25519, of_all, p256, rsa};
use super::signer::{ED25519, P256, P384, RSA, STRANGE_ED25519};
use super::{Case, Draft, Group, Sent, Stage, base64url, good, issuer, key_set};

const CONFLICT: &str = "RFC 7517 §4.5: one kid, two keys";
const SET: &str = "RFC 7517 §5: a JWK set";
const LIMIT: &str = "256 KiB and 100 keys at most";

pub(super) fn groups() -> Vec<Group> {
    let mut groups = conflicts();
    groups.extend(unusable_sets());
    groups
}

/// Two different keys of one kid: neither can be told from the other.
fn conflicts() -> Vec<Group> {
    let pairs = [
        (
            "two Ed25519 keys",
            ed25519(),
            ED25519.jwk(),
            (&*ED25519, Algorithm::Ed25519),
        ),
        ("two RSA keys", rsa(), RSA.jwk(), (&*RSA, Algorithm::RS256)),
        (
            "keys on two curves",
            p256(),
            P384.jwk(),
            (&*P384, Algorithm::ES384),
        ),
    ];
    pairs
        .into_iter()
        .map(|(name, (stranger, of), mut theirs, (signer, algorithm))| {
            let mut ours = stranger.jwk();
            ours["kid"] = json!("both");
            theirs["kid"] = json!("both");
            let good_key = P256.jwk();
            let keys = key_set(&[ours, good_key, theirs]);
            let good = Draft::new(&P256, Algorithm::ES256);
            let mut group = Group::new("keys", of_all(), &keys, good);
            group.skipped = vec![(0, "conflict"), (2, "conflict")];
            let first = Draft::new(stranger, of).header("kid", "both");
            let second = Draft::new(signer, algorithm).header("kid", "both");
            group.with([
                Case::unknown_key(format!("{name} of one kid, the first"), CONFLICT, first),
                Case::unknown_key(format!("{name} of one kid, the second"), CONFLICT, second),
            ])
        })
        .chain([no_kid_and_two_that_fit()])
        .collect()
}

/// Without `kid` a token gets a key only if exactly one fits.
fn no_kid_and_two_that_fit() -> Group {
    let keys = key_set(&[ED25519.jwk(), STRANGE_ED25519.jwk()]);
    let case = |name: &str, draft: Draft| {
        Case::key_mismatch(
            format!("no kid, and two keys that fit, {name}"),
            CONFLICT,
            draft,
        )
    };
    let second = Draft::new(&STRANGE_ED25519, Algorithm::Ed25519);
    Group::new("keys", issuer(), &keys, good()).with([
        case("the first signed", good().without_header("kid")),
        case("the second signed", second.clone().without_header("kid")).with_twin(second),
    ])
}

/// What is published, and why it is no key set.
type Row = (&'static str, &'static str, Vec<u8>, &'static str);

fn unusable_sets() -> Vec<Group> {
    let key = ED25519.jwk().to_string();
    let set = format!(r#"{{"keys":[{key}]}}"#);
    let mut rows = other_objects(&key);
    rows.extend(spoilt(&set));
    rows.extend(without_a_key(&key));
    rows.push((
        "101 keys",
        LIMIT,
        of_many(&key, 101).into(),
        "too_many_keys",
    ));
    let padded = [set.as_bytes(), &vec![b' '; 256 * 1024]].concat();
    rows.push(("more than 256 KiB", LIMIT, padded, "too_large"));
    let groups = rows.into_iter().map(|(name, rule, keys, failure)| {
        let mut group = Group::new("keys", issuer(), &Value::Null, good());
        group.keys = keys;
        group.good = None;
        group.failure = Some(failure);
        group.with([Case {
            name: format!("a set that is {name}"),
            rule,
            sent: Sent::Token(good()),
            expected: DenialKind::KeysUnavailable,
            stage: Stage::NoKeys,
            twin: None,
        }])
    });
    groups.chain([at_the_limits(of_many(&key, 100))]).collect()
}

fn of_many(key: &str, count: usize) -> String {
    let keys: Vec<_> = (0..count)
        .map(|place| key.replace(ED25519.kid, &format!("key-{place}")))
        .collect();
    format!(r#"{{"keys":[{}]}}"#, keys.join(","))
}

fn other_objects(key: &str) -> Vec<Row> {
    let quoted = json!({"keys": format!("[{key}]")}).to_string();
    let rows = [
        ("nothing", String::new()),
        ("a page", "<html><body>Sign in</body></html>".into()),
        ("null", "null".into()),
        ("an object without keys", "{}".into()),
        ("keys that are null", r#"{"keys":null}"#.into()),
        (
            "keys that are an object",
            format!(r#"{{"keys":{{"a":{key}}}}}"#),
        ),
        ("keys that are a text", quoted),
        ("keys of another case", format!(r#"{{"Keys":[{key}]}}"#)),
        ("an array of keys", format!("[{key}]")),
        ("a key alone", key.to_owned()),
        (
            "a set within a set",
            format!(r#"{{"jwks":{{"keys":[{key}]}}}}"#),
        ),
        (
            "keys twice",
            format!(r#"{{"keys":[{key}],"keys":[{key}]}}"#),
        ),
    ];
    rows.map(|(name, text)| (name, SET, text.into(), "malformed"))
        .into()
}

fn spoilt(set: &str) -> Vec<Row> {
    let rows: [(_, Vec<u8>); 5] = [
        ("a set cut short", set[..set.len() - 1].into()),
        ("something behind the set", format!("{set}x").into()),
        ("a byte order mark", format!("\u{feff}{set}").into()),
        ("a set that is no UTF-8", [set.as_bytes(), b"\xff"].concat()),
        (
            "a signed set",
            format!("e30.{}.AAAA", base64url(set)).into(),
        ),
    ];
    rows.map(|(name, text)| (name, SET, text, "malformed"))
        .into()
}

fn without_a_key(key: &str) -> Vec<Row> {
    let secret = r#"{"keys":[{"kty":"oct","k":"AAAA","kid":"key-ed25519"}]}"#;
    let private = key.replace('}', r#","d":"AAAA"}"#);
    let of_another = key_set(&[P256.jwk()]).to_string();
    let rows = [
        ("no keys", SET, r#"{"keys":[]}"#.into()),
        (
            "nothing but nothing",
            SET,
            r#"{"keys":[null,5,"x",[],{}]}"#.into(),
        ),
        ("a secret alone", SYMMETRIC, secret.into()),
        (
            "a private key alone",
            PRIVATE,
            format!(r#"{{"keys":[{private}]}}"#),
        ),
        ("a key of another algorithm alone", SET, of_another),
    ];
    rows.map(|(name, rule, text)| (name, rule, text.into_bytes(), "no_usable_key"))
        .into()
}

/// As many keys and as many bytes as there may be; one that is not among them is unknown.
fn at_the_limits(set: String) -> Group {
    let mut keys = set.into_bytes();
    keys.resize(256 * 1024, b' ');
    let mut group = Group::new(
        "keys",
        issuer(),
        &Value::Null,
        good().header("kid", "key-99"),
    );
    group.keys = keys;
    let one_more = good().header("kid", "key-100");
    group.with([Case::unknown_key(
        "the 101st key of a set of 100",
        LIMIT,
        one_more,
    )])
}
