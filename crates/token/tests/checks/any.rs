use countersign_token::{ClaimsProfile, CompactToken, UnverifiedToken};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{AUDIENCE, ISSUER, NOW, World, base64url, check_cheaply};

/// Values of a member, `None` for its absence: those of a good token, and others.
struct Member {
    name: &'static str,
    good: Vec<Option<Value>>,
    bad: Vec<Option<Value>>,
}

fn member<const G: usize, const B: usize>(
    name: &'static str,
    good: [Value; G],
    bad: [Value; B],
) -> Member {
    Member {
        name,
        good: good.into_iter().map(Some).collect(),
        bad: bad.into_iter().map(Some).collect(),
    }
}

impl Member {
    fn optional(mut self) -> Self {
        self.good.push(None);
        self
    }

    fn required(mut self) -> Self {
        self.bad.push(None);
        self
    }

    /// A value and whether it is good; mostly it is.
    fn any(self) -> impl Strategy<Value = (&'static str, Option<Value>, bool)> {
        let name = self.name;
        prop_oneof![
            8 => prop::sample::select(self.good).prop_map(|value| (value, true)),
            1 => prop::sample::select(self.bad).prop_map(|value| (value, false)),
        ]
        .prop_map(move |(value, is_good)| (name, value, is_good))
    }
}

fn claims() -> Vec<Member> {
    let names = |name| {
        member(
            name,
            [json!("a"), json!("m2m-acme")],
            [json!(""), json!(5), json!(null)],
        )
    };
    let dates = |name, good, bad: u64| {
        member(
            name,
            [json!(good)],
            [json!(bad), json!("0"), json!(null), json!(-1)],
        )
    };
    vec![
        member(
            "iss",
            [json!(ISSUER)],
            [json!("https://as.acme.test/"), json!([ISSUER]), json!(null)],
        )
        .required(),
        member(
            "aud",
            [json!(AUDIENCE), json!(["x", AUDIENCE])],
            [json!("x"), json!([AUDIENCE, 5]), json!([])],
        )
        .required(),
        dates("exp", NOW + 60, NOW - 60).required(),
        dates("nbf", NOW - 60, NOW + 60).optional(),
        dates("iat", NOW - 60, NOW + 60).required(),
        names("sub").required(),
        names("jti").required(),
        names("client_id").required(),
        names("org_id").optional(),
        member(
            "scope",
            [json!(""), json!("a b"), json!(["a"])],
            [json!("a\t"), json!(["a b"]), json!({})],
        )
        .optional(),
        member("cnf", [], [json!({"jkt": "x"}), json!({}), json!(null)]).optional(),
        member("nonce", [json!("n"), json!(null)], [json!({})]).optional(),
    ]
}

fn headers() -> Vec<Member> {
    vec![
        member(
            "typ",
            [json!("at+jwt"), json!("application/AT+JWT")],
            [json!("JWT"), json!(5), json!("")],
        )
        .required(),
        member(
            "alg",
            [json!("Ed25519")],
            [json!("none"), json!("HS256"), json!("EdDSA"), json!(null)],
        )
        .required(),
        member("crit", [], [json!([]), json!(["b64"]), json!(null)]).optional(),
        member("jwk", [json!({}), json!("x")], [json!(5)]).optional(),
    ]
}

/// Whether a member that is never read is among the bad ones does not matter.
const NEVER_READ: [&str; 2] = ["jwk", "nonce"];

proptest! {
    #[test]
    fn a_token_is_accepted_if_and_only_if_everything_in_it_is_right(
        claims in claims().into_iter().map(Member::any).collect::<Vec<_>>(),
        headers in headers().into_iter().map(Member::any).collect::<Vec<_>>(),
        tampered: bool,
    ) {
        let world = World::new();
        let mut token = world.token();
        let mut is_good = !tampered;
        for (name, value, good) in claims {
            is_good &= good || NEVER_READ.contains(&name);
            token = match value {
                Some(value) => token.with_claim(name, value),
                None => token.without_claim(name),
            };
        }
        for (name, value, good) in headers {
            is_good &= good || NEVER_READ.contains(&name);
            token = match value {
                Some(value) => token.with_header(name, value),
                None => token.without_header(name),
            };
        }
        if tampered {
            token = token.tampered();
        }
        let token = token.mint();
        prop_assert_eq!(world.decide(&token).is_ok(), is_good, "{}", token);
    }

    #[test]
    fn no_text_makes_a_check_panic_and_none_is_accepted(
        text in r"([A-Za-z0-9_=+/ -]{0,12}\.?|\PC){0,5}",
        header: Vec<u8>,
        payload: Vec<u8>,
    ) {
        let trusted = World::new().trusted();
        let encoded = format!("{}.{}.AAAA", base64url(&header), base64url(&payload));
        for token in [text, encoded] {
            prop_assert!(check_cheaply(&token, &trusted).is_err());
        }
    }

    #[test]
    fn no_payload_that_the_issuer_signs_makes_a_profile_panic(
        value in r#"(null|5|"a"|"app"|\["a"\]|\{"id":"a"\}|\{"a":\{"id":"b"\}\}|true)"#,
        place in 0_usize..14,
        profile in prop::sample::select(&ClaimsProfile::NAMES[..]),
    ) {
        const NAMES: [&str; 14] = [
            "sub", "jti", "client_id", "azp", "appid", "org_id", "oid", "tid", "scope", "scopes", "scp",
            "permissions", "organization", "typ",
        ];
        let world = World::new();
        let profile = ClaimsProfile::by_name(profile).unwrap();
        let trusted = world.trusted().with_profile(profile);
        let value: Value = serde_json::from_str(&value).unwrap();
        let token = world.token().with_claim("azp", "m2m-acme").with_claim(NAMES[place], value);
        for typ in ["JWT", "at+jwt"] {
            let token = token.clone().with_header("typ", typ).mint();
            let compact = CompactToken::decode(&token).unwrap();
            prop_assert!(UnverifiedToken::read(&compact).is_ok());
            // Whatever comes of it.
            let _ = world.decide_by(&trusted, &token);
        }
    }
}
