//! What a caller with a bad token gets, or with none.

use std::time::Duration;

use crate::answer::Answer;
use crate::config::Issuer;
use crate::flows::{ALL_SCOPES, API, claims};
use crate::provider::Provider;
use crate::resource_server::ResourceServer;

#[tokio::test]
async fn a_token_for_another_api_is_refused() {
    let provider = Provider::start().await;
    let server = ResourceServer::start(&[Issuer::of(&provider)]).await;
    let other = "https://billing.acme.test";
    let token = provider
        .machine_token_for("m2m-rs256", other, ALL_SCOPES)
        .await;
    assert_eq!(claims(&token)["aud"], other);
    expect_invalid(&server.get("/whoami", &token).await, "audience");
}

#[tokio::test]
async fn a_token_of_an_issuer_that_is_not_configured_is_refused_and_nothing_is_fetched() {
    let (provider, stranger) = tokio::join!(Provider::start(), Provider::start());
    let server = ResourceServer::start(&[Issuer::of(&provider)]).await;
    let token = stranger.machine_token("m2m-rs256").await;
    expect_invalid(&server.get("/whoami", &token).await, "issuer");
    assert_eq!(stranger.key_requests().await, 0);
}

#[tokio::test]
async fn an_algorithm_or_a_client_that_is_not_listed_is_refused() {
    let provider = Provider::start().await;
    let issuer = Issuer::of(&provider)
        .with("algorithms", r#"["ES256"]"#)
        .with("clients", r#"["m2m-es256", "m2m-rs256"]"#);
    let server = ResourceServer::start(&[issuer]).await;
    let listed = provider.machine_token("m2m-es256").await;
    server.get("/whoami", &listed).await.expect(200, "listed");
    let algorithm = provider.machine_token("m2m-rs256").await;
    expect_invalid(&server.get("/whoami", &algorithm).await, "algorithm");

    let issuer = Issuer::of(&provider).with("clients", r#"["m2m-es256"]"#);
    let server = ResourceServer::start(&[issuer]).await;
    let client = provider.machine_token("m2m-rs256").await;
    expect_invalid(&server.get("/whoami", &client).await, "client");
}

#[tokio::test]
async fn an_id_token_is_not_an_access_token() {
    let provider = Provider::start().await;
    // An ID token's audience is the client. Listed here, it leaves only what kind of token it is to refuse it by.
    let audiences = format!("[{API:?}, \"app-ledger\"]");
    let issuer = Issuer::of(&provider).with("audiences", &audiences);
    let server = ResourceServer::start(&[issuer]).await;
    let tokens = provider.user_tokens("user-alice", ALL_SCOPES).await;
    assert_eq!(claims(&tokens.id)["aud"], "app-ledger");
    server
        .get("/whoami", &tokens.access)
        .await
        .expect(200, "access token");
    expect_invalid(&server.get("/whoami", &tokens.id).await, "ID token");
}

#[tokio::test]
async fn a_token_that_passed_is_refused_once_it_has_expired() {
    let provider = Provider::start().await;
    let server = ResourceServer::start(&[Issuer::of(&provider)]).await;
    let token = provider.machine_token("m2m-brief").await;
    server.get("/whoami", &token).await.expect(200, "fresh");
    tokio::time::sleep(Duration::from_secs(3)).await;
    expect_invalid(&server.get("/whoami", &token).await, "expired");
}

#[tokio::test]
async fn a_scope_that_is_missing_is_named_in_the_challenge() {
    let provider = Provider::start().await;
    let server = ResourceServer::start(&[Issuer::of(&provider)]).await;
    let token = provider.machine_token("m2m-readonly").await;
    server
        .get("/invoices", &token)
        .await
        .expect(200, "in scope");
    let writing = server.post("/orgs/org_acme/invoices", &token).await;
    // Of two alternatives the first is named: nobody is told to ask for more.
    let reading = server.get("/reports", &token).await;
    for (answer, scope) in [(writing, "invoices:write"), (reading, "reports:read")] {
        let challenge = answer.expect_challenge(403, "insufficient_scope", scope);
        assert_eq!(challenge.get("scope").map(String::as_str), Some(scope));
    }
}

#[tokio::test]
async fn another_tenant_looks_like_one_that_does_not_exist() {
    let provider = Provider::start().await;
    let server = ResourceServer::start(&[Issuer::of(&provider)]).await;
    let acme = provider.machine_token("m2m-rs256").await;
    let globex = provider.machine_token("m2m-globex").await;
    let user = provider.user_tokens("user-bob", ALL_SCOPES).await.access;
    let cases = [
        (&acme, "/orgs/org_globex/invoices"),
        (&globex, "/orgs/org_acme/invoices"),
        (&user, "/orgs/org_acme/invoices"),
    ];
    for (token, path) in cases {
        let nowhere = server.get("/orgs/org_nowhere/invoices", token).await;
        let reading = server.get(path, token).await;
        reading.expect_no_challenge(404, None, path);
        assert_eq!(reading.body, nowhere.body, "{path}");
        let writing = server.post(path, token).await;
        writing.expect_no_challenge(404, None, path);
    }
    let own = server.get("/orgs/org_globex/invoices", &globex).await;
    let own = own.expect(200, "own tenant");
    let other = server
        .get("/invoices", &acme)
        .await
        .expect(200, "own tenant");
    assert_ne!(own, other, "two tenants see the same invoices");
}

#[tokio::test]
async fn a_missing_credential_is_challenged_without_an_error() {
    let provider = Provider::start().await;
    let server = ResourceServer::start(&[Issuer::of(&provider)]).await;
    let token = provider.machine_token("m2m-rs256").await;
    let dpop = format!("DPoP {token}");
    let in_query = format!("/whoami?access_token={token}");
    let cases: [(&str, &[&str]); 4] = [
        ("/whoami", &[]),
        ("/whoami", &["Basic bTJtLXJzMjU2OnNlY3JldA=="]),
        ("/whoami", &[&dpop]),
        (&in_query, &[]),
    ];
    for (path, credentials) in cases {
        let case = format!("{path} {credentials:?}");
        let answer = server.get_with(path, credentials).await;
        answer.expect_refusal(401, None, &case);
        let challenge = answer.challenge(&case);
        assert!(challenge.contains_key("realm"), "{case}: {challenge:?}");
        assert!(!challenge.contains_key("error"), "{case}: {challenge:?}");
    }
}

#[tokio::test]
async fn a_credential_that_is_malformed_is_an_invalid_request() {
    let provider = Provider::start().await;
    let server = ResourceServer::start(&[Issuer::of(&provider)]).await;
    let token = provider.machine_token("m2m-rs256").await;
    let good = format!("Bearer {token}");
    let long = format!("Bearer {}", "a".repeat(8 * 1024 + 1));
    let cases: [&[&str]; 6] = [
        &[&good, &good],
        &["Bearer"],
        &["Bearer a b"],
        &["Bearer a,b"],
        &["Bearer \"a\""],
        &[&long],
    ];
    for credentials in cases {
        let case = format!("{credentials:.60?}");
        let answer = server.get_with("/whoami", credentials).await;
        answer.expect_challenge(400, "invalid_request", &case);
    }
}

#[tokio::test]
async fn a_token_that_is_no_token_or_was_changed_is_invalid() {
    let provider = Provider::start().await;
    let server = ResourceServer::start(&[Issuer::of(&provider)]).await;
    let token = provider.machine_token("m2m-rs256").await;
    let other = provider.machine_token("m2m-globex").await;
    let (head, signature) = token.rsplit_once('.').unwrap();
    let (other_head, _) = other.rsplit_once('.').unwrap();
    let cases = [
        ("one segment", "abc".to_owned()),
        ("no signature", format!("{head}.")),
        (
            "another token's signature",
            format!("{other_head}.{signature}"),
        ),
        ("padding", format!("{token}==")),
        ("four segments", format!("{token}.{signature}")),
    ];
    for (case, token) in cases {
        expect_invalid(&server.get("/whoami", &token).await, case);
    }
    let scheme = format!("bEaReR {token}");
    let answer = server.get_with("/whoami", &[&scheme]).await;
    answer.expect(200, "the scheme's case does not matter");
}

fn expect_invalid(answer: &Answer, case: &str) {
    answer.expect_challenge(401, "invalid_token", case);
}
