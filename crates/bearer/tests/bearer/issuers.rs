//! Several issuers, each trusted for what is its own.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use countersign_bearer::{Authenticator, BuildError, Introspect, IntrospectionFailure};
use countersign_jwks::{BoxFuture, KeySource};
use countersign_testing::{Endpoint, FakeClock, Fault, TestIssuer};
use countersign_token::{CallerKind, Claims, Issuer, Microservices, OrganizationId, Refusal};

use crate::support::{API, ISSUER, machine, refusal};

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

#[tokio::test]
async fn an_issuer_comes_and_goes_while_the_others_stay() {
    let (acme, globex) = (TestIssuer::new(ACME), TestIssuer::new(GLOBEX));
    let trusted = |issuer: &TestIssuer, organization: &str| {
        issuer.trusted_for(API).with_organizations([organization])
    };
    let authenticator = Authenticator::builder()
        .issuer(trusted(&acme, "org_acme"))
        .build()
        .await
        .unwrap();
    let of_acme = machine(&acme).mint();
    let of_globex = machine(&globex).with_organization("org_globex").mint();
    let stays = async || assert!(authenticator.verify(&of_acme).await.is_ok());

    stays().await;
    assert_eq!(
        refusal(authenticator.verify(&of_globex).await),
        Refusal::UnknownIssuer
    );
    authenticator
        .set_issuer(trusted(&globex, "org_globex"))
        .await
        .unwrap();
    assert!(authenticator.verify(&of_globex).await.is_ok());
    stays().await;

    // Replaced: what was verified by the old settings counts no longer.
    let stricter = trusted(&globex, "org_globex").with_clients(["somebody-else"]);
    authenticator.set_issuer(stricter).await.unwrap();
    assert_eq!(
        refusal(authenticator.verify(&of_globex).await),
        Refusal::Client
    );

    assert!(authenticator.remove_issuer(GLOBEX));
    assert!(!authenticator.remove_issuer(GLOBEX));
    assert_eq!(
        refusal(authenticator.verify(&of_globex).await),
        Refusal::UnknownIssuer
    );
    stays().await;
}

#[tokio::test]
async fn an_issuer_that_does_not_fit_the_others_or_has_no_keys_changes_nothing() {
    let (acme, globex) = (TestIssuer::new(ACME), TestIssuer::new(GLOBEX));
    let authenticator = Authenticator::builder()
        .issuer(acme.trusted_for(API).with_organizations(["org_acme"]))
        .build()
        .await
        .unwrap();
    let of_acme = machine(&acme).mint();
    let whose_is_not_said = globex.trusted_for(API);
    let no_keys = globex
        .trusted_for(API)
        .with_organizations(["org_globex"])
        .with_keys(KeySource::json(*b"{}"));
    for issuer in [whose_is_not_said, no_keys] {
        assert!(authenticator.set_issuer(issuer).await.is_err());
        assert_eq!(authenticator.status().len(), 1);
        assert!(authenticator.verify(&of_acme).await.is_ok());
    }
}

#[tokio::test]
async fn a_removed_issuer_is_asked_for_keys_no_more() {
    let issuer = TestIssuer::serve().await;
    let clock = FakeClock::new();
    let issuer = issuer.with_clock(Arc::new(clock.clone()));
    let authenticator = Authenticator::builder()
        .issuer(issuer.trusted_for(API))
        .with_clock(Arc::new(clock.clone()))
        .build()
        .await
        .unwrap();
    let token = machine(&issuer).mint();
    assert!(authenticator.verify(&token).await.is_ok());
    assert!(authenticator.remove_issuer(issuer.name()));
    for _ in 0..20 {
        clock.advance(Duration::from_secs(60)).await;
    }
    assert_eq!(issuer.fetches().keys, 1, "at start");
    assert_eq!(
        refusal(authenticator.verify(&token).await),
        Refusal::UnknownIssuer
    );
}

/// A served issuer that the authenticator trusts, answering a second late by the clock from now on.
async fn slow_and_trusted() -> (TestIssuer, FakeClock, Authenticator) {
    let clock = FakeClock::new();
    let issuer = TestIssuer::serve()
        .await
        .with_clock(Arc::new(clock.clone()));
    let authenticator = Authenticator::builder()
        .issuer(issuer.trusted_for(API))
        .with_clock(Arc::new(clock.clone()))
        .build()
        .await
        .unwrap();
    let late = Fault::Slow(Duration::from_millis(900));
    issuer.set_fault_at(Endpoint::Keys, Some(late));
    (issuer, clock, authenticator)
}

/// Lets a request reach the issuer, does something meanwhile, and lets the answer come.
#[expect(clippy::disallowed_methods, reason = "the network runs on real time")]
async fn meanwhile<T>(clock: &FakeClock, change: impl AsyncFnOnce() -> T) -> T {
    tokio::time::sleep(Duration::from_millis(50)).await;
    let changed = change().await;
    for _ in 0..20 {
        clock.advance(Duration::from_millis(48)).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    changed
}

#[tokio::test]
async fn a_removal_stands_against_a_replacement_that_was_waiting_for_keys() {
    let (issuer, clock, authenticator) = slow_and_trusted().await;
    let replacing = authenticator.set_issuer(issuer.trusted_for(API));
    let removing = meanwhile(&clock, async || authenticator.remove_issuer(issuer.name()));
    let (replaced, removed) = futures_util::future::join(replacing, removing).await;
    assert!(removed);
    assert!(matches!(replaced, Err(BuildError::Overtaken { .. })));
    assert!(authenticator.status().is_empty());
}

#[tokio::test]
async fn a_removal_stands_even_where_the_issuer_came_and_went_in_the_meantime() {
    let (issuer, clock, authenticator) = slow_and_trusted().await;
    assert!(authenticator.remove_issuer(issuer.name()));
    let adding = authenticator.set_issuer(issuer.trusted_for(API));
    let pinned = TestIssuer::new(issuer.name()).trusted_for(API);
    let changing = meanwhile(&clock, async || {
        authenticator.set_issuer(pinned).await.unwrap();
        authenticator.remove_issuer(issuer.name())
    });
    let (added, removed) = futures_util::future::join(adding, changing).await;
    assert!(removed);
    assert!(matches!(added, Err(BuildError::Overtaken { .. })));
    assert!(authenticator.status().is_empty());
}

#[tokio::test]
async fn a_token_that_waits_for_keys_is_not_accepted_by_those_of_a_replaced_issuer() {
    let (issuer, clock, authenticator) = slow_and_trusted().await;
    issuer.rotate();
    let token = machine(&issuer).mint();
    // Pinned to the keys of somebody else, since the issuer's own are not to be trusted any more.
    let pinned = TestIssuer::new(issuer.name()).with_clock(Arc::new(clock.clone()));
    let replacement = pinned.trusted_for(API);
    let waiting = authenticator.verify(&token);
    let replacing = meanwhile(&clock, async || authenticator.set_issuer(replacement).await);
    let (verified, replaced) = futures_util::future::join(waiting, replacing).await;
    replaced.unwrap();
    assert_eq!(refusal(verified), Refusal::UnknownKey);
    assert!(authenticator.verify(&machine(&pinned).mint()).await.is_ok());
}

#[tokio::test]
async fn an_issuers_own_check_is_asked_each_time() {
    let issuer = TestIssuer::new(ACME);
    let is_blocked = Arc::new(AtomicBool::new(false));
    let asked = is_blocked.clone();
    let authenticator = Authenticator::builder()
        .issuer(
            issuer
                .trusted_for(API)
                .with_check(move |_| !asked.load(Ordering::Relaxed)),
        )
        .build()
        .await
        .unwrap();
    let token = machine(&issuer).mint();
    assert!(authenticator.verify(&token).await.is_ok());
    is_blocked.store(true, Ordering::Relaxed);
    assert_eq!(refusal(authenticator.verify(&token).await), Refusal::Check);
}

/// Calls every token one of this issuer's, and removes the issuer while it is asked if it was told to.
#[derive(Debug)]
struct Opaque {
    issuer: Issuer,
    asked: AtomicUsize,
    removes: Mutex<Option<Authenticator>>,
}

impl Introspect for Opaque {
    fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    fn introspect(&self, _: &str) -> BoxFuture<Result<Claims, IntrospectionFailure>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if let Some(authenticator) = self.removes.lock().unwrap().take() {
            assert!(authenticator.remove_issuer(self.issuer.name()));
        }
        let claims = Claims::delegated_user(&**self.issuer.name(), "app", "ann");
        Box::pin(std::future::ready(Ok(claims)))
    }

    fn introspect_anew(&self, token: &str) -> BoxFuture<Result<Claims, IntrospectionFailure>> {
        self.introspect(token)
    }
}

#[tokio::test]
async fn opaque_tokens_of_an_issuer_that_was_removed_are_refused_until_it_is_trusted_again() {
    let issuer = TestIssuer::new(ISSUER);
    let server = Arc::new(Opaque {
        issuer: issuer.trusted_for(API),
        asked: AtomicUsize::new(0),
        removes: Mutex::default(),
    });
    let authenticator = Authenticator::builder()
        .with_resource(API)
        .with_opaque_tokens(server.clone())
        .build()
        .await
        .unwrap();
    let metadata = || {
        let metadata = authenticator.resource_metadata([]).unwrap();
        serde_json::to_string(&metadata).unwrap()
    };
    let asked = || server.asked.load(Ordering::Relaxed);
    assert!(authenticator.verify("opaque").await.is_ok());
    assert!(!authenticator.remove_issuer("https://as.other.test"));
    assert!(authenticator.verify("opaque").await.is_ok());
    // Three parts are a JWT's, however short; nobody is asked about one.
    for (token, is_asked_about) in [
        ("a.b.c", false),
        ("..", false),
        ("a.b", true),
        ("abc", true),
    ] {
        let before = asked();
        assert_eq!(authenticator.verify(token).await.is_ok(), is_asked_about);
        assert_eq!(asked() - before, usize::from(is_asked_about), "{token}");
    }
    assert!(metadata().contains(ISSUER));

    assert!(authenticator.remove_issuer(ISSUER));
    assert!(!authenticator.remove_issuer(ISSUER), "it was removed");
    let refused = refusal(authenticator.verify("opaque").await);
    assert_eq!(refused, Refusal::UnknownIssuer);
    assert_eq!(asked(), 4, "nobody is asked about it");
    assert!(!metadata().contains(ISSUER));

    let trusted = issuer.trusted_for(API);
    authenticator.set_issuer(trusted).await.unwrap();
    assert!(authenticator.verify("opaque").await.is_ok());
    // While its server is being asked.
    *server.removes.lock().unwrap() = Some(authenticator.clone());
    let refused = refusal(authenticator.verify("opaque").await);
    assert_eq!(refused, Refusal::UnknownIssuer);
    assert_eq!(asked(), 6);
}
