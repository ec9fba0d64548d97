use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::extract::FromRef;
use axum::http::{HeaderMap, Request};
use countersign::{
    Authenticator, AuthenticatorBuilder, DenialKind, Directory, Microservices,
    OrganizationDirectory, OrganizationId, OrganizationRecord, Tenant, TenantScope, Unscoped,
    scopes,
};
use countersign_testing::{TestIssuer, TokenBuilder};
use tower::ServiceExt;

pub(crate) const API: &str = "https://api.acme.test";
/// A route that names the tenant, and a request to it that names the callers' own.
pub(crate) const ROUTE: &str = "/orgs/{org_id}";
pub(crate) const PATH: &str = "/orgs/org_acme";

scopes! {
    pub(crate) Read = "invoices:read";
    pub(crate) Write = "invoices:write";
}

/// What a router's state may hold of the suite.
#[derive(Clone)]
pub(crate) struct Everything {
    pub(crate) invoices: Unscoped<Invoices>,
    pub(crate) plans: Directory<Plan>,
}

impl FromRef<Everything> for Unscoped<Invoices> {
    fn from_ref(everything: &Everything) -> Self {
        everything.invoices.clone()
    }
}

impl FromRef<Everything> for Directory<Plan> {
    fn from_ref(everything: &Everything) -> Self {
        everything.plans.clone()
    }
}

pub(crate) struct Invoices;

impl TenantScope for Invoices {
    type Scoped = String;

    fn for_tenant(&self, tenant: &Tenant) -> String {
        tenant.id().to_string()
    }
}

pub(crate) struct Plan;

pub(crate) struct Plans;

impl OrganizationDirectory for Plans {
    type Record = Plan;
    type Error = Infallible;

    async fn find(
        &self,
        _: &str,
        _: &OrganizationId,
    ) -> Result<Option<OrganizationRecord<Plan>>, Infallible> {
        Ok(Some(OrganizationRecord::new(Plan)))
    }
}

pub(crate) fn everything() -> Everything {
    Everything {
        invoices: Unscoped::new(Invoices),
        plans: Directory::new(Plans),
    }
}

pub(crate) fn issuer() -> TestIssuer {
    TestIssuer::new("https://as.acme.test").with_algorithm(countersign::Algorithm::ES256)
}

pub(crate) async fn trusting(issuer: &TestIssuer) -> Authenticator {
    trusting_with(issuer, |builder| builder).await
}

pub(crate) async fn trusting_with(
    issuer: &TestIssuer,
    configure: impl FnOnce(AuthenticatorBuilder) -> AuthenticatorBuilder,
) -> Authenticator {
    let trusted = issuer
        .trusted_for(API)
        .with_microservices(Microservices::clients(["billing"]));
    let builder = Authenticator::builder().issuer(trusted);
    configure(builder).build().await.unwrap()
}

/// A machine of `org_acme` that may read.
pub(crate) fn machine(issuer: &TestIssuer) -> TokenBuilder {
    issuer
        .service_principal("m2m-acme")
        .with_audience(API)
        .with_organization("org_acme")
        .with_scopes(["invoices:read"])
}

/// One of the vendor's own services that may read.
pub(crate) fn microservice(issuer: &TestIssuer) -> TokenBuilder {
    issuer
        .microservice("billing")
        .with_audience(API)
        .with_scopes(["invoices:read"])
}

/// A user of `org_acme` whose app may read.
pub(crate) fn user(issuer: &TestIssuer) -> TokenBuilder {
    issuer
        .delegated_user("app", "ada")
        .with_audience(API)
        .with_organization("org_acme")
        .with_scopes(["invoices:read"])
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) kind: Option<DenialKind>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// `"GET /path"` with this token; `""`: without.
pub(crate) async fn ask(app: &Router, request: &str, token: &str) -> Answer {
    send(app, of(request, token)).await
}

pub(crate) fn of(request: &str, token: &str) -> Request<Body> {
    let (method, path) = request.split_once(' ').unwrap();
    let mut builder = Request::builder().method(method).uri(path);
    if !token.is_empty() {
        builder = builder.header("authorization", format!("Bearer {token}"));
    }
    builder.body(Body::empty()).unwrap()
}

pub(crate) async fn send(app: &Router, request: Request<Body>) -> Answer {
    let response = app.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    Answer {
        status: parts.status.as_u16(),
        kind: parts.extensions.get().copied(),
        headers: parts.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    }
}

pub(crate) async fn status(app: &Router, request: &str, token: &str) -> u16 {
    ask(app, request, token).await.status
}
