//! The quickstart plus gRPC: one router with an axum route and a tonic service, and calls to both.
#![expect(clippy::print_stdout, clippy::disallowed_methods)] // a program prints and spawns

use axum::http::HeaderName;
use axum::middleware::{Next, from_fn_with_state};
use axum::{Json, Router, response::IntoResponse, routing::get};
use countersign::{Authentication, Authenticator, Issuer, Scoped, scopes};
use countersign::{Tenant, TenantScope, TenantScoped, Unscoped};
use countersign_testing::TestIssuer;
use tonic::{Code, Request, Response, Status, service::Routes, transport::Channel};

use crate::acme::{invoices_client::InvoicesClient, invoices_server};

const API: &str = "https://api.acme.example";
const ORGANIZATION: HeaderName = HeaderName::from_static("x-organization");
scopes! {
    /// Read invoices.
    pub ReadInvoices = "invoices:read";
}

mod acme {
    #![expect(unreachable_pub, unused_qualifications, clippy::pedantic)] // what the build script generates
    tonic::include_proto!("acme.Invoices");
}

/// What `prost-build` makes of `message ListRequest {}`. No message names a tenant: the token does.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ListRequest {}

/// `message ListReply { repeated string invoices = 1; }`
#[derive(Clone, PartialEq, prost::Message)]
pub struct ListReply {
    #[prost(string, repeated, tag = "1")]
    invoices: Vec<String>,
}

struct Invoices;
impl TenantScope for Invoices {
    type Scoped = Vec<String>;

    fn for_tenant(&self, tenant: &Tenant) -> Vec<String> {
        vec![format!("the only invoice of {}", tenant.id())]
    }
}

async fn list(_: Scoped<ReadInvoices>, invoices: TenantScoped<Invoices>) -> Json<Vec<String>> {
    Json(invoices.into_inner())
}

/// Puts what an axum handler takes as an argument where a tonic handler finds it.
async fn with_invoices(
    invoices: TenantScoped<Invoices>,
    mut request: axum::extract::Request,
    next: Next,
) -> impl IntoResponse {
    request.extensions_mut().insert(invoices.into_inner());
    next.run(request).await
}

struct InvoicesService;
#[tonic::async_trait]
impl invoices_server::Invoices for InvoicesService {
    async fn list(&self, request: Request<ListRequest>) -> Result<Response<ListReply>, Status> {
        let caller = Authentication::of(request.extensions())?.principal()?;
        caller.require::<ReadInvoices>()?; // a denial is a `Status` of its own
        let invoices = request.extensions().get::<Vec<String>>().cloned();
        let invoices = invoices.ok_or_else(|| Status::internal("`with_invoices` is missing"))?;
        Ok(Response::new(ListReply { invoices }))
    }
}

async fn app(issuer: &str) -> Result<Router, countersign::BuildError> {
    let authenticator = Authenticator::builder()
        .issuer(Issuer::new(issuer, API)) // discovers its keys
        .with_header(ORGANIZATION) // as gRPC has no paths to name a tenant in
        .build()
        .await?;
    let invoices = Unscoped::new(Invoices);
    let grpc = Routes::new(invoices_server::InvoicesServer::new(InvoicesService))
        .into_axum_router()
        .reset_fallback() // tonic's would answer for the whole router
        .layer(from_fn_with_state(invoices.clone(), with_invoices));
    Ok(Router::new()
        .route("/orgs/{org_id}/invoices", get(list))
        .with_state(invoices)
        .merge(grpc)
        .layer(authenticator.layer()))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let issuer = TestIssuer::serve().await; // stands in for your authorization server
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(axum::serve(listener, app(issuer.name()).await?).into_future());

    let acme = issuer.service_principal("m2m-acme").with_audience(API);
    let acme = acme.with_organization("org_acme");
    let scoped = acme.clone().with_scopes(["invoices:read"]).mint();
    let (unscoped, none) = (acme.mint(), "abc".to_owned());
    let client = InvoicesClient::new(Channel::from_shared(url.clone())?.connect().await?);
    let mut as_expected = true;
    for (call, token, organization, expected) in [
        ("its own invoices", &scoped, "org_acme", Code::Ok),
        ("another tenant's", &scoped, "org_globex", Code::NotFound),
        ("no scope", &unscoped, "org_acme", Code::PermissionDenied),
        ("no token", &none, "org_acme", Code::Unauthenticated),
    ] {
        let mut request = Request::new(ListRequest {});
        let metadata = request.metadata_mut();
        metadata.insert("authorization", format!("Bearer {token}").parse()?);
        metadata.insert("x-organization", organization.parse()?);
        let (code, text) = match client.clone().list(request).await {
            Ok(reply) => (Code::Ok, format!("{:?}", reply.into_inner().invoices)),
            Err(denied) => (denied.code(), told(&denied)),
        };
        as_expected &= code == expected;
        println!("gRPC, {call}: {code:?}\n  {text}");
    }
    for (call, token, expected) in [("its own invoices", scoped, 200), ("no token", none, 401)] {
        let request = reqwest::Client::new().get(format!("{url}/orgs/org_acme/invoices"));
        let answer = request.bearer_auth(token).send().await?;
        as_expected &= answer.status() == expected;
        println!(
            "HTTP, {call}: {}\n  {}",
            answer.status(),
            answer.text().await?
        );
    }
    let check = std::env::args().any(|argument| argument == "--check");
    std::process::exit(i32::from(check && !as_expected));
}

/// What a client learns of a denial: the message, and the challenge that HTTP has for it, where it has one.
fn told(denied: &Status) -> String {
    let challenge = denied.metadata().get("www-authenticate");
    let challenge = challenge.and_then(|value| value.to_str().ok());
    let challenge = challenge.map(|value| format!("\n  {value}"));
    format!("{}{}", denied.message(), challenge.unwrap_or_default())
}
