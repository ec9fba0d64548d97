use countersign_token::Refusal::{self, MalformedClaim, MissingClaim, UnknownIssuer};
use serde_json::{Value, json};

use crate::support::{AUDIENCE, World};

#[test]
fn the_issuer_is_compared_byte_for_byte() {
    let world = World::new();
    let near_misses = [
        "https://as.acme.test/",
        "https://AS.acme.test",
        "HTTPS://as.acme.test",
        "http://as.acme.test",
        "https://as.acme.test.",
        "https://as.acme.tes",
        "https://as.acme.test.evil.test",
        "https://as.acme.test@evil.test",
        "https://as.acme.test:443",
        "https://as.acme.test#",
        "https://as.acme.test?",
        " https://as.acme.test",
        "https://as.acme.test\n",
        "https://as.acme.test\0",
        "https://as%2Eacme.test",
        "https://\u{430}s.acme.test",
        "",
    ];
    for iss in near_misses {
        let token = world.token().with_claim("iss", iss).mint();
        assert_eq!(world.decide(&token), Err(UnknownIssuer), "{iss:?}");
    }
    let escaped = br#"{"iss":"https:\/\/as.acme.t\u0065st"}"#;
    let token = world.token().with_payload(&escaped[..]).mint();
    assert_eq!(
        world.decide(&token),
        Err(MissingClaim),
        "the name is right, aud is missing"
    );
}

#[test]
fn a_slash_at_the_end_belongs_to_the_name() {
    let world = World::named("https://as.acme.test/");
    assert_eq!(world.decide(&world.token().mint()), Ok(()));
    let token = world
        .token()
        .with_claim("iss", "https://as.acme.test")
        .mint();
    assert_eq!(world.decide(&token), Err(UnknownIssuer));
}

#[test]
fn an_issuer_that_is_no_string_is_refused() {
    let world = World::new();
    let token = world.token().without_claim("iss").mint();
    assert_eq!(world.decide(&token), Err(MissingClaim));
    for iss in [
        json!(null),
        json!(5),
        json!(true),
        json!(["https://as.acme.test"]),
        json!({}),
    ] {
        let token = world.token().with_claim("iss", iss.clone()).mint();
        assert_eq!(world.decide(&token), Err(MalformedClaim), "{iss}");
    }
}

fn decide_audience(world: &World, aud: &Value) -> Result<(), Refusal> {
    world.decide(&world.token().with_claim("aud", aud.clone()).mint())
}

#[test]
fn a_token_must_be_meant_for_one_of_the_audiences() {
    let world = World::new();
    let accepted = [
        json!(AUDIENCE),
        json!([AUDIENCE]),
        json!(["https://other.test", AUDIENCE]),
        json!([AUDIENCE, AUDIENCE, ""]),
    ];
    for aud in accepted {
        assert_eq!(decide_audience(&world, &aud), Ok(()), "{aud}");
    }
    let wrong = [
        json!("https://api.acme.test/"),
        json!("https://API.acme.test"),
        json!("https://api.acme.test/v1"),
        json!("https://api.acme.tes"),
        json!(" https://api.acme.test"),
        json!("https://other.test https://api.acme.test"),
        json!("https://other.test,https://api.acme.test"),
        json!("*"),
        json!(""),
        json!([]),
        json!([""]),
        json!(["https://api.acme.test/", "https://other.test"]),
    ];
    for aud in wrong {
        assert_eq!(
            decide_audience(&world, &aud),
            Err(Refusal::Audience),
            "{aud}"
        );
    }
    let malformed = [
        json!(null),
        json!(5),
        json!(true),
        json!({}),
        json!({"aud": AUDIENCE}),
        json!([AUDIENCE, 5]),
        json!([null, AUDIENCE]),
        json!([[AUDIENCE]]),
        json!([{}]),
    ];
    for aud in malformed {
        assert_eq!(decide_audience(&world, &aud), Err(MalformedClaim), "{aud}");
    }
    let token = world.token().without_claim("aud").mint();
    assert_eq!(world.decide(&token), Err(MissingClaim));
}

#[test]
fn each_of_several_audiences_is_enough() {
    let world = World::new();
    let trusted = world
        .trusted()
        .with_audiences(["https://a.test", "https://b.test"]);
    let cases = [
        (json!("https://a.test"), Ok(())),
        (json!("https://b.test"), Ok(())),
        (json!(["https://c.test", "https://b.test"]), Ok(())),
        (json!("https://c.test"), Err(Refusal::Audience)),
        (json!(AUDIENCE), Err(Refusal::Audience)),
    ];
    for (aud, expected) in cases {
        let token = world.token().with_claim("aud", aud.clone()).mint();
        assert_eq!(world.decide_by(&trusted, &token), expected, "{aud}");
    }
}
