//! What is going on: metrics for Prometheus, and an `OpenTelemetry` trace that says who called.
#![expect(clippy::print_stdout, clippy::disallowed_methods)] // a program prints and spawns

use axum::{Router, routing::get};
use countersign::{Authenticator, Issuer, Scoped, scopes};
use countersign_testing::TestIssuer;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

const API: &str = "https://api.acme.example";
scopes! {
    /// Read invoices.
    pub ReadInvoices = "invoices:read";
}

async fn invoices(_: Scoped<ReadInvoices>) -> &'static str {
    tracing::info!("reading invoices"); // in the span of the caller
    "invoices"
}

/// Metrics for whoever scrapes them. They belong on a port of their own, or behind a guard.
fn metrics(prometheus: PrometheusHandle) -> Router {
    Router::new().route("/metrics", get(move || async move { prometheus.render() }))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let prometheus = PrometheusBuilder::new().install_recorder()?;
    let exporter = InMemorySpanExporter::default(); // stands in for your collector, such as OTLP
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(exporter.clone())
        .build();
    let traces = tracing_opentelemetry::layer().with_tracer(provider.tracer("api"));
    tracing_subscriber::registry().with(traces).init();

    let issuer = TestIssuer::serve().await; // stands in for your authorization server
    let authenticator = Authenticator::builder()
        .issuer(Issuer::new(issuer.name(), API))
        .build()
        .await?;
    let app: Router = Router::new()
        .route("/invoices", get(invoices))
        .layer(authenticator.layer())
        .merge(metrics(prometheus.clone()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(axum::serve(listener, app).into_future());

    let http = reqwest::Client::builder().no_proxy().build()?; // it is all on loopback
    let acme = issuer.service_principal("m2m-acme").with_audience(API);
    let acme = acme.with_organization("org_acme");
    let (scoped, unscoped) = (
        acme.clone().with_scopes(["invoices:read"]).mint(),
        acme.mint(),
    );
    for token in [&scoped, &scoped, &unscoped, &"abc".to_owned()] {
        let request = http.get(format!("{url}/invoices")).bearer_auth(token);
        println!("{}", request.send().await?.status());
    }
    let scraped = http
        .get(format!("{url}/metrics"))
        .send()
        .await?
        .text()
        .await?;
    let ours = scraped
        .lines()
        .filter(|line| line.starts_with("countersign_"));
    ours.for_each(|line| println!("{line}"));
    let counted = [
        r#"countersign_decisions_total{outcome="denied",reason="insufficient_scope",issuer=""} 1"#,
        r#"countersign_decisions_total{outcome="denied",reason="malformed_token",issuer=""} 1"#,
        "countersign_token_cache_hits 1",
        "countersign_decision_seconds_count 4",
        "countersign_jwks_keys{",
    ];
    provider.force_flush()?;
    let spans = exporter.get_finished_spans()?;
    let callers: Vec<_> = spans.iter().filter(|span| span.name == "caller").collect();
    for caller in &callers {
        println!("span {}: {:?}", caller.name, caller.attributes);
    }
    let is_acme = |span: &&&opentelemetry_sdk::trace::SpanData| {
        let mut attributes = span.attributes.iter();
        attributes.any(|one| one.key.as_str() == "organization" && one.value.as_str() == "org_acme")
    };
    let as_expected = counted.iter().all(|line| scraped.contains(line))
        && callers.iter().filter(is_acme).count() == 3;
    let check = std::env::args().any(|argument| argument == "--check");
    std::process::exit(i32::from(check && !as_expected));
}
