//! Other people's apps, acting for a user who consented: an app may do what the user consented to and the user
//! may do, whichever is less.
#![expect(clippy::print_stdout, clippy::disallowed_methods)] // a program prints and spawns

use std::time::Duration;

use axum::http::StatusCode;
use axum::{Router, routing::get, routing::post};
use countersign::{Authenticator, DelegatedUser, Issuer, Principal, Scoped, scopes};
use countersign::{Tenant, TenantScope, TenantScoped, Unscoped};
use countersign_testing::TestIssuer;
use reqwest::{Client, RequestBuilder};

type Error = Box<dyn std::error::Error>;

const API: &str = "https://api.acme.example";
scopes! {
    /// Read invoices.
    pub ReadInvoices = "invoices:read";
    /// Approve invoices in the user's name.
    pub ApproveInvoices = "invoices:approve";
}

/// Who may do what is the application's own knowledge, a table of its database. No token says it: a scope says
/// what the user lets the app do, which may be more than the user may.
struct Approvers;
impl TenantScope for Approvers {
    type Scoped = Vec<&'static str>;

    fn for_tenant(&self, tenant: &Tenant) -> Vec<&'static str> {
        match tenant.id().as_str() {
            "org_acme" => vec!["ann"],
            _ => Vec::new(),
        }
    }
}

async fn list(_: Scoped<ReadInvoices>, tenant: Tenant) -> String {
    format!("the only invoice of {}", tenant.id())
}

/// Somebody must answer for an approval, so a machine cannot give one.
async fn approve(
    caller: DelegatedUser,
    _consent: Scoped<ApproveInvoices>,
    approvers: TenantScoped<Approvers>,
) -> Result<String, (StatusCode, String)> {
    let user = caller.user();
    let app = caller.client().unwrap_or("an app");
    if approvers.contains(&user) {
        Ok(format!("approved by {user} through {app}"))
    } else {
        Err((StatusCode::FORBIDDEN, format!("{user} may not approve")))
    }
}

/// For everybody; those who say who they are get their own prices. A token that is bad is refused all the same:
/// whoever sends one means to be known.
async fn prices(caller: Option<Principal>) -> String {
    match caller.as_ref().and_then(|caller| caller.organization()) {
        Some(organization) => format!("prices for {organization}"),
        None => "list prices".to_owned(),
    }
}

/// The API, on a free port. Its URL.
async fn serve(issuer: &TestIssuer) -> Result<String, Error> {
    let authenticator = Authenticator::builder()
        .issuer(Issuer::new(issuer.name(), API))
        .build()
        .await?;
    let open = Router::new()
        .route("/prices", get(prices))
        .layer(authenticator.layer().optional());
    let app = Router::new()
        .route("/orgs/{org_id}/invoices", get(list))
        .route("/orgs/{org_id}/invoices/1/approval", post(approve))
        .layer(authenticator.layer())
        .merge(open) // after the layer, which would ask everybody for a token
        .with_state(Unscoped::new(Approvers));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(axum::serve(listener, app).into_future());
    Ok(url)
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let issuer = TestIssuer::serve().await; // stands in for your authorization server
    let url = serve(&issuer).await?;
    let http = Client::builder().no_proxy();
    let http = http.timeout(Duration::from_secs(5)).build()?;
    let list = || http.get(format!("{url}/orgs/org_acme/invoices"));
    let approve = || http.post(format!("{url}/orgs/org_acme/invoices/1/approval"));
    let prices = || http.get(format!("{url}/prices"));

    // What the authorization server hands to an app when the user has logged in there and said yes to the scopes.
    let consented = |app, user, scopes: &[&str]| {
        let token = issuer.delegated_user(app, user).with_audience(API);
        token.with_organization("org_acme").with_scopes(scopes)
    };
    let both = ["invoices:read", "invoices:approve"];
    let reports = consented("reports", "ann", &["invoices:read"]).mint();
    let ann = consented("approvals", "ann", &both).mint();
    let bob = consented("approvals", "bob", &both).mint();
    let job = issuer.service_principal("m2m-acme").with_audience(API);
    let job = job.with_organization("org_acme").with_scopes(both).mint();
    // Tells the app who logged in, and has the same issuer and key. Its audience is the app; even if that were
    // named like this API, the token is none for an API.
    let id_token = consented("reports", "ann", &both).with_header("typ", "JWT");
    let id_token = id_token.with_claim("nonce", "n-0S6_WzA2Mj").mint();
    let old = consented("reports", "ann", &[]).expired().mint();

    let (scope, kind) = ("insufficient_scope", "principal_not_allowed");
    let mut as_expected = true;
    for (what, call, token, status, text) in [
        ("ann's report app reads", list(), &reports, 200, "of org_"),
        ("it approves for her", approve(), &reports, 403, scope),
        ("her other app approves", approve(), &ann, 200, "by ann"),
        ("bob's same app reads", list(), &bob, 200, "of org_acme"),
        ("it approves for bob", approve(), &bob, 403, "bob may not"),
        ("acme's job approves", approve(), &job, 403, kind),
        ("an ID token reads", list(), &id_token, 401, "'s type"),
        ("ann's app asks for prices", prices(), &reports, 200, "acme"),
        ("with an old token", prices(), &old, 401, "expired"),
    ] {
        as_expected &= made(what, call.bearer_auth(token), status, text).await?;
    }
    as_expected &= made("anybody asks for prices", prices(), 200, "list prices").await?;
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
