use std::time::Duration;

use countersign_token::{ClaimsProfile, Issuer, Microservices, OrganizationId, TokenTypes};

fn issuer() -> Issuer {
    Issuer::new("https://as.acme.test", "https://api.acme.test")
}

fn scalekit() -> Issuer {
    issuer().with_profile(ClaimsProfile::scalekit())
}

fn settings(issuer: &Issuer, several: bool) -> Vec<&'static str> {
    let problems = issuer.problems(several);
    for (setting, text) in &problems {
        assert!(!text.is_empty(), "{setting}");
    }
    problems.into_iter().map(|(setting, _)| setting).collect()
}

#[test]
fn good_settings_have_no_problems() {
    let acme = OrganizationId::new("org_acme").unwrap();
    let good = [
        issuer().with_organizations(["org_acme"]),
        issuer().with_fixed_organization(acme),
        issuer().dangerous_any_organization(),
        issuer().with_profile(ClaimsProfile::rfc9068().with_organization_claims([])),
        scalekit()
            .with_clients(["m2m"])
            .with_organizations(["org_acme"]),
        issuer()
            .with_profile(ClaimsProfile::scalekit().with_audience_required())
            .dangerous_any_organization(),
        issuer()
            .with_profile(ClaimsProfile::clerk().with_client_claims([]))
            .with_clients(["mch_1"])
            .with_organizations(["org_acme"]),
        issuer()
            .with_leeway(Duration::from_secs(300))
            .with_audiences(["a", "b"])
            .with_clients(["m2m"])
            .with_microservices(Microservices::clients(["billing"]))
            .with_organizations(["org_acme"]),
    ];
    for issuer in good {
        assert_eq!(settings(&issuer, false), [""; 0], "{issuer:?}");
        assert_eq!(
            settings(&issuer, true),
            [""; 0],
            "{issuer:?}, among several"
        );
    }
    assert_eq!(settings(&issuer(), false), [""; 0]);
}

#[test]
fn each_problem_is_told_with_its_setting() {
    let none: [&str; 0] = [];
    let named = |name: &str| Issuer::new(name, "https://api.acme.test");
    let cases = vec![
        (named(""), "issuer"),
        (Issuer::new("https://as.acme.test", ""), "audiences"),
        (issuer().with_audiences(none), "audiences"),
        (issuer().with_audiences(["a", ""]), "audiences"),
        (issuer().with_algorithms([]), "algorithms"),
        (issuer().with_token_types(TokenTypes::NONE), "token_types"),
        (
            issuer().with_profile(ClaimsProfile::rfc9068().with_token_types(TokenTypes::NONE)),
            "token_types",
        ),
        (
            issuer().with_leeway(Duration::from_millis(300_001)),
            "leeway_seconds",
        ),
        (issuer().with_leeway(Duration::MAX), "leeway_seconds"),
        (issuer().with_clients(none), "clients"),
        (issuer().with_clients(["m2m", ""]), "clients"),
        (scalekit(), "clients"),
        (scalekit().with_clients(none), "clients"),
        (
            issuer()
                .with_profile(ClaimsProfile::rfc9068().with_client_claims([]))
                .with_clients(["m2m"]),
            "clients",
        ),
        (
            issuer().with_profile(ClaimsProfile::rfc9068().with_audience_optional()),
            "clients",
        ),
        (
            issuer().with_profile(ClaimsProfile::rfc9068().with_access_token_mark("use", [])),
            "profile",
        ),
        (issuer().with_organizations(none), "organizations"),
        (
            issuer().with_organizations(["org_acme", ""]),
            "organizations",
        ),
        (
            issuer().with_microservices(Microservices::clients(none)),
            "microservices",
        ),
        (
            issuer().with_microservices(Microservices::clients(["", "m2m"])),
            "microservices",
        ),
    ];
    for (issuer, expected) in cases {
        assert_eq!(settings(&issuer, false), [expected], "{issuer:?}");
    }
}

#[test]
fn among_several_issuers_each_that_names_organizations_must_say_which() {
    for profile in ClaimsProfile::NAMES {
        let names_none = ["okta", "cognito"].contains(&profile);
        let profile = ClaimsProfile::by_name(profile).unwrap();
        assert_eq!(profile.yields_organizations(), !names_none);
        let issuer = issuer().with_profile(profile).with_clients(["m2m"]);
        assert_eq!(settings(&issuer, false), [""; 0], "{issuer:?}");
        let among_several = settings(&issuer, true);
        if names_none {
            assert_eq!(among_several, [""; 0], "{issuer:?}");
        } else {
            assert_eq!(among_several, ["organizations"], "{issuer:?}");
        }
    }
}

#[test]
fn all_problems_are_told_at_once() {
    let none: [&str; 0] = [];
    let worst = Issuer::new("", "")
        .with_algorithms([])
        .with_token_types(TokenTypes::NONE)
        .with_leeway(Duration::from_secs(301))
        .with_clients(none)
        .with_microservices(Microservices::clients(none));
    let expected = [
        "issuer",
        "audiences",
        "algorithms",
        "token_types",
        "leeway_seconds",
        "clients",
        "organizations",
        "microservices",
    ];
    assert_eq!(settings(&worst, true), expected);
}
