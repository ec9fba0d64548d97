use axum::extract::{DefaultBodyLimit, FromRef, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use countersign::{
    Authenticated, Authenticator, ConfigError, FetchFailure, GuardedRouter, PathTenant, Principal,
    Public, ServicePrincipal, TenantScoped, Unscoped, scopes,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::invoices::Invoices;

scopes! {
    /// Read invoices.
    ReadInvoices = "invoices:read";
    /// Make out invoices.
    WriteInvoices = "invoices:write";
    /// Read reports.
    ReadReports = "reports:read" || "admin";
}

#[derive(Clone)]
pub(crate) struct App {
    invoices: Unscoped<Invoices>,
    authenticator: Authenticator,
}

impl FromRef<App> for Unscoped<Invoices> {
    fn from_ref(app: &App) -> Self {
        app.invoices.clone()
    }
}

impl FromRef<App> for Authenticator {
    fn from_ref(app: &App) -> Self {
        app.authenticator.clone()
    }
}

/// Every route with its guard, and these. The metadata of the resource comes by itself.
pub(crate) fn app(
    authenticator: &Authenticator,
    revocations: GuardedRouter<App>,
) -> Result<Router, ConfigError> {
    let app = App {
        invoices: Unscoped::new(Invoices::default()),
        authenticator: authenticator.clone(),
    };
    let routes = GuardedRouter::new()
        .get(Authenticated, "/whoami", whoami)
        .get(ReadInvoices, "/invoices", list)
        .get(ReadInvoices, "/orgs/{org_id}/invoices", list_by_path)
        .post(WriteInvoices, "/orgs/{org_id}/invoices", create)
        .get(ReadReports, "/reports", reports)
        .get(Public, "/status", status)
        .merge(revocations)
        .layer(DefaultBodyLimit::max(4 * 1024))
        .with_state(app);
    tracing::info!("routes:\n{}", routes.table_for(authenticator));
    routes.build(authenticator)
}

async fn whoami(caller: Principal) -> Json<Value> {
    Json(json!({
        "kind": caller.kind(),
        "issuer": caller.issuer(),
        "subject": caller.subject(),
        "client": caller.client(),
        "user": caller.user(),
        "organization": caller.organization(),
        "scopes": caller.scopes(),
        "expires_at": date(caller.times().expires_at),
    }))
}

async fn list(invoices: TenantScoped<Invoices>) -> impl IntoResponse {
    Json(invoices.list())
}

/// The same, on a route that names the tenant: it fails the first request if the route ever stops doing so.
async fn list_by_path(_: PathTenant, invoices: TenantScoped<Invoices>) -> impl IntoResponse {
    Json(invoices.list())
}

#[derive(Default, Deserialize)]
struct NewInvoice {
    #[serde(default)]
    description: String,
}

async fn create(
    _: PathTenant,
    invoices: TenantScoped<Invoices>,
    invoice: Option<Json<NewInvoice>>,
) -> Response {
    let Json(invoice) = invoice.unwrap_or_default();
    match invoices.add(invoice.description) {
        Ok(invoice) => (StatusCode::CREATED, Json(invoice)).into_response(),
        Err(_) => (StatusCode::CONFLICT, "this tenant has too many invoices").into_response(),
    }
}

async fn reports(caller: ServicePrincipal) -> Json<Value> {
    Json(json!({ "reports": [], "for": caller.client() }))
}

async fn status(State(authenticator): State<Authenticator>) -> Json<Vec<Value>> {
    let issuers = authenticator.status().into_iter().map(|(issuer, status)| {
        let keys = status
            .keys
            .iter()
            .map(|key| json!({ "kid": key.kid, "algorithm": key.algorithm.name() }));
        json!({
            "issuer": &*issuer,
            "usable": status.usable,
            "age_seconds": status.age.map(|age| age.as_secs()),
            "keys": keys.collect::<Vec<_>>(),
            "last_error": status.last_error.map(FetchFailure::as_str),
        })
    });
    Json(issuers.collect())
}

/// A date as tokens have it: whole seconds, with a fraction only where there is one.
fn date(seconds: f64) -> Value {
    if seconds.fract() == 0.0 && (0.0..=253_402_300_799.0).contains(&seconds) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole and in range"
        )]
        return json!(seconds as u64);
    }
    json!(seconds)
}
