//! Who did what: one event for each request, a line in a file, whatever became of it.
#![expect(clippy::print_stdout, clippy::disallowed_methods)] // a program prints and spawns

use std::time::Duration;

use axum::{Json, Router, routing::get};
use countersign::{Audit, JsonLinesSink};
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
    Json(invoices.into_inner())
}

/// Takes longer than anybody waits.
async fn export(_: Scoped<ReadInvoices>) {
    std::future::pending::<()>().await;
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::temp_dir().join(format!("countersign-example-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let file = folder.join("audit.jsonl");
    let audit = Audit::builder()
        .sink(JsonLinesSink::new(&file).with_daily_rotation())
        .build()?;

    let issuer = TestIssuer::serve().await; // stands in for your authorization server
    let authenticator = Authenticator::builder()
        .issuer(Issuer::new(issuer.name(), API))
        .build()
        .await?;
    let app = Router::new()
        .route("/orgs/{org_id}/invoices", get(list))
        .route("/export", get(export))
        .layer(authenticator.layer())
        .layer(audit.layer()) // last, so that it is outermost
        .with_state(Unscoped::new(Invoices));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let app = app.into_make_service_with_connect_info::<std::net::SocketAddr>(); // whose peers are told
    tokio::spawn(axum::serve(listener, app).into_future());

    let acme = issuer.service_principal("m2m-acme").with_audience(API);
    let acme = acme.with_organization("org_acme");
    let reader = acme.clone().with_scopes(["invoices:read"]);
    let expired = reader.clone().expired().mint();
    let http = reqwest::Client::builder().no_proxy();
    let http = http.timeout(Duration::from_secs(1)).build()?;
    let calls = [
        ("/orgs/org_acme/invoices", reader.mint()),
        ("/orgs/org_globex/invoices", reader.mint()),
        ("/orgs/org_acme/invoices", acme.mint()),
        ("/orgs/org_acme/invoices", expired),
        ("/export", reader.mint()),
    ];
    for (number, (path, token)) in calls.into_iter().enumerate() {
        let request = http.get(format!("{url}{path}")).bearer_auth(token);
        let request = request.header("x-request-id", format!("call-{number}"));
        let answer = request.send().await; // the last one gives up
        println!(
            "{path}: {}",
            answer.map_or("no answer".into(), |one| one.status().to_string())
        );
    }

    // A server that has been told to stop does this when its last request is answered.
    while audit.status().events() < 5 {
        tokio::time::sleep(Duration::from_millis(10)).await; // until the server sees who has gone
    }
    let status = audit.shutdown(Duration::from_secs(5)).await;
    let lines = std::fs::read_to_string(&file)?;
    println!("\n{lines}");
    std::fs::remove_dir_all(&folder)?;

    let mut as_expected = status.is_complete();
    for (number, (decision, client, why)) in [
        (
            r#""decision":"allowed""#,
            r#""client":"m2m-acme""#,
            r#""status":200"#,
        ),
        (
            r#""decision":"denied""#,
            r#""client":"m2m-acme""#,
            r#""denial":"other_tenant""#,
        ),
        (
            r#""decision":"denied""#,
            r#""client":"m2m-acme""#,
            r#""denial":"insufficient_scope""#,
        ),
        (
            r#""decision":"denied""#,
            r#""client":null"#,
            r#""denial":"expired""#,
        ),
        (
            r#""decision":"cancelled""#,
            r#""client":"m2m-acme""#,
            r#""status":null"#,
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let call = format!(r#""request_id":"call-{number}""#);
        let line = lines
            .lines()
            .find(|line| line.contains(&call))
            .unwrap_or("");
        as_expected &= [decision, client, why]
            .iter()
            .all(|part| line.contains(part));
    }
    let check = std::env::args().any(|argument| argument == "--check");
    std::process::exit(i32::from(check && !as_expected));
}
