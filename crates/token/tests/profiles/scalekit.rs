use countersign_token::ClaimsProfile;
use countersign_token::Refusal::{
    self, Audience, Client, MalformedClaim, MissingClaim, NotAccessToken, Type,
};
use serde_json::{Value, json};

use crate::said::{Said, Vendor, with, without};

const APP: &str = "skc_987654321098765432";
const MACHINE: &str = "m2morg_69038819013296423";

/// User tokens are meant for the application's client.
fn vendor() -> Vendor {
    let vendor = Vendor::new("https://acme.scalekit.com", APP, ClaimsProfile::scalekit());
    vendor.with(|issuer| issuer.with_clients([APP, MACHINE]))
}

fn machine() -> Value {
    json!({
        "client_id": MACHINE,
        "sub": MACHINE,
        "oid": "org_59615193906282635",
        "scopes": ["read:deployments", "deploy:applications"],
        "iss": "https://acme.scalekit.com",
        "jti": "tkn_69041163914445100",
        "exp": 1_900_003_600,
        "iat": 1_900_000_000,
        "nbf": 1_900_000_000,
    })
}

fn user() -> Value {
    json!({
        "aud": [APP],
        "client_id": APP,
        "iss": "https://acme.scalekit.com",
        "sub": "usr_987654321098765432",
        "oid": "org_69615647365005430",
        "sid": "ses_987654321098765432",
        "jti": "tkn_987654321098765432",
        "roles": ["project_manager", "member"],
        "permissions": ["projects:create", "projects:read", "tasks:assign"],
        "scope": "openid profile email",
        "exp": 1_900_000_300,
        "iat": 1_900_000_000,
        "nbf": 1_900_000_000,
    })
}

fn id_token() -> Value {
    json!({
        "iss": "https://acme.scalekit.com",
        "azp": APP,
        "aud": [APP],
        "amr": ["conn_17576372041941092"],
        "sub": "conn_17576372041941092;google-oauth2|104630259163176101050",
        "oid": "org_69615647365005430",
        "at_hash": "HK6E_P6Dh8Y93mRNtsDB1Q",
        "c_hash": "HK6E_P6Dh8Y93mRNtsDB1Q",
        "iat": 1_900_000_000,
        "exp": 1_900_003_900,
        "name": "John Doe",
        "email": "john@acme.example",
        "email_verified": true,
    })
}

#[test]
fn a_machine_has_its_scopes_in_an_array_and_its_organization_in_oid() {
    let expected = || {
        Said::machine(MACHINE, MACHINE)
            .of(["org_59615193906282635"])
            .granted("deploy:applications read:deployments")
            .with_id("tkn_69041163914445100")
    };
    assert_eq!(vendor().read("JWT", &machine()), Ok(expected()));
    let meant = with(&machine(), "aud", json!(["deployment-api.acmecorp.com"]));
    let vendor = vendor().with(|issuer| issuer.with_audiences(["deployment-api.acmecorp.com"]));
    assert_eq!(vendor.read("JWT", &meant), Ok(expected()));
}

#[test]
fn a_user_has_its_scopes_in_a_text_and_its_permissions_grant_nothing() {
    let expected = Said::user(APP, "usr_987654321098765432", "usr_987654321098765432")
        .of(["org_69615647365005430"])
        .granted("email openid profile")
        .with_id("tkn_987654321098765432");
    assert_eq!(vendor().read("JWT", &user()), Ok(expected));
}

#[test]
fn scopes_come_before_scope_and_are_never_united_with_it() {
    let both = with(&machine(), "scope", "admin");
    let said = vendor().read("JWT", &both).unwrap();
    assert_eq!(said, vendor().read("JWT", &machine()).unwrap());
    let none = with(&both, "scopes", json!([]));
    let said = vendor().read("JWT", &none).unwrap();
    assert_eq!(said, vendor().read("JWT", &machine()).unwrap().granted(""));
    for wrong in [json!(null), json!(5), json!({}), json!([5]), json!(["a b"])] {
        let payload = with(&both, "scopes", wrong.clone());
        assert_eq!(
            vendor().read("JWT", &payload),
            Err(MalformedClaim),
            "{wrong}"
        );
    }
}

#[test]
fn an_id_token_is_refused_though_issuer_keys_type_and_audience_are_those_of_a_user_token() {
    let vendor = vendor();
    assert_eq!(vendor.read("JWT", &id_token()), Err(NotAccessToken));
    let half = without(&id_token(), "at_hash");
    assert_eq!(vendor.read("JWT", &half), Err(NotAccessToken));
    let unlinked = without(&half, "c_hash");
    assert_eq!(vendor.read("JWT", &unlinked), Err(MissingClaim));
    let with_nonce = with(&with(&unlinked, "client_id", APP), "nonce", "n");
    assert_eq!(vendor.read("JWT", &with_nonce), Err(NotAccessToken));
    assert_eq!(vendor.read("at+jwt", &user()), Err(Type));
}

#[test]
fn the_audience_may_be_absent_only_for_a_listed_machine_that_is_its_own_client() {
    let stranger = with(
        &with(&machine(), "client_id", "m2morg_x"),
        "sub",
        "m2morg_x",
    );
    let cases: &[(&str, Value, Result<(), Refusal>)] = &[
        ("a listed machine", machine(), Ok(())),
        ("an unlisted machine", stranger.clone(), Err(Client)),
        ("a user", without(&user(), "aud"), Err(MissingClaim)),
        ("no subject", without(&machine(), "sub"), Err(MissingClaim)),
        (
            "no client",
            without(&machine(), "client_id"),
            Err(MissingClaim),
        ),
        (
            "another subject",
            with(&machine(), "sub", APP),
            Err(MissingClaim),
        ),
        (
            "an audience that is not ours",
            with(&machine(), "aud", "https://other.test"),
            Err(Audience),
        ),
        (
            "no audience in the list",
            with(&machine(), "aud", json!([])),
            Err(Audience),
        ),
        (
            "an empty audience",
            with(&machine(), "aud", ""),
            Err(Audience),
        ),
        (
            "a null audience",
            with(&machine(), "aud", Value::Null),
            Err(MalformedClaim),
        ),
        (
            "ours, an unlisted machine",
            with(&stranger, "aud", APP),
            Err(Client),
        ),
    ];
    for (name, payload, expected) in cases {
        let decided = vendor().read("JWT", payload).map(|_| ());
        assert_eq!(decided, *expected, "{name}");
    }

    let issuer = "https://acme.scalekit.com";
    let unlisted = Vendor::new(issuer, APP, ClaimsProfile::scalekit());
    assert_eq!(unlisted.read("JWT", &machine()), Err(MissingClaim));
    let strict = ClaimsProfile::scalekit().with_audience_required();
    let strict = Vendor::new(issuer, APP, strict).with(|issuer| issuer.with_clients([MACHINE]));
    assert_eq!(strict.read("JWT", &machine()), Err(MissingClaim));
    assert!(strict.read("JWT", &with(&machine(), "aud", APP)).is_ok());
}

#[test]
fn the_organization_of_another_vendor_is_no_organization_here() {
    let payload = with(&without(&machine(), "oid"), "org_id", "org_acme");
    let said = vendor()
        .read("JWT", &with(&payload, "tid", "org_acme"))
        .unwrap();
    assert_eq!(said, vendor().read("JWT", &machine()).unwrap().of([]));
}
