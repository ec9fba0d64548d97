//! State that no handler can use without a tenant.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::{FromRef, FromRequestParts, State};
use axum::routing::get;
use countersign_bearer::DenialKind;
use countersign_tenant::{Tenant, TenantScope, TenantScoped, Unscoped};
use countersign_testing::{anonymous, authenticated, microservice, service_principal};
use http::{Request, StatusCode};

use crate::support::{Answer, App, ask};

/// Deliberately neither `Clone` nor `Debug`.
struct Invoices {
    by_organization: HashMap<String, Vec<&'static str>>,
    opened: Arc<AtomicUsize>,
}

impl Invoices {
    fn new() -> Self {
        let by_organization = [("org_acme", vec!["a1", "a2"]), ("org_other", vec!["o1"])];
        Self {
            by_organization: by_organization
                .into_iter()
                .map(|(organization, invoices)| (organization.to_owned(), invoices))
                .collect(),
            opened: Arc::default(),
        }
    }
}

impl TenantScope for Invoices {
    type Scoped = Vec<&'static str>;

    fn for_tenant(&self, tenant: &Tenant) -> Vec<&'static str> {
        self.opened.fetch_add(1, Ordering::Relaxed);
        let own = self.by_organization.get(tenant.id().as_str());
        own.cloned().unwrap_or_default()
    }
}

async fn list(invoices: TenantScoped<Invoices>) -> String {
    format!("{} has {}", invoices.tenant().id(), invoices.join(","))
}

fn routes() -> Router<Unscoped<Invoices>> {
    Router::new()
        .route("/invoices", get(list))
        .route("/o/{org_id}/invoices", get(list))
}

#[tokio::test]
async fn a_handler_gets_its_tenants_part_and_no_other() {
    let app = App::new(routes().with_state(Unscoped::new(Invoices::new()))).await;
    for (organization, path, expected) in [
        ("org_acme", "/invoices", "org_acme has a1,a2"),
        ("org_other", "/invoices", "org_other has o1"),
        ("org_new", "/invoices", "org_new has "),
        ("org_acme", "/o/org_acme/invoices", "org_acme has a1,a2"),
    ] {
        let answer = app.get_as(organization, path).await;
        assert!(answer.is_of(expected), "{answer:?}");
    }
    let answer = app.get_as("org_acme", "/o/org_other/invoices").await;
    assert!(answer.is_not_found(), "{answer:?}");
}

#[tokio::test]
async fn it_refuses_what_a_tenant_refuses_and_then_opens_nothing() {
    let invoices = Invoices::new();
    let opened = invoices.opened.clone();
    let app = || routes().with_state(Unscoped::new(Invoices::new()));
    let acme = authenticated(service_principal("org_acme", [""; 0]));
    let cases = [
        (app(), "/invoices", DenialKind::MissingLayer),
        (
            app().layer(anonymous()),
            "/invoices",
            DenialKind::MissingCredential,
        ),
        (
            app().layer(authenticated(microservice([""; 0]))),
            "/invoices",
            DenialKind::OrganizationRequired,
        ),
        (
            routes()
                .with_state(Unscoped::new(invoices))
                .layer(acme.clone()),
            "/o/org_other/invoices",
            DenialKind::OtherTenant,
        ),
        (
            app().layer(acme),
            "/o/%FF/invoices",
            DenialKind::OtherTenant,
        ),
    ];
    for (app, path, kind) in cases {
        let answer = ask(&app, Request::get(path)).await;
        assert_eq!(answer.kind, Some(kind), "{path}: {answer:?}");
    }
    assert_eq!(opened.load(Ordering::Relaxed), 0);
}

#[derive(Clone)]
struct AppState {
    invoices: Unscoped<Invoices>,
    name: &'static str,
}

impl FromRef<AppState> for Unscoped<Invoices> {
    fn from_ref(state: &AppState) -> Self {
        state.invoices.clone()
    }
}

#[tokio::test]
async fn it_may_be_a_part_of_the_routers_state() {
    async fn with_name(State(state): State<AppState>, invoices: TenantScoped<Invoices>) -> String {
        format!("{}: {}", state.name, invoices.join(","))
    }
    let routes = Router::new()
        .route("/", get(with_name))
        .with_state(AppState {
            invoices: Unscoped::new(Invoices::new()),
            name: "billing",
        });
    let answer = App::new(routes).await.get_as("org_other", "/").await;
    assert!(answer.is_of("billing: o1"), "{answer:?}");
}

#[tokio::test]
async fn what_a_handler_gets_is_its_own_to_change() {
    async fn changed(mut invoices: TenantScoped<Invoices>) -> String {
        invoices.push("new");
        invoices.into_inner().join(",")
    }
    let routes = Router::new()
        .route("/", get(changed))
        .with_state(Unscoped::new(Invoices::new()));
    let app = App::new(routes).await;
    for _ in 0..2 {
        let answer = app.get_as("org_acme", "/").await;
        assert!(answer.is_of("a1,a2,new"), "{answer:?}");
    }
}

/// The rest is private: see the example of `Unscoped` that does not compile.
#[tokio::test]
async fn the_state_as_it_is_can_be_cloned_and_printed_and_tells_nothing() {
    async fn print(State(invoices): State<Unscoped<Invoices>>) -> String {
        format!("{:?}", invoices.clone())
    }
    let app = Router::new()
        .route("/", get(print))
        .with_state(Unscoped::new(Invoices::new()));
    let Answer { status, body, .. } = ask(&app, Request::get("/")).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, "Unscoped { .. }"));
}

#[tokio::test]
async fn what_is_printed_of_the_narrowed_state_is_the_tenant_alone() {
    async fn print(invoices: TenantScoped<Invoices>) -> String {
        format!("{invoices:?}")
    }
    let routes = Router::new()
        .route("/", get(print))
        .with_state(Unscoped::new(Invoices::new()));
    let answer = App::new(routes).await.get_as("org_acme", "/").await;
    assert!(answer.body.contains("org_acme"), "{answer:?}");
    assert!(!answer.body.contains("a1"), "{answer:?}");
}

#[test]
fn there_is_no_other_way_in_and_no_optional_extractor() {
    trait OneOf<Which> {
        fn of() {}
    }
    struct Opened;
    struct Extractor;
    impl<T> OneOf<()> for T {}
    impl<T: Deref> OneOf<Opened> for T {}
    impl<T: FromRequestParts<Unscoped<Invoices>>> OneOf<Extractor> for T {}
    // Compiles only as long as a single implementation fits.
    <Unscoped<Invoices> as OneOf<_>>::of();
    <Option<TenantScoped<Invoices>> as OneOf<_>>::of();
    <TenantScoped<Invoices> as OneOf<Opened>>::of();
    <TenantScoped<Invoices> as OneOf<Extractor>>::of();
}
