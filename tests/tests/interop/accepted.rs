//! What a caller with a good token gets.

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::config::Issuer;
use crate::flows::{ALL_SCOPES, claims, header};
use crate::provider::Provider;
use crate::resource_server::{Folder, ResourceServer};

/// A client and the algorithm that signs its tokens.
pub(crate) const SIGNERS: [(&str, &str); 5] = [
    ("m2m-rs256", "RS256"),
    ("m2m-ps256", "PS256"),
    ("m2m-es256", "ES256"),
    ("m2m-eddsa", "EdDSA"),
    ("m2m-ed25519", "Ed25519"),
];

#[tokio::test]
async fn a_token_of_every_algorithm_opens_every_route() {
    let provider = Provider::start().await;
    let server = ResourceServer::start(&[Issuer::of(&provider)]).await;
    for (client, algorithm) in SIGNERS {
        let token = provider.machine_token(client).await;
        assert_eq!(header(&token)["alg"], algorithm, "{client}");
        assert_eq!(header(&token)["typ"], "at+jwt", "{client}");

        let whoami = server.get("/whoami", &token).await.expect(200, client);
        let machine = json!({
            "kind": "service_principal",
            "issuer": provider.issuer,
            "subject": client,
            "client": client,
            "user": null,
            "organization": "org_acme",
            "scopes": ["admin", "invoices:read", "invoices:write", "reports:read"],
            "expires_at": claims(&token)["exp"],
        });
        assert_eq!(whoami, machine);

        let invoices = server.get("/invoices", &token).await.expect(200, client);
        let same = server.get("/orgs/org_acme/invoices", &token).await;
        assert_eq!(same.expect(200, client), invoices, "{client}");
        let created = server.post("/orgs/org_acme/invoices", &token).await;
        created.expect(201, client);
        server.get("/reports", &token).await.expect(200, client);
    }
}

#[tokio::test]
async fn a_user_who_consented_is_a_delegated_user() {
    let provider = Provider::start().await;
    let server = ResourceServer::start(&[Issuer::of(&provider)]).await;
    let token = provider.user_tokens("user-alice", ALL_SCOPES).await.access;

    let whoami = server.get("/whoami", &token).await.expect(200, "user");
    let user = json!({
        "kind": "delegated_user",
        "issuer": provider.issuer,
        "subject": "user-alice",
        "client": "app-ledger",
        "user": "user-alice",
        "organization": "org_acme",
        "scopes": ["admin", "invoices:read", "invoices:write", "reports:read"],
        "expires_at": claims(&token)["exp"],
    });
    assert_eq!(whoami, user);

    server.get("/invoices", &token).await.expect(200, "user");
    let created = server.post("/orgs/org_acme/invoices", &token).await;
    created.expect(201, "user");
    let reports = server.get("/reports", &token).await;
    reports.expect_no_challenge(403, Some("principal_not_allowed"), "user on /reports");
}

#[tokio::test]
async fn a_user_has_only_the_scopes_consented_to() {
    let provider = Provider::start().await;
    let server = ResourceServer::start(&[Issuer::of(&provider)]).await;
    let token = provider.user_tokens("user-alice", "invoices:read").await;

    let whoami = server.get("/whoami", &token.access).await;
    let scopes = &whoami.expect(200, "user")["scopes"];
    assert_eq!(scopes, &json!(["invoices:read"]));
    let created = server.post("/orgs/org_acme/invoices", &token.access).await;
    created.expect_challenge(403, "insufficient_scope", "a user without invoices:write");
}

#[tokio::test]
async fn keys_may_come_from_an_address_or_a_file() {
    let provider = Provider::start().await;
    let address = format!("{}/jwks", provider.issuer);
    let from_address = format!("{{ url = {address:?} }}");
    let folder = Folder::new();
    let file = folder.write("jwks.json", &provider.text("/jwks").await);
    let from_file = format!("{{ file = {file:?} }}");
    for keys in [from_address, from_file] {
        let issuer = Issuer::of(&provider).with("keys", &keys);
        let server = ResourceServer::start(&[issuer]).await;
        for (client, _) in SIGNERS {
            let token = provider.machine_token(client).await;
            server.get("/whoami", &token).await.expect(200, &keys);
        }
    }
    assert_eq!(provider.discovery_requests().await, 0);
}

#[tokio::test]
async fn a_client_without_organization_is_a_microservice_only_by_a_rule() {
    let provider = Provider::start().await;
    let token = provider.machine_token("svc-billing").await;
    let rules = [
        (r#""all""#, "microservice"),
        (r#"{ clients = ["svc-billing"] }"#, "microservice"),
        (r#"{ claim = "tier", value = "internal" }"#, "microservice"),
        (r#"{ clients = ["svc-shipping"] }"#, "service_principal"),
        (
            r#"{ claim = "tier", value = "external" }"#,
            "service_principal",
        ),
    ];
    for (rule, kind) in rules {
        let issuer = Issuer::of(&provider).with("microservices", rule);
        let server = ResourceServer::start(&[issuer]).await;
        expect_homeless(server.get("/whoami", &token).await, kind, rule);
        if kind == "microservice" {
            let reports = server.get("/reports", &token).await;
            reports.expect_no_challenge(403, Some("principal_not_allowed"), rule);
        }
    }
    let server = ResourceServer::start(&[Issuer::of(&provider)]).await;
    expect_homeless(
        server.get("/whoami", &token).await,
        "service_principal",
        "no rule",
    );
    let invoices = server.get("/invoices", &token).await;
    invoices.expect_no_challenge(403, Some("organization_required"), "no rule");
}

/// A machine of this kind, and without an organization.
fn expect_homeless(whoami: Answer, kind: &str, case: &str) {
    let whoami = whoami.expect(200, case);
    assert_eq!(whoami["kind"], kind, "{case}");
    assert_eq!(whoami["client"], "svc-billing", "{case}");
    assert_eq!(whoami["organization"], Value::Null, "{case}");
}
