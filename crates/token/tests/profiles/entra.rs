use countersign_token::ClaimsProfile;
use countersign_token::Refusal::{
    Client, MalformedClaim, MissingClaim, NotAccessToken, Type, UnknownKind,
};
use serde_json::{Value, json};

use crate::said::{Said, Vendor, with, without};

const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
const API: &str = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
const MACHINE: &str = "75dbe77f-10a3-4e59-85fd-8c127544f17c";
const MACHINE_OBJECT: &str = "3f1c2a10-9d3b-4c36-8b1e-5f2f6f0a7d11";
const APP: &str = "0a1b2c3d-1111-4222-8333-444455556666";
const USER: &str = "690222be-ff1a-4d56-abd1-7e4f7d38e474";
const USER_SUBJECT: &str = "HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ";
const V2: &str = "https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0";
const V1: &str = "https://sts.windows.net/72f988bf-86f1-41af-91ab-2d7cd011db47/";
const V1_API: &str = "api://ef1da9d4-ff77-4c3e-a005-840c3f830745";

fn v2() -> Vendor {
    Vendor::new(V2, API, ClaimsProfile::entra())
}

fn v1() -> Vendor {
    Vendor::new(V1, V1_API, ClaimsProfile::entra())
}

fn machine() -> Value {
    json!({
        "aud": API,
        "iss": V2,
        "iat": 1_900_000_000,
        "nbf": 1_900_000_000,
        "exp": 1_900_003_900,
        "aio": "E2ZgYFhw",
        "azp": MACHINE,
        "azpacr": "1",
        "idtyp": "app",
        "oid": MACHINE_OBJECT,
        "rh": "0.ARoA",
        "roles": ["Invoices.Read.All"],
        "sub": MACHINE_OBJECT,
        "tid": TENANT,
        "uti": "fqiBqXLPj0eQa82S-IYFAA",
        "ver": "2.0",
    })
}

fn machine_of_v1_without_idtyp() -> Value {
    json!({
        "aud": V1_API,
        "iss": V1,
        "iat": 1_900_000_000,
        "nbf": 1_900_000_000,
        "exp": 1_900_003_900,
        "appid": MACHINE,
        "appidacr": "1",
        "idp": V1,
        "oid": MACHINE_OBJECT,
        "rh": "0.ARoA",
        "sub": MACHINE_OBJECT,
        "tid": TENANT,
        "uti": "FVsGxYXI30-TuikuuUoFAA",
        "ver": "1.0",
    })
}

fn user() -> Value {
    json!({
        "aud": API,
        "iss": V2,
        "iat": 1_900_000_000,
        "nbf": 1_900_000_000,
        "exp": 1_900_003_900,
        "aio": "AXQAi/8IAAAA",
        "azp": APP,
        "azpacr": "0",
        "name": "Abe Lincoln",
        "oid": USER,
        "preferred_username": "abeli@contoso.com",
        "rh": "I",
        "scp": "invoices.write invoices.read",
        "roles": ["Approver"],
        "sub": USER_SUBJECT,
        "tid": TENANT,
        "uti": "fqiBqXLPj0eQa82S-IYFAB",
        "ver": "2.0",
    })
}

fn user_of_v1() -> Value {
    json!({
        "aud": V1_API,
        "iss": V1,
        "iat": 1_900_000_000,
        "nbf": 1_900_000_000,
        "exp": 1_900_003_900,
        "acr": "1",
        "amr": ["pwd"],
        "appid": APP,
        "appidacr": "0",
        "ipaddr": "203.0.113.7",
        "name": "Abe Lincoln",
        "oid": USER,
        "rh": "I",
        "scp": "user_impersonation",
        "sub": "l3_roISQUU222bULS9yi2k0XpqpOiMz5H3ZACo1GeXA",
        "tid": TENANT,
        "unique_name": "abeli@contoso.com",
        "uti": "FVsGxYXI30-TuikuuUoFAB",
        "ver": "1.0",
    })
}

fn id_token() -> Value {
    json!({
        "aud": API,
        "iss": V2,
        "iat": 1_900_000_000,
        "nbf": 1_900_000_000,
        "exp": 1_900_003_900,
        "aio": "AXQAi/8IAAAA",
        "name": "Abe Lincoln",
        "nonce": "678910",
        "oid": USER,
        "preferred_username": "abeli@contoso.com",
        "rh": "I",
        "roles": ["Approver"],
        "sub": USER_SUBJECT,
        "tid": TENANT,
        "uti": "CsX7kGBbVEWMyMd0Gk8JAA",
        "ver": "2.0",
    })
}

#[test]
fn a_machine_is_marked_as_one_and_has_its_scopes_in_roles() {
    let expected = || Said::machine(MACHINE, MACHINE_OBJECT).of([TENANT]);
    let said = v2().read("JWT", &machine());
    assert_eq!(said, Ok(expected().granted("Invoices.Read.All")));
    let of_v1 = with(&machine_of_v1_without_idtyp(), "idtyp", "app");
    assert_eq!(
        v1().read("JWT", &of_v1),
        Ok(expected()),
        "no role: nothing granted"
    );
    let with_scp = with(&machine(), "scp", "admin");
    let said = v2().read("JWT", &with_scp);
    assert_eq!(said, Ok(expected().granted("Invoices.Read.All")));
    assert_eq!(
        v2().read("JWT", &without(&with_scp, "roles")),
        Ok(expected())
    );
}

#[test]
fn a_user_is_the_oid_of_the_tenant_tid_and_has_its_scopes_in_scp() {
    let expected = Said::user(APP, USER, USER_SUBJECT)
        .of([TENANT])
        .granted("invoices.read invoices.write");
    assert_eq!(v2().read("JWT", &user()), Ok(expected));
    let expected = Said::user(APP, USER, "l3_roISQUU222bULS9yi2k0XpqpOiMz5H3ZACo1GeXA")
        .of([TENANT])
        .granted("user_impersonation");
    assert_eq!(v1().read("JWT", &user_of_v1()), Ok(expected));
}

#[test]
fn the_oid_is_never_an_organization_and_a_missing_tid_is_made_up_for_by_nothing() {
    let said = v2().read("JWT", &without(&user(), "tid")).unwrap();
    assert_eq!(said, v2().read("JWT", &user()).unwrap().of([]));
    assert_eq!(
        v2().read("JWT", &without(&user(), "oid")),
        Err(MissingClaim)
    );
    let mut empty = v2().read("JWT", &with(&user(), "oid", ""));
    assert_eq!(empty, Err(MalformedClaim));
    empty = v2().read("JWT", &with(&user(), "tid", ""));
    assert_eq!(empty, Err(MalformedClaim));
}

#[test]
fn what_is_neither_marked_as_a_machine_nor_has_scp_is_refused() {
    assert_eq!(
        v1().read("JWT", &machine_of_v1_without_idtyp()),
        Err(UnknownKind)
    );
    for payload in [without(&machine(), "idtyp"), without(&user(), "scp")] {
        assert_eq!(v2().read("JWT", &payload), Err(UnknownKind));
    }
    for kind in ["user", "device", "App", "APP", "app ", "", "apps"] {
        let payload = with(&machine(), "idtyp", kind);
        assert_eq!(v2().read("JWT", &payload), Err(UnknownKind), "{kind:?}");
    }
}

#[test]
fn a_mark_of_another_type_is_refused_and_not_taken_for_its_absence() {
    for mark in [
        json!(null),
        json!(true),
        json!(5),
        json!(["app"]),
        json!({}),
    ] {
        for payload in [machine(), user()] {
            let payload = with(&payload, "idtyp", mark.clone());
            assert_eq!(v2().read("JWT", &payload), Err(MalformedClaim), "{mark}");
        }
    }
}

#[test]
fn a_user_who_is_said_to_be_one_is_one() {
    let payload = with(&user(), "idtyp", "user");
    assert_eq!(v2().read("JWT", &payload), v2().read("JWT", &user()));
}

#[test]
fn scopes_of_another_type_are_refused() {
    for wrong in [json!(null), json!(5), json!({}), json!([1])] {
        let payload = with(&user(), "scp", wrong.clone());
        assert_eq!(
            v2().read("JWT", &payload),
            Err(MalformedClaim),
            "scp: {wrong}"
        );
        let payload = with(&machine(), "roles", wrong.clone());
        assert_eq!(
            v2().read("JWT", &payload),
            Err(MalformedClaim),
            "roles: {wrong}"
        );
    }
}

#[test]
fn the_client_is_required_and_both_of_its_claims_must_agree() {
    assert_eq!(
        v2().read("JWT", &without(&user(), "azp")),
        Err(MissingClaim)
    );
    assert_eq!(
        v2().read("JWT", &with(&user(), "appid", MACHINE)),
        Err(Client)
    );
    assert!(v2().read("JWT", &with(&user(), "appid", APP)).is_ok());
}

#[test]
fn an_id_token_of_the_apis_own_registration_is_refused() {
    assert_eq!(v2().read("JWT", &id_token()), Err(NotAccessToken));
    let without_nonce = without(&id_token(), "nonce");
    assert_eq!(v2().read("JWT", &without_nonce), Err(MissingClaim));
    let with_client = with(&without_nonce, "azp", APP);
    assert_eq!(v2().read("JWT", &with_client), Err(UnknownKind));
    assert_eq!(v2().read("at+jwt", &user()), Err(Type));
}
