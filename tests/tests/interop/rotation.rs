//! Keys replaced under traffic.

use std::cell::Cell;
use std::time::Duration;

use serde_json::{Value, json};

use crate::accepted::SIGNERS;
use crate::config::Issuer;
use crate::flows::header;
use crate::program::eventually;
use crate::provider::Provider;
use crate::resource_server::ResourceServer;

#[tokio::test]
async fn after_a_replacement_the_first_new_token_passes_and_no_old_one_does() {
    let provider = Provider::start().await;
    let server = ResourceServer::start(&[Issuer::of(&provider)]).await;
    let mut old = Vec::new();
    for (client, _) in SIGNERS {
        let token = provider.machine_token(client).await;
        server.get("/whoami", &token).await.expect(200, client);
        old.push(token);
    }

    provider.keys("rotate").await;

    let new = provider.machine_token("m2m-es256").await;
    assert_ne!(header(&new)["kid"], header(&old[2])["kid"]);
    server.get("/whoami", &new).await.expect(200, "first");
    for token in &old {
        let answer = server.get("/whoami", token).await;
        answer.expect_challenge(401, "invalid_token", &header(token).to_string());
    }
    for (client, _) in SIGNERS {
        let token = provider.machine_token(client).await;
        server.get("/whoami", &token).await.expect(200, client);
    }
}

/// Takes most of a minute: that is the shortest time to live, and the point is that the refresh needs no request.
#[tokio::test]
async fn with_pre_publication_no_request_fails_and_none_has_to_wait_for_keys() {
    let provider = Provider::start().await;
    provider.serve_keys(json!({ "max_age": 60 })).await;
    let server = ResourceServer::start(&[Issuer::of(&provider)]).await;

    let done = Cell::new(false);
    let rotation = async {
        let announced = provider.keys("publish").await;
        let next = &announced["RS256"][1];
        let known = async || {
            let status = server.status(&provider.issuer).await;
            let keys = status["keys"].as_array()?.iter();
            keys.map(|key| &key["kid"])
                .any(|kid| kid == next)
                .then_some(())
        };
        eventually(Duration::from_secs(75), "a refresh", known).await;
        let asked = provider.key_requests().await;
        assert_eq!(provider.keys("promote").await["RS256"][0], *next);
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(
            provider.key_requests().await,
            asked,
            "requests had to fetch"
        );
        provider.keys("retire").await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        done.set(true);
    };
    let ((), (sent, kids, failures)) = tokio::join!(rotation, traffic(&provider, &server, &done));
    assert_eq!(failures, Vec::<String>::new(), "of {sent} requests");
    assert_eq!(kids.len(), 2 * SIGNERS.len(), "{sent} requests: {kids:?}");
}

/// A request with a fresh token, over and over until `done`: how many, the keys that signed them, what failed.
async fn traffic(
    provider: &Provider,
    server: &ResourceServer,
    done: &Cell<bool>,
) -> (usize, Vec<Value>, Vec<String>) {
    let mut kids = Vec::new();
    let mut failures = Vec::new();
    let mut sent = 0;
    // The bound is the two minutes at most that the rotation can take.
    while !done.get() && sent < 12_000 {
        let (client, _) = SIGNERS[sent % SIGNERS.len()];
        let token = provider.machine_token(client).await;
        let kid = header(&token)["kid"].clone();
        let answer = server.get("/invoices", &token).await;
        if answer.status != 200 {
            failures.push(format!("{kid}: {}", answer.describe()));
        }
        if !kids.contains(&kid) {
            kids.push(kid);
        }
        sent += 1;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    (sent, kids, failures)
}
