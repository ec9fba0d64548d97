use countersign_token::Refusal::{Client, MalformedClaim, MissingClaim, NotAccessToken};
use countersign_token::{ClaimsProfile, MachineRule};
use serde_json::{Value, json};

use crate::said::{Said, Vendor, with, without};

const ISSUER: &str = "https://acme.zitadel.cloud";
const PROJECT: &str = "286012345678901234";
const APP: &str = "286023456789012345";
const USER: &str = "287401958304129025";
const SERVICE_USER: &str = "287402223344556677";
const ORGANIZATION: &str = "180025476050993153";
const OWNER: &str = "urn:zitadel:iam:user:resourceowner:id";
const ROLES: &str = "urn:zitadel:iam:org:project:roles";

fn vendor() -> Vendor {
    Vendor::new(ISSUER, PROJECT, ClaimsProfile::zitadel())
}

/// The client of a service user is its name. The mark comes from an action.
fn machine() -> Value {
    json!({
        "iss": ISSUER,
        "sub": SERVICE_USER,
        "aud": [PROJECT],
        "exp": 1_900_043_200,
        "iat": 1_900_000_000,
        "nbf": 1_900_000_000,
        "client_id": "crawler",
        "jti": "287403000000000001",
        OWNER: ORGANIZATION,
        "urn:zitadel:iam:user:resourceowner:name": "Acme",
        "urn:zitadel:iam:user:resourceowner:primary_domain": "acme.test",
        "urn:acme:machine": true,
    })
}

fn user() -> Value {
    json!({
        "iss": ISSUER,
        "sub": USER,
        "aud": [APP, PROJECT],
        "exp": 1_900_043_200,
        "iat": 1_900_000_000,
        "nbf": 1_900_000_000,
        "client_id": APP,
        "jti": "287403000000000002",
        OWNER: ORGANIZATION,
        ROLES: {"admin": {ORGANIZATION: "acme.test"}},
    })
}

/// Meant for the very audience of the access token.
fn id_token() -> Value {
    json!({
        "iss": ISSUER,
        "sub": USER,
        "aud": [APP, PROJECT],
        "exp": 1_900_043_200,
        "iat": 1_900_000_000,
        "auth_time": 1_899_999_990,
        "nonce": "n-0S6_WzA2Mj",
        "amr": ["pwd"],
        "azp": APP,
        "client_id": APP,
        "at_hash": "77QmUPtjPfzWtF2AnpK9RQ",
        "sid": "V1_287403000000000003",
        OWNER: ORGANIZATION,
    })
}

fn the_user() -> Said {
    Said::user(APP, USER, USER)
        .of([ORGANIZATION])
        .with_id("287403000000000002")
}

#[test]
fn a_user_has_the_organization_that_owns_it_and_its_roles_grant_nothing() {
    assert_eq!(vendor().read("JWT", &user()), Ok(the_user()));
    let unasked = without(&user(), OWNER);
    assert_eq!(vendor().read("JWT", &unasked), Ok(the_user().of([])));
    let scoped = with(&user(), "scope", "openid invoices:read");
    let said = vendor().read("JWT", &scoped);
    assert_eq!(said, Ok(the_user().granted("invoices:read openid")));
}

#[test]
fn a_service_user_is_a_machine_only_by_the_rule_that_is_given() {
    let said = vendor().read("JWT", &machine());
    let unmarked = Said::user("crawler", SERVICE_USER, SERVICE_USER)
        .of([ORGANIZATION])
        .with_id("287403000000000001");
    assert_eq!(said, Ok(unmarked));

    let profile = ClaimsProfile::zitadel().with_machine_rule(MachineRule::ClaimIs {
        claim: "urn:acme:machine".into(),
        value: true.into(),
    });
    let vendor = Vendor::new(ISSUER, PROJECT, profile);
    let marked = Said::machine("crawler", SERVICE_USER)
        .of([ORGANIZATION])
        .with_id("287403000000000001");
    assert_eq!(vendor.read("JWT", &machine()), Ok(marked));
    assert_eq!(vendor.read("JWT", &user()), Ok(the_user()));
    let wrong = with(&machine(), "urn:acme:machine", "true");
    assert_eq!(vendor.read("JWT", &wrong), Err(MalformedClaim));
    // An action marks both tokens of a service user.
    let marked = with(&id_token(), "urn:acme:machine", true);
    assert_eq!(vendor.read("JWT", &marked), Err(NotAccessToken));
}

#[test]
fn the_client_is_required_under_either_name_and_both_must_agree() {
    let older = with(&without(&user(), "client_id"), "azp", APP);
    assert_eq!(vendor().read("JWT", &older), Ok(the_user()));
    let both = with(&user(), "azp", APP);
    assert_eq!(vendor().read("JWT", &both), Ok(the_user()));
    let differing = with(&user(), "azp", "other");
    assert_eq!(vendor().read("JWT", &differing), Err(Client));
    for typ in ["JWT", "at+jwt"] {
        let neither = without(&user(), "client_id");
        assert_eq!(vendor().read(typ, &neither), Err(MissingClaim), "{typ}");
    }
}

#[test]
fn the_claim_of_the_organization_is_one_name_with_colons() {
    for wrong in [json!(null), json!(""), json!(5), json!([ORGANIZATION])] {
        let payload = with(&user(), OWNER, wrong.clone());
        assert_eq!(
            vendor().read("JWT", &payload),
            Err(MalformedClaim),
            "{wrong}"
        );
    }
    let nested = json!({"zitadel": {"iam": {"user": {"resourceowner": {"id": "other"}}}}});
    let payload = with(&without(&user(), OWNER), "urn", nested);
    assert_eq!(vendor().read("JWT", &payload), Ok(the_user().of([])));
}

#[test]
fn an_id_token_is_refused_though_its_audience_and_its_client_are_those_of_an_access_token() {
    assert_eq!(vendor().read("JWT", &id_token()), Err(NotAccessToken));
    for claim in ["nonce", "at_hash"] {
        let payload = without(&id_token(), claim);
        assert_eq!(vendor().read("JWT", &payload), Err(NotAccessToken));
    }
    let unlinked = without(&without(&id_token(), "nonce"), "at_hash");
    let decided = vendor().read("JWT", &unlinked);
    assert_eq!(decided, Err(MissingClaim), "it has no jti");
}
