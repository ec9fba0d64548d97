//! JWTs and opaque tokens at one API, told apart by their form alone.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::routing::get;
use countersign_bearer::{Authenticator, DenialKind, Principal};
use countersign_introspection::require_active;
use countersign_jwks::Algorithm;
use countersign_testing::TestIssuer;
use countersign_token::Refusal;
use http::Request;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::world::{API, ISSUER, Reply, World, s};

struct Api {
    world: World,
    issuer: TestIssuer,
    app: Router,
}

impl Api {
    async fn new() -> Self {
        let world = World::new();
        let issuer = TestIssuer::new(ISSUER)
            .with_algorithm(Algorithm::ES256)
            .with_clock(Arc::new(world.clock.clone()));
        let authenticator = Authenticator::builder()
            .issuer(issuer.trusted_for(API))
            .with_clock(Arc::new(world.clock.clone()))
            .with_opaque_tokens(Arc::new(world.introspection.clone()))
            .build()
            .await
            .unwrap();
        let whoami = async |principal: Principal| {
            let organization = principal.organization().map(ToString::to_string);
            json!({
                "kind": principal.kind(),
                "client": principal.client(),
                "organization": organization,
                "scopes": principal.scopes().iter().map(ToString::to_string).collect::<Vec<_>>(),
            })
            .to_string()
        };
        let app = Router::new()
            .route("/active", get(whoami))
            .route_layer(require_active())
            .route("/whoami", get(whoami))
            .layer(authenticator.layer());
        Self { world, issuer, app }
    }

    async fn get(&self, path: &str, token: &str) -> (u16, Option<DenialKind>, Value) {
        let request = Request::get(path).header("authorization", format!("Bearer {token}"));
        let request = request.body(Body::empty()).unwrap();
        let response = self.app.clone().oneshot(request).await.unwrap();
        let (status, kind) = (
            response.status().as_u16(),
            response.extensions().get().copied(),
        );
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (
            status,
            kind,
            serde_json::from_slice(&body).unwrap_or_default(),
        )
    }

    async fn kind(&self, token: &str) -> Option<DenialKind> {
        self.get("/whoami", token).await.1
    }

    fn jwt(&self) -> String {
        let token = self.issuer.service_principal("m2m-acme");
        let token = token.with_audience(API).with_organization("org_acme");
        token.with_scopes(["a", "b"]).mint()
    }
}

#[tokio::test]
async fn a_handler_sees_no_difference() {
    let api = Api::new().await;
    let mut answer = api.world.answer("m2m-acme", s(600));
    answer["scope"] = "a b".into();
    api.world
        .wire
        .answer("opaque", Reply::Json(answer.to_string()));
    let expected = json!({
        "kind": "service_principal",
        "client": "m2m-acme",
        "organization": "org_acme",
        "scopes": ["a", "b"],
    });
    for token in ["opaque", &api.jwt()] {
        assert_eq!(
            api.get("/whoami", token).await,
            (200, None, expected.clone())
        );
    }
    assert_eq!(api.world.wire.asked(), 1);
}

#[tokio::test]
async fn an_opaque_token_is_as_certain_as_its_answer() {
    let api = Api::new().await;
    api.world.activate("opaque", "m2m-acme", s(600));
    assert_eq!(api.get("/active", "opaque").await.0, 200);
    assert_eq!(
        api.world.wire.asked(),
        1,
        "one answer for the layer and the guard"
    );
    let jwt = api.jwt();
    api.world.activate(&jwt, "m2m-acme", s(600));
    assert_eq!(api.get("/active", &jwt).await.0, 200);
    assert_eq!(api.world.wire.asked(), 2);
}

#[tokio::test]
async fn a_jwt_by_its_form_is_never_asked_about_however_bad() {
    let api = Api::new().await;
    let minting = api.issuer.service_principal("m2m-acme").with_audience(API);
    let stranger = TestIssuer::new("https://as.globex.test").with_algorithm(Algorithm::ES256);
    for token in [
        minting.clone().expired().mint(),
        minting.clone().tampered().mint(),
        minting.unsigned().mint(),
        stranger.service_principal("m2m").with_audience(API).mint(),
        "a.b.c".to_owned(),
        "..".to_owned(),
    ] {
        let kind = api.kind(&token).await;
        assert!(
            matches!(kind, Some(DenialKind::InvalidToken(_))),
            "{token}: {kind:?}"
        );
    }
    assert_eq!(api.world.wire.asked(), 0);
}

#[tokio::test]
async fn what_is_no_jwt_by_its_form_is_asked_about_if_it_has_the_characters_of_a_token() {
    let api = Api::new().await;
    let inactive = DenialKind::InvalidToken(Refusal::Inactive);
    for token in [
        "opaque",
        "a",
        "a.b",
        "a.b.c.d",
        "a.b.c.d.e",
        "~+/==",
        &"x".repeat(8192),
    ] {
        assert_eq!(api.kind(token).await, Some(inactive), "{token}");
    }
    assert_eq!(api.world.wire.asked(), 7);
    for malformed in ["a b", "a,b", "a=b", &"x".repeat(8193), ""] {
        let kind = api.kind(malformed).await;
        assert_eq!(kind, Some(DenialKind::MalformedCredential), "{malformed}");
    }
    assert_eq!(api.world.wire.asked(), 7);
}

#[tokio::test]
async fn a_server_that_is_down_stops_opaque_tokens_and_no_jwt() {
    let api = Api::new().await;
    api.world.wire.answer_others(Reply::Status(502, None));
    for _ in 0..10 {
        let (status, kind, _) = api.get("/whoami", "opaque").await;
        assert_eq!(
            (status, kind),
            (503, Some(DenialKind::IntrospectionUnavailable))
        );
        assert_eq!(api.get("/whoami", &api.jwt()).await.0, 200);
    }
    assert_eq!(api.world.wire.asked(), 3, "and is left alone");
}

#[tokio::test]
async fn an_opaque_token_that_is_bound_to_a_key_is_refused_without_a_proof() {
    let api = Api::new().await;
    let mut answer = api.world.answer("m2m-acme", s(600));
    answer["cnf"] = json!({"jkt": "A".repeat(43)});
    api.world
        .wire
        .answer("opaque", Reply::Json(answer.to_string()));
    let unproven = DenialKind::InvalidToken(Refusal::UnprovenConfirmation);
    assert_eq!(api.kind("opaque").await, Some(unproven));
}
