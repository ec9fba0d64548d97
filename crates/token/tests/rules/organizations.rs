use countersign_token::{ClaimsProfile, Issuer, OrganizationId, Refusal, TokenType};
use serde_json::{Value, json};

use crate::support::{AUDIENCE, World};

fn acme() -> OrganizationId {
    OrganizationId::new("org_acme").unwrap()
}

/// Trusted for tokens with an `organization` that may name several.
fn trusted(world: &World) -> Issuer {
    let profile = ClaimsProfile::keycloak().with_token_types([TokenType::AtJwt]);
    world.trusted().with_profile(profile)
}

/// The organizations that a token with this claim acts for, `null` for a token without it.
fn organizations(world: &World, trusted: &Issuer, claim: &Value) -> Result<Vec<String>, Refusal> {
    let mut token = world
        .token()
        .with_claim("typ", "Bearer")
        .with_claim("azp", "m2m-acme");
    if !claim.is_null() {
        token = token.with_claim("organization", claim.clone());
    }
    let claims = world.claims_by(trusted, &token.mint())?;
    let ids = claims.organizations().as_slice().iter();
    Ok(ids.map(ToString::to_string).collect())
}

fn decide_all(trusted: impl Fn(Issuer) -> Issuer, cases: &[(Value, Result<&[&str], Refusal>)]) {
    let world = World::new();
    let trusted = trusted(self::trusted(&world));
    for (claim, expected) in cases {
        let expected = expected.map(|ids| ids.iter().map(ToString::to_string).collect());
        assert_eq!(organizations(&world, &trusted, claim), expected, "{claim}");
    }
}

#[test]
fn a_single_issuer_may_name_any_organization() {
    let cases: &[(Value, Result<&[&str], Refusal>)] = &[
        (json!(null), Ok(&[])),
        (json!([]), Err(Refusal::MalformedClaim)),
        (json!(["org_acme"]), Ok(&["org_acme"])),
        (json!(["org_b", "org_acme"]), Ok(&["org_acme", "org_b"])),
    ];
    decide_all(|issuer| issuer, cases);
    decide_all(Issuer::dangerous_any_organization, cases);
}

#[test]
fn an_issuer_may_not_name_an_organization_that_is_not_listed_for_it() {
    decide_all(
        |issuer| issuer.with_organizations(["org_acme", "org_b"]),
        &[
            (json!(null), Ok(&[])),
            (json!([]), Err(Refusal::MalformedClaim)),
            (json!(["org_acme"]), Ok(&["org_acme"])),
            (json!("org_b"), Ok(&["org_b"])),
            (json!(["org_b", "org_acme"]), Ok(&["org_acme", "org_b"])),
            (json!(["org_acme", "org_c"]), Err(Refusal::Organization)),
            (json!(["org_c"]), Err(Refusal::Organization)),
            (json!("ORG_ACME"), Err(Refusal::Organization)),
            (json!("org_acme "), Err(Refusal::Organization)),
            (json!("org_"), Err(Refusal::Organization)),
            (json!("*"), Err(Refusal::Organization)),
            (json!(["org_acme", 5]), Err(Refusal::MalformedClaim)),
        ],
    );
}

#[test]
fn an_issuer_that_is_a_tenant_speaks_for_it_and_contradicts_it_in_vain() {
    decide_all(
        |issuer| issuer.with_fixed_organization(acme()),
        &[
            (json!(null), Ok(&["org_acme"])),
            (json!([]), Err(Refusal::MalformedClaim)),
            (json!({}), Err(Refusal::MalformedClaim)),
            (json!("org_acme"), Ok(&["org_acme"])),
            (json!(["org_acme", "org_acme"]), Ok(&["org_acme"])),
            (json!("org_b"), Err(Refusal::Organization)),
            (json!(["org_acme", "org_b"]), Err(Refusal::Organization)),
            (json!("ORG_ACME"), Err(Refusal::Organization)),
            (json!(5), Err(Refusal::MalformedClaim)),
            (json!(""), Err(Refusal::MalformedClaim)),
        ],
    );
}

#[test]
fn a_fixed_organization_needs_no_claim_in_the_profile() {
    let world = World::new();
    let profile = ClaimsProfile::rfc9068().with_organization_claims([]);
    assert!(!profile.yields_organizations());
    let trusted = world
        .trusted()
        .with_profile(profile)
        .with_fixed_organization(acme());
    // What the profile does not read cannot contradict.
    for token in [world.token(), world.token().with_organization("org_b")] {
        let claims = world.claims_by(&trusted, &token.mint()).unwrap();
        assert_eq!(claims.organizations().as_slice(), [acme()]);
    }
}

#[test]
fn the_organization_of_one_issuer_is_not_that_of_another() {
    let (one, other) = (
        World::named("https://a.test"),
        World::named("https://b.test"),
    );
    let of_one = one.trusted().with_organizations(["org_acme"]);
    let of_other = other.trusted().with_organizations(["org_b"]);
    let token = |world: &World, organization: &str| {
        let token = world
            .server
            .service_principal("m2m")
            .with_audience(AUDIENCE);
        token.with_organization(organization).mint()
    };
    assert_eq!(one.decide_by(&of_one, &token(&one, "org_acme")), Ok(()));
    assert_eq!(other.decide_by(&of_other, &token(&other, "org_b")), Ok(()));
    let reaching = token(&one, "org_b");
    assert_eq!(
        one.decide_by(&of_one, &reaching),
        Err(Refusal::Organization)
    );
    assert_eq!(
        one.decide_by(&of_other, &reaching),
        Err(Refusal::UnknownIssuer)
    );
}

#[test]
fn the_last_word_on_organizations_counts() {
    decide_all(
        |issuer| {
            let open = issuer.dangerous_any_organization();
            open.with_organizations(["org_b"])
                .with_organizations(["org_acme"])
        },
        &[
            (json!("org_acme"), Ok(&["org_acme"])),
            (json!("org_b"), Err(Refusal::Organization)),
        ],
    );
}

#[test]
fn an_identifier_is_a_text_that_is_not_empty() {
    assert_eq!(OrganizationId::new(""), None);
    assert_eq!(acme().as_str(), "org_acme");
    assert_eq!(acme().to_string(), "org_acme");
    assert_ne!(OrganizationId::new("ORG_ACME"), Some(acme()));
}
