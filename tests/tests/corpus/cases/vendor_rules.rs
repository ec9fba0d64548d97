//! What single vendors' tokens must have besides: marks, machines' claims, clients that agree.

use countersign::Refusal::{
    self, Audience, Client, MalformedClaim, MissingClaim, NotAccessToken, UnknownKind,
};
use serde_json::{Value, json};

use super::profiles::{CLAIM_TYPE, CLIENT, ID_TOKEN, REQUIRED, vendor};
use super::{Case, Group};

const TWO: &str = "two claims that name different clients";
const KIND: &str = "neither a machine's nor a user's";
pub(super) fn groups() -> Vec<Group> {
    let cases = [
        ("entra", of_entra()),
        ("keycloak", of_keycloak()),
        ("cognito", of_cognito()),
        ("kinde", of_kinde()),
        ("okta", of_okta()),
        ("clerk", of_clerk()),
        ("auth0", two_clients("auth0", "client_id", "azp")),
        ("zitadel", two_clients("zitadel", "client_id", "azp")),
    ];
    let groups = cases.map(|(preset, cases)| vendor(preset).group().with(cases));
    groups.into()
}

fn two_clients(preset: &str, one: &str, other: &str) -> Vec<Case> {
    let vendor = vendor(preset);
    let both = vendor.good().claim(one, "app");
    let case = |name: &str, value: &str| {
        let name = format!("{preset}: {other} is {name}");
        Case::claims(name, TWO, both.clone().claim(other, value), Client)
            .with_twin(both.clone().claim(other, "app"))
    };
    vec![
        case("another listed client", "mch_1"),
        case("of another case", "APP"),
        case("a near miss", "app "),
    ]
}

/// Values of a claim, and what becomes of them.
fn of_values(
    preset: &str,
    claims: &Value,
    rule: &'static str,
    name: &str,
    values: &[(Value, Refusal)],
) -> Vec<Case> {
    let vendor = vendor(preset);
    let twin = vendor.draft(claims);
    let cases = values.iter().map(|(value, refusal)| {
        let title = format!("{preset}: {name} of {} is {value}", claims["sub"]);
        let draft = twin.clone().claim(name, value.clone());
        Case::claims(title, rule, draft, *refusal).with_twin(twin.clone())
    });
    cases.collect()
}

fn of_entra() -> Vec<Case> {
    let tokens = vendor("entra").tokens;
    let mut cases = two_clients("entra", "azp", "appid");
    let kinds = ["user", "device", "App", "app ", ""];
    let machines = kinds.map(|kind| (json!(kind), UnknownKind));
    cases.extend(of_values("entra", &tokens[1], KIND, "idtyp", &machines));
    let types = [
        json!(null),
        json!(true),
        json!(5),
        json!(["app"]),
        json!({}),
    ];
    let types = types.map(|value| (value, MalformedClaim));
    cases.extend(of_values("entra", &tokens[1], CLAIM_TYPE, "idtyp", &types));
    cases.extend(of_values("entra", &tokens[0], CLAIM_TYPE, "oid", &types));
    let without = vendor("entra").good().without_claim("scp");
    cases.push(Case::claims(
        "entra: a user without scp",
        KIND,
        without.clone(),
        UnknownKind,
    ));
    let roles = without.claim("roles", json!(["admin"]));
    cases.push(Case::claims(
        "entra: a user with roles for scp",
        KIND,
        roles,
        UnknownKind,
    ));
    cases
}

fn of_keycloak() -> Vec<Case> {
    let tokens = vendor("keycloak").tokens;
    let marks = [
        "ID", "Refresh", "Offline", "Logout", "DPoP", "bearer", "BEARER", "Bearer ", "",
    ];
    let marks = marks.map(|mark| (json!(mark), NotAccessToken));
    let types = [
        json!(null),
        json!(5),
        json!(["Bearer"]),
        json!({"Bearer": true}),
        json!(true),
    ];
    let types = types.map(|value| (value, NotAccessToken));
    let organizations = [
        json!(null),
        json!(5),
        json!(true),
        json!(""),
        json!([]),
        json!({}),
        json!([""]),
        json!([5]),
        json!([["acme"]]),
        json!({"": {}}),
    ];
    let organizations = organizations.map(|value| (value, MalformedClaim));
    let clients = ["mch_1", "APP", "app "].map(|client| (json!(client), Client));
    [
        of_values("keycloak", &tokens[0], ID_TOKEN, "typ", &marks),
        of_values("keycloak", &tokens[0], CLAIM_TYPE, "typ", &types),
        of_values(
            "keycloak",
            &tokens[0],
            CLAIM_TYPE,
            "organization",
            &organizations,
        ),
        of_values("keycloak", &tokens[1], TWO, "client_id", &clients),
        of_values("keycloak", &tokens[1], TWO, "clientId", &clients),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn of_cognito() -> Vec<Case> {
    let tokens = vendor("cognito").tokens;
    let uses = ["id", "refresh", "Access", "access ", ""].map(|one| (json!(one), NotAccessToken));
    let types = [
        json!(null),
        json!(5),
        json!(["access"]),
        json!({}),
        json!(true),
    ];
    let types = types.map(|value| (value, NotAccessToken));
    let mut cases = of_values("cognito", &tokens[0], ID_TOKEN, "token_use", &uses);
    cases.extend(of_values(
        "cognito",
        &tokens[0],
        CLAIM_TYPE,
        "token_use",
        &types,
    ));
    let without = |claims: &Value| vendor("cognito").draft(claims).without_claim("aud");
    let of_nobody = without(&tokens[0]);
    cases.push(
        Case::claims(
            "cognito: a user's token without aud",
            REQUIRED,
            of_nobody,
            MissingClaim,
        )
        .with_twin(without(&tokens[1])),
    );
    let stranger = without(&tokens[1])
        .claim("client_id", "other")
        .claim("sub", "other");
    cases.push(Case::claims(
        "cognito: a stranger's token without aud",
        CLIENT,
        stranger,
        Client,
    ));
    for value in [json!("https://other.test"), json!([]), json!("")] {
        let draft = vendor("cognito")
            .draft(&tokens[1])
            .claim("aud", value.clone());
        let name = format!("cognito: a machine's token whose aud is {value}");
        cases.push(Case::cheap(name, REQUIRED, draft, Audience));
    }
    cases
}

fn of_kinde() -> Vec<Case> {
    let tokens = vendor("kinde").tokens;
    let types = [
        json!(null),
        json!(5),
        json!(true),
        json!({}),
        json!([5]),
        json!([["client_credentials"]]),
    ];
    let types = types.map(|value| (value, MalformedClaim));
    let mut cases = of_values("kinde", &tokens[1], CLAIM_TYPE, "gty", &types);
    // Without the mark it would be a user's, and has no subject.
    let marks = [
        json!([]),
        json!("client"),
        json!(["authorization_code"]),
        json!(["CLIENT_CREDENTIALS"]),
    ];
    let marks = marks.map(|value| (value, MissingClaim));
    cases.extend(of_values("kinde", &tokens[1], KIND, "gty", &marks));
    cases
}

fn of_okta() -> Vec<Case> {
    let tokens = vendor("okta").tokens;
    let subjects = ["APP", "app ", "app2", "ann@acme.test"].map(|sub| (json!(sub), MissingClaim));
    let mut cases = of_values("okta", &tokens[1], KIND, "sub", &subjects);
    let types = [json!(null), json!(5), json!(""), json!(["ann"]), json!({})];
    let types = types.map(|value| (value, MalformedClaim));
    cases.extend(of_values("okta", &tokens[1], CLAIM_TYPE, "uid", &types));
    cases
}

fn of_clerk() -> Vec<Case> {
    let vendor = vendor("clerk");
    let session = json!({"sub": "ann", "azp": "https://app.acme.test", "sid": "sess_1", "o": {"id": "org_acme"}});
    let mut cases = vec![Case::claims(
        "clerk: a session's token, whose azp is an origin",
        REQUIRED,
        vendor.draft(&session),
        MissingClaim,
    )];
    let machine = &vendor.tokens[1];
    cases.extend(of_values(
        "clerk",
        machine,
        TWO,
        "client_id",
        &[(json!("app"), Client)],
    ));
    let organizations = [
        json!(null),
        json!(5),
        json!("acme"),
        json!([]),
        json!({"id": 5}),
        json!({"id": ""}),
    ];
    let organizations = organizations.map(|value| (value, MalformedClaim));
    cases.extend(of_values("clerk", machine, CLAIM_TYPE, "o", &organizations));
    let marks = ["nonce", "at_hash", "c_hash"].map(|mark| {
        let draft = vendor.draft(machine).claim(mark, "x");
        Case::claims(
            format!("clerk: a machine's token with {mark}"),
            ID_TOKEN,
            draft,
            NotAccessToken,
        )
    });
    cases.extend(marks);
    cases
}
