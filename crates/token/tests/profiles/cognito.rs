use countersign_token::ClaimsProfile;
use countersign_token::Refusal::{self, Audience, Client, MissingClaim, NotAccessToken, Type};
use serde_json::{Value, json};

use crate::said::{Said, Vendor, with, without};

const ISSUER: &str = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_EXAMPLE";
const API: &str = "https://api.acme.test";
const MACHINE: &str = "3ls7example01234567890abcd";
const APP: &str = "57cbishk4j24pabc1234567890";
const USER: &str = "88c19360-b021-7099-0d14-e635c047bb39";

fn vendor() -> Vendor {
    Vendor::new(ISSUER, API, ClaimsProfile::cognito())
        .with(|issuer| issuer.with_clients([MACHINE, APP]))
}

fn machine() -> Value {
    json!({
        "sub": MACHINE,
        "token_use": "access",
        "scope": "invoices-api/write invoices-api/read",
        "auth_time": 1_900_000_000,
        "iss": ISSUER,
        "exp": 1_900_003_600,
        "iat": 1_900_000_000,
        "version": 2,
        "jti": "2570b096-825b-4667-8c03-c16de3db3f42",
        "client_id": MACHINE,
    })
}

/// Asked for with a resource, without which there is no `aud`.
fn user() -> Value {
    json!({
        "sub": USER,
        "cognito:groups": ["admin"],
        "iss": ISSUER,
        "version": 2,
        "client_id": APP,
        "aud": API,
        "origin_jti": "b8fe5562-312f-4b93-9cad-e00a14c26129",
        "event_id": "6329561a-dc19-42df-93ff-eb99385dcfa0",
        "token_use": "access",
        "scope": "openid invoices-api/read",
        "auth_time": 1_899_999_990,
        "exp": 1_900_003_600,
        "iat": 1_900_000_000,
        "jti": "5719825d-cb4c-4e74-89a4-7d42e80cada6",
        "username": "jane",
    })
}

fn id_token() -> Value {
    json!({
        "sub": USER,
        "aud": APP,
        "email_verified": true,
        "token_use": "id",
        "auth_time": 1_899_999_990,
        "iss": ISSUER,
        "cognito:username": "jane",
        "exp": 1_900_003_600,
        "iat": 1_900_000_000,
        "email": "jane@acme.test",
        "jti": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
        "origin_jti": "b8fe5562-312f-4b93-9cad-e00a14c26129",
    })
}

fn the_machine() -> Said {
    Said::machine(MACHINE, MACHINE)
        .granted("invoices-api/read invoices-api/write")
        .with_id("2570b096-825b-4667-8c03-c16de3db3f42")
}

fn the_user() -> Said {
    Said::user(APP, USER, USER)
        .granted("invoices-api/read openid")
        .with_id("5719825d-cb4c-4e74-89a4-7d42e80cada6")
}

#[test]
fn a_machine_needs_no_audience_and_a_user_has_one_by_resource_binding() {
    for typ in [None, Some("JWT")] {
        assert_eq!(vendor().read(typ, &machine()), Ok(the_machine()));
        assert_eq!(vendor().read(typ, &user()), Ok(the_user()));
    }
    assert_eq!(vendor().read("at+jwt", &user()), Err(Type));
}

#[test]
fn the_audience_may_be_absent_only_for_a_listed_machine_that_is_its_own_client() {
    let stranger = with(&with(&machine(), "client_id", "other"), "sub", "other");
    let cases: &[(&str, Value, Refusal)] = &[
        ("a user", without(&user(), "aud"), MissingClaim),
        ("a stranger", stranger, Client),
        (
            "another subject",
            with(&machine(), "sub", USER),
            MissingClaim,
        ),
        ("no client", without(&machine(), "client_id"), MissingClaim),
        (
            "another API",
            with(&machine(), "aud", "https://x"),
            Audience,
        ),
        (
            "none of several",
            with(&machine(), "aud", json!([])),
            Audience,
        ),
    ];
    for (name, payload, expected) in cases {
        let decided = vendor().read(None, payload).map(|_| ());
        assert_eq!(decided, Err(*expected), "{name}");
    }
    let ours = with(&machine(), "aud", API);
    assert_eq!(vendor().read(None, &ours), Ok(the_machine()));
    let unlisted = Vendor::new(ISSUER, API, ClaimsProfile::cognito());
    assert_eq!(unlisted.read(None, &machine()), Err(MissingClaim));
}

#[test]
fn an_id_token_is_refused_by_its_use() {
    assert_eq!(vendor().read(None, &id_token()), Err(Audience));
    let careless = vendor().with(|issuer| issuer.with_audiences([APP]));
    assert_eq!(careless.read(None, &id_token()), Err(NotAccessToken));
    let with_client = with(&id_token(), "client_id", APP);
    assert_eq!(careless.read(None, &with_client), Err(NotAccessToken));
}

#[test]
fn whatever_is_not_exactly_for_access_is_no_access_token() {
    for wrong in [
        json!("id"),
        json!("Access"),
        json!("access "),
        json!(""),
        json!(null),
        json!(true),
        json!(["access"]),
    ] {
        let payload = with(&machine(), "token_use", wrong.clone());
        let decided = vendor().read(None, &payload);
        assert_eq!(decided, Err(NotAccessToken), "{wrong}");
    }
    let payload = without(&machine(), "token_use");
    assert_eq!(vendor().read(None, &payload), Err(NotAccessToken));
}

#[test]
fn groups_grant_nothing_and_no_claim_is_an_organization() {
    let payload = with(&without(&user(), "scope"), "org_id", "org_acme");
    assert_eq!(vendor().read(None, &payload), Ok(the_user().granted("")));
}
