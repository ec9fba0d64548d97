//! A gateway in front of a backend: the caller's token ends at the gateway, which calls the backend in its own name,
//! with a token of 10 min, for the organization that the caller's token named.
#![expect(clippy::print_stdout, clippy::disallowed_methods)] // a program prints and spawns

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Form, State};
use axum::{
    Json, Router, http::StatusCode, middleware::from_extractor, routing::get, routing::post,
};
use countersign::{Authenticator, Clock, CrossTenant, Issuer, Microservice, Microservices, Scoped};
use countersign::{Tenant, TenantScope, Unscoped, scopes};
use countersign_testing::{FakeClock, TestIssuer, TokenBuilder};
use reqwest::{Client, Url};
use tokio::sync::Mutex;

type Error = Box<dyn std::error::Error + Send + Sync>;

const API: &str = "https://api.acme.example";
const BACKEND: &str = "https://invoices.internal"; // another audience, so that no token for the API is one for it
const MINUTE: Duration = Duration::from_secs(60);
scopes! {
    /// Read invoices.
    pub ReadInvoices = "invoices:read";
}

struct Invoices;
impl TenantScope for Invoices {
    type Scoped = String;

    fn for_tenant(&self, tenant: &Tenant) -> String {
        let service = tenant.principal().client().unwrap_or("nobody");
        format!("the only invoice of {}, through {service}", tenant.id())
    }
}

/// The backend's route for acting on behalf of the tenant in the path.
async fn read(by: CrossTenant<ReadInvoices>, State(all): State<Unscoped<Invoices>>) -> String {
    by.open(&all)
}

/// The backend serves the gateway and nobody else: it is listed, since a token that names no organization makes
/// nobody one of ours. One that leaked is of use for a quarter of an hour at most.
async fn serve_backend(issuer: &TestIssuer, clock: Arc<dyn Clock>) -> Result<Url, Error> {
    let issuer = Issuer::new(issuer.name(), BACKEND)
        .with_microservices(Microservices::clients(["gateway"]))
        .with_max_lifetime(15 * MINUTE);
    let authenticator = Authenticator::builder().issuer(issuer).with_clock(clock);
    let app = Router::new()
        .route("/orgs/{org_id}/invoices", get(read))
        .route_layer(from_extractor::<Microservice>()) // for handlers that forget to ask as well
        .layer(authenticator.build().await?.layer())
        .with_state(Unscoped::new(Invoices));
    serve(app).await
}

/// The gateway's view of the backend.
#[derive(Clone)]
struct Backend {
    url: Url,
    token_endpoint: Url,
    http: Client,
    clock: Arc<dyn Clock>,
    /// The gateway's token, and until when it is kept.
    kept: Arc<Mutex<Option<(String, Duration)>>>,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Answer {
    access_token: String,
    expires_in: u64,
}

impl Backend {
    /// The gateway's own token, kept until 30 s before it expires, so that it arrives in time. One request fetches
    /// it; those that come meanwhile wait for the same.
    async fn token(&self) -> Result<String, Error> {
        let mut kept = self.kept.lock().await;
        let now = self.clock.monotonic(); // before it is asked for: it may be as old as that when it is here
        if let Some((token, until)) = &*kept
            && now < *until
        {
            return Ok(token.clone());
        }
        let request = self.http.post(self.token_endpoint.clone()).form(&[
            ("grant_type", "client_credentials"),
            ("resource", BACKEND),
            ("client_id", "gateway"),
            ("client_secret", "secret"),
        ]);
        let answer: Answer = request.send().await?.error_for_status()?.json().await?;
        let life = Duration::from_secs(answer.expires_in).saturating_sub(MINUTE / 2);
        *kept = Some((answer.access_token.clone(), now + life));
        Ok(answer.access_token)
    }

    async fn invoices(&self, tenant: &Tenant) -> Result<String, Error> {
        let mut url = self.url.clone();
        url.path_segments_mut()
            .map_err(|()| "the backend's URL has no path")?
            .extend(["orgs", tenant.id().as_str(), "invoices"]); // escaped: an id may have any characters
        let request = self.http.get(url).bearer_auth(self.token().await?);
        Ok(request.send().await?.error_for_status()?.text().await?)
    }
}

/// The gateway's route. The backend takes its word for the tenant, so it is `Tenant` that says it, not the path.
async fn list(
    _: Scoped<ReadInvoices>,
    tenant: Tenant,
    State(backend): State<Backend>,
) -> Result<String, StatusCode> {
    let invoices = backend.invoices(&tenant).await;
    invoices.map_err(|_| StatusCode::BAD_GATEWAY) // what went wrong in there is none of the caller's doing
}

async fn serve_gateway(issuer: &TestIssuer, backend: Backend) -> Result<Url, Error> {
    let authenticator = Authenticator::builder()
        .issuer(Issuer::new(issuer.name(), API))
        .with_clock(backend.clock.clone());
    let app = Router::new()
        .route("/orgs/{org_id}/invoices", get(list))
        .layer(authenticator.build().await?.layer())
        .with_state(backend);
    serve(app).await
}

/// Stands in for your authorization server's token endpoint: services get 10 min there. (The test issuer's own gives
/// everybody an hour.)
async fn token(
    State(issuer): State<TestIssuer>,
    Form(form): Form<Vec<(String, String)>>,
) -> Result<Json<Answer>, StatusCode> {
    let is_the_gateway = form.contains(&("client_secret".to_owned(), "secret".to_owned()));
    is_the_gateway
        .then_some(())
        .ok_or(StatusCode::UNAUTHORIZED)?;
    Ok(Json(Answer {
        access_token: service(&issuer, "gateway").mint(),
        expires_in: 600,
    }))
}

/// A token for the backend of a machine without an organization.
fn service(issuer: &TestIssuer, client: &str) -> TokenBuilder {
    let token = issuer.microservice(client).with_lifetime(10 * MINUTE);
    token.with_audience(BACKEND).with_scopes(["invoices:read"])
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let clock = Arc::new(FakeClock::new()); // so that nobody waits 10 min; a service takes the `SystemClock`
    let issuer = TestIssuer::serve().await.with_clock(clock.clone());
    let endpoint = Router::new().route("/token", post(token));
    let http = Client::builder().no_proxy();
    let backend = Backend {
        url: serve_backend(&issuer, clock.clone()).await?,
        token_endpoint: serve(endpoint.with_state(issuer.clone()))
            .await?
            .join("token")?,
        http: http.timeout(Duration::from_secs(5)).build()?,
        clock: clock.clone(),
        kept: Arc::default(),
    };
    let gateway = serve_gateway(&issuer, backend.clone()).await?;

    let acme = service(&issuer, "m2m-acme").with_organization("org_acme");
    let (outside, inside) = (acme.clone().with_audience(API).mint(), acme.mint());
    let other = service(&issuer, "reports").mint();
    let long = service(&issuer, "gateway").with_lifetime(60 * MINUTE);
    let long = long.mint();
    let (front, back, kind) = (&gateway, &backend.url, "principal_not_allowed");
    let mut as_expected = true;
    for (what, url, token, organization, status, text) in [
        ("acme's job", front, &outside, "acme", 200, "gateway"),
        ("it asks for globex's", front, &outside, "globex", 404, ""),
        ("it calls inside", back, &outside, "acme", 401, "not meant"),
        ("with a token for that", back, &inside, "acme", 403, kind),
        ("a service unlisted", back, &other, "acme", 403, kind),
        ("an hour's token", back, &long, "acme", 401, "too long"),
    ] {
        let url = format!("{url}orgs/org_{organization}/invoices");
        let request = backend.http.get(url);
        let answer = request.bearer_auth(token).send().await?;
        let (answered, body) = (answer.status(), answer.text().await?);
        println!("{what}: {answered}\n  {body}");
        as_expected &= answered == status && body.contains(text);
    }
    let first = backend.token().await?;
    for (minutes, same) in [(9, true), (1, false)] {
        clock.advance(minutes * MINUTE).await;
        let kept = backend.token().await? == first;
        println!("{minutes} min later the gateway has the same token: {kept}");
        as_expected &= kept == same;
    }
    let check = std::env::args().any(|argument| argument == "--check");
    std::process::exit(i32::from(check && !as_expected));
}

/// Serves a router on a free port. Its URL.
async fn serve(app: Router) -> Result<Url, Error> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = Url::parse(&format!("http://{}", listener.local_addr()?))?;
    tokio::spawn(axum::serve(listener, app).into_future());
    Ok(url)
}
