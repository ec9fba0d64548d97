use countersign_token::Refusal::{MalformedClaim, MissingClaim, UnprovenConfirmation};
use countersign_token::{Claims, OrganizationId, Organizations, Scope};
use serde_json::{Value, json};

use crate::support::World;

/// What is no text that names somebody.
fn no_identifiers() -> Vec<Value> {
    vec![
        json!(null),
        json!(5),
        json!(1.5),
        json!(true),
        json!(false),
        json!(""),
        json!([]),
        json!(["a"]),
        json!({}),
        json!({"id": "a"}),
    ]
}

#[test]
fn what_claims_occupy_is_their_text_their_organizations_and_their_scopes() {
    let few = || Claims::service_principal("https://as.acme.test", "m2m-acme");
    let scope = |length| Scope::new("s".repeat(length)).unwrap();
    let organization = |length| OrganizationId::new("o".repeat(length)).unwrap();
    for more in [500, 3000] {
        for (what, claims) in [
            ("text", few().with_custom(" ".repeat(more))),
            ("organization", few().with_organization(organization(more))),
            ("scope", few().with_scopes(&[scope(more)])),
            (
                "all",
                few()
                    .with_custom(" ".repeat(more / 2))
                    .with_organization(organization(more / 4))
                    .with_scopes(&[scope(more / 8), scope(more / 8 + 1)]),
            ),
        ] {
            let beside = claims.heap_bytes() - few().heap_bytes();
            assert!(
                (more..more + 100).contains(&beside),
                "{what}: {beside} for {more}"
            );
        }
    }
}

#[test]
fn a_claim_that_names_somebody_is_a_text_that_is_not_empty_or_the_token_is_refused() {
    let world = World::new();
    for name in ["sub", "jti", "client_id", "org_id"] {
        for value in no_identifiers() {
            let token = world.token().with_claim(name, value.clone()).mint();
            assert_eq!(world.decide(&token), Err(MalformedClaim), "{name}: {value}");
        }
    }
}

#[test]
fn what_rfc_9068_requires_must_be_there() {
    let world = World::new();
    for name in ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"] {
        let token = world.token().without_claim(name).mint();
        assert_eq!(world.decide(&token), Err(MissingClaim), "{name}");
    }
}

fn claims_with(
    world: &World,
    name: &str,
    value: &Value,
) -> Result<Claims, countersign_token::Refusal> {
    let token = world.token().with_claim(name, value.clone()).mint();
    world.claims_by(&world.trusted(), &token)
}

#[test]
fn scopes_are_a_text_with_spaces_or_an_array_of_texts() {
    let world = World::new();
    let read = [
        (json!("b a"), "a b"),
        (json!("a"), "a"),
        (json!("a a"), "a"),
        (json!(" a  b "), "a b"),
        (json!(""), ""),
        (json!([]), ""),
        (json!(["b", "a", "b"]), "a b"),
        (
            json!("invoices:read https://acme.test/x {y} !"),
            "! https://acme.test/x invoices:read {y}",
        ),
    ];
    for (value, expected) in read {
        let claims = claims_with(&world, "scope", &value).unwrap();
        assert_eq!(claims.scopes().to_string(), expected, "{value}");
    }
    let refused = [
        json!(null),
        json!(5),
        json!(true),
        json!({}),
        json!({"a": true}),
        json!(["a", 5]),
        json!(["a", null]),
        json!([["a"]]),
        json!([""]),
        json!(["a b"]),
        json!("a\tb"),
        json!("a\nb"),
        json!("a \"b\""),
        json!("a\\b"),
        json!("a\u{a0}b"),
        json!("\u{e9}"),
        json!("a\0"),
    ];
    for value in refused {
        let refusal = claims_with(&world, "scope", &value).unwrap_err();
        assert_eq!(refusal, MalformedClaim, "{value}");
    }
    let without = world
        .claims_by(&world.trusted(), &world.token().mint())
        .unwrap();
    assert!(without.scopes().is_empty());
}

#[test]
fn a_token_that_is_bound_to_a_key_is_refused_whatever_binds_it() {
    let world = World::new();
    let bound = [
        json!({"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}),
        json!({"x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}),
        json!({"kid": "a"}),
        json!({"unheard-of": true}),
        json!({}),
    ];
    for cnf in bound {
        let refusal = claims_with(&world, "cnf", &cnf).unwrap_err();
        assert_eq!(refusal, UnprovenConfirmation, "{cnf}");
    }
    for cnf in [
        json!(null),
        json!(5),
        json!(""),
        json!("jkt"),
        json!([]),
        json!(false),
    ] {
        let refusal = claims_with(&world, "cnf", &cnf).unwrap_err();
        assert_eq!(refusal, MalformedClaim, "{cnf}");
    }
}

#[test]
fn an_organization_is_the_text_of_its_claim_and_nothing_else() {
    let world = World::new();
    for text in ["org_acme", " ", "*", "a,b", "org acme", "\u{e9}"] {
        let claims = claims_with(&world, "org_id", &json!(text)).unwrap();
        let Organizations::One(organization) = claims.organizations() else {
            panic!("{text} is one organization");
        };
        assert_eq!(organization.as_str(), text);
    }
    for name in [
        "organization",
        "organization_id",
        "tenant_id",
        "tid",
        "oid",
        "org",
    ] {
        let claims = claims_with(&world, name, &json!("org_acme")).unwrap();
        assert_eq!(*claims.organizations(), Organizations::None, "{name}");
    }
}

#[test]
fn claims_of_the_applications_own_are_read_into_its_type() {
    #[derive(serde::Deserialize)]
    struct Custom {
        plan: String,
    }
    let world = World::new();
    let claims = claims_with(&world, "plan", &json!("gold")).unwrap();
    assert_eq!(claims.custom::<Custom>().unwrap().plan, "gold");
    let claims = claims_with(&world, "plan", &json!(5)).unwrap();
    assert!(claims.custom::<Custom>().is_err());
    let claims = claims.with_custom(r#"{"plan":"silver"}"#);
    assert_eq!(claims.custom::<Custom>().unwrap().plan, "silver");
    assert!(
        Claims::service_principal("i", "c")
            .custom::<Custom>()
            .is_err()
    );
}
