//! Who the token is from and for: near misses of `iss` and `aud`, and issuers that are taken for one another.

use countersign::Refusal::{self, Audience, UnknownIssuer};
use countersign::{Algorithm, Issuer};
use serde_json::{Value, json};

use super::signer::{ED25519, P256, STRANGE_ED25519};
use super::{AUDIENCE, Case, Draft, Group, ISSUER, good, issuer, key_set};

const ISS: &str = "RFC 7519 §4.1.1, RFC 8725 §3.8: iss is compared byte for byte";
const AUD: &str = "RFC 7519 §4.1.3, RFC 8725 §3.9: aud must name this resource";
const MIX_UP: &str = "RFC 8725 §3.8, CVE-2026-49998: an issuer's keys are its own";

const OTHER: &str = "https://other.acme.test";

pub(super) fn groups() -> Vec<Group> {
    let mut cases: Vec<_> = near_misses(ISSUER)
        .map(|(name, iss)| {
            (
                format!("iss {name}"),
                good().claim("iss", iss),
                ISS,
                UnknownIssuer,
            )
        })
        .into_iter()
        .chain(near_misses(AUDIENCE).map(|(name, aud)| {
            (
                format!("aud {name}"),
                good().claim("aud", aud),
                AUD,
                Audience,
            )
        }))
        .map(as_case)
        .collect();
    cases.extend(other_audiences().map(as_case));
    cases.extend(other_issuers().map(as_case));
    vec![Group::plain("iss and aud").with(cases), mixed_up()]
}

fn as_case((name, draft, rule, refusal): (String, Draft, &'static str, Refusal)) -> Case {
    Case::cheap(name, rule, draft, refusal)
}

/// Texts that a careless comparison takes for the URL.
fn near_misses(url: &str) -> [(&'static str, String); 24] {
    let host = url.strip_prefix("https://").unwrap();
    [
        ("with a slash", format!("{url}/")),
        ("with two slashes", format!("{url}//")),
        ("without its last letter", url[..url.len() - 1].to_owned()),
        ("with a letter more", format!("{url}s")),
        ("as the beginning of a host", format!("{url}.evil.test")),
        ("as user of a host", format!("{url}@evil.test")),
        ("with a path", format!("{url}/tenant")),
        ("with a query", format!("{url}?")),
        ("with a fragment", format!("{url}#")),
        ("with the default port", format!("{url}:443")),
        ("with a dot behind the host", format!("{url}.")),
        ("with a dot segment", format!("{url}/.")),
        ("in capitals", url.to_uppercase()),
        ("with a scheme in capitals", format!("HTTPS://{host}")),
        ("with one capital", url.replacen(".acme", ".Acme", 1)),
        ("without a scheme", host.to_owned()),
        ("without TLS", format!("http://{host}")),
        ("with a space behind", format!("{url} ")),
        ("with a space in front", format!(" {url}")),
        ("with a NUL behind", format!("{url}\0")),
        ("with a space of no width", format!("{url}\u{200b}")),
        (
            "with a letter of another script",
            url.replacen('a', "\u{430}", 1),
        ),
        ("with an escape", url.replacen('a', "%61", 1)),
        (
            "with an accent over a letter",
            url.replacen('e', "e\u{301}", 1),
        ),
    ]
}

fn other_audiences() -> [(String, Draft, &'static str, Refusal); 15] {
    let values: [(&str, Value); 15] = [
        ("of nobody, as an array", json!([])),
        ("of an empty text", json!("")),
        ("of an empty text in an array", json!([""])),
        ("of somebody else", json!("https://other.test")),
        (
            "of several others",
            json!(["https://other.test", "https://third.test"]),
        ),
        (
            "of two near misses",
            json!([format!("{AUDIENCE}/"), AUDIENCE.to_uppercase()]),
        ),
        ("of the issuer", json!(ISSUER)),
        ("of the client", json!("m2m-acme")),
        (
            "with a comma between",
            json!(format!("{AUDIENCE},https://other.test")),
        ),
        (
            "with a space between",
            json!(format!("{AUDIENCE} https://other.test")),
        ),
        ("as an array in a text", json!(format!("[\"{AUDIENCE}\"]"))),
        ("of everybody", json!("*")),
        ("with a wildcard", json!("https://*.acme.test")),
        ("with a pattern", json!(".*")),
        ("of the host alone, in an array", json!(["api.acme.test"])),
    ];
    values.map(|(name, value)| {
        (
            format!("aud {name}"),
            good().claim("aud", value),
            AUD,
            Audience,
        )
    })
}

fn other_issuers() -> [(String, Draft, &'static str, Refusal); 6] {
    let values = [
        ("of nobody", ""),
        ("of the audience", AUDIENCE),
        ("of somebody else", "https://evil.test"),
        ("of two", "https://as.acme.test https://evil.test"),
        ("of everybody", "*"),
        ("of the very word null", "null"),
    ];
    values.map(|(name, value)| {
        (
            format!("iss {name}"),
            good().claim("iss", value),
            ISS,
            UnknownIssuer,
        )
    })
}

/// Two issuers with one set of two keys: each may use only its own algorithm's.
fn mixed_up() -> Group {
    let keys = key_set(&[ED25519.jwk(), P256.jwk()]);
    let mut group = Group::new(
        "iss and aud",
        issuer().dangerous_any_organization(),
        &keys,
        good(),
    );
    group.others.push(
        Issuer::new(OTHER, "https://other-api.acme.test")
            .with_algorithms([Algorithm::ES256])
            .dangerous_any_organization(),
    );
    // The key of the other algorithm is no key to the first issuer.
    group.skipped = vec![(1, "not_allowed")];
    group.with(taken_for_another())
}

fn taken_for_another() -> [Case; 6] {
    let of_the_other = Draft::new(&P256, Algorithm::ES256)
        .claim("iss", OTHER)
        .claim("aud", "https://other-api.acme.test");
    let as_first = of_the_other
        .clone()
        .claim("iss", ISSUER)
        .claim("aud", AUDIENCE);
    [
        Case::cheap(
            "a token of one issuer with the audience of the other",
            MIX_UP,
            good().claim("aud", "https://other-api.acme.test"),
            Audience,
        ),
        Case::cheap(
            "the other issuer's algorithm",
            MIX_UP,
            as_first.clone(),
            Refusal::Algorithm,
        ),
        Case::unknown_key(
            "the other issuer's kid",
            MIX_UP,
            as_first.header("alg", "Ed25519"),
        ),
        Case::bad_signature(
            "a stranger's signature under a kid of ours",
            MIX_UP,
            good().signed_by(&STRANGE_ED25519, Algorithm::Ed25519),
        ),
        Case::cheap(
            "the first issuer's algorithm at the other",
            MIX_UP,
            good()
                .claim("iss", OTHER)
                .claim("aud", "https://other-api.acme.test"),
            Refusal::Algorithm,
        ),
        Case::cheap(
            "the audience of the first at the other",
            MIX_UP,
            of_the_other.clone().claim("aud", AUDIENCE),
            Audience,
        ),
    ]
}
