//! The quickstart with two more kinds of certainty: opaque tokens, which only their issuer can read, and a route that
//! pays out, where a token must be active at this moment and not only when it was signed.
#![expect(clippy::print_stdout, clippy::disallowed_methods)] // a program prints and spawns

use std::sync::Arc;
use std::time::Duration;

use axum::{Json, Router, routing::get, routing::post};
use countersign::{Authenticator, Issuer, Scoped, scopes};
use countersign::{ClientAuthentication, Introspection, IntrospectionEndpoint, require_active};
use countersign::{Tenant, TenantScope, TenantScoped, Unscoped};
use countersign_testing::{Endpoint, Fault, TestIssuer};
use reqwest::{Client, RequestBuilder};

type Error = Box<dyn std::error::Error>;

const API: &str = "https://api.acme.example";
scopes! {
    /// Read invoices.
    pub ReadInvoices = "invoices:read";
    /// Pay money out.
    pub PayOut = "payouts:write";
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

async fn pay(_: Scoped<PayOut>, tenant: Tenant) -> String {
    format!("{} was paid", tenant.id())
}

/// The API on a free port. Its URL.
async fn serve(issuer: &TestIssuer) -> Result<String, Error> {
    let trusted = Issuer::new(issuer.name(), API);
    // The API is a client of the authorization server, too: nobody else may try tokens out there.
    let client = ClientAuthentication::secret_basic("api", "secret");
    let endpoint = IntrospectionEndpoint::Discovery;
    let introspection = Introspection::builder(trusted.clone(), endpoint, client).build()?;
    let authenticator = Authenticator::builder()
        .issuer(trusted) // JWTs are verified here,
        .with_opaque_tokens(Arc::new(introspection)) // and what is no JWT is asked about
        .build()
        .await?;
    let app = Router::new()
        .route("/orgs/{org_id}/payouts", post(pay))
        .route_layer(require_active().uncached()) // whoever pays asks, each time
        .route("/orgs/{org_id}/invoices", get(list))
        .layer(authenticator.layer())
        .with_state(Unscoped::new(Invoices));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(axum::serve(listener, app).into_future());
    Ok(url)
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let issuer = TestIssuer::serve() // stands in for your authorization server
        .await
        .with_client("api", "secret", None, &[]);
    let url = serve(&issuer).await?;
    let http = Client::builder().no_proxy();
    let http = http.timeout(Duration::from_secs(5)).build()?;
    let list = || http.get(format!("{url}/orgs/org_acme/invoices"));
    let pay = || http.post(format!("{url}/orgs/org_acme/payouts"));

    let token = issuer.service_principal("m2m-acme").with_audience(API);
    let token = token.with_organization("org_acme");
    let token = token.with_scopes(["invoices:read", "payouts:write"]);
    let (jwt, opaque) = (token.mint(), token.mint_opaque());
    let mut as_expected = true;
    for (what, call, token, status, text) in [
        ("a JWT reads", list(), &jwt, 200, "of org_acme"),
        ("an opaque token reads", list(), &opaque, 200, "of org_acme"),
        ("a JWT pays", pay(), &jwt, 200, "was paid"),
        ("an opaque token pays", pay(), &opaque, 200, "was paid"),
        ("a made-up one", list(), &"x".into(), 401, "not active"),
    ] {
        as_expected &= made(what, call.bearer_auth(token), status, text).await?;
    }

    // Somebody withdraws the customer's access. The signature of a JWT still says what it said, for as long as the token
    // lives; only the issuer knows better, and only where it matters is it asked.
    issuer.revoke(&jwt);
    issuer.revoke(&opaque);
    for (what, call, token, status, text) in [
        ("revoked: a JWT reads", list(), &jwt, 200, "of org_acme"),
        ("revoked: a JWT pays", pay(), &jwt, 401, "not active"),
        (
            "revoked: an opaque token pays",
            pay(),
            &opaque,
            401,
            "not active",
        ),
        ("and reads", list(), &opaque, 401, "not active"), // what was found out counts here, too
    ] {
        as_expected &= made(what, call.bearer_auth(token), status, text).await?;
    }

    // Nobody to ask: neither good nor bad. Who reads does not notice.
    issuer.set_fault_at(Endpoint::Introspection, Some(Fault::Status(503)));
    let jwt = token.mint();
    for (what, call, status, text) in [
        ("outage: a JWT reads", list(), 200, "of org_acme"),
        ("outage: a JWT pays", pay(), 503, "temporarily_unavailable"),
    ] {
        as_expected &= made(what, call.bearer_auth(&jwt), status, text).await?;
    }
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
