//! Two issuers: the vendor's own, and a customer's identity provider that is trusted while the API runs, for that
//! customer's organization only, and then no longer.
#![expect(clippy::print_stdout, clippy::disallowed_methods)] // a program prints and spawns

use std::time::Duration;

use axum::{Json, Router, routing::get};
use countersign::{Authenticator, Issuer, OrganizationId, Scoped, scopes};
use countersign::{Tenant, TenantScope, TenantScoped, Unscoped};
use countersign_testing::TestIssuer;
use reqwest::Client;

type Error = Box<dyn std::error::Error>;

const API: &str = "https://api.acme.example";
/// What an issuer is told that names an organization it may not speak for, and one that is not trusted.
const OTHERS: &str = "The token's organization is not accepted";
const ISSUER: &str = "The token's issuer is not trusted";
scopes! {
    /// Read invoices.
    pub ReadInvoices = "invoices:read";
}

struct Invoices;
impl TenantScope for Invoices {
    type Scoped = Vec<String>;

    /// The id alone tells tenants apart here, since no two of the issuers may name the same one. Otherwise it is
    /// `tenant.issuer()` and the id together.
    fn for_tenant(&self, tenant: &Tenant) -> Vec<String> {
        vec![format!("the only invoice of {}", tenant.id())]
    }
}

async fn list(_: Scoped<ReadInvoices>, invoices: TenantScoped<Invoices>) -> Json<Vec<String>> {
    Json(invoices.into_inner())
}

/// The API, on a free port. Its URL.
async fn serve(authenticator: &Authenticator) -> Result<String, Error> {
    let app = Router::new()
        .route("/orgs/{org_id}/invoices", get(list))
        .layer(authenticator.layer())
        .with_state(Unscoped::new(Invoices));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/orgs", listener.local_addr()?);
    tokio::spawn(axum::serve(listener, app).into_future());
    Ok(url)
}

/// An hour's token to read invoices. With no organization it names none.
fn token(issuer: &TestIssuer, organization: Option<&str>) -> String {
    let token = issuer.delegated_user("reports", "somebody");
    let token = token.with_audience(API).with_scopes(["invoices:read"]);
    match organization {
        Some(organization) => token.with_organization(organization).mint(),
        None => token.mint(),
    }
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let vendor = TestIssuer::serve().await; // stands in for your authorization server
    let initech = TestIssuer::serve().await; // for the customer's, who may mint what they like
    // Of several issuers each must say whose organizations it speaks for: say it before the second one comes.
    let own = Issuer::new(vendor.name(), API).with_organizations(["org_acme", "org_globex"]);
    let authenticator = Authenticator::builder().issuer(own).build().await?;
    let url = serve(&authenticator).await?;

    let acme = &token(&vendor, Some("org_acme"));
    let peter = &token(&initech, None); // an issuer with one organization need not name it
    let before = [
        ("acme's user", acme, "acme", 200, "of org_acme"),
        ("initech's user, too early", peter, "initech", 401, ISSUER),
    ];
    let mut as_expected = made(&url, before).await?;

    // What the handler for your administrators would do. It waits for the new issuer's keys and fails if the settings
    // make no sense or the keys cannot be had; the API goes on meanwhile, and then as it was.
    let id = OrganizationId::new("org_initech").ok_or("an organization without an id")?;
    let customers = Issuer::new(initech.name(), API).with_fixed_organization(id);
    authenticator.set_issuer(customers).await?;

    let as_acme = &token(&initech, Some("org_acme"));
    let as_initech = &token(&vendor, Some("org_initech"));
    let added = [
        ("initech's user", peter, "initech", 200, "of org_initech"),
        ("acme's user, as ever", acme, "acme", 200, "of org_acme"),
        ("initech's user at acme's", peter, "acme", 404, ""),
        ("initech says acme", as_acme, "acme", 401, OTHERS),
        ("vendor says initech", as_initech, "initech", 401, OTHERS),
    ];
    as_expected &= made(&url, added).await?;

    as_expected &= authenticator.remove_issuer(initech.name());
    let removed = [
        // The token is good for an hour still, and was accepted a moment ago.
        ("initech's user, too late", peter, "initech", 401, ISSUER),
        ("acme's user, as ever", acme, "acme", 200, "of org_acme"),
    ];
    as_expected &= made(&url, removed).await?;
    let check = std::env::args().any(|argument| argument == "--check");
    std::process::exit(i32::from(check && !as_expected));
}

/// What is tried, with which token, for whose invoices, the answer's status and a text in it.
type Call<'a> = (&'a str, &'a String, &'a str, u16, &'a str);

/// Makes the calls, prints each with its answer, and tells whether the answers are the expected ones.
async fn made<const N: usize>(url: &str, calls: [Call<'_>; N]) -> Result<bool, Error> {
    let http = Client::builder().no_proxy();
    let http = http.timeout(Duration::from_secs(5)).build()?;
    let mut as_expected = true;
    for (what, token, organization, status, text) in calls {
        let request = http.get(format!("{url}/org_{organization}/invoices"));
        let answer = request.bearer_auth(token).send().await?;
        let (answered, body) = (answer.status(), answer.text().await?);
        println!("{what}: {answered}\n  {body}");
        as_expected &= answered == status && body.contains(text);
    }
    Ok(as_expected)
}
