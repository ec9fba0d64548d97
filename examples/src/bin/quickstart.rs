//! An API whose invoices are guarded by scope and kept apart by tenant, and four calls to it.
#![expect(clippy::print_stdout, clippy::disallowed_methods)] // a program prints and spawns

use axum::{Json, Router, routing::get};
use countersign::{Authenticator, Issuer, Scoped, scopes};
use countersign::{Tenant, TenantScope, TenantScoped, Unscoped};
use countersign_testing::TestIssuer;

const API: &str = "https://api.acme.example";
scopes! {
    /// Read invoices.
    pub ReadInvoices = "invoices:read";
}

struct Invoices;
impl TenantScope for Invoices {
    type Scoped = Vec<String>;

    fn for_tenant(&self, tenant: &Tenant) -> Vec<String> {
        vec![format!("the only invoice of {}", tenant.id())]
    }
}

async fn list(_: Scoped<ReadInvoices>, invoices: TenantScoped<Invoices>) -> Json<Vec<String>> {
    Json(invoices.into_inner()) // only this organization's: there is no other way in
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let issuer = TestIssuer::serve().await; // stands in for your authorization server
    let authenticator = Authenticator::builder()
        .issuer(Issuer::new(issuer.name(), API)) // discovers its keys
        .build()
        .await?;
    let app = Router::new()
        .route("/orgs/{org_id}/invoices", get(list))
        .layer(authenticator.layer())
        .with_state(Unscoped::new(Invoices));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/orgs", listener.local_addr()?);
    tokio::spawn(axum::serve(listener, app).into_future());
    let acme = issuer.service_principal("m2m-acme").with_audience(API);
    let acme = acme.with_organization("org_acme");
    let scoped = acme.clone().with_scopes(["invoices:read"]).mint();
    let http = reqwest::Client::builder().no_proxy().build()?; // it is all on loopback
    let mut as_expected = true;
    for (call, token, organization, expected) in [
        ("its own invoices", &scoped, "org_acme", 200),
        ("another tenant's invoices", &scoped, "org_globex", 404),
        ("a token without the scope", &acme.mint(), "org_acme", 403),
        ("a token that is none", &"abc".to_owned(), "org_acme", 401),
    ] {
        let request = http.get(format!("{url}/{organization}/invoices"));
        let answer = request.bearer_auth(token).send().await?;
        as_expected &= answer.status() == expected;
        println!("{call}: {}\n  {}", answer.status(), answer.text().await?);
    }
    let check = std::env::args().any(|argument| argument == "--check");
    std::process::exit(i32::from(check && !as_expected));
}
