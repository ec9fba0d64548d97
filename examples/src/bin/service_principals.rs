//! A customer's automation: it gets its tokens by client credentials, does what their scopes allow, and does not
//! notice when the issuer changes its key.
#![expect(clippy::print_stdout, clippy::disallowed_methods)] // a program prints and spawns

use std::time::Duration;

use axum::{Json, Router, routing::get};
use countersign::{Authenticator, Issuer, Scoped, ServicePrincipal, scopes};
use countersign::{Tenant, TenantScope, TenantScoped, Unscoped};
use countersign_testing::TestIssuer;
use reqwest::{Client, RequestBuilder};

type Error = Box<dyn std::error::Error>;

const API: &str = "https://api.acme.example";
scopes! {
    /// Read invoices.
    pub ReadInvoices = "invoices:read";
    /// Write invoices.
    pub WriteInvoices = "invoices:write";
}

struct Invoices;
impl TenantScope for Invoices {
    type Scoped = String;

    fn for_tenant(&self, tenant: &Tenant) -> String {
        format!("the only invoice of {}", tenant.id())
    }
}

async fn list(_: Scoped<ReadInvoices>, invoices: TenantScoped<Invoices>) -> Json<Vec<String>> {
    Json(vec![invoices.into_inner()])
}

/// For automation only: an app that acts for a user is refused, whatever the user consented to.
async fn import(caller: ServicePrincipal, _: Scoped<WriteInvoices>, tenant: Tenant) -> String {
    let client = caller.client().unwrap_or("a machine"); // which of the organization's, for the record
    format!("{client} imported invoices of {}", tenant.id())
}

/// The customer's side: asks for a token for this API and no more scopes than the job needs.
async fn token(http: &Client, issuer: &str, client: &str, scope: &str) -> Result<String, Error> {
    #[derive(serde::Deserialize)]
    struct Answer {
        access_token: String,
    }

    let form = [
        ("grant_type", "client_credentials"),
        ("resource", API), // RFC 8707; some vendors call it `audience`
        ("scope", scope),
    ];
    let request = http.post(format!("{issuer}/token")).form(&form);
    let answer = request.basic_auth(client, Some("secret")).send().await?;
    let answer: Answer = answer.error_for_status()?.json().await?;
    Ok(answer.access_token)
}

/// The vendor's side: the API, on a free port. Its URL.
async fn serve(issuer: &TestIssuer) -> Result<String, Error> {
    let authenticator = Authenticator::builder()
        .issuer(Issuer::new(issuer.name(), API))
        .build()
        .await?;
    let app = Router::new()
        .route("/orgs/{org_id}/invoices", get(list).post(import))
        .layer(authenticator.layer())
        .with_state(Unscoped::new(Invoices));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(axum::serve(listener, app).into_future());
    Ok(url)
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let scopes = ["invoices:read", "invoices:write"];
    let issuer = TestIssuer::serve() // stands in for your authorization server
        .await
        .with_client("m2m-acme", "secret", Some("org_acme"), &scopes)
        .with_client("m2m-globex", "secret", Some("org_globex"), &scopes);
    let invoices = format!("{}/orgs/org_acme/invoices", serve(&issuer).await?);
    let http = Client::builder().no_proxy();
    let http = http.timeout(Duration::from_secs(5)).build()?;
    let (list, import) = (|| http.get(&invoices), || http.post(&invoices));

    let reader = token(&http, issuer.name(), "m2m-acme", "invoices:read").await?;
    let writer = token(&http, issuer.name(), "m2m-acme", "invoices:write").await?;
    let globex = token(&http, issuer.name(), "m2m-globex", "invoices:read").await?;
    let app = issuer.delegated_user("reports", "ann").with_audience(API);
    let app = app.with_organization("org_acme").with_scopes(scopes).mint();
    let (scope, kind) = ("insufficient_scope", "principal_not_allowed");
    let mut as_expected = true;
    for (what, call, token, status, text) in [
        ("acme's job reads", list(), &reader, 200, "of org_acme"),
        ("acme's reader writes", import(), &reader, 403, scope),
        ("acme's writer writes", import(), &writer, 200, "m2m-acme"),
        ("acme's writer reads", list(), &writer, 403, scope),
        ("globex reads acme's", list(), &globex, 404, ""),
        ("an app imports", import(), &app, 403, kind),
    ] {
        as_expected &= made(what, call.bearer_auth(token), status, text).await?;
    }

    // The issuer takes a new key in the middle: it publishes the key, signs with it, and withdraws the old one when
    // the last token of that has expired. Nobody has to tell the API, which asks when it sees the new key's name.
    issuer.publish_next();
    issuer.sign_with_next();
    let newer = token(&http, issuer.name(), "m2m-acme", "invoices:read").await?;
    for (what, token) in [("the new key", &newer), ("the old key", &reader)] {
        as_expected &= made(what, list().bearer_auth(token), 200, "of org_acme").await?;
    }
    issuer.retire_previous();
    let newest = token(&http, issuer.name(), "m2m-acme", "invoices:read").await?;
    let call = list().bearer_auth(newest);
    as_expected &= made("the old key withdrawn", call, 200, "of org_acme").await?;
    let check = std::env::args().any(|argument| argument == "--check");
    std::process::exit(i32::from(check && !as_expected));
}

/// Makes a call, prints it with its answer, and tells whether the answer is the expected one.
async fn made(what: &str, call: RequestBuilder, status: u16, text: &str) -> Result<bool, Error> {
    let answer = call.send().await?;
    let (answered, body) = (answer.status(), answer.text().await?);
    println!("{what}: {answered}\n  {body}");
    Ok(answered == status && body.contains(text))
}
