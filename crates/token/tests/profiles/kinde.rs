use countersign_token::ClaimsProfile;
use countersign_token::Refusal::{Audience, Client, MalformedClaim, MissingClaim, NotAccessToken};
use serde_json::{Value, json};

use crate::said::{Said, Vendor, with, without};

const ISSUER: &str = "https://acme.kinde.com";
const API: &str = "https://api.acme.test";
const MACHINE: &str = "d4d3c5b74e064badb9625a4aa6241bcc";
const APP: &str = "dee7f3c57b3c47e8b96edde2c7ecab7d";
const USER: &str = "kp_5a1c3b9d7e2f4a6c8b0d1e3f5a7c9b1d";

fn vendor() -> Vendor {
    Vendor::new(ISSUER, API, ClaimsProfile::kinde())
}

fn machine() -> Value {
    json!({
        "aud": [API],
        "azp": MACHINE,
        "exp": 1_900_086_400,
        "gty": ["client_credentials"],
        "iat": 1_900_000_000,
        "iss": ISSUER,
        "jti": "f95ed3e0-cc4d-40c4-b95a-9971729b0ae5",
        "org_code": "org_ba4a2311eb1",
        "scope": "write:flags read:users",
        "scp": ["read:users", "write:flags", "admin"],
        "v": "2",
    })
}

fn user() -> Value {
    json!({
        "aud": [API],
        "azp": APP,
        "exp": 1_900_086_400,
        "feature_flags": {"theme": {"t": "s", "v": "pink"}},
        "iat": 1_900_000_000,
        "iss": ISSUER,
        "jti": "fbb6bc62-164e-4256-8ea4-8fb9a645b123",
        "org_code": "org_1234567890",
        "permissions": ["create:competitions", "view:stats"],
        "scp": ["openid", "profile", "email", "offline"],
        "sub": USER,
    })
}

fn id_token() -> Value {
    json!({
        "at_hash": "VZ6cU0Ay0RKB5EosbWuTCQ",
        "aud": [ISSUER, APP],
        "auth_time": 1_899_999_990,
        "azp": APP,
        "email": "jane@acme.test",
        "exp": 1_900_003_600,
        "iat": 1_900_000_000,
        "iss": ISSUER,
        "jti": "fc2f6bd3-8c75-402a-a4cb-1659fb8c555d",
        "name": "Jane Smith",
        "org_codes": ["org_1234567890"],
        "sub": USER,
        "updated_at": 1_899_000_000,
    })
}

fn the_machine() -> Said {
    Said::machine(MACHINE, "")
        .without_subject()
        .of(["org_ba4a2311eb1"])
        .granted("read:users write:flags")
        .with_id("f95ed3e0-cc4d-40c4-b95a-9971729b0ae5")
}

fn the_user() -> Said {
    Said::user(APP, USER, USER)
        .of(["org_1234567890"])
        .granted("email offline openid profile")
        .with_id("fbb6bc62-164e-4256-8ea4-8fb9a645b123")
}

#[test]
fn a_machine_has_no_subject_and_the_scopes_it_was_granted() {
    assert_eq!(vendor().read("JWT", &machine()), Ok(the_machine()));
    let everywhere = without(&machine(), "org_code");
    assert_eq!(vendor().read("JWT", &everywhere), Ok(the_machine().of([])));
    // What was only asked for grants nothing.
    let payload = without(&machine(), "scope");
    assert_eq!(
        vendor().read("JWT", &payload),
        Ok(the_machine().granted(""))
    );
    let listed = vendor().with(|issuer| issuer.with_clients([MACHINE]));
    assert_eq!(listed.read("JWT", &machine()), Ok(the_machine()));
    assert_eq!(listed.read("JWT", &user()), Err(Client));
}

#[test]
fn a_user_has_its_scopes_in_scp_and_its_permissions_grant_nothing() {
    assert_eq!(vendor().read("JWT", &user()), Ok(the_user()));
    let payload = with(&user(), "scope", "openid");
    assert_eq!(
        vendor().read("JWT", &payload),
        Ok(the_user().granted("openid"))
    );
}

#[test]
fn only_the_grant_of_machines_makes_one() {
    for grant in [
        json!(["authorization_code"]),
        json!(["Client_Credentials", "client_credentials "]),
        json!([]),
        json!("refresh_token"),
    ] {
        let payload = with(&user(), "gty", grant.clone());
        assert_eq!(vendor().read("JWT", &payload), Ok(the_user()), "{grant}");
        let payload = with(&machine(), "gty", grant.clone());
        let decided = vendor().read("JWT", &payload);
        assert_eq!(decided, Err(MissingClaim), "{grant}: nobody is the user");
    }
    for grant in [
        json!(["x", "client_credentials"]),
        json!("client_credentials"),
    ] {
        let payload = with(&machine(), "gty", grant.clone());
        assert_eq!(vendor().read("JWT", &payload), Ok(the_machine()), "{grant}");
    }
    let payload = without(&machine(), "gty");
    assert_eq!(vendor().read("JWT", &payload), Err(MissingClaim));
}

#[test]
fn a_grant_of_another_type_is_refused_and_not_taken_for_its_absence() {
    for grant in [
        json!(null),
        json!(true),
        json!(5),
        json!({"client_credentials": true}),
        json!(["client_credentials", 5]),
        json!([["client_credentials"]]),
    ] {
        for payload in [machine(), user()] {
            let payload = with(&payload, "gty", grant.clone());
            let decided = vendor().read("JWT", &payload);
            assert_eq!(decided, Err(MalformedClaim), "{grant}");
        }
    }
}

#[test]
fn the_client_and_an_audience_are_required() {
    for payload in [machine(), user()] {
        let nameless = without(&payload, "azp");
        assert_eq!(vendor().read("JWT", &nameless), Err(MissingClaim));
        let aimless = with(&payload, "aud", json!([]));
        assert_eq!(vendor().read("JWT", &aimless), Err(Audience));
    }
}

#[test]
fn an_id_token_is_refused_and_its_organizations_are_none_of_an_access_token() {
    assert_eq!(vendor().read("JWT", &id_token()), Err(Audience));
    let careless = vendor().with(|issuer| issuer.with_audiences([ISSUER]));
    assert_eq!(careless.read("JWT", &id_token()), Err(NotAccessToken));
    let payload = without(&user(), "org_code");
    let payload = with(&payload, "org_codes", json!(["org_1234567890"]));
    assert_eq!(vendor().read("JWT", &payload), Ok(the_user().of([])));
}
