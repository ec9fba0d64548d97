//! The program around the library: its open routes, its start and its end.

use std::time::Duration;

use serde_json::json;

use crate::config::{self, Issuer};
use crate::flows::API;
use crate::provider::Provider;
use crate::resource_server::{ResourceServer, launch};

#[tokio::test]
async fn the_resource_describes_itself_and_its_issuers_to_anyone() {
    let provider = Provider::start().await;
    let server = ResourceServer::start(&[Issuer::of(&provider)]).await;

    let metadata = server
        .get_open("/.well-known/oauth-protected-resource")
        .await;
    let metadata = metadata.expect(200, "metadata");
    assert_eq!(metadata["resource"], API);
    assert_eq!(metadata["authorization_servers"], json!([provider.issuer]));
    let mut scopes: Vec<_> = metadata["scopes_supported"].as_array().unwrap().clone();
    scopes.sort_by_key(ToString::to_string);
    let all = ["admin", "invoices:read", "invoices:write", "reports:read"];
    assert_eq!(json!(scopes), json!(all));

    let status = server.status(&provider.issuer).await;
    assert_eq!(status["usable"], true, "{status}");
    assert!(status["age_seconds"].as_f64().unwrap() < 60.0, "{status}");
    assert!(status["last_error"].is_null(), "{status}");
    let mut algorithms = Vec::new();
    for key in status["keys"].as_array().unwrap() {
        assert!(key["kid"].is_string(), "{status}");
        algorithms.push(key["algorithm"].as_str().unwrap());
    }
    algorithms.sort_unstable();
    assert_eq!(algorithms, ["ES256", "Ed25519", "EdDSA", "PS256", "RS256"]);
}

#[tokio::test]
async fn a_request_in_flight_is_answered_before_the_program_ends() {
    let provider = Provider::start().await;
    let mut server = ResourceServer::start(&[Issuer::of(&provider)]).await;
    // A new key, slowly served: the request that needs it waits.
    provider.keys("rotate").await;
    provider.serve_keys(json!({ "delay_ms": 600 })).await;
    let token = provider.machine_token("m2m-rs256").await;

    let (answer, ()) = tokio::join!(server.get("/whoami", &token), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        server.program.terminate().await;
    });
    answer.expect(200, "in flight");
    let status = server.program.exit(Duration::from_secs(10)).await;
    assert_eq!(status.code(), Some(0), "{}", server.program.stderr());
}

#[tokio::test]
async fn every_problem_of_a_bad_configuration_is_on_standard_error() {
    let issuers = [
        Issuer::named("https://as.acme.test")
            .with("algorithms", r#"["HS256"]"#)
            .with("organizations", r#"["org_acme"]"#)
            .with("audiences", "[]"),
        Issuer::named("https://as.globex.test").with("leeway_seconds", "3600"),
    ];
    // The second also lacks what every one of several issuers needs: whose organizations it may name.
    expect_bad(
        &config::file(&issuers),
        &["audiences", "HS256", "leeway", "organization"],
    )
    .await;
}

#[tokio::test]
async fn a_setting_that_does_not_exist_is_a_problem() {
    let issuer = Issuer::named("https://as.acme.test").with("audience", "\"x\"");
    expect_bad(&config::file(&[issuer]), &["audience"]).await;
    expect_bad("listen = 5\n", &["listen"]).await;
}

/// Exit status 2, and each of these words among the complaints.
async fn expect_bad(config: &str, words: &[&str]) {
    let (mut program, _folder) = launch(config).await;
    let status = program.exit(Duration::from_secs(5)).await;
    let log = program.stderr();
    assert_eq!(status.code(), Some(2), "{log}");
    for word in words {
        assert!(log.contains(word), "no {word}: {log}");
    }
}
