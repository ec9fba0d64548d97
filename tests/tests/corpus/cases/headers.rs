//! Members of the header: of the wrong type, of the wrong value, or none of the token's business.

use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use countersign::Algorithm;
use countersign::Refusal::{
    Algorithm as WrongAlgorithm, CriticalHeader, MalformedHeader, MalformedPayload,
};
use serde_json::{Value, json};

use super::signer::{ED25519, STRANGE_ED25519, Signer};
use super::{Case, Group, base64url, decoded, good, of_every_type};

const ALG: &str = "RFC 7515 §4.1.1: alg is a string and must be there";
const TYP: &str = "RFC 7515 §4.1.9: typ is a string";
const KID: &str = "RFC 7515 §4.1.4: kid is a string";
const KID_GAMES: &str = "RFC 8725 §3.10: kid is untrusted (CVE-2018-0114 and injection by kid)";
const CRIT: &str = "RFC 7515 §4.1.11: unknown critical extensions (CVE-2025-59420)";
const UNENCODED: &str = "RFC 7797 §6: b64 needs crit";
const ZIP: &str = "RFC 7516 §4.1.3: zip is for encrypted tokens";
const NESTED: &str = "RFC 7519 §5.2: a nested token is no claims set";
const EMBEDDED: &str = "RFC 8725 §3.10, CVE-2018-0114: keys are never taken from a token";

pub(super) fn groups() -> Vec<Group> {
    let mut cases = types();
    cases.extend(critical());
    cases.extend(key_ids());
    cases.extend(other_formats());
    cases.extend(embedded_keys());
    cases.extend(certificates());
    vec![Group::plain("header").with(cases)]
}

fn types() -> Vec<Case> {
    let mut cases = vec![
        Case::cheap("no alg", ALG, good().without_header("alg"), MalformedHeader),
        Case::cheap(
            "nothing",
            ALG,
            good().header_text(|_| b"{}".into()),
            MalformedHeader,
        ),
        Case::cheap(
            "alg of another case",
            ALG,
            good().without_header("alg").header("ALG", "Ed25519"),
            MalformedHeader,
        ),
    ];
    for (name, rule) in [("alg", ALG), ("typ", TYP), ("kid", KID)] {
        let wrong = of_every_type()
            .into_iter()
            .filter(|value| !value.is_string());
        cases.extend(wrong.map(|value| {
            let title = format!("{name}: {value}");
            Case::cheap(title, rule, good().header(name, value), MalformedHeader)
        }));
    }
    let array = good().header("alg", json!(["Ed25519"]));
    cases.push(Case::cheap(
        "alg: an array of the right one",
        ALG,
        array,
        MalformedHeader,
    ));
    let array = good().header("kid", json!(["key-ed25519"]));
    cases.push(Case::cheap(
        "kid: an array of the right one",
        KID,
        array,
        MalformedHeader,
    ));
    cases
}

fn critical() -> Vec<Case> {
    let values = [
        json!(null),
        json!([]),
        json!({}),
        json!(false),
        json!(0),
        json!("exp"),
        json!(["exp"]),
        json!(["b64"]),
        json!(["alg"]),
        json!(["crit"]),
        json!(["http://openid.net/specs/heart/2.0/unknown"]),
        json!(["exp", "exp"]),
        json!([""]),
        json!([5]),
    ];
    let cases = values.map(|value| {
        let draft = good().header("crit", value.clone()).header("exp", 1);
        Case::cheap(format!("crit: {value}"), CRIT, draft, CriticalHeader)
    });
    cases.into()
}

fn key_ids() -> Vec<Case> {
    let long = "k".repeat(4000);
    let ids = [
        "",
        " ",
        "key",
        "key-ed2551",
        "key-ed25519 ",
        " key-ed25519",
        "key-ed25519\0",
        "key-ed25519\n",
        "KEY-ED25519",
        "key-ed25519/",
        "key%2Ded25519",
        "key\u{2010}ed25519",
        "\u{a731}ey-ed25519",
        "0",
        "null",
        "*",
        "../../../../../../dev/null",
        "/etc/passwd",
        "file:///dev/null",
        "http://169.254.169.254/latest/meta-data",
        "https://evil.test/jwks.json",
        "' UNION SELECT 'secret' -- ",
        "key-ed25519' OR '1'='1",
        "| sleep 10",
        "${jndi:ldap://evil.test/a}",
        "__proto__",
        long.as_str(),
    ];
    let cases = ids.map(|id| {
        let title: String = id.chars().take(40).collect();
        Case::unknown_key(
            format!("kid: {title:?}"),
            KID_GAMES,
            good().header("kid", id),
        )
    });
    cases.into()
}

/// A deflated stream of one stored block (RFC 1951 §3.2.4).
fn stored(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap();
    let (length, complement) = (length.to_le_bytes(), (!length).to_le_bytes());
    [&[1], &length[..], &complement[..], bytes].concat()
}

fn other_formats() -> Vec<Case> {
    let over_the_payload_itself = |signed: &[u8]| {
        let signed = std::str::from_utf8(signed).unwrap();
        let (header, payload) = signed.split_once('.').unwrap();
        let unencoded = [header.as_bytes(), b".", &decoded(payload)].concat();
        ED25519.sign(Algorithm::Ed25519, &unencoded)
    };
    let encrypted = good().header("enc", "A256GCM");
    let nested = good().text();
    vec![
        Case::bad_signature(
            "b64: false, signed over the payload unencoded",
            UNENCODED,
            good().header("b64", false).signed(over_the_payload_itself),
        ),
        Case::cheap(
            "b64: false, declared",
            UNENCODED,
            good()
                .header("b64", false)
                .header("crit", json!(["b64"]))
                .signed(over_the_payload_itself),
            CriticalHeader,
        ),
        Case::cheap(
            "zip: DEF, the payload deflated",
            ZIP,
            good()
                .header("zip", "DEF")
                .payload_text(|text| stored(text.as_bytes())),
            MalformedPayload,
        ),
        Case::cheap(
            "cty: JWT, a token within",
            NESTED,
            good()
                .header("cty", "JWT")
                .payload_text(|_| nested.clone().into()),
            MalformedPayload,
        ),
        Case::cheap(
            "a header of an encrypted token",
            "RFC 7516 §9: a JWE is no JWS",
            encrypted.header("alg", "RSA-OAEP-256"),
            WrongAlgorithm,
        ),
        Case::cheap(
            "a header of a token encrypted directly",
            "RFC 7516 §9: a JWE is no JWS",
            good().header("enc", "A128GCM").header("alg", "dir"),
            WrongAlgorithm,
        ),
    ]
}

/// Signed by a stranger, whose key comes along or is pointed to, under each name that the token could give it.
fn by_a_stranger(name: &str, stranger: &'static Signer, member: &str, value: &Value) -> Vec<Case> {
    let draft = good()
        .signed_by(stranger, Algorithm::Ed25519)
        .header(member, value.clone());
    vec![
        Case::bad_signature(
            format!("{name}, under the kid of the issuer's key"),
            EMBEDDED,
            draft.clone(),
        ),
        Case::bad_signature(
            format!("{name}, without kid"),
            EMBEDDED,
            draft.clone().without_header("kid"),
        ),
        Case::unknown_key(
            format!("{name}, under its own kid"),
            EMBEDDED,
            draft.header("kid", stranger.kid),
        ),
    ]
}

fn embedded_keys() -> Vec<Case> {
    let jwk = STRANGE_ED25519.jwk();
    let mut under_our_kid = jwk.clone();
    under_our_kid["kid"] = json!(ED25519.kid);
    let mut private = jwk.clone();
    private["d"] = json!(base64url([7; 32]));
    let oct = json!({"kty": "oct", "k": base64url("secret"), "kid": ED25519.kid});
    let embedded: [(&str, &str, Value); 9] = [
        ("an embedded key", "jwk", jwk.clone()),
        ("an embedded key of the issuer's kid", "jwk", under_our_kid),
        ("an embedded private key", "jwk", private),
        ("an embedded secret", "jwk", oct),
        ("an embedded key in a text", "jwk", json!(jwk.to_string())),
        ("embedded keys", "jwks", json!({"keys": [jwk]})),
        (
            "a key elsewhere",
            "jku",
            json!("https://evil.test/jwks.json"),
        ),
        (
            "a key at the issuer's with a redirect",
            "jku",
            json!("https://as.acme.test/redirect?to=https://evil.test"),
        ),
        ("a key in a file", "jku", json!("file:///tmp/jwks.json")),
    ];
    let cases = embedded
        .into_iter()
        .flat_map(|(name, member, value)| by_a_stranger(name, &STRANGE_ED25519, member, &value));
    cases.collect()
}

fn certificates() -> Vec<Case> {
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["as.acme.test".into()])
        .unwrap()
        .self_signed(&pair)
        .unwrap();
    let der = certificate.der();
    let pair = Ed25519KeyPair::from_pkcs8(&pair.serialize_der()).unwrap();
    // The cases live as long as the program.
    let stranger: &'static Signer = Box::leak(Box::new(Signer::of_ed25519("evil-certified", pair)));
    let thumbprint = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, der);
    let members = [
        (
            "an embedded certificate",
            "x5c",
            json!([STANDARD.encode(der)]),
        ),
        (
            "an embedded certificate in a text",
            "x5c",
            json!(STANDARD.encode(der)),
        ),
        (
            "a certificate elsewhere",
            "x5u",
            json!("https://evil.test/chain.pem"),
        ),
        (
            "the thumbprint of a certificate",
            "x5t#S256",
            json!(base64url(thumbprint)),
        ),
        (
            "the short thumbprint of a certificate",
            "x5t",
            json!(base64url([7; 20])),
        ),
    ];
    let cases = members
        .into_iter()
        .flat_map(|(name, member, value)| by_a_stranger(name, stranger, member, &value));
    cases.collect()
}
