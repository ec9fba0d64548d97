use countersign_token::Refusal::{
    Audience, Client, MalformedClaim, MissingClaim, NotAccessToken, UnprovenConfirmation,
};
use countersign_token::{ClaimsProfile, OrganizationForm};
use serde_json::{Value, json};

use crate::said::{Said, Vendor, with, without};

const ISSUER: &str = "https://kc.example.com/realms/demo";
const SERVICE_USER: &str = "1f4db6ad-5e75-479c-b289-b8096ec1f4f4";
const USER: &str = "d019f228-2469-4cdd-b086-4c3cd5fe3aef";
const ACME: &str = "42c3e46f-2477-44d7-a85b-d3b43f6b31fa";
const GLOBEX: &str = "4d37de35-f388-4c81-bdff-c41d67de66e5";

fn vendor() -> Vendor {
    Vendor::new(ISSUER, "billing-api", ClaimsProfile::keycloak())
}

fn by_id() -> Vendor {
    let profile = ClaimsProfile::keycloak().with_organization_form(OrganizationForm::MembershipId);
    Vendor::new(ISSUER, "billing-api", profile)
}

fn machine() -> Value {
    json!({
        "exp": 1_900_000_300,
        "iat": 1_900_000_000,
        "jti": "20cda5b8-8b46-4046-976d-0a477d66e919",
        "iss": ISSUER,
        "aud": ["billing-api", "account"],
        "sub": SERVICE_USER,
        "typ": "Bearer",
        "azp": "crawler",
        "acr": "1",
        "realm_access": {"roles": ["offline_access", "default-roles-demo", "uma_authorization"]},
        "resource_access": {"billing-api": {"roles": ["reader"]}, "account": {"roles": ["view-profile"]}},
        "scope": "email profile invoices:read",
        "email_verified": false,
        "clientHost": "203.0.113.9",
        "preferred_username": "service-account-crawler",
        "clientAddress": "203.0.113.9",
        "client_id": "crawler",
    })
}

fn user() -> Value {
    json!({
        "exp": 1_900_000_300,
        "iat": 1_900_000_000,
        "auth_time": 1_899_999_990,
        "jti": "6b92fbc3-3005-4d7f-960d-e08c6e4bb45d",
        "iss": ISSUER,
        "aud": "billing-api",
        "sub": USER,
        "typ": "Bearer",
        "azp": "web-app",
        "sid": "e9c9254c-5b59-4a8e-b90a-7766ef1b25d1",
        "acr": "1",
        "allowed-origins": ["https://app.example.com"],
        "realm_access": {"roles": ["manager"]},
        "scope": "openid organization profile email invoices:read",
        "email_verified": true,
        "organization": {"acme": {"id": ACME}},
        "name": "Jane Doe",
        "preferred_username": "jane",
    })
}

fn id_token() -> Value {
    json!({
        "exp": 1_900_000_300,
        "iat": 1_900_000_000,
        "auth_time": 1_899_999_990,
        "jti": "0f6c2c39-9a62-4f0e-b0d8-0f8e5b1f2c11",
        "iss": ISSUER,
        "aud": "web-app",
        "sub": USER,
        "typ": "ID",
        "azp": "web-app",
        "nonce": "n-0S6_WzA2Mj",
        "sid": "e9c9254c-5b59-4a8e-b90a-7766ef1b25d1",
        "at_hash": "77QmUPtjPfzWtF2AnpK9RQ",
        "acr": "1",
        "organization": ["acme"],
        "email": "jane@acme.example",
    })
}

fn the_machine() -> Said {
    Said::machine("crawler", SERVICE_USER)
        .granted("email invoices:read profile")
        .with_id("20cda5b8-8b46-4046-976d-0a477d66e919")
}

fn the_user() -> Said {
    Said::user("web-app", USER, USER)
        .granted("email invoices:read openid organization profile")
        .with_id("6b92fbc3-3005-4d7f-960d-e08c6e4bb45d")
}

#[test]
fn a_machine_repeats_its_client_under_the_new_name_or_the_old() {
    let old = with(&without(&machine(), "client_id"), "clientId", "crawler");
    let both = with(&machine(), "clientId", "crawler");
    for payload in [machine(), old, both] {
        for typ in ["JWT", "at+jwt"] {
            assert_eq!(vendor().read(typ, &payload), Ok(the_machine()), "{payload}");
        }
    }
}

#[test]
fn a_client_that_is_not_the_authorized_party_is_refused() {
    for name in ["client_id", "clientId"] {
        for other in ["web-app", "Crawler", "crawler "] {
            let payload = with(&machine(), name, other);
            assert_eq!(
                vendor().read("JWT", &payload),
                Err(Client),
                "{name}: {other}"
            );
        }
        for wrong in [json!(null), json!(""), json!(5), json!(["crawler"])] {
            let payload = with(&machine(), name, wrong.clone());
            assert_eq!(
                vendor().read("JWT", &payload),
                Err(MalformedClaim),
                "{name}: {wrong}"
            );
        }
    }
    assert_eq!(
        vendor().read("JWT", &without(&machine(), "azp")),
        Err(MissingClaim)
    );
}

#[test]
fn a_user_has_its_organization_by_alias_or_by_id_as_configured() {
    assert_eq!(vendor().read("JWT", &user()), Ok(the_user().of(["acme"])));
    assert_eq!(by_id().read("JWT", &user()), Ok(the_user().of([ACME])));
    let without = without(&user(), "organization");
    assert_eq!(vendor().read("JWT", &without), Ok(the_user()));
    assert_eq!(by_id().read("JWT", &without), Ok(the_user()));
}

/// The user with these organizations.
fn the_user_of(organizations: &[&str]) -> Said {
    match *organizations {
        [] => the_user(),
        [one] => the_user().of([one]),
        [one, other] => the_user().of([one, other]),
        _ => panic!("no more than two here"),
    }
}

#[test]
fn an_organization_claim_has_one_of_three_forms_and_several_are_several() {
    let objects = json!({"globex": {"id": GLOBEX}, "acme": {"id": ACME, "tier": ["gold"]}});
    let renamed = json!({"acme": {"id": ACME}, "acme-eu": {"id": ACME}});
    let no_ids = Err(MalformedClaim);
    let cases = [
        (json!(["acme"]), vec!["acme"], no_ids.clone()),
        (json!("acme"), vec!["acme"], no_ids.clone()),
        (json!({"acme": {}}), vec!["acme"], no_ids.clone()),
        (
            json!(["globex", "acme"]),
            vec!["acme", "globex"],
            no_ids.clone(),
        ),
        (json!(["acme", "acme"]), vec!["acme"], no_ids.clone()),
        (objects, vec!["acme", "globex"], Ok(vec![ACME, GLOBEX])),
        (renamed, vec!["acme", "acme-eu"], Ok(vec![ACME])),
        (json!({"acme": {"id": ["x"]}}), vec!["acme"], no_ids.clone()),
        (json!({"acme": {"id": ""}}), vec!["acme"], no_ids.clone()),
        (
            json!({"acme": {"id": ACME}, "globex": {}}),
            vec!["acme", "globex"],
            no_ids.clone(),
        ),
        (json!({"acme": ACME}), vec!["acme"], no_ids),
    ];
    // Naming nobody is not the same as saying nothing: a machine without organization may be one of ours.
    for nobody in [json!([]), json!({})] {
        let payload = with(&user(), "organization", nobody);
        assert_eq!(vendor().read("JWT", &payload), Err(MalformedClaim));
    }
    for (claim, aliases, ids) in cases {
        let payload = with(&user(), "organization", claim.clone());
        assert_eq!(
            vendor().read("JWT", &payload),
            Ok(the_user_of(&aliases)),
            "{claim}"
        );
        assert_eq!(
            by_id().read("JWT", &payload),
            ids.map(|ids| the_user_of(&ids)),
            "{claim} by id"
        );
    }
}

#[test]
fn an_organization_claim_of_another_form_or_without_a_name_is_refused() {
    let claims = [
        json!(""),
        json!([""]),
        json!(["acme", null]),
        json!([["acme"]]),
        json!(null),
        json!(true),
        json!(5),
    ];
    for claim in claims {
        let payload = with(&user(), "organization", claim.clone());
        assert_eq!(
            vendor().read("JWT", &payload),
            Err(MalformedClaim),
            "{claim}"
        );
        assert_eq!(
            by_id().read("JWT", &payload),
            Err(MalformedClaim),
            "{claim} by id"
        );
    }
    let unnamed = with(&user(), "organization", json!({"": {"id": ACME}}));
    assert_eq!(vendor().read("JWT", &unnamed), Err(MalformedClaim));
    assert_eq!(by_id().read("JWT", &unnamed), Ok(the_user().of([ACME])));
}

#[test]
fn an_id_token_or_refresh_token_is_refused_by_the_type_in_its_payload() {
    assert_eq!(vendor().read("JWT", &id_token()), Err(Audience));
    let careless = vendor().with(|issuer| issuer.with_audiences(["web-app", "billing-api"]));
    assert_eq!(careless.read("JWT", &id_token()), Err(NotAccessToken));
    for typ in [
        "ID", "Refresh", "Offline", "Logout", "bearer", "BEARER", "Bearer ", "JWT", "",
    ] {
        for header in ["JWT", "at+jwt"] {
            let payload = with(&user(), "typ", typ);
            assert_eq!(
                careless.read(header, &payload),
                Err(NotAccessToken),
                "{typ}"
            );
        }
    }
    for typ in [json!(null), json!(5), json!(["Bearer"])] {
        let payload = with(&user(), "typ", typ.clone());
        assert_eq!(careless.read("JWT", &payload), Err(NotAccessToken), "{typ}");
    }
    assert_eq!(
        careless.read("JWT", &without(&user(), "typ")),
        Err(NotAccessToken)
    );
}

#[test]
fn a_token_of_a_bound_type_is_never_a_plain_bearer_token() {
    let bound = with(&user(), "typ", "DPoP");
    let confirmed = with(
        &bound,
        "cnf",
        json!({"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}),
    );
    assert_eq!(vendor().read("JWT", &confirmed), Err(UnprovenConfirmation));
    assert_eq!(vendor().read("JWT", &bound), Err(NotAccessToken));
}

#[test]
fn a_bound_token_is_an_access_token_by_its_type_like_any_other() {
    let cnf = json!({"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"});
    let bound = with(&user(), "cnf", cnf);
    let said = vendor().read("JWT", &user());
    for (typ, expected) in [
        ("DPoP", said.clone()),
        ("Bearer", said),
        ("ID", Err(NotAccessToken)),
        ("Refresh", Err(NotAccessToken)),
        ("dpop", Err(NotAccessToken)),
    ] {
        let payload = with(&bound, "typ", typ);
        assert_eq!(vendor().read_bound(&payload), expected, "{typ}");
    }
}

#[test]
fn an_old_access_token_with_a_nonce_is_one_all_the_same() {
    let payload = with(&user(), "nonce", "n-0S6_WzA2Mj");
    assert_eq!(
        vendor().read("JWT", &payload),
        vendor().read("JWT", &user())
    );
}

#[test]
fn a_token_without_subject_or_audience_as_a_lightweight_one_is_refused() {
    for claim in ["sub", "aud", "azp"] {
        let payload = without(&user(), claim);
        assert_eq!(vendor().read("JWT", &payload), Err(MissingClaim), "{claim}");
        let payload = without(&machine(), claim);
        assert_eq!(vendor().read("JWT", &payload), Err(MissingClaim), "{claim}");
    }
    let payload = with(&user(), "aud", "account");
    assert_eq!(vendor().read("JWT", &payload), Err(Audience));
}

#[test]
fn roles_are_no_scopes() {
    let payload = without(&machine(), "scope");
    assert_eq!(
        vendor().read("JWT", &payload),
        Ok(the_machine().granted(""))
    );
}
