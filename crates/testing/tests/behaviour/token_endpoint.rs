use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use countersign_bearer::Authenticator;
use countersign_jwks::Algorithm;
use countersign_testing::TestIssuer;
use countersign_token::{CallerKind, Microservices};

use crate::http::{Answer, send};
use crate::{AUDIENCE, accept, trusting};

const GRANT: &str = "grant_type=client_credentials";

async fn issuer() -> (TestIssuer, Authenticator) {
    let issuer = TestIssuer::serve()
        .await
        .with_algorithm(Algorithm::ES256)
        .with_client(
            "m2m-acme",
            "s3cr:t+&",
            Some("org_acme"),
            &["invoices:read", "invoices:write"],
        )
        .with_client("billing", "hush", None, &[]);
    let trusted = issuer
        .trusted_for(AUDIENCE)
        .with_microservices(Microservices::All);
    let authenticator = trusting(trusted).await;
    (issuer, authenticator)
}

async fn ask(issuer: &TestIssuer, basic: Option<&str>, form: &str) -> Answer {
    let form_type = "content-type: application/x-www-form-urlencoded; charset=utf-8\r\n";
    let credentials =
        basic.map(|basic| format!("authorization: Basic {}\r\n", STANDARD.encode(basic)));
    let headers = format!("{form_type}{}", credentials.unwrap_or_default());
    send(issuer.name(), "POST", "/token", &headers, form)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_client_gets_a_token_by_either_way_to_authenticate() {
    let (issuer, authenticator) = issuer().await;
    let form = format!("{GRANT}&resource=https%3A%2F%2Fapi.acme.test");
    let posted = format!("{form}&client_id=m2m-acme&client_secret=s3cr%3At%2B%26");
    for answer in [
        ask(&issuer, Some("m2m-acme:s3cr%3At%2B%26"), &form).await,
        ask(&issuer, None, &posted).await,
    ] {
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let json = answer.json();
        assert_eq!(json["token_type"], "Bearer");
        assert_eq!(json["expires_in"], 3600);
        assert_eq!(json["scope"], "invoices:read invoices:write");
        let principal = accept(&authenticator, json["access_token"].as_str().unwrap()).await;
        assert_eq!(principal.kind(), CallerKind::ServicePrincipal);
        assert_eq!(principal.client(), Some("m2m-acme"));
        assert_eq!(principal.organization().unwrap().as_str(), "org_acme");
        assert_eq!(principal.scopes().len(), 2);
    }
    assert_eq!(issuer.fetches().tokens, 2);
}

#[tokio::test]
async fn scope_and_audience_are_those_asked_for() {
    let (issuer, authenticator) = issuer().await;
    let issuer = issuer.with_default_audience(AUDIENCE);
    for (asked, scopes) in [
        ("", "invoices:read invoices:write"),
        ("&scope=invoices:write", "invoices:write"),
        ("&scope=", ""),
        (
            "&audience=https://other.test&audience=https://api.acme.test",
            "invoices:read invoices:write",
        ),
    ] {
        let form = format!("{GRANT}{asked}");
        let json = ask(&issuer, Some("m2m-acme:s3cr%3At%2B%26"), &form)
            .await
            .json();
        assert_eq!(json["scope"], scopes, "{asked}");
        let principal = accept(&authenticator, json["access_token"].as_str().unwrap()).await;
        assert_eq!(principal.scopes().to_string(), scopes, "{asked}");
    }
    let json = ask(&issuer, Some("billing:hush"), GRANT).await.json();
    let principal = accept(&authenticator, json["access_token"].as_str().unwrap()).await;
    assert_eq!(principal.kind(), CallerKind::Microservice);
}

#[tokio::test]
async fn a_bad_request_is_refused_in_the_words_of_the_rfc() {
    let (issuer, _) = issuer().await;
    let good = format!("{GRANT}&audience=a");
    let good = good.as_str();
    for (basic, form, status, error) in [
        (Some("m2m-acme:wrong"), good, 401, "invalid_client"),
        (Some("nobody:hush"), good, 401, "invalid_client"),
        (None, good, 401, "invalid_client"),
        (
            Some("billing:hush"),
            "grant_type=password&audience=a",
            400,
            "unsupported_grant_type",
        ),
        (Some("billing:hush"), "audience=a", 400, "invalid_request"),
        (
            Some("billing:hush"),
            "grant_type=a&grant_type=a",
            400,
            "invalid_request",
        ),
        (
            Some("billing:hush"),
            "client_id=billing&client_secret=hush",
            400,
            "invalid_request",
        ),
        (Some("billing:hush"), GRANT, 400, "invalid_target"),
        (
            Some("billing:hush"),
            "grant_type=client_credentials&audience=a&scope=admin",
            400,
            "invalid_scope",
        ),
    ] {
        let answer = ask(&issuer, basic, form).await;
        assert_eq!(answer.status, status, "{basic:?} {form}");
        assert_eq!(answer.json()["error"], error, "{basic:?} {form}");
        assert_eq!(answer.header("www-authenticate").is_some(), status == 401);
    }
    let not_a_form = "content-type: application/json\r\n";
    let answer = send(issuer.name(), "POST", "/token", not_a_form, "{}")
        .await
        .unwrap();
    assert_eq!(answer.json()["error"], "invalid_request");
}
