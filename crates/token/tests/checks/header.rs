use countersign_jwks::Algorithm;
use countersign_token::Refusal::{
    self, BadSignature, CriticalHeader, MalformedHeader, Type, UnknownKey,
};
use countersign_token::{ClaimsProfile, TokenType};
use serde_json::{Value, json};

use crate::support::{World, base64url, segments};

#[test]
fn a_header_that_is_not_one_strict_json_object_is_malformed() {
    let world = World::new();
    let token = world.token().mint();
    let [_, payload, signature] = segments(&token);
    let cases: &[(&str, &[u8])] = &[
        ("text", b"not JSON"),
        ("array", b"[]"),
        ("string", br#""alg""#),
        ("null", b"null"),
        ("no member", b"{}"),
        ("unclosed", br#"{"alg":"Ed25519""#),
        ("two objects", br#"{"alg":"Ed25519"}{}"#),
        ("trailing NUL", b"{\"alg\":\"Ed25519\"}\0"),
        ("byte order mark", b"\xEF\xBB\xBF{\"alg\":\"Ed25519\"}"),
        ("invalid UTF-8", b"{\"alg\":\"Ed25519\",\"x\":\"\xFF\"}"),
        ("alg twice", br#"{"alg":"Ed25519","alg":"Ed25519"}"#),
        ("alg twice, once none", br#"{"alg":"none","alg":"Ed25519"}"#),
        (
            "alg twice by an escape",
            br#"{"alg":"Ed25519","\u0061lg":"none"}"#,
        ),
        ("kid twice", br#"{"alg":"Ed25519","kid":"a","kid":"b"}"#),
        (
            "twice further in",
            br#"{"alg":"Ed25519","x":{"a":1,"a":1}}"#,
        ),
    ];
    for (name, header) in cases {
        let token = format!("{}.{payload}.{signature}", base64url(header));
        assert_eq!(world.decide(&token), Err(MalformedHeader), "{name}");
    }
}

#[test]
fn an_algorithm_that_is_not_the_issuers_is_refused_whoever_signed() {
    let world = World::new();
    let names = [
        "none",
        "None",
        "NONE",
        "nOnE",
        "HS256",
        "HS384",
        "HS512",
        "RS256",
        "ES256",
        "EdDSA",
        "ed25519",
        "Ed25519 ",
        " Ed25519",
        "ES512",
        "ES256K",
        "Ed448",
        "RSA1_5",
        "dir",
        "",
        "Ed25519\0",
    ];
    for name in names {
        let token = world.token().with_algorithm_name(name).mint();
        assert_eq!(world.decide(&token), Err(Refusal::Algorithm), "{name:?}");
    }
    assert_eq!(
        world.decide(&world.token().unsigned().mint()),
        Err(Refusal::Malformed)
    );
    let unsigned = format!("{}AA", world.token().unsigned().mint());
    assert_eq!(world.decide(&unsigned), Err(Refusal::Algorithm));
}

#[test]
fn an_algorithm_that_is_missing_or_no_string_is_malformed() {
    let world = World::new();
    let token = world.token().without_header("alg").mint();
    assert_eq!(world.decide(&token), Err(MalformedHeader));
    for alg in [
        json!(null),
        json!(5),
        json!(true),
        json!(["Ed25519"]),
        json!({"alg": "Ed25519"}),
    ] {
        let token = world.token().with_header("alg", alg.clone()).mint();
        assert_eq!(world.decide(&token), Err(MalformedHeader), "{alg}");
    }
}

#[test]
fn an_issuer_accepts_rs256_alone_unless_it_is_told_otherwise() {
    let issuer = countersign_token::Issuer::new("https://as.acme.test", "https://api.acme.test");
    let accepted: Vec<_> = issuer.algorithms().iter().collect();
    assert_eq!(accepted, [Algorithm::RS256]);
}

/// What a profile's issuer says to a `typ`, `None` for none at all.
fn decide_typ(world: &World, profile: &ClaimsProfile, typ: Option<&Value>) -> Result<(), Refusal> {
    let trusted = world
        .trusted()
        .with_profile(profile.clone())
        .with_clients(["m2m-acme"]);
    let token = match typ {
        Some(typ) => world.token().with_header("typ", typ.clone()),
        None => world.token().without_header("typ"),
    };
    crate::support::check_cheaply(&token.mint(), &trusted)
}

#[test]
fn each_profile_accepts_its_own_types_and_no_other() {
    let world = World::new();
    let (jwt, at_jwt) = (TokenType::Jwt, TokenType::AtJwt);
    let absent = TokenType::Absent;
    let types: &[(Option<&str>, Option<TokenType>)] = &[
        (None, Some(absent)),
        (Some("JWT"), Some(jwt)),
        (Some("jwt"), Some(jwt)),
        (Some("application/JWT"), Some(jwt)),
        (Some("at+jwt"), Some(at_jwt)),
        (Some("AT+JWT"), Some(at_jwt)),
        (Some("application/at+jwt"), Some(at_jwt)),
        (Some("APPLICATION/at+JWT"), Some(at_jwt)),
        (Some(""), None),
        (Some("application/"), None),
        (Some("application/application/at+jwt"), None),
        (Some("at+jwt; charset=utf-8"), None),
        (Some(" at+jwt"), None),
        (Some("at jwt"), None),
        (Some("dpop+jwt"), None),
        (Some("logout+jwt"), None),
        (Some("secevent+jwt"), None),
        (Some("id_token"), None),
        (Some("JOSE"), None),
        (Some("JWE"), None),
    ];
    let profiles: &[(ClaimsProfile, &[TokenType])] = &[
        (ClaimsProfile::rfc9068(), &[at_jwt]),
        (ClaimsProfile::scalekit(), &[jwt]),
        (ClaimsProfile::auth0(), &[jwt, at_jwt]),
        (ClaimsProfile::keycloak(), &[jwt, at_jwt]),
        (ClaimsProfile::entra(), &[jwt]),
        (
            ClaimsProfile::entra().with_token_types([absent, jwt, at_jwt]),
            &[absent, jwt, at_jwt],
        ),
    ];
    for (profile, accepted) in profiles {
        for (typ, meaning) in types {
            let is_accepted = meaning.is_some_and(|meaning| accepted.contains(&meaning));
            let expected = if is_accepted { Ok(()) } else { Err(Type) };
            let decided = decide_typ(&world, profile, typ.map(Value::from).as_ref());
            assert_eq!(decided, expected, "{typ:?} for {accepted:?}");
        }
        for typ in [json!(null), json!(5), json!(["at+jwt"]), json!({})] {
            assert_eq!(
                decide_typ(&world, profile, Some(&typ)),
                Err(MalformedHeader),
                "{typ}"
            );
        }
    }
}

#[test]
fn any_critical_header_is_refused_whatever_it_lists() {
    let world = World::new();
    let values = [
        json!([]),
        json!(null),
        json!(false),
        json!(""),
        json!("exp"),
        json!({}),
        json!(["exp"]),
        json!(["b64"]),
        json!(["alg", "kid"]),
    ];
    for crit in values {
        let token = world.token().with_header("crit", crit.clone());
        assert_eq!(world.decide(&token.mint()), Err(CriticalHeader), "{crit}");
        let token = token.with_header("b64", true).with_header("exp", 1);
        assert_eq!(world.decide(&token.mint()), Err(CriticalHeader), "{crit}");
    }
}

#[test]
fn a_key_id_is_a_string_that_names_a_key_or_is_left_out() {
    let world = World::new();
    for kid in [json!(null), json!(5), json!(true), json!(["a"]), json!({})] {
        let token = world.token().with_header("kid", kid.clone()).mint();
        assert_eq!(world.decide(&token), Err(MalformedHeader), "{kid}");
    }
    let own = world.server.key_id();
    let near_misses = [
        String::new(),
        own.to_uppercase(),
        format!("{own} "),
        own[..own.len() - 1].to_owned(),
        "../../etc/passwd".to_owned(),
        "' OR 1=1 --".to_owned(),
    ];
    for kid in near_misses {
        let token = world.token().with_key_id(&kid).mint();
        assert_eq!(world.decide(&token), Err(UnknownKey), "{kid:?}");
    }
    assert_eq!(
        world.decide(&world.token().without_header("kid").mint()),
        Ok(())
    );
}

#[test]
fn a_key_that_the_token_brings_along_is_never_used() {
    let world = World::new();
    let stranger = World::new();
    let keys: Value = serde_json::from_slice(&stranger.server.jwks_json()).unwrap();
    let own = keys["keys"][0].clone();
    let headers = [
        ("jwk", own.clone()),
        ("jku", json!("https://stranger.test/jwks")),
        ("jku", json!(5)),
        ("x5u", json!("https://stranger.test/cert.pem")),
        ("x5c", json!(["MIIB"])),
        ("x5t", json!("AAAA")),
        ("x5t#S256", json!("AAAA")),
        ("zip", json!("DEF")),
        ("b64", json!(false)),
        ("cty", json!("JWT")),
        ("enc", json!("A128GCM")),
        ("epk", own),
    ];
    for (name, value) in headers {
        let token = world.token().with_header(name, value);
        assert_eq!(world.decide(&token.mint()), Ok(()), "{name} by the issuer");
        let forged = token.signed_by(&stranger.server);
        assert_eq!(
            world.decide(&forged.mint()),
            Err(BadSignature),
            "{name} by a stranger"
        );
        let unnamed = forged.without_header("kid");
        assert_eq!(
            world.decide(&unnamed.mint()),
            Err(BadSignature),
            "{name} without kid"
        );
    }
}
