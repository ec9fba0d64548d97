use countersign_token::ClaimsProfile;
use countersign_token::Refusal::{Audience, MissingClaim, NotAccessToken, Type};
use serde_json::{Value, json};

use crate::said::{Said, Vendor, with, without};

fn vendor() -> Vendor {
    let (issuer, audience) = ("https://as.example.com/", "https://rs.example.com/");
    Vendor::new(issuer, audience, ClaimsProfile::rfc9068())
}

fn machine() -> Value {
    json!({
        "iss": "https://as.example.com/",
        "sub": "s6BhdRkqt3",
        "client_id": "s6BhdRkqt3",
        "aud": "https://rs.example.com/",
        "exp": 1_900_003_600,
        "iat": 1_900_000_000,
        "jti": "dbe39bf3a3ba4238a513f51d6e1691c4",
        "scope": "invoices:write invoices:read",
    })
}

fn user() -> Value {
    json!({
        "iss": "https://as.example.com/",
        "sub": "5ba552d67",
        "client_id": "s6BhdRkqt3",
        "aud": ["https://rs.example.com/"],
        "exp": 1_900_003_600,
        "iat": 1_900_000_000,
        "jti": "7f0c7c35f6ce4a6b",
        "auth_time": 1_899_999_990,
        "acr": "1",
        "amr": ["pwd"],
        "scope": "openid profile invoices:read",
    })
}

fn id_token() -> Value {
    json!({
        "iss": "https://as.example.com/",
        "sub": "5ba552d67",
        "aud": "s6BhdRkqt3",
        "azp": "s6BhdRkqt3",
        "exp": 1_900_003_600,
        "iat": 1_900_000_000,
        "auth_time": 1_899_999_990,
        "nonce": "n-0S6_WzA2Mj",
        "at_hash": "77QmUPtjPfzWtF2AnpK9RQ",
    })
}

#[test]
fn a_machine_is_who_is_its_own_client() {
    let expected = || {
        Said::machine("s6BhdRkqt3", "s6BhdRkqt3")
            .granted("invoices:read invoices:write")
            .with_id("dbe39bf3a3ba4238a513f51d6e1691c4")
    };
    // RFC 9068 §2.1 itself writes `at+JWT`.
    for typ in ["at+jwt", "at+JWT", "application/at+jwt"] {
        assert_eq!(vendor().read(typ, &machine()), Ok(expected()), "{typ}");
    }
    let of_acme = with(&machine(), "org_id", "org_acme");
    assert_eq!(
        vendor().read("at+jwt", &of_acme),
        Ok(expected().of(["org_acme"]))
    );
}

#[test]
fn a_user_is_the_subject_of_somebody_elses_client() {
    let expected =
        || Said::user("s6BhdRkqt3", "5ba552d67", "5ba552d67").with_id("7f0c7c35f6ce4a6b");
    let scopes = "invoices:read openid profile";
    assert_eq!(
        vendor().read("at+jwt", &user()),
        Ok(expected().granted(scopes))
    );
    let of_acme = with(&user(), "org_id", "org_acme");
    let said = vendor().read("at+jwt", &of_acme);
    assert_eq!(said, Ok(expected().granted(scopes).of(["org_acme"])));
    // `scope` is not required (§2.2.3), and nothing else stands in for it.
    let with_roles = with(&without(&user(), "scope"), "roles", json!(["admin"]));
    let with_all = with(&with_roles, "entitlements", json!(["all"]));
    assert_eq!(vendor().read("at+jwt", &with_all), Ok(expected()));
}

#[test]
fn an_id_token_is_refused_by_its_type_and_were_the_type_accepted_by_its_claims() {
    let own = |change: fn(ClaimsProfile) -> ClaimsProfile| {
        let profile = change(ClaimsProfile::rfc9068());
        Vendor::new("https://as.example.com/", "s6BhdRkqt3", profile)
    };
    assert_eq!(vendor().read("JWT", &id_token()), Err(Type));
    assert_eq!(own(|profile| profile).read("JWT", &id_token()), Err(Type));

    let lenient = own(|profile| {
        let required = profile.with_required_claims([]);
        required.with_token_types([countersign_token::TokenType::Jwt])
    });
    assert_eq!(lenient.read("JWT", &id_token()), Err(NotAccessToken));
    let unlinked = without(&without(&id_token(), "nonce"), "at_hash");
    assert_eq!(lenient.read("JWT", &unlinked), Err(MissingClaim));
    for mark in ["nonce", "at_hash", "c_hash"] {
        for value in [json!("x"), json!(null), json!(5), json!("")] {
            let marked = with(
                &with(&unlinked, "client_id", "s6BhdRkqt3"),
                mark,
                value.clone(),
            );
            assert_eq!(
                lenient.read("JWT", &marked),
                Err(NotAccessToken),
                "{mark}: {value}"
            );
        }
    }
}

#[test]
fn the_type_of_an_access_token_marks_it_enough_to_let_a_nonce_pass() {
    let payload = with(&user(), "nonce", "n-0S6_WzA2Mj");
    assert!(vendor().read("at+jwt", &payload).is_ok());
}

#[test]
fn a_token_for_another_resource_of_the_same_issuer_is_refused() {
    let payload = with(&machine(), "aud", "https://rs.example.com");
    assert_eq!(vendor().read("at+jwt", &payload), Err(Audience));
}
