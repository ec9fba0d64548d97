use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use countersign_bearer::{Authenticator, Principal};
use countersign_tenant::{CrossTenant, Tenant, TenantScope, Unscoped};
use countersign_testing::{TestIssuer, authenticated};
use countersign_token::{Claims, ClaimsProfile, OrganizationId, Scope, ScopePolicy};

const VENDOR: &str = "https://idp.vendor.test";

struct Support;

impl ScopePolicy for Support {
    const ALTERNATIVES: &'static [&'static [&'static str]] = &[&["support:read"]];
}

struct Invoices;

impl TenantScope for Invoices {
    type Scoped = String;

    fn for_tenant(&self, tenant: &Tenant) -> String {
        format!("{} {} {}", tenant.issuer(), tenant.id(), tenant.is_acting())
    }
}

async fn look(acting: CrossTenant<Support>, State(invoices): State<Unscoped<Invoices>>) -> String {
    acting.open(&invoices)
}

fn app(caller: Principal) -> Router {
    Router::new()
        .route("/orgs/{org_id}/invoices", get(look))
        .route("/orgs/{org_id}/of/{tenant_id}", get(look))
        .route("/invoices", get(look))
        .with_state(Unscoped::new(Invoices))
        .layer(authenticated(caller))
}

fn with(claims: Claims, organization: Option<&str>, scope: &str) -> Claims {
    let claims = claims.with_scopes(&[Scope::new(scope).unwrap()]);
    match organization {
        Some(organization) => claims.with_organization(OrganizationId::new(organization).unwrap()),
        None => claims,
    }
}

/// An authenticator of the vendor that may be told who may act.
async fn vendor(
    listed: &[(&'static str, &str)],
    for_issuer: Option<&'static str>,
) -> Authenticator {
    let listed = listed
        .iter()
        .map(|(issuer, id)| (*issuer, OrganizationId::new(id).unwrap()));
    let staff = ClaimsProfile::rfc9068().with_organization_claims([]);
    let issuer = TestIssuer::new(VENDOR).trusted_for("https://api.vendor.test");
    let mut builder = Authenticator::builder()
        .with_acting_issuers([VENDOR])
        .issuer(issuer.with_profile(staff))
        .with_acting_organizations(listed);
    if let Some(issuer) = for_issuer {
        builder = builder.with_acting_for_issuer(issuer);
    }
    builder.build().await.unwrap()
}

#[tokio::test]
async fn only_the_vendors_own_act_for_others() {
    let authenticator = vendor(&[(VENDOR, "org_vendor")], None).await;
    let user = || Claims::delegated_user(VENDOR, "console", "ada");
    let service = || Claims::microservice(VENDOR, "billing");
    let automation = || Claims::service_principal(VENDOR, "m2m");
    let strangers_user = || Claims::delegated_user("https://as.stranger.test", "console", "eve");
    let scope = "support:read";
    let cases = [
        (with(user(), None, scope), StatusCode::OK),
        (with(user(), Some("org_vendor"), scope), StatusCode::OK),
        (with(user(), Some("org_acme"), scope), StatusCode::FORBIDDEN),
        (with(service(), None, scope), StatusCode::OK),
        (
            with(service(), Some("org_acme"), scope),
            StatusCode::FORBIDDEN,
        ),
        (with(automation(), None, scope), StatusCode::FORBIDDEN),
        (
            with(automation(), Some("org_vendor"), scope),
            StatusCode::FORBIDDEN,
        ),
        (with(user(), None, "support:write"), StatusCode::FORBIDDEN),
        // The same id at another issuer is another organization.
        (
            with(strangers_user(), Some("org_vendor"), scope),
            StatusCode::FORBIDDEN,
        ),
        // A customer's own issuer may leave the organization out, and grant any scope.
        (with(strangers_user(), None, scope), StatusCode::FORBIDDEN),
    ];
    for (claims, expected) in cases {
        let description = format!("{claims:?}");
        let app = app(authenticator.assertion(claims));
        let (status, body) = super::get(&app, "/orgs/org_acme/invoices").await;
        assert_eq!(status, expected, "{description}: {body}");
        if status == StatusCode::OK {
            assert_eq!(body, format!("{VENDOR} org_acme true"));
        }
    }
}

#[tokio::test]
async fn the_tenant_is_the_one_in_the_path_or_there_is_none() {
    let authenticator = vendor(&[], Some("https://as.customers.test")).await;
    let claims = with(
        Claims::microservice(VENDOR, "billing"),
        None,
        "support:read",
    );
    let app = app(authenticator.assertion(claims));
    let cases = [
        ("/orgs/org_acme/invoices", 200),
        ("/orgs/org_acme/of/org_acme", 200),
        ("/orgs/org_acme/of/org_globex", 404),
        ("/orgs/%FF/invoices", 404),
        ("/invoices", 500),
    ];
    for (path, expected) in cases {
        let (status, body) = super::get(&app, path).await;
        assert_eq!(status, expected, "{path}");
        if status == StatusCode::OK {
            assert_eq!(body, "https://as.customers.test org_acme true", "{path}");
        }
    }
}

#[tokio::test]
async fn an_issuer_with_customers_organizations_is_nobodys_staff() {
    let issuer = TestIssuer::new(VENDOR).trusted_for("https://api.vendor.test");
    let built = Authenticator::builder()
        .with_acting_issuers([VENDOR])
        .issuer(issuer)
        .build()
        .await;
    let error = built.unwrap_err().to_string();
    assert!(error.starts_with("acting_issuers: "), "{error}");
}
