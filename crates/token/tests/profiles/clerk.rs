use countersign_token::Refusal::{
    Audience, Client, MalformedClaim, MissingClaim, NotAccessToken, UnknownKind,
};
use countersign_token::{CallerKind, ClaimsProfile, Microservices, TokenType};
use serde_json::{Value, json};

use crate::said::{Said, Vendor, with, without};

const ISSUER: &str = "https://clerk.acme.test";
const API: &str = "https://api.acme.test";
const MACHINE: &str = "mch_2vYVtestTESTtestTESTtestTESTtest";
const APP: &str = "client_2VTWUzvGC5UhdJCNx6xG1D98edc";
const USER: &str = "user_2vYVtestTESTtestTESTtestTESTtest";
const ORGANIZATION: &str = "org_2xKa9Bgv7NxMRDFyQw8LpZ3cTmU";

fn vendor() -> Vendor {
    Vendor::new(ISSUER, API, ClaimsProfile::clerk())
}

/// Made with `aud` and `scopes` among its own claims.
fn machine() -> Value {
    json!({
        "iss": ISSUER,
        "sub": MACHINE,
        "aud": [API],
        "scopes": "invoices:write invoices:read",
        "exp": 1_900_003_600,
        "iat": 1_900_000_000,
        "nbf": 1_899_999_990,
        "jti": "mt_2xKa9Bgv7NxMRDFyQw8LpZ3cTmU1vHjE",
    })
}

/// Asked for with a resource, without which there is no `aud`.
fn user() -> Value {
    json!({
        "iss": ISSUER,
        "sub": USER,
        "aud": [API],
        "client_id": APP,
        "scope": "openid user:org:read invoices:read",
        "org_id": ORGANIZATION,
        "exp": 1_900_086_400,
        "iat": 1_900_000_000,
        "nbf": 1_899_999_990,
        "jti": "oat_2xKa9Bgv7NxMRDFyQw8LpZ3cTmU1vHjE",
    })
}

/// With `aud` added, which a session's token does not have by itself.
fn session() -> Value {
    json!({
        "azp": "https://app.acme.test",
        "aud": API,
        "exp": 1_900_000_160,
        "fva": [7, -1],
        "iat": 1_900_000_000,
        "iss": ISSUER,
        "jti": "1234567890",
        "nbf": 1_899_999_990,
        "o": {"id": ORGANIZATION, "slg": "acme", "rol": "admin", "per": "read,manage", "fpm": "3"},
        "sid": "sess_2GbDB4enNdCa5vS1zpC3Xzg9tK9",
        "sts": "active",
        "sub": USER,
        "v": 2,
    })
}

fn id_token() -> Value {
    json!({
        "iss": ISSUER,
        "sub": USER,
        "aud": APP,
        "nonce": "n-0S6_WzA2Mj",
        "org_id": ORGANIZATION,
        "name": "Jane Doe",
        "email": "jane@acme.test",
        "exp": 1_900_086_400,
        "iat": 1_900_000_000,
        "jti": "9f2c1a7b3d5e",
    })
}

fn the_machine() -> Said {
    Said::machine(MACHINE, MACHINE)
        .granted("invoices:read invoices:write")
        .with_id("mt_2xKa9Bgv7NxMRDFyQw8LpZ3cTmU1vHjE")
}

fn the_user() -> Said {
    Said::user(APP, USER, USER)
        .of([ORGANIZATION])
        .granted("invoices:read openid user:org:read")
        .with_id("oat_2xKa9Bgv7NxMRDFyQw8LpZ3cTmU1vHjE")
}

#[test]
fn a_machine_is_its_own_client() {
    assert_eq!(vendor().read("JWT", &machine()), Ok(the_machine()));
    let listed = vendor().with(|issuer| issuer.with_clients([MACHINE]));
    assert_eq!(listed.read("JWT", &machine()), Ok(the_machine()));
    let others = vendor().with(|issuer| issuer.with_clients([APP, "mch_other"]));
    assert_eq!(others.read("JWT", &machine()), Err(Client));
    let ours = vendor()
        .with(|issuer| issuer.with_microservices(Microservices::clients([MACHINE])))
        .read("JWT", &machine());
    assert_eq!(ours, Ok(the_machine().kind(CallerKind::Microservice)));
}

#[test]
fn a_machine_needs_a_name_behind_the_prefix() {
    for subject in ["mch_", "MCH_2vYV", "mch-2vYV", " mch_2vYV", "user_mch_2vYV"] {
        let payload = with(&machine(), "sub", subject);
        let decided = vendor().read("JWT", &payload);
        assert_eq!(decided, Err(MissingClaim), "{subject:?} names no client");
        let payload = with(&payload, "client_id", APP);
        let said = vendor().read("JWT", &payload).unwrap();
        let user = Said::user(APP, subject, subject).with_id("mt_2xKa9Bgv7NxMRDFyQw8LpZ3cTmU1vHjE");
        assert_eq!(said, user, "{subject:?}");
    }
    let anonymous = without(&machine(), "sub");
    assert_eq!(vendor().read("JWT", &anonymous), Err(MissingClaim));
}

#[test]
fn a_machine_is_told_from_an_id_token_all_the_same() {
    for claim in ["nonce", "at_hash", "c_hash"] {
        let payload = with(&machine(), claim, "x");
        let decided = vendor().read("JWT", &payload);
        assert_eq!(decided, Err(NotAccessToken), "{claim}");
    }
}

#[test]
fn a_user_of_an_app_has_its_scopes_in_scope_or_scp() {
    for typ in ["at+jwt", "application/at+jwt"] {
        assert_eq!(vendor().read(typ, &user()), Ok(the_user()), "{typ}");
    }
    let array = with(&user(), "scp", json!(["invoices:read"]));
    let said = vendor().read("at+jwt", &array);
    assert_eq!(said, Ok(the_user().granted("invoices:read")));
    // Whoever makes a machine's token writes this one.
    let payload = with(&without(&user(), "scope"), "scopes", "admin");
    let said = vendor().read("at+jwt", &payload);
    assert_eq!(said, Ok(the_user().granted("")));
}

#[test]
fn a_token_without_audience_is_refused() {
    let decided = vendor().read("JWT", &without(&machine(), "aud"));
    assert_eq!(decided, Err(MissingClaim));
    let decided = vendor().read("at+jwt", &without(&user(), "aud"));
    assert_eq!(decided, Err(MissingClaim));
}

#[test]
fn the_origin_of_a_session_is_no_client() {
    assert_eq!(vendor().read("JWT", &session()), Err(MissingClaim));
    let payload = with(&user(), "azp", "https://app.acme.test");
    assert_eq!(vendor().read("at+jwt", &payload), Ok(the_user()));
}

#[test]
fn sessions_are_read_by_an_application_that_takes_nothing_else() {
    let profile = ClaimsProfile::clerk()
        .with_token_types([TokenType::Jwt])
        .with_access_token_mark("sts", ["active".into()])
        .with_user_required_claims(["sid".into()]);
    let sessions = Vendor::new(ISSUER, API, profile);
    let user = Said::user(APP, USER, USER)
        .without_client()
        .of([ORGANIZATION])
        .with_id("1234567890");
    assert_eq!(sessions.read("JWT", &session()), Ok(user));
    let pending = with(&session(), "sts", "pending");
    assert_eq!(sessions.read("JWT", &pending), Err(NotAccessToken));
    assert_eq!(sessions.read("JWT", &id_token()), Err(Audience));
    assert_eq!(sessions.read("JWT", &machine()), Err(NotAccessToken));
    let endless = without(&session(), "sid");
    assert_eq!(sessions.read("JWT", &endless), Err(UnknownKind));
}

#[test]
fn the_organization_stands_in_an_object_or_by_itself() {
    let nested = with(
        &user(),
        "o",
        json!({"id": "org_other", "slg": "x", "rol": "admin"}),
    );
    let said = vendor().read("at+jwt", &nested);
    assert_eq!(said, Ok(the_user().of(["org_other"])));
    let nameless = with(&user(), "o", json!({"slg": "x"}));
    assert_eq!(vendor().read("at+jwt", &nameless), Ok(the_user()));
    for wrong in [json!(null), json!("org_other"), json!([]), json!({"id": 5})] {
        let payload = with(&user(), "o", wrong.clone());
        let decided = vendor().read("at+jwt", &payload);
        assert_eq!(decided, Err(MalformedClaim), "{wrong}");
    }
}

#[test]
fn an_id_token_is_refused() {
    assert_eq!(vendor().read("JWT", &id_token()), Err(Audience));
    let careless = vendor().with(|issuer| issuer.with_audiences([APP]));
    assert_eq!(careless.read("JWT", &id_token()), Err(NotAccessToken));
    let without_nonce = without(&id_token(), "nonce");
    assert_eq!(careless.read("JWT", &without_nonce), Err(MissingClaim));
}

#[test]
fn a_machine_is_its_own_client_whatever_it_writes_into_its_token() {
    let named = |client: &str| with(&machine(), "client_id", json!(client));
    assert_eq!(
        vendor().read("JWT", &named("mch_of_somebody_else")),
        Err(Client)
    );
    assert_eq!(vendor().read("JWT", &named(APP)), Err(Client));
    assert_eq!(
        vendor().read("JWT", &named(MACHINE)),
        vendor().read("JWT", &machine())
    );
}
