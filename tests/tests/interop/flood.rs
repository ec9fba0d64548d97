//! Tokens with made-up key ids, as many as anyone cares to send.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use serde_json::json;
use tokio::task::JoinSet;

use crate::config::Issuer;
use crate::flows::{ALL_SCOPES, API, random};
use crate::program::within;
use crate::provider::Provider;
use crate::resource_server::ResourceServer;

const TOKENS: u64 = 10_000;
const WORKERS: u64 = 32;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_made_up_key_ids_cost_the_issuer_its_budget_and_no_caller_anything() {
    let provider = Arc::new(Provider::start().await);
    let server = Arc::new(ResourceServer::start(&[Issuer::of(&provider)]).await);
    let before = [
        provider.key_requests().await,
        provider.discovery_requests().await,
    ];
    let started = Instant::now();

    let over = Arc::new(AtomicBool::new(false));
    let honest = tokio::spawn(honest(provider.clone(), server.clone(), over.clone()));
    flood(&provider, &server).await;
    let elapsed = started.elapsed();
    over.store(true, Ordering::Relaxed);
    let (sent, failures) = honest.await.unwrap();

    assert_eq!(failures, Vec::<String>::new(), "of {sent} honest requests");
    assert!(sent >= 100, "only {sent} honest requests in {elapsed:?}");
    // A burst of two, one more every five seconds, and one for a refresh in the background.
    let budget = 2 + elapsed.as_secs() / 5 + 1;
    let keys = provider.key_requests().await - before[0];
    let discovery = provider.discovery_requests().await - before[1];
    assert!(
        (1..=budget).contains(&keys),
        "{keys} fetches in {elapsed:?}"
    );
    assert!(
        discovery <= budget,
        "{discovery} discoveries in {elapsed:?}"
    );
}

/// Sends them all, each to be refused for its key.
async fn flood(provider: &Provider, server: &Arc<ResourceServer>) {
    let sent = Arc::new(AtomicU64::new(0));
    let mut workers = JoinSet::new();
    for _ in 0..WORKERS {
        let (server, sent, issuer) = (server.clone(), sent.clone(), provider.issuer.clone());
        workers.spawn(async move {
            while sent.fetch_add(1, Ordering::Relaxed) < TOKENS {
                let answer = server.get("/whoami", &made_up(&issuer)).await;
                answer.expect_challenge(401, "invalid_token", "made up");
            }
        });
    }
    within(Duration::from_secs(300), "the flood", async {
        while let Some(worker) = workers.join_next().await {
            worker.unwrap();
        }
    })
    .await;
}

/// Fresh tokens beside it, until it is over: how many, and what failed.
async fn honest(
    provider: Arc<Provider>,
    server: Arc<ResourceServer>,
    over: Arc<AtomicBool>,
) -> (u64, Vec<String>) {
    let mut failures = Vec::new();
    let mut sent = 0;
    while !over.load(Ordering::Relaxed) && sent < 100_000 {
        let token = provider.machine_token("m2m-es256").await;
        for path in ["/whoami", "/invoices", "/orgs/org_acme/invoices"] {
            let answer = server.get(path, &token).await;
            if answer.status != 200 {
                failures.push(format!("{path}: {}", answer.describe()));
            }
            sent += 1;
        }
    }
    (sent, failures)
}

/// Right in everything that can be seen without the key.
fn made_up(issuer: &str) -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let header = json!({ "alg": "RS256", "typ": "at+jwt", "kid": random(16) });
    let claims = json!({
        "iss": issuer,
        "aud": API,
        "sub": "m2m-rs256",
        "client_id": "m2m-rs256",
        "org_id": "org_acme",
        "scope": ALL_SCOPES,
        "jti": random(16),
        "iat": now,
        "exp": now + 600,
    });
    let encode = |part: &serde_json::Value| BASE64.encode(part.to_string());
    format!("{}.{}.{}", encode(&header), encode(&claims), random(256))
}
