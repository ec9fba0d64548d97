//! What an issuer's own settings refuse: clients, organizations, values of claims, kinds of caller.

use countersign::Refusal::{
    Audience, Check, Client, MalformedClaim, MissingClaim, Organization, RequiredClaim,
};
use countersign::{
    ClaimsProfile, DelegatedUser, DenialKind, Denied, Issuer, Microservice, Microservices,
    OrganizationForm, OrganizationId, Principal, ServicePrincipal, TokenType,
};
use serde_json::{Value, json};

use super::signer::ED25519;
use super::{Case, Draft, Group, Guard, good, issuer, key_set};

const WHOSE: &str = "an issuer speaks for its own organizations";
const CLIENTS: &str = "an issuer's listed clients";
const REQUIRED: &str = "a claim has the value that the settings require, type and all";
const OWN: &str = "the issuer's own check, asked last";
const ABSENT: &str = "aud may be absent only of a listed machine that is its own client";
const FORM: &str = "CVE-2026-25537: an organization claim of another form";
const KIND: &str = "a machine is ours by a positive rule only";

pub(super) fn groups() -> Vec<Group> {
    let mut groups = vec![
        listed(),
        fixed(),
        clients(),
        checked(),
        absent_audience(),
        by_id(),
    ];
    groups.extend(required_claims());
    groups.extend(kinds());
    groups
}

fn group(issuer: Issuer) -> Group {
    Group::new("issuer's rules", issuer, &key_set(&[ED25519.jwk()]), good())
}

fn near_misses() -> [&'static str; 6] {
    [
        "org_other",
        "ORG_ACME",
        "org_acme ",
        "org_acm",
        "org_acme2",
        "org_\u{430}cme",
    ]
}

fn listed() -> Group {
    let cases = near_misses().map(|id| {
        let name = format!("organization {id:?} of an issuer that lists others");
        Case::claims(name, WHOSE, good().claim("org_id", id), Organization)
    });
    group(issuer().with_organizations(["org_acme", "org_second"])).with(cases)
}

fn fixed() -> Group {
    let acme = OrganizationId::new("org_acme").unwrap();
    let cases = near_misses().map(|id| {
        let name = format!("organization {id:?} of an issuer that is another");
        Case::claims(name, WHOSE, good().claim("org_id", id), Organization)
            .with_twin(good().without_claim("org_id"))
    });
    group(issuer().with_fixed_organization(acme)).with(cases)
}

fn clients() -> Group {
    let cases = ["m2m-other", "M2M-ACME", "m2m-acme ", "m2m-acm", "m2m-acme2"].map(|client| {
        let draft = good().claim("client_id", client);
        Case::claims(
            format!("client {client:?}, which is not listed"),
            CLIENTS,
            draft,
            Client,
        )
    });
    group(issuer().with_clients(["m2m-acme"])).with(cases)
}

fn required_claims() -> [Group; 3] {
    let texts = ["test", "PROD", "prod ", ""]
        .map(|text| json!(text))
        .into_iter();
    let others = [
        json!(true),
        json!(null),
        json!(["prod"]),
        json!({"prod": true}),
    ];
    let texts: Vec<_> = texts.chain(others).collect();
    let of_text = issuer().with_required_claim("env", "prod");
    let text = good().claim("env", "prod");

    let bools = [
        json!(false),
        json!("true"),
        json!(1),
        json!(null),
        json!([true]),
    ];
    let of_bool = issuer().with_required_claim("verified", true);
    let bool = good().claim("verified", true);

    let objects = [
        json!({}),
        json!({"env": "test"}),
        json!({"env": ["prod"]}),
        json!({"Env": "prod"}),
    ];
    let of_object = issuer().with_required_claim(["ext", "env"], "prod");
    let object = good().claim("ext", json!({"env": "prod"}));
    // What the claim should stand in is something else, and is not ignored.
    let elsewhere = [json!("prod"), json!(["env"]), json!(null)].map(|value| {
        let name = format!("ext is {value} where an object is required");
        Case::claims(
            name,
            REQUIRED,
            object.clone().claim("ext", value),
            MalformedClaim,
        )
    });
    [
        with_good(of_text, &text).with(without_the_value("env", &texts, &text)),
        with_good(of_bool, &bool).with(without_the_value("verified", &bools, &bool)),
        with_good(of_object, &object)
            .with(without_the_value("ext", &objects, &object))
            .with(elsewhere),
    ]
}

fn without_the_value(name: &str, values: &[Value], twin: &Draft) -> Vec<Case> {
    let refused = values.iter().map(|value| {
        let title = format!("{name} is {value} where another value is required");
        let draft = twin.clone().claim(name, value.clone());
        Case::claims(title, REQUIRED, draft, RequiredClaim)
    });
    let missing = format!("no {name} where it is required");
    let missing = Case::claims(
        missing,
        REQUIRED,
        twin.clone().without_claim(name),
        RequiredClaim,
    );
    refused.chain([missing]).collect()
}

fn with_good(issuer: Issuer, good: &Draft) -> Group {
    Group::new(
        "issuer's rules",
        issuer,
        &key_set(&[ED25519.jwk()]),
        good.clone(),
    )
}

fn checked() -> Group {
    let strict = issuer().with_check(|claims| claims.token_id() != Some("revoked"));
    group(strict).with([
        Case::claims(
            "a token that the check refuses",
            OWN,
            good().claim("jti", "revoked"),
            Check,
        ),
        Case::claims(
            "a token that the check refuses, of no organization",
            OWN,
            good().claim("jti", "revoked").without_claim("org_id"),
            Check,
        ),
    ])
}

fn absent_audience() -> Group {
    let profile = ClaimsProfile::scalekit();
    let strict = issuer()
        .with_profile(profile)
        .with_clients(["m2m-acme", "app"]);
    let machine = good().header("typ", "JWT").without_claim("aud");
    let user = machine
        .clone()
        .claim("client_id", "app")
        .claim("sub", "ann");
    let stranger = machine
        .clone()
        .claim("client_id", "other")
        .claim("sub", "other");
    let with = |value: Value| machine.clone().claim("aud", value);
    with_good(strict, &machine).with([
        Case::claims("a user's token without aud", ABSENT, user, MissingClaim),
        Case::claims(
            "a machine that is not listed, without aud",
            ABSENT,
            stranger,
            Client,
        ),
        Case::cheap(
            "a machine's token with another aud",
            ABSENT,
            with(json!("https://other.test")),
            Audience,
        ),
        Case::cheap(
            "a machine's token with an empty aud",
            ABSENT,
            with(json!([])),
            Audience,
        ),
        Case::cheap(
            "a machine's token with an aud that is null",
            ABSENT,
            with(json!(null)),
            MalformedClaim,
        ),
    ])
}

fn by_id() -> Group {
    let profile = ClaimsProfile::new([TokenType::AtJwt])
        .with_organization_claims(["organization".into()])
        .with_organization_form(OrganizationForm::MembershipId);
    let organization = |value: Value| good().claim("organization", value);
    let good = organization(json!({"acme": {"id": "1"}}));
    let values = [
        json!(null),
        json!("acme"),
        json!(["acme"]),
        json!({}),
        json!({"acme": {}}),
        json!({"acme": "1"}),
        json!({"acme": {"id": ""}}),
        json!({"acme": {"id": 1}}),
        json!({"acme": {"id": "1"}, "evil": {}}),
    ];
    let cases = values.map(|value| {
        let name = format!("memberships by id: {value}");
        Case::claims(name, FORM, organization(value), MalformedClaim)
    });
    with_good(issuer().with_profile(profile), &good).with(cases)
}

/// Whoever is not of the kind that a handler serves.
fn kinds() -> Vec<Group> {
    let all = || issuer().with_microservices(Microservices::All);
    let (machine, user) = (good(), good().claim("sub", "ann"));
    let ours = machine.clone().without_claim("org_id");
    let groups = [
        kind(
            issuer(),
            &machine,
            service_principal,
            [("a user for a machine".into(), user.clone())],
        ),
        kind(
            all(),
            &machine,
            service_principal,
            [(
                "a microservice for a customer's machine".into(),
                ours.clone(),
            )],
        ),
        kind(
            issuer(),
            &user,
            delegated_user,
            [
                ("a machine for a user".into(), machine.clone()),
                (
                    "a machine without organization for a user".into(),
                    ours.clone(),
                ),
            ],
        ),
        kind(
            all(),
            &ours,
            microservice,
            [
                ("a customer's machine for a microservice".into(), machine),
                (
                    "a user for a microservice".into(),
                    user.without_claim("org_id"),
                ),
            ],
        ),
    ];
    groups.into_iter().chain(microservices()).collect()
}

/// Machines that are not ours, by the rules that say which are.
fn microservices() -> [Group; 2] {
    let machine = good();
    let listed = issuer().with_microservices(Microservices::clients(["billing"]));
    let billing = machine
        .clone()
        .claim("client_id", "billing")
        .claim("sub", "billing");
    let ours = machine.clone().without_claim("org_id");
    let claimed = issuer().with_microservices(Microservices::claim("internal", true));
    let internal = machine.clone().claim("internal", true);
    let marks = [json!("true"), json!(1), json!(false), json!([true])].map(|mark| {
        let name = format!("a machine whose mark is {mark}");
        (name, machine.clone().claim("internal", mark))
    });
    [
        kind(
            listed,
            &billing,
            microservice,
            [
                (
                    "a machine without organization, which is not listed".into(),
                    ours,
                ),
                (
                    "a user of a listed client".into(),
                    billing.clone().claim("sub", "ann"),
                ),
            ],
        ),
        kind(claimed, &internal, microservice, marks),
    ]
}

fn kind(
    issuer: Issuer,
    good: &Draft,
    guard: Guard,
    drafts: impl IntoIterator<Item = (String, Draft)>,
) -> Group {
    let cases = drafts.into_iter().map(|(name, draft)| {
        Case::claims(name, KIND, draft, Check).denied_as(DenialKind::PrincipalNotAllowed)
    });
    let mut group = with_good(issuer, good).with(cases);
    group.guard = Some(guard);
    group
}

fn only(is_served: bool, principal: &Principal) -> Result<(), Denied> {
    if is_served {
        Ok(())
    } else {
        Err(principal.deny(DenialKind::PrincipalNotAllowed))
    }
}

fn microservice(principal: &Principal) -> Result<(), Denied> {
    only(Microservice::of(principal.clone()).is_some(), principal)
}

fn service_principal(principal: &Principal) -> Result<(), Denied> {
    only(ServicePrincipal::of(principal.clone()).is_some(), principal)
}

fn delegated_user(principal: &Principal) -> Result<(), Denied> {
    only(DelegatedUser::of(principal.clone()).is_some(), principal)
}
