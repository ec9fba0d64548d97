//! A tonic server that is nothing but that.

use axum::http::{HeaderMap, StatusCode};
use countersign::require;
use tonic::Code;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic_health::pb::health_server::HealthServer;

use crate::answer::{CHECK, metadata, send};
use crate::support::{
    Asking, FOR_NOTHING, FOR_SCOPE, ReadHealth, World, bearer, check, check_with, headers, listen,
    watch,
};

const RESOURCE_METADATA: &str =
    r#"resource_metadata="https://api.acme.test/.well-known/oauth-protected-resource""#;

/// Serves the health service with these layers around it, the outermost first, and evaluates to a client.
macro_rules! serve {
    ($($layer:expr),*) => {{
        let (listener, channel) = listen().await;
        let server = Server::builder()
            $(.layer($layer))*
            .add_service(HealthServer::new(Asking))
            .serve_with_incoming(TcpIncoming::from(listener));
        tokio::spawn(server);
        channel
    }};
}

#[tokio::test]
async fn a_call_with_a_good_token_is_served_and_so_is_a_stream() {
    let world = World::new().await;
    let channel = serve!(world.authenticator.layer(), require::<ReadHealth>());
    let token = bearer(&world.scoped_token());
    for asked in [FOR_NOTHING, FOR_SCOPE, "org_acme"] {
        check(&channel, Some(&token), asked).await.unwrap();
    }
    assert_eq!(watch(&channel, Some(&token), FOR_SCOPE).await.unwrap(), 2);
}

#[tokio::test]
async fn what_the_layer_refuses_has_the_words_and_the_challenge_of_http() {
    let world = World::new().await;
    let channel = serve!(world.authenticator.layer());
    for (case, authorization, status) in world.refused() {
        let authorization = authorization.as_deref();
        let denied = check(&channel, authorization, FOR_NOTHING)
            .await
            .unwrap_err();
        assert_eq!(denied.code(), Code::Unauthenticated, "{case}");

        let of_http = send(&channel, "POST", CHECK, "application/json", authorization).await;
        assert_eq!(of_http.status, status, "{case}");
        of_http.assert_same_denial(&denied, case);

        let streamed = watch(&channel, authorization, FOR_NOTHING)
            .await
            .unwrap_err();
        of_http.assert_same_denial(&streamed, case);
    }
}

#[tokio::test]
async fn the_challenge_is_that_of_rfc_6750() {
    let world = World::new().await;
    let channel = serve!(world.authenticator.layer());
    let expired = bearer(&world.token().expired());
    for (authorization, challenge) in [
        (None, format!(r#"Bearer realm="acme", {RESOURCE_METADATA}"#)),
        (
            Some(&*expired),
            format!(
                r#"Bearer realm="acme", error="invalid_token", error_description="The token has expired", {RESOURCE_METADATA}"#
            ),
        ),
    ] {
        let denied = check(&channel, authorization, FOR_NOTHING).await;
        let denied = denied.unwrap_err();
        assert_eq!(metadata(&denied, "www-authenticate"), Some(&*challenge));
    }
}

#[tokio::test]
async fn two_credentials_are_none() {
    let world = World::new().await;
    let channel = serve!(world.authenticator.layer());
    let mut two: HeaderMap = headers(Some(&bearer(&world.token())));
    two.append("authorization", two["authorization"].clone());
    let denied = check_with(&channel, two, FOR_NOTHING).await.unwrap_err();
    assert_eq!(denied.code(), Code::Unauthenticated);
    let challenge = metadata(&denied, "www-authenticate").unwrap();
    assert!(
        challenge.contains(r#"error="invalid_request""#),
        "{challenge}"
    );
}

#[tokio::test]
async fn a_denial_ends_with_its_headers() {
    let world = World::new().await;
    let channel = serve!(world.authenticator.layer(), require::<ReadHealth>());
    let unscoped = bearer(&world.token());
    for (authorization, code) in [(None, "16"), (Some(&*unscoped), "7")] {
        for content_type in ["application/grpc", "application/grpc+proto"] {
            let answer = send(&channel, "POST", CHECK, content_type, authorization).await;
            assert_eq!(answer.status, StatusCode::OK);
            assert_eq!(answer.header("grpc-status"), Some(code));
            assert_eq!(answer.header("content-type"), Some("application/grpc"));
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            assert!(answer.ended_with_headers);
            assert!(answer.body.is_empty());
        }
    }
}

#[tokio::test]
async fn a_missing_scope_is_one_denial_whether_the_layer_or_the_handler_finds_it() {
    let world = World::new().await;
    let guarded = serve!(world.authenticator.layer(), require::<ReadHealth>());
    let open = serve!(world.authenticator.layer());
    let unscoped = bearer(&world.token().with_scopes(["health:write"]));
    let unscoped = Some(&*unscoped);

    let by_layer = check(&guarded, unscoped, FOR_NOTHING).await.unwrap_err();
    let by_handler = check(&open, unscoped, FOR_SCOPE).await.unwrap_err();
    let of_stream = watch(&open, unscoped, FOR_SCOPE).await.unwrap_err();
    let of_http = send(&guarded, "POST", CHECK, "application/json", unscoped).await;
    assert_eq!(of_http.status, StatusCode::FORBIDDEN);
    for denied in [by_layer, by_handler, of_stream] {
        assert_eq!(denied.code(), Code::PermissionDenied);
        of_http.assert_same_denial(&denied, "scope");
        assert_eq!(
            metadata(&denied, "www-authenticate").unwrap(),
            format!(
                r#"Bearer realm="acme", error="insufficient_scope", error_description="{}", scope="health:read", {RESOURCE_METADATA}"#,
                denied.message()
            )
        );
    }
    check(&open, unscoped, FOR_NOTHING).await.unwrap();
}

#[tokio::test]
async fn a_handler_denies_by_kind() {
    let world = World::new().await;
    let channel = serve!(world.authenticator.layer());
    let nobodys = bearer(&world.token().without_claim("org_id"));
    let acmes = bearer(&world.token());
    for (token, code, message) in [
        (
            nobodys,
            Code::PermissionDenied,
            "The token names no organization",
        ),
        (acmes, Code::NotFound, "Not Found"),
    ] {
        let denied = check(&channel, Some(&token), "org_globex").await;
        let denied = denied.unwrap_err();
        assert_eq!(denied.code(), code);
        assert_eq!(denied.message(), message);
        assert_eq!(metadata(&denied, "www-authenticate"), None);
    }
}

#[tokio::test]
async fn a_forgotten_layer_is_an_internal_error_and_never_a_pass() {
    let world = World::new().await;
    let token = bearer(&world.scoped_token());
    let without_any = serve!();
    let with_the_guard_alone = serve!(require::<ReadHealth>());
    let in_the_wrong_order = serve!(require::<ReadHealth>(), world.authenticator.layer());
    for channel in [without_any, with_the_guard_alone, in_the_wrong_order] {
        let denied = check(&channel, Some(&token), FOR_SCOPE).await;
        let denied = denied.unwrap_err();
        assert_eq!(denied.code(), Code::Internal);
        assert_eq!(denied.message(), "The service is misconfigured");
        assert_eq!(metadata(&denied, "www-authenticate"), None);
    }
}

#[tokio::test]
async fn behind_an_optional_layer_a_handler_may_ask_for_a_token_still() {
    let world = World::new().await;
    let channel = serve!(world.authenticator.layer().optional());
    let denied = check(&channel, None, FOR_NOTHING).await.unwrap_err();
    assert_eq!(denied.code(), Code::Unauthenticated);
    assert_eq!(
        metadata(&denied, "www-authenticate"),
        Some(&*format!(r#"Bearer realm="acme", {RESOURCE_METADATA}"#))
    );
    let expired = bearer(&world.token().expired());
    let denied = check(&channel, Some(&expired), FOR_NOTHING).await;
    assert_eq!(denied.unwrap_err().code(), Code::Unauthenticated);
    let token = bearer(&world.token());
    check(&channel, Some(&token), FOR_NOTHING).await.unwrap();
}
