//! `require_active()` behind the layer that verifies tokens: a JWT that is good must be active, too.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use countersign_bearer::{Authenticator, DenialKind, Principal, Trail};
use countersign_introspection::require_active;
use countersign_jwks::{Algorithm, Clock};
use countersign_testing::{AsPrincipal, TestIssuer, anonymous, authenticated, service_principal};
use countersign_token::{Issuer, Refusal};
use http::{HeaderMap, Request};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::world::{API, ISSUER, Reply, World, nudge, s};

pub(crate) struct Api {
    world: World,
    pub(crate) issuer: TestIssuer,
    app: Router,
    /// How often a handler ran.
    served: Arc<AtomicUsize>,
}

/// What a caller got.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) kind: Option<DenialKind>,
    headers: HeaderMap,
}

impl Api {
    async fn new() -> Self {
        Self::of(Issuer::new(ISSUER, API)).await
    }

    /// Where answers are read by these settings.
    pub(crate) async fn of(introspected: Issuer) -> Self {
        Self::trusting(|issuer| issuer, introspected).await
    }

    /// The same, where tokens are verified by other settings, too.
    pub(crate) async fn trusting(
        trusted: impl FnOnce(Issuer) -> Issuer,
        introspected: Issuer,
    ) -> Self {
        let world = World::of(introspected, |builder| builder);
        let issuer = TestIssuer::new(ISSUER)
            .with_algorithm(Algorithm::ES256)
            .with_clock(Arc::new(world.clock.clone()));
        let authenticator = Authenticator::builder()
            .issuer(trusted(issuer.trusted_for(API)))
            .with_clock(Arc::new(world.clock.clone()))
            .with_introspection(Arc::new(world.introspection.clone()))
            .build()
            .await
            .unwrap();
        let served = Arc::new(AtomicUsize::new(0));
        Self {
            app: routes(&served).layer(authenticator.layer()),
            world,
            issuer,
            served,
        }
    }

    pub(crate) fn token(&self) -> String {
        let token = self.issuer.service_principal("m2m-acme");
        token
            .with_audience(API)
            .with_organization("org_acme")
            .mint()
    }

    pub(crate) fn user_token(&self) -> String {
        let token = self.issuer.delegated_user("app", "ann");
        token
            .with_audience(API)
            .with_organization("org_acme")
            .mint()
    }

    /// What the server says of a token: what is right, with these members instead; `null`: without.
    pub(crate) fn answer(&self, token: &str, changes: &Value) {
        let mut answer = self.world.answer("m2m-acme", s(3600));
        for (name, value) in changes.as_object().unwrap() {
            match value {
                Value::Null => drop(answer.as_object_mut().unwrap().remove(name)),
                value => answer[name] = value.clone(),
            }
        }
        self.world
            .wire
            .answer(token, Reply::Json(answer.to_string()));
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Answered {
        send(&self.app, request(path, token)).await
    }

    fn served(&self) -> usize {
        self.served.load(Ordering::SeqCst)
    }
}

fn routes(served: &Arc<AtomicUsize>) -> Router {
    let handler = || {
        let served = served.clone();
        async move |principal: Principal| {
            served.fetch_add(1, Ordering::SeqCst);
            principal.client().unwrap_or("nobody").to_owned()
        }
    };
    let certain = Router::new()
        .route("/payouts", get(handler()).post(handler()))
        .route_layer(require_active());
    let now = Router::new()
        .route("/now", get(handler()))
        .route_layer(require_active().uncached());
    let open = Router::new().route("/open", get(handler()));
    open.merge(certain).merge(now)
}

fn request(path: &str, token: &str) -> Request<Body> {
    let request = Request::get(path).header("authorization", format!("Bearer {token}"));
    request.body(Body::empty()).unwrap()
}

async fn send(app: &Router, request: Request<Body>) -> Answered {
    let response = app.clone().oneshot(request).await.unwrap();
    Answered {
        status: response.status().as_u16(),
        kind: response.extensions().get().copied(),
        headers: response.headers().clone(),
    }
}

pub(crate) const INACTIVE: DenialKind = DenialKind::InvalidToken(Refusal::Inactive);

#[tokio::test]
async fn a_good_token_passes_only_while_it_is_active() {
    let api = Api::new().await;
    let token = api.token();
    api.answer(&token, &json!({}));
    for path in ["/payouts", "/now"] {
        assert_eq!(api.get(path, &token).await.status, 200, "{path}");
    }
    api.answer(&token, &json!({"active": false}));
    let denied = api.get("/now", &token).await;
    assert_eq!((denied.status, denied.kind), (401, Some(INACTIVE)));
    let challenge = denied.headers["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
    // What was found out there counts here.
    let denied = api.get("/payouts", &token).await;
    assert_eq!((denied.status, denied.kind), (401, Some(INACTIVE)));
    assert_eq!(
        api.get("/open", &token).await.status,
        200,
        "nobody asks there"
    );
    assert_eq!(api.served(), 3);
}

#[tokio::test]
async fn a_token_that_is_not_good_is_not_asked_about() {
    let api = Api::new().await;
    let minting = api.issuer.service_principal("m2m-acme").with_audience(API);
    for token in [
        minting.clone().expired().mint(),
        minting.tampered().mint(),
        "opaque".into(),
    ] {
        assert_eq!(api.get("/payouts", &token).await.status, 401);
    }
    let none = Request::get("/payouts").body(Body::empty()).unwrap();
    assert_eq!(
        send(&api.app, none).await.kind,
        Some(DenialKind::MissingCredential)
    );
    assert_eq!(api.world.wire.asked(), 0);
}

#[tokio::test]
async fn an_answer_about_somebody_else_is_a_refusal() {
    for (changes, passes) in [
        (json!({}), true),
        (json!({"scope": "other"}), true),
        (json!({"jti": "2"}), true),
        (
            json!({"client_id": "m2m-globex", "sub": "m2m-globex"}),
            false,
        ),
        (json!({"sub": "ann"}), false),
        (json!({"org_id": "org_globex"}), false),
        (json!({"org_id": null}), false),
        (json!({"cnf": {"jkt": "A".repeat(43)}}), false),
    ] {
        let api = Api::new().await;
        let token = api.token();
        api.answer(&token, &changes);
        let answered = api.get("/payouts", &token).await;
        let expected = if passes {
            (200, None)
        } else {
            (401, Some(INACTIVE))
        };
        assert_eq!((answered.status, answered.kind), expected, "{changes}");
    }
    for (changes, passes) in [
        (json!({"sub": "ann", "client_id": "app"}), true),
        (json!({"sub": "bob", "client_id": "app"}), false),
        (json!({"sub": "ann", "client_id": "other"}), false),
        (json!({"sub": "app", "client_id": "app"}), false),
    ] {
        let api = Api::new().await;
        let token = api.user_token();
        api.answer(&token, &changes);
        let answered = api.get("/payouts", &token).await;
        let expected = if passes {
            (200, None)
        } else {
            (401, Some(INACTIVE))
        };
        assert_eq!((answered.status, answered.kind), expected, "{changes}");
    }
}

#[tokio::test]
async fn a_refusal_keeps_its_reason() {
    for (changes, refusal) in [
        (
            json!({"aud": "https://billing.acme.test"}),
            Refusal::Audience,
        ),
        (
            json!({"token_type": "refresh_token"}),
            Refusal::NotAccessToken,
        ),
        (json!({"exp": 1_700_000_000}), Refusal::Expired),
    ] {
        let api = Api::new().await;
        let token = api.token();
        api.answer(&token, &changes);
        let kind = api.get("/payouts", &token).await.kind;
        assert_eq!(kind, Some(DenialKind::InvalidToken(refusal)), "{changes}");
    }
}

#[tokio::test]
async fn a_server_that_cannot_be_asked_lets_nobody_through() {
    let api = Api::new().await;
    let token = api.token();
    api.world.wire.answer(&token, Reply::Status(503, Some(7)));
    let denied = api.get("/payouts", &token).await;
    assert_eq!(
        (denied.status, denied.kind),
        (503, Some(DenialKind::IntrospectionUnavailable))
    );
    assert_eq!(denied.headers["retry-after"], "7");
    assert!(!denied.headers.contains_key("www-authenticate"));
    assert_eq!(api.get("/open", &token).await.status, 200);
    assert_eq!(api.served(), 1);
}

#[tokio::test]
async fn uncached_asks_for_each_request_and_the_other_does_not() {
    let api = Api::new().await;
    let token = api.token();
    api.answer(&token, &json!({}));
    for (path, asked) in [
        ("/payouts", 1),
        ("/payouts", 1),
        ("/now", 2),
        ("/now", 3),
        ("/payouts", 3),
    ] {
        assert_eq!(api.get(path, &token).await.status, 200);
        assert_eq!(api.world.wire.asked(), asked, "{path}");
    }
    api.world.clock.advance(s(30)).await;
    assert_eq!(api.get("/payouts", &token).await.status, 200);
    assert_eq!(api.world.wire.asked(), 4);
}

#[tokio::test]
async fn a_route_where_nobody_can_be_asked_is_a_programming_error() {
    let issuer = TestIssuer::new(ISSUER).with_algorithm(Algorithm::ES256);
    let other = TestIssuer::new("https://as.globex.test").with_algorithm(Algorithm::ES256);
    let world = World::new();
    let served = Arc::default();
    let authenticator = Authenticator::builder()
        .issuer(issuer.trusted_for(API).with_organizations(["org_acme"]))
        .issuer(other.trusted_for(API).with_organizations(["org_globex"]))
        .with_introspection(Arc::new(world.introspection.clone()));
    // Its issuer must be said to speak for somebody, too.
    assert!(authenticator.check().is_err());
    let authenticator = Authenticator::builder().issuer(other.trusted_for(API));
    let app = routes(&served).layer(authenticator.build().await.unwrap().layer());
    let token = other.service_principal("m2m").with_audience(API).mint();
    for path in ["/payouts", "/now"] {
        let denied = send(&app, request(path, &token)).await;
        assert_eq!(
            (denied.status, denied.kind),
            (500, Some(DenialKind::MissingIntrospection))
        );
    }
    assert_eq!(send(&app, request("/open", &token)).await.status, 200);
    // Without the layer that verifies tokens, likewise.
    let denied = send(&routes(&served), request("/payouts", &token)).await;
    assert_eq!(
        (denied.status, denied.kind),
        (500, Some(DenialKind::MissingLayer))
    );
}

#[tokio::test]
async fn nobody_and_asserted_principals_do_not_slip_through() {
    let served = Arc::default();
    let without = |layer: AsPrincipal| routes(&served).layer(layer);
    let denied = send(&without(anonymous()), request("/payouts", "token")).await;
    assert_eq!(denied.kind, Some(DenialKind::MissingCredential));
    let asserted = authenticated(service_principal("org_acme", ["a"]));
    let denied = send(&without(asserted), request("/payouts", "token")).await;
    assert_eq!(denied.kind, Some(DenialKind::MissingIntrospection));
    assert_eq!(served.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_credential_that_is_gone_by_then_is_missing() {
    let api = Api::new().await;
    let token = api.token();
    api.answer(&token, &json!({}));
    let authenticator = Authenticator::builder()
        .issuer(api.issuer.trusted_for(API))
        .with_clock(Arc::new(api.world.clock.clone()))
        .with_introspection(Arc::new(api.world.introspection.clone()));
    let authenticator = authenticator.build().await.unwrap();
    let headers: [&[&str]; 5] = [
        &[],
        &["Basic dTpw"],
        &["Bearer a", "Bearer b"],
        &["Bearer "],
        &["Bearer a b"],
    ];
    for values in headers {
        let principal = authenticator.verify(&token).await.unwrap();
        let app = routes(&api.served).layer(authenticated(principal));
        let mut request = Request::get("/payouts").body(Body::empty()).unwrap();
        for value in values {
            request
                .headers_mut()
                .append("authorization", value.parse().unwrap());
        }
        let denied = send(&app, request).await;
        assert_eq!(
            denied.kind,
            Some(DenialKind::MissingCredential),
            "{values:?}"
        );
    }
    for scheme in ["Bearer", "bearer", "DPoP"] {
        let principal = authenticator.verify(&token).await.unwrap();
        let app = routes(&api.served).layer(authenticated(principal));
        let mut request = request("/payouts", "");
        let value = format!("{scheme}  {token}").parse().unwrap();
        request.headers_mut().insert("authorization", value);
        assert_eq!(send(&app, request).await.status, 200, "{scheme}");
    }
    assert_eq!(api.world.wire.asked(), 1);
}

#[tokio::test]
async fn a_grpc_call_is_answered_in_its_own_terms() {
    let api = Api::new().await;
    let token = api.token();
    for (reply, status) in [
        (Reply::Json(r#"{"active":false}"#.into()), "16"),
        (Reply::Status(500, None), "14"),
    ] {
        api.world.clock.advance(s(30)).await;
        api.world.wire.answer(&token, reply);
        let mut call = request("/payouts", &token);
        *call.method_mut() = http::Method::POST;
        call.headers_mut()
            .insert("content-type", "application/grpc".parse().unwrap());
        let answered = send(&api.app, call).await;
        assert_eq!(
            (answered.status, &answered.headers["grpc-status"]),
            (200, &status.parse().unwrap())
        );
    }
    assert_eq!(api.served(), 0);
}

#[tokio::test]
async fn the_trail_tells_of_the_caller_and_the_denial() {
    let api = Api::new().await;
    let token = api.token();
    let trail = Trail::default();
    let mut request = request("/payouts", &token);
    request.extensions_mut().insert(trail.clone());
    assert_eq!(send(&api.app, request).await.status, 401);
    let decisions = trail.take();
    assert_eq!(decisions.denial, Some(INACTIVE));
    assert_eq!(decisions.principal.unwrap().client(), Some("m2m-acme"));
}

#[tokio::test]
async fn a_caller_who_hangs_up_hurts_no_other_with_the_same_token() {
    let api = Api::new().await;
    let token = api.token();
    let answer = Reply::Json(api.world.answer("m2m-acme", s(3600)).to_string());
    api.world.wire.answer(&token, Reply::Held(Box::new(answer)));
    let mut first = Box::pin(api.get("/payouts", &token));
    let mut second = Box::pin(api.get("/payouts", &token));
    assert!(nudge(&mut first).await.is_none() && nudge(&mut second).await.is_none());
    drop(first);
    api.world.wire.release();
    assert_eq!(second.await.status, 200);
    assert_eq!((api.world.wire.asked(), api.served()), (1, 1));
    assert!(
        api.world.clock.monotonic().is_zero(),
        "nobody waited for time"
    );
}

#[tokio::test]
async fn every_method_of_a_route_is_guarded() {
    let api = Api::new().await;
    let token = api.token();
    for method in ["GET", "POST", "HEAD"] {
        let mut request = request("/payouts", &token);
        *request.method_mut() = method.parse().unwrap();
        assert_eq!(send(&api.app, request).await.status, 401, "{method}");
    }
    assert_eq!(api.served(), 0);
}
