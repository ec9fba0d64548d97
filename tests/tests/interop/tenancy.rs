//! Several issuers in one program: each speaks for its own organizations only.

use crate::config::Issuer;
use crate::provider::Provider;
use crate::resource_server::ResourceServer;

#[tokio::test]
async fn an_issuer_that_names_an_organization_of_another_is_refused() {
    let (one, two) = tokio::join!(Provider::start(), Provider::start());
    let server = ResourceServer::start(&[
        Issuer::of(&one).with("organizations", r#"["org_acme"]"#),
        Issuer::of(&two).with("organizations", r#"["org_globex"]"#),
    ])
    .await;
    let cases = [
        (&one, "m2m-rs256", Some("org_acme")),
        (&one, "m2m-globex", None),
        (&two, "m2m-globex", Some("org_globex")),
        (&two, "m2m-rs256", None),
    ];
    for (issuer, client, organization) in cases {
        let case = format!("{} {client}", issuer.issuer);
        let token = issuer.machine_token(client).await;
        let answer = server.get("/whoami", &token).await;
        let Some(organization) = organization else {
            answer.expect_challenge(401, "invalid_token", &case);
            continue;
        };
        let whoami = answer.expect(200, &case);
        assert_eq!(whoami["issuer"], issuer.issuer, "{case}");
        assert_eq!(whoami["organization"], organization, "{case}");
    }
}

#[tokio::test]
async fn a_token_that_contradicts_its_issuers_one_organization_is_refused() {
    let provider = Provider::start().await;
    let issuer = Issuer::of(&provider).with("fixed_organization", r#""org_acme""#);
    let server = ResourceServer::start(&[issuer]).await;
    let own = provider.machine_token("m2m-rs256").await;
    server.get("/invoices", &own).await.expect(200, "own");
    let other = provider.machine_token("m2m-globex").await;
    let answer = server.get("/whoami", &other).await;
    answer.expect_challenge(401, "invalid_token", "another organization");
}

#[tokio::test]
async fn a_replacement_of_one_issuers_keys_leaves_the_other_alone() {
    let (one, two) = tokio::join!(Provider::start(), Provider::start());
    let server = ResourceServer::start(&[
        Issuer::of(&one).with("organizations", r#"["org_acme"]"#),
        Issuer::of(&two).with("organizations", r#"["org_acme"]"#),
    ])
    .await;
    let steady = two.machine_token("m2m-rs256").await;
    server.get("/whoami", &steady).await.expect(200, "before");
    let asked = two.key_requests().await;
    one.keys("rotate").await;
    let fresh = one.machine_token("m2m-rs256").await;
    server.get("/whoami", &fresh).await.expect(200, "replaced");
    server.get("/whoami", &steady).await.expect(200, "after");
    assert_eq!(two.key_requests().await, asked);
}
