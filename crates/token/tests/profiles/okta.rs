use countersign_token::ClaimsProfile;
use countersign_token::Refusal::{
    Audience, MalformedClaim, MissingClaim, NotAccessToken, UnknownIssuer,
};
use serde_json::{Value, json};

use crate::said::{Said, Vendor, with, without};

const ISSUER: &str = "https://acme.okta.com/oauth2/aus9o8wzkhckw9TLa0h7";
const API: &str = "api://invoices";
const MACHINE: &str = "0oa5ze5rkkzG1sK8e0h7";
const APP: &str = "0oabzljih3rnr6aGt0h7";
const USER: &str = "00ujmkLgagxeRrAg20g3";
const LOGIN: &str = "jane.doe@acme.test";

fn vendor() -> Vendor {
    Vendor::new(ISSUER, API, ClaimsProfile::okta())
}

fn machine() -> Value {
    json!({
        "ver": 1,
        "jti": "AT.9S4Yx0G0JmGTxh4bRpNOv3xGJcBO1CkBbYSYBCk0u8E",
        "iss": ISSUER,
        "aud": API,
        "iat": 1_900_000_000,
        "exp": 1_900_003_600,
        "cid": MACHINE,
        "scp": ["invoices:write", "invoices:read"],
        "sub": MACHINE,
    })
}

fn user() -> Value {
    json!({
        "ver": 1,
        "jti": "AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE",
        "iss": ISSUER,
        "aud": API,
        "sub": LOGIN,
        "iat": 1_900_000_000,
        "exp": 1_900_003_600,
        "cid": APP,
        "uid": USER,
        "scp": ["openid", "email", "invoices:read"],
        "auth_time": 1_899_999_990,
        "groups": ["Everyone", "Accounting"],
    })
}

fn id_token() -> Value {
    json!({
        "ver": 1,
        "sub": USER,
        "iss": ISSUER,
        "aud": APP,
        "iat": 1_900_000_000,
        "exp": 1_900_003_600,
        "jti": "ID.4eAWJOCMB3SX8XewDfVR",
        "amr": ["pwd"],
        "idp": "00ok1u7AsAkrwdZL3z0g3",
        "nonce": "n-0S6_WzA2Mj",
        "auth_time": 1_899_999_990,
        "at_hash": "cpqKfdQA5eH891Ff5oJr_Q",
        "preferred_username": LOGIN,
        "email": LOGIN,
        "email_verified": true,
    })
}

fn the_machine() -> Said {
    Said::machine(MACHINE, MACHINE)
        .granted("invoices:read invoices:write")
        .with_id("AT.9S4Yx0G0JmGTxh4bRpNOv3xGJcBO1CkBbYSYBCk0u8E")
}

fn the_user() -> Said {
    Said::user(APP, USER, LOGIN)
        .granted("email invoices:read openid")
        .with_id("AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE")
}

#[test]
fn a_machine_is_its_client_and_a_user_is_the_uid_and_not_the_login() {
    for typ in [None, Some("JWT")] {
        assert_eq!(vendor().read(typ, &machine()), Ok(the_machine()));
        assert_eq!(vendor().read(typ, &user()), Ok(the_user()));
    }
}

#[test]
fn whoever_has_a_uid_is_a_user_even_with_the_clients_name_for_a_login() {
    let payload = with(&user(), "sub", APP);
    let said = vendor().read("JWT", &payload);
    let expected = Said::user(APP, USER, APP)
        .granted("email invoices:read openid")
        .with_id("AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE");
    assert_eq!(said, Ok(expected));
    for wrong in [json!(null), json!(""), json!(5), json!([USER]), json!({})] {
        let payload = with(&machine(), "uid", wrong.clone());
        assert_eq!(
            vendor().read("JWT", &payload),
            Err(MalformedClaim),
            "{wrong}"
        );
    }
}

#[test]
fn who_is_neither_a_uid_nor_its_own_client_is_refused() {
    for subject in [LOGIN, APP, "0OA5ZE5RKKZG1SK8E0H7", "crawler"] {
        let payload = with(&machine(), "sub", subject);
        assert_eq!(
            vendor().read("JWT", &payload),
            Err(MissingClaim),
            "{subject}"
        );
    }
    for claim in ["sub", "cid"] {
        let payload = without(&machine(), claim);
        assert_eq!(vendor().read("JWT", &payload), Err(MissingClaim), "{claim}");
    }
}

#[test]
fn only_scp_holds_scopes_and_nothing_holds_an_organization() {
    let both = with(&machine(), "scope", "admin");
    assert_eq!(vendor().read("JWT", &both), Ok(the_machine()));
    let neither = without(&both, "scp");
    assert_eq!(
        vendor().read("JWT", &neither),
        Ok(the_machine().granted(""))
    );
    let payload = with(&with(&user(), "org_id", "org_acme"), "tid", "acme");
    assert_eq!(vendor().read("JWT", &payload), Ok(the_user()));
}

#[test]
fn an_id_token_is_refused() {
    assert_eq!(vendor().read(None, &id_token()), Err(Audience));
    let careless = vendor().with(|issuer| issuer.with_audiences([APP]));
    assert_eq!(careless.read(None, &id_token()), Err(NotAccessToken));
    let one = without(&id_token(), "nonce");
    assert_eq!(careless.read(None, &one), Err(NotAccessToken));
    let unlinked = without(&one, "at_hash");
    assert_eq!(careless.read(None, &unlinked), Err(MissingClaim));
}

#[test]
fn a_token_of_the_org_authorization_server_is_another_issuers() {
    let payload = with(&user(), "iss", "https://acme.okta.com");
    assert_eq!(vendor().read("JWT", &payload), Err(UnknownIssuer));
}
