//! The issuer's keys out of reach: at start, and later.

use std::time::Duration;

use serde_json::{Value, json};

use crate::config::{self, Issuer};
use crate::program::eventually;
use crate::provider::Provider;
use crate::resource_server::{ResourceServer, launch};

#[tokio::test]
async fn a_degraded_issuer_that_is_down_at_start_recovers_by_itself() {
    let provider = Provider::start().await;
    provider.serve_keys(json!({ "up": false })).await;
    let issuer = Issuer::of(&provider).with("start", r#""degraded""#);
    let server = ResourceServer::start(&[issuer]).await;

    let token = provider.machine_token("m2m-rs256").await;
    server
        .get("/whoami", &token)
        .await
        .expect_unavailable("down");
    let status = server.status(&provider.issuer).await;
    assert_eq!(status["usable"], false, "{status}");
    assert_eq!(status["keys"], json!([]), "{status}");
    assert_eq!(status["age_seconds"], Value::Null, "{status}");
    assert!(status["last_error"].is_string(), "{status}");

    provider.serve_keys(json!({ "up": true })).await;
    // Nobody asks anything of it but how it is.
    let usable = async || {
        let status = server.status(&provider.issuer).await;
        (status["usable"] == true).then_some(())
    };
    eventually(Duration::from_secs(30), "recovery", usable).await;
    server.get("/whoami", &token).await.expect(200, "up again");
}

#[tokio::test]
async fn a_required_issuer_that_is_down_at_start_ends_the_program_with_its_name() {
    let provider = Provider::start().await;
    provider.serve_keys(json!({ "up": false })).await;
    let issuer = Issuer::of(&provider).with("start", r#""required""#);
    let (mut program, _folder) = launch(&config::file(&[issuer])).await;

    let status = program.exit(Duration::from_secs(12)).await;
    assert!(!status.success(), "{status}");
    let log = program.stderr();
    assert!(log.contains(&provider.issuer), "{log}");
}

#[tokio::test]
async fn an_outage_within_the_stale_bound_stops_no_token_whose_key_is_known() {
    let provider = Provider::start().await;
    let server = ResourceServer::start(&[Issuer::of(&provider)]).await;
    let token = provider.machine_token("m2m-rs256").await;
    provider.serve_keys(json!({ "up": false })).await;

    for _ in 0..20 {
        // A token not seen before, and one that may be remembered.
        let fresh = provider.machine_token("m2m-es256").await;
        server.get("/whoami", &fresh).await.expect(200, "fresh");
        server.get("/whoami", &token).await.expect(200, "known");
    }
    provider.keys("rotate").await;
    let new = provider.machine_token("m2m-rs256").await;
    // Neither accepted nor refused: the key may well exist.
    server
        .get("/whoami", &new)
        .await
        .expect_unavailable("new key");
    server.get("/whoami", &token).await.expect(200, "old key");
    let status = server.status(&provider.issuer).await;
    assert_eq!(status["usable"], true, "{status}");
    assert!(status["last_error"].is_string(), "{status}");

    provider.serve_keys(json!({ "up": true })).await;
    let passes = async || (server.get("/whoami", &new).await.status == 200).then_some(());
    eventually(Duration::from_secs(30), "the new key", passes).await;
    let old = server.get("/whoami", &token).await;
    old.expect_challenge(401, "invalid_token", "old key after the swap");
}

#[tokio::test]
async fn an_outage_beyond_the_stale_bound_ends_all_trust_until_the_issuer_is_back() {
    let provider = Provider::start().await;
    // Keys are fresh for a second and trusted for two more.
    let refresh = "{ time_to_live_seconds = 1, min_time_to_live_seconds = 1, \
                   stale_grace_seconds = 2, max_backoff_seconds = 1 }";
    let issuer = Issuer::of(&provider).with("refresh", refresh);
    let server = ResourceServer::start(&[issuer]).await;
    let token = provider.machine_token("m2m-rs256").await;
    server.get("/whoami", &token).await.expect(200, "up");

    provider.serve_keys(json!({ "up": false })).await;
    let refused = async || (server.get("/whoami", &token).await.status == 503).then_some(());
    eventually(Duration::from_secs(10), "the end of trust", refused).await;
    // From then on nothing passes, remembered or not.
    let fresh = provider.machine_token("m2m-es256").await;
    for token in [&token, &fresh] {
        let answer = server.get("/whoami", token).await;
        answer.expect_unavailable("beyond the bound");
    }
    let status = server.status(&provider.issuer).await;
    assert_eq!(status["usable"], false, "{status}");

    provider.serve_keys(json!({ "up": true })).await;
    let passes = async || (server.get("/whoami", &token).await.status == 200).then_some(());
    eventually(Duration::from_secs(10), "the return of trust", passes).await;
}
