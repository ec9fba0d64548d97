use countersign_token::ClaimsProfile;
use countersign_token::Refusal::{
    Audience, MalformedClaim, MissingClaim, NotAccessToken, Type, UnknownIssuer,
};
use serde_json::{Value, json};

use crate::said::{Said, Vendor, with, without};

const ISSUER: &str = "https://auth.acme.test/";
const API: &str = "https://api.acme.test";
const MACHINE: &str = "0c5a6e2b-7f7d-4f6c-9d8a-3b1e2c4d5f60";
const APP: &str = "9b2f4c1a-2d3e-4f50-8a6b-7c8d9e0f1a2b";
const USER: &str = "c1f0a9d8-1e2f-4a3b-9c4d-5e6f7a8b9c0d";

fn vendor() -> Vendor {
    Vendor::new(ISSUER, API, ClaimsProfile::hydra())
}

fn machine() -> Value {
    json!({
        "aud": [API],
        "client_id": MACHINE,
        "exp": 1_900_003_600,
        "ext": {"org_id": "org_acme"},
        "iat": 1_900_000_000,
        "iss": ISSUER,
        "jti": "6b6d3f34-6f0f-4f8c-8f3f-8a6d3a5b9a11",
        "nbf": 1_900_000_000,
        "scp": ["invoices:write", "invoices:read"],
        "sub": MACHINE,
    })
}

fn user() -> Value {
    json!({
        "aud": [API],
        "client_id": APP,
        "exp": 1_900_003_600,
        "ext": {"org_id": "org_acme", "plan": "gold"},
        "iat": 1_900_000_000,
        "iss": ISSUER,
        "jti": "0f9e8d7c-6b5a-4938-8271-605f4e3d2c1b",
        "nbf": 1_900_000_000,
        "scp": ["openid", "offline", "invoices:read"],
        "sub": USER,
    })
}

fn id_token() -> Value {
    json!({
        "at_hash": "HK6E_P6Dh8Y93mRNtsDB1Q",
        "aud": [APP],
        "auth_time": 1_899_999_990,
        "exp": 1_900_003_600,
        "iat": 1_900_000_000,
        "iss": ISSUER,
        "jti": "c7a1e0b4-15f4-4a0e-9a83-3c0a7a5e1d22",
        "nonce": "n-0S6_WzA2Mj",
        "rat": 1_899_999_980,
        "sid": "2b7d8e0f-6a51-4c92-8d3e-4f5a6b7c8d9e",
        "sub": USER,
    })
}

fn the_machine() -> Said {
    Said::machine(MACHINE, MACHINE)
        .of(["org_acme"])
        .granted("invoices:read invoices:write")
        .with_id("6b6d3f34-6f0f-4f8c-8f3f-8a6d3a5b9a11")
}

fn the_user() -> Said {
    Said::user(APP, USER, USER)
        .of(["org_acme"])
        .granted("invoices:read offline openid")
        .with_id("0f9e8d7c-6b5a-4938-8271-605f4e3d2c1b")
}

#[test]
fn a_machine_is_its_client_and_a_user_is_the_subject() {
    assert_eq!(vendor().read("JWT", &machine()), Ok(the_machine()));
    assert_eq!(vendor().read("JWT", &user()), Ok(the_user()));
    assert_eq!(vendor().read("at+jwt", &user()), Err(Type));
    assert_eq!(vendor().read(None, &user()), Err(Type));
    for claim in ["client_id", "sub"] {
        let payload = without(&user(), claim);
        assert_eq!(vendor().read("JWT", &payload), Err(MissingClaim), "{claim}");
    }
}

#[test]
fn scopes_are_an_array_or_a_text_or_both_by_the_servers_setting() {
    let text = with(&without(&user(), "scp"), "scope", "openid invoices:read");
    let said = vendor().read("JWT", &text);
    assert_eq!(said, Ok(the_user().granted("invoices:read openid")));
    let both = with(&user(), "scope", "openid offline invoices:read");
    assert_eq!(vendor().read("JWT", &both), Ok(the_user()));
}

#[test]
fn a_token_that_was_asked_for_without_an_audience_is_for_nobody() {
    for payload in [machine(), user()] {
        let payload = with(&payload, "aud", json!([]));
        assert_eq!(vendor().read("JWT", &payload), Err(Audience));
    }
}

#[test]
fn the_organization_stands_among_the_claims_of_the_consent() {
    for ext in [json!({}), json!({"plan": "gold"})] {
        let payload = with(&user(), "ext", ext);
        assert_eq!(vendor().read("JWT", &payload), Ok(the_user().of([])));
    }
    let bare = without(&user(), "ext");
    assert_eq!(vendor().read("JWT", &bare), Ok(the_user().of([])));
    for wrong in [
        json!(null),
        json!("org_acme"),
        json!([{"org_id": "org_acme"}]),
        json!({"org_id": null}),
        json!({"org_id": ""}),
        json!({"org_id": ["org_acme"]}),
    ] {
        let payload = with(&user(), "ext", wrong.clone());
        let decided = vendor().read("JWT", &payload);
        assert_eq!(decided, Err(MalformedClaim), "{wrong}");
    }
}

#[test]
fn a_claim_that_the_server_copies_outwards_is_read_only_where_it_is_said() {
    let copied = with(&without(&user(), "ext"), "org_id", "org_acme");
    assert_eq!(vendor().read("JWT", &copied), Ok(the_user().of([])));
    let profile = ClaimsProfile::hydra().with_organization_claims(["org_id".into()]);
    let vendor = Vendor::new(ISSUER, API, profile);
    assert_eq!(vendor.read("JWT", &copied), Ok(the_user()));
}

#[test]
fn an_id_token_is_refused() {
    assert_eq!(vendor().read("JWT", &id_token()), Err(Audience));
    let careless = vendor().with(|issuer| issuer.with_audiences([APP]));
    assert_eq!(careless.read("JWT", &id_token()), Err(NotAccessToken));
    let unlinked = without(&without(&id_token(), "nonce"), "at_hash");
    assert_eq!(careless.read("JWT", &unlinked), Err(MissingClaim));
}

#[test]
fn the_issuer_is_what_the_server_is_configured_with_slash_and_all() {
    let payload = with(&user(), "iss", "https://auth.acme.test");
    assert_eq!(vendor().read("JWT", &payload), Err(UnknownIssuer));
}
