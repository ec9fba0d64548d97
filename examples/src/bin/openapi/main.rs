//! The quickstart plus its `OpenAPI` document: the routes are declared once, and what the document says of security
//! is read off them.
//!
//! It serves the document as `/openapi.json` and as a page until Ctrl-C; with `--check` it compares the document with
//! the routes, and with what the server does, and ends.
#![expect(clippy::print_stdout, clippy::disallowed_methods)] // a program prints and spawns

use axum::http::{StatusCode, header};
use axum::{Json, Router, response::Html};
use countersign::{Authenticated, GuardedRouter, Public, RouteTable};
use countersign::{Authenticator, Issuer, Principal, scopes};
use countersign::{Tenant, TenantScope, TenantScoped, Unscoped};
use countersign_testing::TestIssuer;
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

mod check;

const API: &str = "https://api.acme.example";
scopes! {
    /// Read invoices.
    pub ReadInvoices = "invoices:read";
    /// Write invoices, or administer.
    pub WriteInvoices = "invoices:write" || ("invoices:read" && "admin");
}

/// An invoice.
#[derive(Deserialize, Serialize, ToSchema)]
struct Invoice {
    text: String,
    cents: u64,
}

struct Invoices;
impl TenantScope for Invoices {
    type Scoped = Vec<Invoice>;

    fn for_tenant(&self, tenant: &Tenant) -> Vec<Invoice> {
        let text = format!("the only invoice of {}", tenant.id());
        vec![Invoice { text, cents: 100 }]
    }
}

/// List the invoices of an organization.
#[utoipa::path(
    get, path = "/orgs/{org_id}/invoices", params(("org_id" = String, Path)),
    responses(
        (status = 200, description = "All of them", body = Vec<Invoice>),
        (status = 404, description = "Not the token's organization"),
    ),
)]
async fn list(invoices: TenantScoped<Invoices>) -> Json<Vec<Invoice>> {
    Json(invoices.into_inner())
}

/// Write an invoice.
#[utoipa::path(
    post, path = "/orgs/{org_id}/invoices", params(("org_id" = String, Path)),
    request_body = Invoice,
    responses(
        (status = 201, description = "Written", body = Invoice),
        (status = 404, description = "Not the token's organization"),
    ),
)]
async fn create(_: Tenant, Json(invoice): Json<Invoice>) -> (StatusCode, Json<Invoice>) {
    (StatusCode::CREATED, Json(invoice))
}

/// Say who calls.
#[utoipa::path(get, path = "/whoami", responses((status = 200, description = "The subject", body = String)))]
async fn whoami(caller: Principal) -> String {
    caller.subject().unwrap_or("nobody").to_owned()
}

/// Say that the service is up.
#[utoipa::path(get, path = "/health", responses((status = 200, description = "It is up", body = String)))]
async fn health() -> &'static str {
    "fine"
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Invoices of Acme",
        version = "1.0.0",
        description = "Each organization sees its own."
    ),
    paths(list, create, whoami, health)
)]
struct Document;

/// The one place that says who may call what.
fn routes() -> GuardedRouter<Unscoped<Invoices>> {
    GuardedRouter::new()
        .get(ReadInvoices, "/orgs/{org_id}/invoices", list)
        .post(WriteInvoices, "/orgs/{org_id}/invoices", create)
        .get(Authenticated, "/whoami", whoami)
        .get(Public, "/health", health)
}

/// The router, with its document and a page that shows it, and the table of what the document describes.
fn app(authenticator: &Authenticator) -> Result<(Router, RouteTable), Box<dyn std::error::Error>> {
    let routes = routes();
    let table = routes.table();
    let mut document = Document::openapi();
    let unmatched = table.describe(&mut document, authenticator);
    if !unmatched.is_empty() {
        return Err(format!("the document and the routes are not the same: {unmatched:?}").into());
    }
    let json = document.to_pretty_json()?;
    let json = move || async { ([(header::CONTENT_TYPE, "application/json")], json) };
    let page = || async { Html(include_str!("page.html")) };
    let app = routes
        .with_state(Unscoped::new(Invoices))
        .get(Public, "/openapi.json", json) // after the table was taken: no operations of the API
        .get(Public, "/", page)
        .build(authenticator)?;
    Ok((app, table))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let issuer = TestIssuer::serve().await; // stands in for your authorization server
    let authenticator = Authenticator::builder()
        .issuer(Issuer::new(issuer.name(), API)) // discovers its keys
        .build()
        .await?;
    let (app, table) = app(&authenticator)?;
    println!("{table}");

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let server = axum::serve(listener, app);
    if std::env::args().any(|argument| argument == "--check") {
        tokio::spawn(server.into_future());
        return check::check(&url, &table, &issuer).await;
    }
    println!("\n{url}/ and {url}/openapi.json, until Ctrl-C");
    let interrupted = async {
        tokio::signal::ctrl_c().await.ok();
    };
    Ok(server.with_graceful_shutdown(interrupted).await?)
}
