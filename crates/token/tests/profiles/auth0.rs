use countersign_token::ClaimsProfile;
use countersign_token::Refusal::{
    Audience, Client, MalformedClaim, MissingClaim, NotAccessToken, UnknownIssuer,
};
use serde_json::{Value, json};

use crate::said::{Said, Vendor, with, without};

const ISSUER: &str = "https://exampleco.auth0.com/";
const MACHINE: &str = "CS2MNgcX1VZFCJaEzfKw2VPAAS0gzhqP";
const MACHINE_SUBJECT: &str = "CS2MNgcX1VZFCJaEzfKw2VPAAS0gzhqP@clients";
const APP: &str = "ENDmmAJsbwI1hOG1KPJddQ8LHjV6kLkV";
const USER: &str = "auth0|602c0dcab993d10073daf680";

fn vendor() -> Vendor {
    Vendor::new(ISSUER, "https://example-api", ClaimsProfile::auth0())
}

fn machine() -> Value {
    json!({
        "iss": ISSUER,
        "sub": MACHINE_SUBJECT,
        "aud": "https://example-api",
        "iat": 1_900_000_000,
        "exp": 1_900_086_400,
        "scope": "read:stuff write:stuff",
        "org_id": "org_vIK75NKFvaozQsFy",
        "org_name": "acme",
        "gty": "client-credentials",
        "azp": MACHINE,
        "permissions": ["read:stuff", "write:stuff"],
    })
}

fn machine_of_rfc9068() -> Value {
    json!({
        "iss": ISSUER,
        "sub": MACHINE_SUBJECT,
        "aud": "https://example-api",
        "iat": 1_900_000_000,
        "exp": 1_900_086_400,
        "scope": "read:stuff write:stuff",
        "jti": "73WakrfVbNJBaAmhQtEeDv",
        "client_id": MACHINE,
    })
}

fn user() -> Value {
    json!({
        "iss": ISSUER,
        "sub": USER,
        "aud": ["https://example-api", "https://exampleco.auth0.com/userinfo"],
        "iat": 1_900_000_000,
        "exp": 1_900_086_400,
        "azp": APP,
        "scope": "openid profile email read:stuff",
        "org_id": "org_9ybsU1dN2dKfDkBi",
        "permissions": ["delete:stuff", "read:stuff", "write:stuff"],
    })
}

fn id_token() -> Value {
    json!({
        "iss": ISSUER,
        "sub": USER,
        "aud": APP,
        "iat": 1_900_000_000,
        "exp": 1_900_036_000,
        "nonce": "n-0S6_WzA2Mj",
        "nickname": "jane",
        "email": "jane@exampleco.com",
        "email_verified": true,
        "updated_at": "2030-03-23T11:34:14.566Z",
        "org_id": "org_9ybsU1dN2dKfDkBi",
    })
}

#[test]
fn a_machine_is_its_client_with_a_suffix_in_either_token_profile() {
    let expected = || Said::machine(MACHINE, MACHINE_SUBJECT).granted("read:stuff write:stuff");
    let said = vendor().read("JWT", &machine());
    assert_eq!(said, Ok(expected().of(["org_vIK75NKFvaozQsFy"])));
    let said = vendor().read("at+jwt", &machine_of_rfc9068());
    assert_eq!(said, Ok(expected().with_id("73WakrfVbNJBaAmhQtEeDv")));
}

#[test]
fn a_user_has_what_was_consented_to_and_not_all_the_permissions_there_are() {
    let expected = || Said::user(APP, USER, USER).of(["org_9ybsU1dN2dKfDkBi"]);
    let said = vendor().read("JWT", &user());
    assert_eq!(
        said,
        Ok(expected().granted("email openid profile read:stuff"))
    );
    // Neither when nothing was consented to, nor when that is not even said.
    for payload in [with(&user(), "scope", ""), without(&user(), "scope")] {
        assert_eq!(vendor().read("JWT", &payload), Ok(expected()));
    }
}

#[test]
fn the_permissions_of_a_machine_count_where_it_has_no_scope_at_all() {
    let said = |payload: &Value| vendor().read("JWT", payload).unwrap();
    let expected = || Said::machine(MACHINE, MACHINE_SUBJECT).of(["org_vIK75NKFvaozQsFy"]);
    let more = with(&machine(), "permissions", json!(["admin", "read:stuff"]));
    assert_eq!(said(&more), expected().granted("read:stuff write:stuff"));
    assert_eq!(said(&with(&more, "scope", "")), expected());
    assert_eq!(
        said(&without(&more, "scope")),
        expected().granted("admin read:stuff")
    );
    for wrong in [json!(null), json!(5), json!({}), json!([5])] {
        let payload = with(&without(&more, "scope"), "permissions", wrong.clone());
        assert_eq!(
            vendor().read("JWT", &payload),
            Err(MalformedClaim),
            "{wrong}"
        );
    }
}

#[test]
fn only_the_very_suffix_behind_the_very_client_makes_a_machine() {
    let other_client = format!("{APP}@clients");
    let upper = format!("{MACHINE}@Clients");
    let twice = format!("{MACHINE_SUBJECT}@clients");
    for subject in [
        MACHINE,
        other_client.as_str(),
        "@clients",
        upper.as_str(),
        twice.as_str(),
    ] {
        let payload = without(&with(&machine(), "sub", subject), "scope");
        let expected = Said::user(MACHINE, subject, subject).of(["org_vIK75NKFvaozQsFy"]);
        assert_eq!(vendor().read("JWT", &payload), Ok(expected), "{subject}");
    }
    let clientless = with(&with(&machine(), "azp", ""), "sub", "@clients");
    assert_eq!(vendor().read("JWT", &clientless), Err(MalformedClaim));
}

#[test]
fn two_claims_that_name_different_clients_are_refused() {
    let vendor = vendor();
    let same = with(&machine(), "client_id", MACHINE);
    assert!(vendor.read("JWT", &same).is_ok());
    for other in [APP, "cs2mngcx1vzfcjaezfkw2vpaas0gzhqp"] {
        let payload = with(&machine(), "client_id", other);
        assert_eq!(vendor.read("JWT", &payload), Err(Client), "{other}");
    }
    for wrong in [json!(null), json!(""), json!(5), json!([MACHINE])] {
        let payload = with(&machine(), "client_id", wrong.clone());
        assert_eq!(vendor.read("JWT", &payload), Err(MalformedClaim), "{wrong}");
    }
    assert_eq!(
        vendor.read("JWT", &without(&machine(), "azp")),
        Err(MissingClaim)
    );
    assert_eq!(
        vendor.read("at+jwt", &without(&machine(), "azp")),
        Err(MissingClaim)
    );
}

#[test]
fn an_id_token_is_refused_even_by_a_resource_that_takes_the_apps_own_audience() {
    assert_eq!(vendor().read("JWT", &id_token()), Err(Audience));
    let careless = vendor().with(|issuer| issuer.with_audiences([APP]));
    assert_eq!(careless.read("JWT", &id_token()), Err(NotAccessToken));
    let without_nonce = without(&id_token(), "nonce");
    assert_eq!(careless.read("JWT", &without_nonce), Err(MissingClaim));
    let with_azp = with(&id_token(), "azp", APP);
    assert_eq!(careless.read("JWT", &with_azp), Err(NotAccessToken));
}

#[test]
fn the_subject_is_required_and_the_issuer_ends_with_its_slash() {
    assert_eq!(
        vendor().read("JWT", &without(&user(), "sub")),
        Err(MissingClaim)
    );
    let payload = with(&user(), "iss", "https://exampleco.auth0.com");
    assert_eq!(vendor().read("JWT", &payload), Err(UnknownIssuer));
}
