use axum::extract::{DefaultBodyLimit, FromRef, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use countersign::{
    Authenticator, FetchFailure, OrganizationId, PathTenant, Principal, ScopePolicy, Scoped,
    ServicePrincipal, TenantScoped, Unscoped, scopes,
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

const METADATA_PATH: &str = "/.well-known/oauth-protected-resource";

#[derive(Clone)]
struct App {
    invoices: Unscoped<Invoices>,
}

impl FromRef<App> for Unscoped<Invoices> {
    fn from_ref(app: &App) -> Self {
        app.invoices.clone()
    }
}

pub(crate) fn app(authenticator: &Authenticator) -> Router {
    let app = App {
        invoices: Unscoped::new(Invoices::default()),
    };
    let guarded = Router::new()
        .route("/whoami", get(whoami))
        .route("/invoices", get(list))
        .route("/orgs/{org_id}/invoices", get(list_by_path).post(create))
        .route("/reports", get(reports))
        .layer(DefaultBodyLimit::max(4 * 1024))
        .layer(authenticator.layer())
        .with_state(app);
    guarded.merge(open(authenticator))
}

/// What everybody may see.
fn open(authenticator: &Authenticator) -> Router {
    let mut router = Router::new()
        .route("/status", get(status))
        .with_state(authenticator.clone());
    let scopes = ReadInvoices::scopes()
        .chain(WriteInvoices::scopes())
        .chain(ReadReports::scopes());
    if let Some(metadata) = authenticator.resource_metadata(scopes) {
        let path = metadata.path().to_owned();
        let document = get(async move || Json(metadata));
        if path != METADATA_PATH {
            // For clients that look for it at the host's root although the resource has a path.
            router = router.route(METADATA_PATH, document.clone());
        }
        router = router.route(&path, document);
    }
    router
}

async fn whoami(caller: Principal) -> Json<Value> {
    Json(json!({
        "kind": caller.kind().as_str(),
        "issuer": caller.issuer(),
        "subject": caller.subject(),
        "client": caller.client(),
        "user": caller.user(),
        "organization": caller.organization().map(OrganizationId::as_str),
        "scopes": caller.scopes().iter().collect::<Vec<_>>(),
        "expires_at": date(caller.times().expires_at),
    }))
}

async fn list(_: Scoped<ReadInvoices>, invoices: TenantScoped<Invoices>) -> impl IntoResponse {
    Json(invoices.list())
}

/// The same, on a route that names the tenant: it fails the first request if the route ever stops doing so.
async fn list_by_path(
    _: Scoped<ReadInvoices>,
    _: PathTenant,
    invoices: TenantScoped<Invoices>,
) -> impl IntoResponse {
    Json(invoices.list())
}

#[derive(Default, Deserialize)]
struct NewInvoice {
    #[serde(default)]
    description: String,
}

async fn create(
    _: Scoped<WriteInvoices>,
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

async fn reports(caller: ServicePrincipal, _: Scoped<ReadReports>) -> Json<Value> {
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
