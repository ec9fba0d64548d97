use countersign_token::ClaimsProfile;
use countersign_token::Refusal::{MalformedClaim, UnprovenConfirmation};
use serde_json::{Value, json};

use crate::said::{Vendor, with};

const AUDIENCE: &str = "https://api.acme.test";

/// Tokens that every preset accepts, but for the claims that set them apart.
fn payload(more: &Value) -> Value {
    let mut payload = json!({
        "iss": "https://as.acme.test",
        "aud": AUDIENCE,
        "exp": 1_900_003_600,
        "nbf": 1_900_000_000,
        "iat": 1_900_000_000,
        "jti": "1",
        "sub": "ann",
    });
    let claims = payload.as_object_mut().unwrap();
    claims.extend(more.as_object().unwrap().clone());
    payload
}

/// A preset, a `typ`, claims of a token and the claims that are read as one name, besides `sub` and `jti`.
type Row = (&'static str, &'static str, Value, &'static [&'static str]);

fn app(sub: &str) -> Value {
    json!({"sub": sub, "client_id": "app", "scope": "a"})
}

/// Each preset with a user's token and, where the preset knows any, a machine's.
fn presets() -> Vec<Row> {
    let mut presets = like_rfc9068();
    presets.extend(unlike_rfc9068());
    presets
}

fn like_rfc9068() -> Vec<Row> {
    let cognito = |sub: &str| with(&app(sub), "token_use", "access");
    let organized = &["client_id", "org_id"];
    vec![
        ("rfc9068", "at+jwt", app("ann"), organized),
        ("rfc9068", "at+jwt", app("app"), organized),
        ("scalekit", "JWT", app("ann"), &["client_id", "oid"]),
        ("scalekit", "JWT", app("app"), &["client_id", "oid"]),
        ("auth0", "JWT", app("ann"), &["client_id", "azp", "org_id"]),
        (
            "auth0",
            "at+jwt",
            app("app@clients"),
            &["client_id", "azp", "org_id"],
        ),
        ("cognito", "JWT", cognito("ann"), &["client_id"]),
        ("cognito", "JWT", cognito("app"), &["client_id"]),
        ("workos", "JWT", app("ann"), organized),
        ("workos", "at+jwt", app("app"), organized),
        ("clerk", "at+jwt", app("ann"), organized),
        ("clerk", "JWT", json!({"sub": "mch_1"}), organized),
        (
            "zitadel",
            "JWT",
            app("ann"),
            &["client_id", "azp", "urn:zitadel:iam:user:resourceowner:id"],
        ),
        ("hydra", "JWT", app("ann"), &["client_id"]),
        ("hydra", "JWT", app("app"), &["client_id"]),
    ]
}

fn unlike_rfc9068() -> Vec<Row> {
    vec![
        (
            "keycloak",
            "JWT",
            json!({"typ": "Bearer", "azp": "app"}),
            &["azp", "client_id", "clientId"],
        ),
        (
            "keycloak",
            "at+jwt",
            json!({"typ": "Bearer", "azp": "app", "client_id": "app"}),
            &["azp", "client_id", "clientId"],
        ),
        (
            "entra",
            "JWT",
            json!({"azp": "app", "oid": "ann", "scp": "a"}),
            &["azp", "appid", "oid", "tid"],
        ),
        (
            "entra",
            "JWT",
            json!({"azp": "app", "idtyp": "app"}),
            &["azp", "appid", "tid"],
        ),
        (
            "okta",
            "JWT",
            json!({"cid": "app", "uid": "00u"}),
            &["cid", "uid"],
        ),
        (
            "okta",
            "JWT",
            json!({"cid": "app", "sub": "app"}),
            &["cid", "uid"],
        ),
        ("kinde", "JWT", json!({"azp": "app"}), &["azp", "org_code"]),
        (
            "kinde",
            "JWT",
            json!({"azp": "app", "gty": ["client_credentials"]}),
            &["azp", "org_code"],
        ),
    ]
}

fn vendor(name: &str) -> Vendor {
    let profile = ClaimsProfile::by_name(name).unwrap();
    Vendor::new("https://as.acme.test", AUDIENCE, profile)
        .with(|issuer| issuer.with_clients(["app", "mch_1"]))
}

#[test]
fn no_claim_that_a_preset_reads_is_ignored_when_it_is_not_what_it_should_be() {
    for (name, typ, claims, identifiers) in presets() {
        let vendor = vendor(name);
        let good = payload(&claims);
        assert!(vendor.read(typ, &good).is_ok(), "{name}: {good}");
        for claim in identifiers.iter().chain(&["sub", "jti"]) {
            for wrong in [
                json!(null),
                json!(5),
                json!(true),
                json!(""),
                json!(["app"]),
                json!({}),
            ] {
                let decided = vendor.read(typ, &with(&good, claim, wrong.clone()));
                assert_eq!(decided, Err(MalformedClaim), "{name}, {claim}: {wrong}");
            }
        }
        for claim in ["exp", "nbf", "iat"] {
            for wrong in [
                json!(null),
                json!("1900003600"),
                json!(true),
                json!([]),
                json!({}),
            ] {
                let decided = vendor.read(typ, &with(&good, claim, wrong.clone()));
                assert_eq!(decided, Err(MalformedClaim), "{name}, {claim}: {wrong}");
            }
        }
    }
}

#[test]
fn a_bound_token_is_refused_under_every_preset() {
    for (name, typ, claims, _) in presets() {
        let bound = with(&payload(&claims), "cnf", json!({"x5t#S256": "AAAA"}));
        assert_eq!(
            vendor(name).read(typ, &bound),
            Err(UnprovenConfirmation),
            "{name}"
        );
    }
}

#[test]
fn every_preset_has_a_name_and_no_other_name_is_one() {
    let tested: Vec<_> = presets().into_iter().map(|(name, ..)| name).collect();
    for name in ClaimsProfile::NAMES {
        assert!(ClaimsProfile::by_name(name).is_some(), "{name}");
        assert!(
            tested.contains(&name),
            "{name} is not among the presets here"
        );
    }
    for name in ["", "Auth0", "auth0 ", "okta-classic", "default"] {
        assert!(ClaimsProfile::by_name(name).is_none(), "{name:?}");
    }
}
