use countersign_testing::TokenBuilder;
use countersign_token::CallerKind::{self, DelegatedUser, Microservice, ServicePrincipal};
use countersign_token::{
    ClaimsProfile, Issuer, MachineRule, Microservices, OrganizationId, Refusal,
};
use serde_json::json;

use crate::support::{AUDIENCE, World};

fn user(world: &World) -> TokenBuilder {
    let token = world.server.delegated_user("m2m-acme", "ann");
    token.with_audience(AUDIENCE)
}

#[test]
fn only_the_clients_that_are_listed_are_accepted() {
    let world = World::new();
    let trusted = world.trusted().with_clients(["m2m-acme", "web-app"]);
    let cases = [
        ("m2m-acme", Ok(())),
        ("web-app", Ok(())),
        ("M2M-ACME", Err(Refusal::Client)),
        ("m2m-acme ", Err(Refusal::Client)),
        ("m2m-acm", Err(Refusal::Client)),
        ("m2m-acme2", Err(Refusal::Client)),
        ("*", Err(Refusal::Client)),
    ];
    for (client, expected) in cases {
        let machine = world.server.service_principal(client);
        let user = world.server.delegated_user(client, "ann");
        for token in [machine, user] {
            let token = token.with_audience(AUDIENCE).mint();
            assert_eq!(world.decide_by(&trusted, &token), expected, "{client}");
            assert_eq!(
                world.decide(&token),
                Ok(()),
                "{client} where none are listed"
            );
        }
    }
    let profile = ClaimsProfile::rfc9068()
        .with_required_claims([])
        .with_machine_rule(MachineRule::Never);
    let nobody = world.token().without_claim("client_id").mint();
    let lenient = trusted.with_profile(profile);
    assert_eq!(world.decide_by(&lenient, &nobody), Err(Refusal::Client));
}

fn kinds(world: &World, trusted: &Issuer, tokens: &[TokenBuilder]) -> Vec<CallerKind> {
    let kind = |token: &TokenBuilder| world.claims_by(trusted, &token.mint()).unwrap().kind();
    tokens.iter().map(kind).collect()
}

#[test]
fn a_machine_is_one_of_ours_only_by_a_rule_that_says_so_and_a_user_never() {
    let world = World::new();
    let (machine, user) = (world.token(), user(&world));
    let marked = |value: serde_json::Value| machine.clone().with_claim("internal", value);
    let tokens = [
        machine.clone(),
        machine.clone().with_organization("org_acme"),
        world
            .server
            .service_principal("billing")
            .with_audience(AUDIENCE),
        marked(json!(true)),
        marked(json!(true)).with_organization("org_acme"),
        marked(json!("true")),
        marked(json!(false)),
        marked(json!([true])),
        user.clone(),
        user.with_claim("internal", true),
    ];
    let kinds = |rule: Microservices| {
        let trusted = world.trusted().with_microservices(rule);
        kinds(&world, &trusted, &tokens)
    };
    let by = |ours: [bool; 8]| {
        let mut kinds: Vec<_> = ours
            .into_iter()
            .map(|is_ours| {
                if is_ours {
                    Microservice
                } else {
                    ServicePrincipal
                }
            })
            .collect();
        kinds.extend([DelegatedUser; 2]);
        kinds
    };
    assert_eq!(kinds(Microservices::None), by([false; 8]));
    assert_eq!(kinds(Microservices::default()), by([false; 8]));
    assert_eq!(
        kinds(Microservices::All),
        by([true, false, true, true, false, true, true, true])
    );
    assert_eq!(
        kinds(Microservices::clients(["billing"])),
        by([false, false, true, false, false, false, false, false])
    );
    assert_eq!(
        kinds(Microservices::claim("internal", true)),
        by([false, false, false, true, true, false, false, false])
    );
    assert_eq!(
        kinds(Microservices::claim("internal", "true")),
        by([false, false, false, false, false, true, false, false])
    );
}

#[test]
fn an_organization_that_cannot_be_read_is_not_the_lack_of_one() {
    let world = World::new();
    let nested = ClaimsProfile::rfc9068().with_organization_claims([["ext", "org_id"].into()]);
    let trusted = world.trusted().with_microservices(Microservices::All);
    for value in [json!(null), json!(""), json!(5), json!([]), json!({})] {
        let token = world.token().with_claim("org_id", value.clone()).mint();
        let decided = world.decide_by(&trusted, &token);
        assert_eq!(decided, Err(Refusal::MalformedClaim), "{value}");
    }
    let trusted = trusted.with_profile(nested);
    let token = world.token().with_claim("ext", "org_acme").mint();
    assert_eq!(
        world.decide_by(&trusted, &token),
        Err(Refusal::MalformedClaim)
    );
}

#[test]
fn the_machines_of_an_issuer_that_is_a_tenant_are_not_ours_by_lack_of_an_organization() {
    let world = World::new();
    let acme = OrganizationId::new("org_acme").unwrap();
    let trusted = world
        .trusted()
        .with_fixed_organization(acme)
        .with_microservices(Microservices::All);
    assert_eq!(
        kinds(&world, &trusted, &[world.token()]),
        [ServicePrincipal]
    );
}

#[test]
fn a_microservice_by_a_nested_claim_needs_the_whole_path() {
    let world = World::new();
    let rule = Microservices::claim(["ext", "team"], "platform");
    let trusted = world.trusted().with_microservices(rule);
    let with = |ext| world.token().with_claim("ext", ext);
    let tokens = [
        with(json!({"team": "platform"})),
        with(json!({"team": "platform "})),
        with(json!({})),
        world.token().with_claim("team", "platform"),
    ];
    let expected = [
        Microservice,
        ServicePrincipal,
        ServicePrincipal,
        ServicePrincipal,
    ];
    assert_eq!(kinds(&world, &trusted, &tokens), expected);
}
