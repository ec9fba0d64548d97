use countersign_token::ClaimsProfile;
use countersign_token::Refusal::{
    Audience, Client, MalformedClaim, MissingClaim, NotAccessToken, UnknownIssuer,
};
use serde_json::{Value, json};

use crate::said::{Said, Vendor, with, without};

const ISSUER: &str = "https://acme.authkit.app";
/// The environment's client, which is what tokens are meant for where no resource is configured.
const ENVIRONMENT: &str = "client_01HZBC6N1EB1ZY7KG32X";
const MACHINE: &str = "client_01JP8BD0CZ401TDF9X54NT5ZEK";
const APP: &str = "client_01JQ0DPZ6G7W0T8B2K4V1C9XHM";
const USER: &str = "user_01JQ0E27VT3MH79RY0FVA4QBP9";
const ORGANIZATION: &str = "org_01HRDMC6CM357W30QMHMQ96Q0S";

fn vendor() -> Vendor {
    Vendor::new(ISSUER, ENVIRONMENT, ClaimsProfile::workos())
}

fn machine() -> Value {
    json!({
        "iss": ISSUER,
        "aud": ENVIRONMENT,
        "sub": MACHINE,
        "client_id": MACHINE,
        "org_id": ORGANIZATION,
        "scope": "invoices:write invoices:read",
        "jti": "01JQ0EAW3Q2N8R5T7V9X1Z3B5D",
        "exp": 1_900_000_300,
        "iat": 1_900_000_000,
    })
}

fn user() -> Value {
    json!({
        "iss": ISSUER,
        "aud": ENVIRONMENT,
        "sub": USER,
        "client_id": APP,
        "org_id": ORGANIZATION,
        "sid": "app_consent_01JQ0E27WE4K1RCMH7Q094M1GJ",
        "scope": "openid profile invoices:read",
        "jti": "01JQ0E27ZXE4XNHVP870S6PWYN",
        "exp": 1_900_000_300,
        "iat": 1_900_000_000,
    })
}

fn id_token() -> Value {
    json!({
        "iss": ISSUER,
        "aud": APP,
        "sub": USER,
        "nonce": "4QWsQj7bUUkCXnoC",
        "name": "Jane Doe",
        "given_name": "Jane",
        "family_name": "Doe",
        "email": "jane@acme.test",
        "email_verified": true,
        "exp": 1_900_000_300,
        "iat": 1_900_000_000,
    })
}

fn the_machine() -> Said {
    Said::machine(MACHINE, MACHINE)
        .of([ORGANIZATION])
        .granted("invoices:read invoices:write")
        .with_id("01JQ0EAW3Q2N8R5T7V9X1Z3B5D")
}

fn the_user() -> Said {
    Said::user(APP, USER, USER)
        .of([ORGANIZATION])
        .granted("invoices:read openid profile")
        .with_id("01JQ0E27ZXE4XNHVP870S6PWYN")
}

#[test]
fn a_machine_is_its_client_and_a_user_acts_for_the_organization_it_chose() {
    for typ in [None, Some("JWT"), Some("at+jwt")] {
        assert_eq!(vendor().read(typ, &machine()), Ok(the_machine()));
        assert_eq!(vendor().read(typ, &user()), Ok(the_user()));
    }
    let without = without(&user(), "org_id");
    assert_eq!(vendor().read(None, &without), Ok(the_user().of([])));
}

#[test]
fn an_access_token_may_be_meant_for_a_resource() {
    let api = "https://api.acme.test";
    let vendor = vendor().with(|issuer| issuer.with_audiences([api, ENVIRONMENT]));
    assert_eq!(
        vendor.read(None, &with(&user(), "aud", api)),
        Ok(the_user())
    );
    assert_eq!(vendor.read(None, &machine()), Ok(the_machine()));
}

#[test]
fn a_token_that_does_not_name_its_client_is_refused() {
    for typ in [None, Some("at+jwt")] {
        for payload in [machine(), user()] {
            let payload = without(&payload, "client_id");
            assert_eq!(vendor().read(typ, &payload), Err(MissingClaim));
        }
    }
    for wrong in [json!(null), json!(""), json!(5), json!([MACHINE])] {
        let payload = with(&machine(), "client_id", wrong.clone());
        assert_eq!(
            vendor().read(None, &payload),
            Err(MalformedClaim),
            "{wrong}"
        );
    }
    let listed = vendor().with(|issuer| issuer.with_clients([MACHINE]));
    assert_eq!(listed.read(None, &machine()), Ok(the_machine()));
    assert_eq!(listed.read(None, &user()), Err(Client));
}

#[test]
fn an_id_token_is_refused() {
    assert_eq!(vendor().read(None, &id_token()), Err(Audience));
    let careless = vendor().with(|issuer| issuer.with_audiences([APP]));
    assert_eq!(careless.read(None, &id_token()), Err(NotAccessToken));
    let without_nonce = without(&id_token(), "nonce");
    assert_eq!(careless.read(None, &without_nonce), Err(MissingClaim));
}

#[test]
fn permissions_grant_nothing_and_a_session_of_the_hosted_login_is_another_issuers() {
    let payload = with(&user(), "permissions", json!(["admin"]));
    assert_eq!(vendor().read(None, &payload), Ok(the_user()));
    let session = with(&user(), "iss", "https://api.workos.com");
    assert_eq!(vendor().read(None, &session), Err(UnknownIssuer));
}
