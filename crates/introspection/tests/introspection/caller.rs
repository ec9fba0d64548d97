//! Whether an answer names the caller that the token names.

use countersign_token::{ClaimsProfile, Issuer, MachineRule, Microservices};
use serde_json::json;

use crate::guard::{Api, INACTIVE};
use crate::world::{API, ISSUER};

#[tokio::test]
async fn a_server_that_leaves_the_subject_of_machines_out_names_the_same_caller() {
    let profile = ClaimsProfile::rfc9068()
        .with_required_claims(["iat".into()])
        .with_machine_rule(MachineRule::SubjectAbsent);
    let issuer = Issuer::new(ISSUER, API).with_profile(profile);
    let api = Api::of(issuer).await;
    let (machine, user) = (api.token(), api.user_token());
    for (token, changes, status) in [
        (&machine, json!({"sub": null}), 200),
        (
            &machine,
            json!({"sub": null, "client_id": "m2m-globex"}),
            401,
        ),
        (&user, json!({"sub": null, "client_id": "app"}), 401),
        (&user, json!({"sub": "ann", "client_id": "app"}), 200),
    ] {
        api.answer(token, &changes);
        assert_eq!(api.get("/now", token).await.status, status, "{changes}");
    }
}

#[tokio::test]
async fn each_name_of_a_caller_is_compared_by_itself() {
    // A machine by a mark, whatever its subject; a user by a claim of its own.
    let by_mark = |issuer: Issuer| {
        let rule = MachineRule::ClaimIs {
            claim: "kind".into(),
            value: "machine".into(),
        };
        let profile = ClaimsProfile::rfc9068().with_required_claims([]);
        let profile = profile.with_user_claim("uid").with_machine_rule(rule);
        issuer.with_profile(profile)
    };
    let introspected = || by_mark(Issuer::new(ISSUER, API));
    let machine = json!({"client_id": "job", "sub": "robot-1", "kind": "machine"});
    let user = json!({"client_id": "app", "sub": "ann", "uid": "1", "kind": "user"});
    for (claims, changes, passes) in [
        (&machine, json!({}), true),
        (&machine, json!({"sub": null}), true),
        (&machine, json!({"sub": "robot-2"}), false),
        (&machine, json!({"client_id": "other"}), false),
        (&user, json!({}), true),
        (&user, json!({"sub": null}), false),
        (&user, json!({"sub": "bob"}), false),
        (&user, json!({"uid": "2"}), false),
    ] {
        let api = Api::trusting(by_mark, introspected()).await;
        let mut token = api.issuer.token().with_audience(API);
        token = token.with_organization("org_acme");
        for (name, value) in claims.as_object().unwrap() {
            token = token.with_claim(name, value.clone());
        }
        let token = token.mint();
        let mut answer = claims.clone();
        for (name, value) in changes.as_object().unwrap() {
            answer[name] = value.clone();
        }
        api.answer(&token, &answer);
        let answered = api.get("/payouts", &token).await;
        let expected = if passes { 200 } else { 401 };
        assert_eq!(answered.status, expected, "{changes}: {answered:?}");
    }
    // Of the same names, and another kind.
    let ours = Issuer::new(ISSUER, API).with_microservices(Microservices::clients(["m2m-acme"]));
    let api = Api::of(ours).await;
    let token = api.token();
    api.answer(&token, &json!({}));
    assert_eq!(api.get("/payouts", &token).await.kind, Some(INACTIVE));
}
