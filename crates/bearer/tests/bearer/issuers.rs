//! Several issuers, each trusted for what is its own.

use countersign_bearer::Authenticator;
use countersign_testing::TestIssuer;
use countersign_token::{CallerKind, Microservices, OrganizationId, Refusal};

use crate::support::{API, machine, refusal};

const ACME: &str = "https://as.acme.test";
const GLOBEX: &str = "https://as.globex.test";

#[tokio::test]
async fn an_issuer_speaks_for_its_own_organizations_only() {
    let (acme, globex) = (TestIssuer::new(ACME), TestIssuer::new(GLOBEX));
    let authenticator = Authenticator::builder()
        .issuer(
            acme.trusted_for(API)
                .with_organizations(["org_acme", "org_subsidiary"]),
        )
        .issuer(
            globex
                .trusted_for(API)
                .with_fixed_organization(OrganizationId::new("org_globex").unwrap()),
        )
        .build()
        .await
        .unwrap();
    let cases = [
        (&acme, Some("org_acme"), Ok(Some("org_acme"))),
        (&acme, Some("org_globex"), Err(Refusal::Organization)),
        (&acme, None, Ok(None)),
        (&globex, Some("org_globex"), Ok(Some("org_globex"))),
        (&globex, Some("org_acme"), Err(Refusal::Organization)),
        (&globex, None, Ok(Some("org_globex"))),
    ];
    for (issuer, organization, expected) in cases {
        let mut token = issuer.service_principal("m2m").with_audience(API);
        if let Some(organization) = organization {
            token = token.with_organization(organization);
        }
        let verified = authenticator.verify(&token.mint()).await;
        let actual = match &verified {
            Ok(principal) => Ok(principal.organization().map(OrganizationId::as_str)),
            Err(_) => Err(refusal(verified.clone())),
        };
        assert_eq!(actual, expected, "{} {organization:?}", issuer.name());
    }
}

#[tokio::test]
async fn one_issuers_key_signs_nothing_for_another() {
    let (acme, globex) = (TestIssuer::new(ACME), TestIssuer::new(GLOBEX));
    let authenticator = Authenticator::builder()
        .issuer(acme.trusted_for(API).with_organizations(["org_acme"]))
        .issuer(globex.trusted_for(API).with_organizations(["org_globex"]))
        .build()
        .await
        .unwrap();
    let forged = machine(&acme).signed_by(&globex);
    let by_its_own_key = forged.clone().with_key_id(&globex.key_id()).mint();
    assert_eq!(
        refusal(authenticator.verify(&by_its_own_key).await),
        Refusal::UnknownKey,
        "acme's keys are asked for, whatever other issuers have"
    );
    let by_acmes_name = forged.with_key_id(&acme.key_id()).mint();
    assert_eq!(
        refusal(authenticator.verify(&by_acmes_name).await),
        Refusal::BadSignature
    );
}

#[tokio::test]
async fn an_issuer_is_known_by_its_exact_name() {
    let acme = TestIssuer::new(ACME);
    let authenticator = Authenticator::builder()
        .issuer(acme.trusted_for(API))
        .build()
        .await
        .unwrap();
    for near_miss in [
        "https://as.acme.test/",
        "https://AS.acme.test",
        "https://as.acme.tes",
        "http://as.acme.test",
        "",
    ] {
        let token = machine(&acme).with_claim("iss", near_miss).mint();
        assert_eq!(
            refusal(authenticator.verify(&token).await),
            Refusal::UnknownIssuer,
            "{near_miss:?}"
        );
    }
}

#[tokio::test]
async fn a_machine_is_a_microservice_by_a_positive_rule_only() {
    let acme = TestIssuer::new(ACME);
    let rules = [
        (Microservices::None, CallerKind::ServicePrincipal),
        (Microservices::All, CallerKind::Microservice),
        (
            Microservices::clients(["billing"]),
            CallerKind::Microservice,
        ),
        (
            Microservices::clients(["other"]),
            CallerKind::ServicePrincipal,
        ),
        (
            Microservices::claim("internal", true),
            CallerKind::Microservice,
        ),
        (
            Microservices::claim("internal", "true"),
            CallerKind::ServicePrincipal,
        ),
    ];
    for (rule, expected) in rules {
        let authenticator = Authenticator::builder()
            .issuer(acme.trusted_for(API).with_microservices(rule.clone()))
            .build()
            .await
            .unwrap();
        let token = acme
            .microservice("billing")
            .with_audience(API)
            .with_claim("internal", true);
        let principal = authenticator.verify(&token.mint()).await.unwrap();
        assert_eq!(principal.kind(), expected, "{rule:?}");
        let user = acme
            .delegated_user("billing", "ada")
            .with_audience(API)
            .with_claim("internal", true);
        let principal = authenticator.verify(&user.mint()).await.unwrap();
        assert_eq!(principal.kind(), CallerKind::DelegatedUser, "{rule:?}");
    }
}
