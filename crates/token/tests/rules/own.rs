use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use countersign_token::{
    CallerKind, ClaimsProfile, Issuer, Microservices, Refusal, Scope, ScopeHierarchy, TokenType,
};
use serde_json::json;

use crate::support::{AUDIENCE, World};

#[test]
fn a_required_claim_must_have_exactly_its_value_type_and_all() {
    let world = World::new();
    let text = world.trusted().with_required_claim("env", "live");
    let flag = world.trusted().with_required_claim("verified", true);
    let off = world.trusted().with_required_claim("test", false);
    let nested = world.trusted().with_required_claim(["ext", "region"], "eu");
    let missing = Err(Refusal::RequiredClaim);
    let cases = [
        (&text, json!({"env": "live"}), Ok(())),
        (&text, json!({}), missing),
        (&text, json!({"env": "Live"}), missing),
        (&text, json!({"env": "live "}), missing),
        (&text, json!({"env": ["live"]}), missing),
        (&text, json!({"env": null}), missing),
        (&text, json!({"env": true}), missing),
        (&text, json!({"ext": {"env": "live"}}), missing),
        (&flag, json!({"verified": true}), Ok(())),
        (&flag, json!({"verified": false}), missing),
        (&flag, json!({"verified": "true"}), missing),
        (&flag, json!({"verified": 1}), missing),
        (&off, json!({"test": false}), Ok(())),
        (&off, json!({"test": null}), missing),
        (&off, json!({"test": 0}), missing),
        (&off, json!({}), missing),
        (&nested, json!({"ext": {"region": "eu"}}), Ok(())),
        (&nested, json!({"ext": {"region": "us"}}), missing),
        (&nested, json!({"ext": {}}), missing),
        (&nested, json!({"region": "eu"}), missing),
        (&nested, json!({"ext.region": "eu"}), missing),
        (&nested, json!({"ext": "eu"}), Err(Refusal::MalformedClaim)),
    ];
    for (trusted, claims, expected) in cases {
        let mut token = world.token();
        for (name, value) in claims.as_object().unwrap() {
            token = token.with_claim(name, value.clone());
        }
        assert_eq!(
            world.decide_by(trusted, &token.mint()),
            expected,
            "{claims}"
        );
    }
}

#[test]
fn all_the_required_claims_must_be_met() {
    let world = World::new();
    let trusted = world
        .trusted()
        .with_required_claim("env", "live")
        .with_required_claim("verified", true);
    let one = world.token().with_claim("env", "live");
    assert_eq!(
        world.decide_by(&trusted, &one.mint()),
        Err(Refusal::RequiredClaim)
    );
    let both = one.with_claim("verified", true);
    assert_eq!(world.decide_by(&trusted, &both.mint()), Ok(()));
}

/// An issuer whose check counts how often it is asked and accepts machines only.
fn counting(trusted: Issuer) -> (Issuer, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let trusted = trusted.with_check(move |claims| {
        counter.fetch_add(1, Ordering::Relaxed);
        claims.kind() != CallerKind::DelegatedUser
    });
    (trusted, asked)
}

#[test]
fn the_issuers_own_check_is_asked_last_and_only_about_what_passed_everything_else() {
    let world = World::new();
    let rules = world
        .trusted()
        .with_required_claim("env", "live")
        .with_organizations(["org_acme"]);
    let (trusted, asked) = counting(rules);
    let good = world.token().with_claim("env", "live");
    let refused = [
        good.clone().without_claim("env"),
        good.clone().with_organization("org_b"),
        good.clone().with_claim("scope", 5),
        good.clone().without_claim("jti"),
        good.clone().signed_by(&World::new().server),
        good.clone().expired(),
    ];
    for token in refused {
        assert!(world.decide_by(&trusted, &token.mint()).is_err());
    }
    assert_eq!(asked.load(Ordering::Relaxed), 0);

    assert_eq!(world.decide_by(&trusted, &good.mint()), Ok(()));
    let user = world
        .server
        .delegated_user("web-app", "ann")
        .with_audience(AUDIENCE);
    let user = user.with_claim("env", "live");
    assert_eq!(world.decide_by(&trusted, &user.mint()), Err(Refusal::Check));
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

#[test]
fn the_check_sees_the_claims_as_the_application_will() {
    let world = World::new();
    let hierarchy = ScopeHierarchy::new().implies("admin", ["read"]).unwrap();
    let trusted = world
        .trusted()
        .with_scope_hierarchy(hierarchy)
        .with_microservices(Microservices::All)
        .with_check(|claims| {
            claims.kind() == CallerKind::Microservice
                && claims.scopes().contains("read")
                && claims.issuer() == "https://as.acme.test"
        });
    let token = world.token().with_scopes(["admin"]).mint();
    assert_eq!(world.decide_by(&trusted, &token), Ok(()));
}

#[test]
fn scopes_imply_what_the_hierarchy_says_and_nothing_without_one() {
    let world = World::new();
    let hierarchy = ScopeHierarchy::new()
        .implies("admin", ["invoices:write"])
        .and_then(|all| all.implies("invoices:write", ["invoices:read"]))
        .unwrap();
    let trusted = world.trusted().with_scope_hierarchy(hierarchy);
    let cases = [
        (vec!["admin"], "admin invoices:read invoices:write"),
        (
            vec!["invoices:write", "x"],
            "invoices:read invoices:write x",
        ),
        (vec!["invoices:read"], "invoices:read"),
        (vec!["Admin"], "Admin"),
        (vec!["admin:x"], "admin:x"),
        (vec!["*"], "*"),
        (vec![], ""),
    ];
    for (granted, expected) in cases {
        let token = world.token().with_scopes(&granted).mint();
        let scopes = |trusted| {
            world
                .claims_by(trusted, &token)
                .unwrap()
                .scopes()
                .to_string()
        };
        assert_eq!(scopes(&trusted), expected, "{granted:?}");
        let mut plain = granted;
        plain.sort_unstable();
        assert_eq!(scopes(&world.trusted()), plain.join(" "));
    }
}

#[test]
fn token_types_that_were_set_stay_set_whatever_profile_comes_later() {
    let world = World::new();
    let types = [TokenType::AtJwt];
    let before = world
        .trusted()
        .with_token_types(types)
        .with_profile(ClaimsProfile::auth0());
    let after = world
        .trusted()
        .with_profile(ClaimsProfile::auth0())
        .with_token_types(types);
    for trusted in [before, after] {
        let token = world.token();
        assert_eq!(world.decide_by(&trusted, &token.mint()), Ok(()));
        let token = token.with_header("typ", "JWT");
        assert_eq!(world.decide_by(&trusted, &token.mint()), Err(Refusal::Type));
    }
}

#[test]
fn a_scope_that_is_written_into_the_program_is_one() {
    const READ: Scope = Scope::from_static("invoices:read");
    assert_eq!(READ.as_str(), "invoices:read");
    for text in ["", "a b", "a\"", "\u{e9}"] {
        let made = std::panic::catch_unwind(|| Scope::from_static(text));
        assert!(made.is_err(), "{text:?}");
    }
}
