use countersign_testing::{TestIssuer, TokenBuilder};
use countersign_token::{Issuer, Refusal};
use serde_json::json;

use crate::support::{NOW, World, base64url, check_cheaply, decoded, segments};

/// Something wrong with a token: done to it before it is signed, or to its text.
enum Flaw {
    Claims(fn(TokenBuilder) -> TokenBuilder),
    Signer,
    Text(fn(&str) -> String),
}

/// Names `x` twice in a segment, whatever else it says.
fn with_duplicate(segment: &str) -> String {
    let mut json = String::from_utf8(decoded(segment)).unwrap();
    json.insert_str(1, r#""x":1,"x":1,"#);
    base64url(json)
}

/// One flaw for each check, in the order of the checks.
fn flaws() -> Vec<(Refusal, Flaw)> {
    let mut flaws = flaws_of_form();
    flaws.extend(flaws_of_registered_claims());
    flaws.extend(flaws_beyond_the_key());
    flaws
}

/// Those found while the token is read.
fn flaws_of_form() -> Vec<(Refusal, Flaw)> {
    use Flaw::{Claims, Text};
    use Refusal::*;
    vec![
        (Malformed, Text(|token| format!("{token}="))),
        (
            MalformedHeader,
            Text(|token| {
                let [header, payload, signature] = segments(token);
                format!("{}.{payload}.{signature}", with_duplicate(header))
            }),
        ),
        (
            CriticalHeader,
            Claims(|token| token.with_header("crit", json!(["exp"]))),
        ),
        (MalformedHeader, Claims(|token| token.with_header("typ", 5))),
        (
            MalformedPayload,
            Text(|token| {
                let [header, payload, signature] = segments(token);
                format!("{header}.{}.{signature}", with_duplicate(payload))
            }),
        ),
    ]
}

/// The others that are found without a key.
fn flaws_of_registered_claims() -> Vec<(Refusal, Flaw)> {
    use Flaw::Claims;
    use Refusal::*;
    vec![
        (
            Algorithm,
            Claims(|token| token.with_algorithm_name("ES256")),
        ),
        (Type, Claims(|token| token.with_header("typ", "dpop+jwt"))),
        (
            UnknownIssuer,
            Claims(|token| token.with_claim("iss", "https://evil.test")),
        ),
        (
            Audience,
            Claims(|token| token.with_claim("aud", "https://other.test")),
        ),
        (
            MalformedClaim,
            Claims(|token| token.with_claim("exp", "soon")),
        ),
        (Expired, Claims(|token| token.with_claim("exp", NOW - 60))),
        (
            NotYetValid,
            Claims(|token| token.with_claim("nbf", NOW + 60)),
        ),
        (
            IssuedInFuture,
            Claims(|token| token.with_claim("iat", NOW + 60)),
        ),
        (TooOld, Claims(|token| token.with_claim("iat", NOW - 9000))),
        (
            LifetimeTooLong,
            Claims(|token| token.with_claim("exp", NOW + 90_000)),
        ),
        (MalformedClaim, Claims(|token| token.with_claim("jti", 5))),
        (
            UnprovenConfirmation,
            Claims(|token| token.with_claim("cnf", json!({"jkt": "x"}))),
        ),
    ]
}

/// From `UnknownKey` on.
fn flaws_beyond_the_key() -> Vec<(Refusal, Flaw)> {
    use Flaw::{Claims, Signer};
    use Refusal::*;
    vec![
        (UnknownKey, Claims(|token| token.with_key_id("nobody"))),
        (BadSignature, Signer),
        (MissingClaim, Claims(|token| token.without_claim("jti"))),
        (
            Client,
            Claims(|token| token.with_claim("client_id", "stranger")),
        ),
        (
            MalformedClaim,
            Claims(|token| token.with_claim("org_id", json!(["org_acme"]))),
        ),
        (
            Organization,
            Claims(|token| token.with_organization("org_other")),
        ),
        (MalformedClaim, Claims(|token| token.with_claim("scope", 5))),
        (
            RequiredClaim,
            Claims(|token| token.with_claim("env", "test")),
        ),
        (Check, Claims(|token| token.with_claim("wanted", false))),
    ]
}

fn trusted(world: &World) -> Issuer {
    world
        .trusted()
        .with_max_age(std::time::Duration::from_secs(3600))
        .with_max_lifetime(std::time::Duration::from_secs(86_400))
        .with_clients(["m2m-acme"])
        .with_organizations(["org_acme"])
        .with_required_claim("env", "live")
        .with_check(|claims| {
            let custom: serde_json::Value = claims.custom().unwrap();
            custom["wanted"] == json!(true)
        })
}

fn token(world: &World) -> TokenBuilder {
    let token = world.token().with_organization("org_acme");
    token.with_claim("env", "live").with_claim("wanted", true)
}

/// The token with all of these flaws, the later ones first so that an earlier one is never undone.
fn flawed(world: &World, stranger: &TestIssuer, flaws: &[&Flaw]) -> String {
    let mut builder = token(world);
    for flaw in flaws.iter().rev() {
        builder = match flaw {
            Flaw::Claims(flaw) => flaw(builder),
            Flaw::Signer => builder.signed_by(stranger),
            Flaw::Text(_) => builder,
        };
    }
    flaws
        .iter()
        .rev()
        .fold(builder.mint(), |token, flaw| match flaw {
            Flaw::Text(flaw) => flaw(&token),
            _ => token,
        })
}

#[test]
fn of_two_flaws_the_one_that_is_cheaper_to_find_is_told() {
    let (world, stranger) = (World::new(), World::new().server);
    let trusted = trusted(&world);
    assert_eq!(world.decide_by(&trusted, &token(&world).mint()), Ok(()));

    let flaws = flaws();
    for (place, (refusal, first)) in flaws.iter().enumerate() {
        let alone = flawed(&world, &stranger, &[first]);
        assert_eq!(
            world.decide_by(&trusted, &alone),
            Err(*refusal),
            "{refusal:?} alone"
        );
        for (other, second) in &flaws[place + 1..] {
            let both = flawed(&world, &stranger, &[first, second]);
            let decided = world.decide_by(&trusted, &both);
            assert_eq!(decided, Err(*refusal), "{refusal:?} before {other:?}");
        }
    }
}

#[test]
fn of_all_flaws_from_one_on_the_first_is_told() {
    let (world, stranger) = (World::new(), World::new().server);
    let trusted = trusted(&world);
    let flaws = flaws();
    for (place, (refusal, _)) in flaws.iter().enumerate() {
        let rest: Vec<_> = flaws[place..].iter().map(|(_, flaw)| flaw).collect();
        let token = flawed(&world, &stranger, &rest);
        assert_eq!(
            world.decide_by(&trusted, &token),
            Err(*refusal),
            "from #{place}"
        );
    }
}

/// The caller fetches a key only for what this lets through.
#[test]
fn what_can_be_refused_without_a_key_is_refused_without_a_key() {
    let (world, stranger) = (World::new(), World::new().server);
    let trusted = trusted(&world);
    let mut is_cheap = true;
    for (refusal, flaw) in flaws() {
        is_cheap &= refusal != Refusal::UnknownKey;
        let expected = if is_cheap { Err(refusal) } else { Ok(()) };
        let token = flawed(&world, &stranger, &[&flaw]);
        assert_eq!(check_cheaply(&token, &trusted), expected, "{refusal:?}");
    }
}
