//! What is sent instead of one bearer token in one `Authorization` header. The token is always a good one.

use countersign::DenialKind::{self, MalformedCredential, MissingCredential, UnsupportedScheme};

use super::{Case, Group, Sent, Stage, good};

const RFC6750: &str = "RFC 6750 §2.1: credentials = \"Bearer\" 1*SP b64token";
const ONE: &str = "RFC 9110 §5.3: one Authorization header";
const SCHEME: &str = "RFC 9110 §11.4: auth-scheme is a token";
const OTHER: &str = "RFC 6750 §3.1: no credential, no error code";
const BOUND: &str = "RFC 9449 §7.1: no downgrade of DPoP to bearer";
const ELSEWHERE: &str = "RFC 9700 §4.3.2: only the Authorization header";

pub(super) fn groups() -> Vec<Group> {
    let token = good().text();
    let mut cases = one_header(&token);
    cases.extend(several_headers(&token));
    cases.extend(other_headers(&token));
    vec![Group::plain("credential").with(cases)]
}

fn case(
    name: &str,
    rule: &'static str,
    sent: Vec<(&'static str, Vec<u8>)>,
    expected: DenialKind,
) -> Case {
    Case {
        name: name.into(),
        rule,
        sent: Sent::Headers(sent),
        expected,
        stage: Stage::Cheap,
        twin: None,
    }
}

fn one_header(token: &str) -> Vec<Case> {
    let cases = ONE_HEADER.iter().map(|(name, rule, value, expected)| {
        let value = value.replace('~', token).into_bytes();
        case(name, rule, vec![("authorization", value)], *expected)
    });
    cases.collect()
}

/// `~` stands for the token.
const ONE_HEADER: &[(&str, &str, &str, DenialKind)] = &[
    ("an empty header", SCHEME, "", MalformedCredential),
    ("the token without a scheme", OTHER, "~", MissingCredential),
    ("the scheme alone", RFC6750, "Bearer", MalformedCredential),
    (
        "the scheme and a space",
        RFC6750,
        "Bearer ",
        MalformedCredential,
    ),
    (
        "the scheme and spaces",
        RFC6750,
        "Bearer    ",
        MalformedCredential,
    ),
    (
        "a tab behind the scheme",
        RFC6750,
        "Bearer\t~",
        MalformedCredential,
    ),
    (
        "a tab behind the space",
        RFC6750,
        "Bearer \t~",
        MalformedCredential,
    ),
    (
        "a space in front of the scheme",
        SCHEME,
        " Bearer ~",
        MalformedCredential,
    ),
    (
        "a space behind the token",
        RFC6750,
        "Bearer ~ ",
        MalformedCredential,
    ),
    (
        "a comma behind the token",
        RFC6750,
        "Bearer ~,",
        MalformedCredential,
    ),
    (
        "a semicolon behind the token",
        RFC6750,
        "Bearer ~;",
        MalformedCredential,
    ),
    (
        "a parameter behind the token",
        RFC6750,
        "Bearer ~ realm=\"api\"",
        MalformedCredential,
    ),
    (
        "the token as a parameter",
        RFC6750,
        "Bearer token=\"~\"",
        MalformedCredential,
    ),
    (
        "the token in quotes",
        RFC6750,
        "Bearer \"~\"",
        MalformedCredential,
    ),
    (
        "the token in angle brackets",
        RFC6750,
        "Bearer <~>",
        MalformedCredential,
    ),
    (
        "two tokens with a space",
        RFC6750,
        "Bearer ~ ~",
        MalformedCredential,
    ),
    (
        "two tokens with a comma",
        RFC6750,
        "Bearer ~,~",
        MalformedCredential,
    ),
    (
        "two credentials in one header",
        RFC6750,
        "Bearer ~, Bearer ~",
        MalformedCredential,
    ),
    (
        "another scheme in front, with a comma",
        SCHEME,
        "Basic dTpw, Bearer ~",
        MissingCredential,
    ),
    (
        "the scheme twice",
        RFC6750,
        "Bearer Bearer ~",
        MalformedCredential,
    ),
    (
        "a colon behind the scheme",
        SCHEME,
        "Bearer: ~",
        MalformedCredential,
    ),
    (
        "an equals sign behind the scheme",
        SCHEME,
        "Bearer=~",
        MalformedCredential,
    ),
    (
        "no space behind the scheme",
        OTHER,
        "Bearer~",
        MissingCredential,
    ),
    (
        "padding in the middle",
        RFC6750,
        "Bearer a=~",
        MalformedCredential,
    ),
    ("padding alone", RFC6750, "Bearer ==", MalformedCredential),
    (
        "a percent sign",
        RFC6750,
        "Bearer %20~",
        MalformedCredential,
    ),
    (
        "a colon in the token",
        RFC6750,
        "Bearer user:~",
        MalformedCredential,
    ),
    (
        "Latin-1 behind the token",
        RFC6750,
        "Bearer ~\u{e9}",
        MalformedCredential,
    ),
    (
        "a no-break space behind the scheme",
        SCHEME,
        "Bearer\u{a0}~",
        MalformedCredential,
    ),
    (
        "a scheme of no ASCII",
        SCHEME,
        "B\u{435}arer ~",
        MalformedCredential,
    ),
    ("the scheme Basic", OTHER, "Basic dTpw", MissingCredential),
    ("the scheme Token", OTHER, "Token ~", MissingCredential),
    ("the scheme JWT", OTHER, "JWT ~", MissingCredential),
    ("the scheme MAC", OTHER, "MAC ~", MissingCredential),
    (
        "a scheme that starts like it",
        OTHER,
        "Bearers ~",
        MissingCredential,
    ),
    (
        "a scheme that it starts like",
        OTHER,
        "Bear ~",
        MissingCredential,
    ),
    ("the scheme DPoP", BOUND, "DPoP ~", UnsupportedScheme),
    ("the scheme dpop", BOUND, "dpop ~", UnsupportedScheme),
    ("the scheme DPoP alone", BOUND, "DPoP", UnsupportedScheme),
    ("DPoP and a tab", SCHEME, "DPoP\t~", MalformedCredential),
    (
        "DPoP and bearer in one header",
        SCHEME,
        "DPoP,Bearer ~",
        MalformedCredential,
    ),
];

fn several_headers(token: &str) -> Vec<Case> {
    let bearer = format!("Bearer {token}");
    let cases = [
        (
            "the same credential twice",
            bearer.as_str(),
            bearer.as_str(),
        ),
        ("a good one and an empty one", bearer.as_str(), ""),
        ("an empty one and a good one", "", bearer.as_str()),
        (
            "a good one and another scheme",
            bearer.as_str(),
            "Basic dTpw",
        ),
        (
            "another scheme and a good one",
            "Basic dTpw",
            bearer.as_str(),
        ),
        ("DPoP and a good one", "DPoP abc", bearer.as_str()),
        ("a bad one and a good one", "Bearer abc", bearer.as_str()),
    ];
    let mut cases: Vec<_> = cases
        .into_iter()
        .map(|(name, one, other)| {
            let sent = [one, other].map(|value| ("authorization", value.into()));
            case(name, ONE, sent.into(), MalformedCredential)
        })
        .collect();
    let three = vec![("authorization", bearer.into_bytes()); 3];
    cases.push(case(
        "three times the same",
        ONE,
        three,
        MalformedCredential,
    ));
    cases
}

fn other_headers(token: &str) -> Vec<Case> {
    let places = [
        ("nowhere", "accept", "*/*".to_owned()),
        ("in a cookie", "cookie", format!("access_token={token}")),
        (
            "in a cookie of the header's name",
            "cookie",
            format!("Authorization=Bearer {token}"),
        ),
        (
            "for the proxy",
            "proxy-authorization",
            format!("Bearer {token}"),
        ),
        (
            "in a header of almost that name",
            "x-authorization",
            format!("Bearer {token}"),
        ),
        (
            "in a forwarded header",
            "x-forwarded-authorization",
            format!("Bearer {token}"),
        ),
        ("in a header of its own", "x-access-token", token.to_owned()),
        ("as a proof", "dpop", token.to_owned()),
        (
            "as a websocket's protocol",
            "sec-websocket-protocol",
            format!("bearer, {token}"),
        ),
        (
            "in the referer",
            "referer",
            format!("https://acme.test/?access_token={token}"),
        ),
    ];
    let cases = places.into_iter().map(|(place, name, value)| {
        let sent = vec![(name, value.into_bytes())];
        case(
            &format!("the token {place}"),
            ELSEWHERE,
            sent,
            MissingCredential,
        )
    });
    cases.collect()
}
