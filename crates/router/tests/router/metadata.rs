//! The metadata of the protected resource.

use countersign_router::{Authenticated, GuardedRouter, Public};
use countersign_testing::TestIssuer;

use crate::support::{AUDIENCE, Read, World, Write, ask, ok, status};

fn routes() -> GuardedRouter {
    GuardedRouter::new()
        .get(Write, "/b", ok)
        .get(Read, "/a", ok)
        .get(Authenticated, "/c", ok)
        .with_fallback(Authenticated, ok)
}

#[tokio::test]
async fn a_resource_has_its_metadata_served_to_everybody() {
    for (resource, path) in [
        ("https://api.acme.test", ""),
        ("https://api.acme.test/", ""),
        ("https://api.acme.test/v1/billing", "/v1/billing"),
    ] {
        let world = World::of(|builder| builder.with_resource(resource)).await;
        let app = routes().build(&world.authenticator).unwrap();
        let path = format!("/.well-known/oauth-protected-resource{path}");
        let answer = ask(&app, &format!("GET {path}"), "").await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("cache-control"), Some("max-age=300"));
        assert_eq!(
            answer.body,
            format!(
                r#"{{"resource":"{resource}","authorization_servers":["https://as.acme.test"],"#
            ) + r#""scopes_supported":["admin","invoices:read","invoices:write"],"#
                + r#""bearer_methods_supported":["header"]}"#
        );
        assert_eq!(status(&app, &format!("HEAD {path}"), "").await, 200);
        assert_eq!(status(&app, &format!("POST {path}"), "").await, 405);

        // Where a challenge says it is.
        let challenge = ask(&app, "GET /a", "").await;
        let challenge = challenge.header("www-authenticate").unwrap();
        let expected = format!("resource_metadata=\"https://api.acme.test{path}\"");
        assert!(challenge.ends_with(&expected), "{challenge}");
    }
}

#[tokio::test]
async fn without_a_resource_there_is_none() {
    let world = World::new().await;
    let app = GuardedRouter::new()
        .get(Public, "/", ok)
        .build(&world.authenticator)
        .unwrap();
    let path = "GET /.well-known/oauth-protected-resource";
    assert_eq!(status(&app, path, "").await, 404);
}

#[tokio::test]
async fn it_names_the_issuers_that_are_trusted_when_it_is_asked_for() {
    let world = World::of(|builder| builder.with_resource(AUDIENCE)).await;
    let app = routes().build(&world.authenticator).unwrap();
    let issuers = async || {
        let answer = ask(&app, "GET /.well-known/oauth-protected-resource", "").await;
        let metadata: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        metadata["authorization_servers"].to_string()
    };
    assert_eq!(issuers().await, r#"["https://as.acme.test"]"#);
    let other = TestIssuer::new("https://as.acme.test");
    let same_name = other.trusted_for(AUDIENCE);
    world.authenticator.set_issuer(same_name).await.unwrap();
    assert_eq!(issuers().await, r#"["https://as.acme.test"]"#);
    world.authenticator.remove_issuer("https://as.acme.test");
    assert_eq!(issuers().await, "[]");
}
