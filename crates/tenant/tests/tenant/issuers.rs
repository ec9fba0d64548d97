//! Two issuers that use one identifier for two organizations.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use countersign_bearer::Authenticator;
use countersign_tenant::{PathTenant, Tenant, TenantScope, TenantScoped, Unscoped};
use countersign_testing::TestIssuer;
use http::{Request, StatusCode};

use crate::support::{AUDIENCE, ask, issuer};

/// Counts visits by tenant.
#[derive(Default)]
struct Visits(Mutex<HashMap<Tenant, u32>>);

impl TenantScope for Visits {
    type Scoped = u32;

    fn for_tenant(&self, tenant: &Tenant) -> u32 {
        let mut visits = self.0.lock().unwrap();
        let visits = visits.entry(tenant.clone()).or_default();
        *visits += 1;
        *visits
    }
}

async fn authenticator(issuers: &[&TestIssuer]) -> Authenticator {
    let trust = |issuer: &&TestIssuer| {
        let trusted = issuer.trusted_for(AUDIENCE);
        trusted.with_organizations(["org_1", "org_2"])
    };
    let builder = issuers
        .iter()
        .map(trust)
        .fold(Authenticator::builder(), |builder, trusted| {
            builder.issuer(trusted)
        });
    builder.build().await.unwrap()
}

async fn send(app: &Router, issuer: &TestIssuer, client: &str, organization: &str) -> String {
    let token = issuer
        .service_principal(client)
        .with_audience(AUDIENCE)
        .with_organization(organization)
        .mint();
    let request = Request::post(format!("/o/{organization}"))
        .header("authorization", format!("Bearer {token}"));
    let answer = ask(app, request).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.body
}

#[tokio::test]
async fn a_store_keyed_by_tenant_keeps_organizations_of_two_issuers_apart() {
    let [one, two] = ["https://one.test", "https://two.test"].map(issuer);
    let app = Router::new()
        .route(
            "/o/{org_id}",
            post(async |visits: TenantScoped<Visits>| visits.to_string()),
        )
        .layer(authenticator(&[&one, &two]).await.layer())
        .with_state(Unscoped::new(Visits::default()));
    let cases = [
        (&one, "a", "org_1", "1"),
        (&one, "a", "org_1", "2"),
        // Another client of the same organization.
        (&one, "b", "org_1", "3"),
        (&two, "a", "org_1", "1"),
        (&one, "a", "org_2", "1"),
        (&two, "a", "org_2", "1"),
        (&two, "b", "org_1", "2"),
        (&one, "a", "org_1", "4"),
    ];
    for (issuer, client, organization, expected) in cases {
        let visits = send(&app, issuer, client, organization).await;
        assert_eq!(visits, expected, "{client} of {organization} at {issuer:?}");
    }
}

type Seen = Arc<Mutex<Vec<PathTenant>>>;

async fn remember(State(seen): State<Seen>, tenant: PathTenant) {
    seen.lock().unwrap().push(tenant);
}

#[tokio::test]
async fn tenants_are_equal_if_issuer_and_identifier_are_whoever_acts() {
    let [one, two] = ["https://one.test", "https://two.test"].map(issuer);
    let seen = Seen::default();
    let app = Router::new()
        .route("/o/{org_id}", post(remember))
        .layer(authenticator(&[&one, &two]).await.layer())
        .with_state(seen.clone());
    for (issuer, client, organization) in [
        (&one, "a", "org_1"),
        (&one, "b", "org_1"),
        (&one, "a", "org_2"),
        (&two, "a", "org_1"),
    ] {
        send(&app, issuer, client, organization).await;
    }

    let seen = std::mem::take(&mut *seen.lock().unwrap());
    let [first, by_another_client, other_id, other_issuer] = &seen[..] else {
        panic!("{seen:?}");
    };
    assert!(seen.iter().all(|tenant| !tenant.is_acting()));
    assert_eq!(first, by_another_client);
    let hasher = RandomState::new();
    assert_eq!(hasher.hash_one(first), hasher.hash_one(by_another_client));
    for other in [other_id, other_issuer] {
        assert_ne!(first, other);
        assert_ne!(hasher.hash_one(first), hasher.hash_one(other));
    }
    assert_eq!(first.0.id(), other_issuer.0.id());
    assert_ne!(first.0.issuer(), other_issuer.0.issuer());
}
