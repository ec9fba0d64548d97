//! How, and how recently, a user must have authenticated.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::routing::get;
use countersign_bearer::Authenticator;
use countersign_jwks::Clock;
use countersign_scope::{RequireAuthentication, require_acr, require_max_age};
use countersign_testing::{FakeClock, TestIssuer, TokenBuilder};
use serde_json::json;
use tower::ServiceExt;

const API: &str = "https://api.acme.test";

struct World {
    clock: FakeClock,
    issuer: TestIssuer,
}

impl World {
    fn new() -> Self {
        let clock = FakeClock::new();
        let issuer = TestIssuer::new("https://as.acme.test").with_clock(Arc::new(clock.clone()));
        Self { clock, issuer }
    }

    /// A user's token, with no word about authentication.
    fn token(&self) -> TokenBuilder {
        self.issuer.delegated_user("app", "ann").with_audience(API)
    }

    fn seconds_ago(&self, seconds: u64) -> u64 {
        self.clock.unix_time().as_secs() - seconds
    }

    async fn ask(&self, guard: RequireAuthentication, token: &str) -> (StatusCode, String) {
        let authenticator = Authenticator::builder()
            .issuer(self.issuer.trusted_for(API))
            .with_clock(Arc::new(self.clock.clone()))
            .build()
            .await
            .unwrap();
        let app = Router::new()
            .route("/", get(|| async { "paid" }))
            .route_layer(guard)
            .layer(authenticator.layer());
        let request = Request::get("/").header("authorization", format!("Bearer {token}"));
        let request = request.body(Body::empty()).unwrap();
        let response = app.oneshot(request).await.unwrap();
        let challenge = response.headers().get("www-authenticate");
        let challenge = challenge.map_or(String::new(), |one| one.to_str().unwrap().to_owned());
        (response.status(), challenge)
    }
}

#[tokio::test]
async fn only_who_authenticated_as_it_is_wanted_is_let_through() {
    let world = World::new();
    let five_minutes = || require_max_age(Duration::from_secs(300));
    let mfa = || require_acr("phr").or_acr("mfa");
    let acr = |value: &str| world.token().with_claim("acr", value);
    let at = |seconds: u64| {
        world
            .token()
            .with_claim("auth_time", world.seconds_ago(seconds))
    };
    let both = acr("mfa").with_claim("auth_time", world.seconds_ago(300));
    let ahead = world.clock.unix_time().as_secs() + 31;
    let cases = [
        ("preferred acr", mfa(), acr("phr"), 200),
        ("other acr", mfa(), acr("mfa"), 200),
        ("weak acr", mfa(), acr("pwd"), 401),
        ("acr in another case", mfa(), acr("MFA"), 401),
        ("no acr", mfa(), world.token(), 401),
        ("just now", five_minutes(), at(0), 200),
        ("at the bound", five_minutes(), at(300), 200),
        ("too long ago", five_minutes(), at(301), 401),
        ("no time", five_minutes(), world.token(), 401),
        (
            "from the future",
            five_minutes(),
            world.token().with_claim("auth_time", ahead),
            401,
        ),
        (
            "both",
            mfa().and_max_age(Duration::from_secs(300)),
            both.clone(),
            200,
        ),
        (
            "strong and too old",
            mfa().and_max_age(Duration::from_secs(299)),
            both,
            401,
        ),
        (
            "recent and weak",
            mfa().and_max_age(Duration::from_secs(300)),
            at(1),
            401,
        ),
        (
            "acr that is a number",
            mfa(),
            world.token().with_claim("acr", 1),
            401,
        ),
        (
            "time that is text",
            five_minutes(),
            world.token().with_claim("auth_time", "1"),
            401,
        ),
        (
            "a machine that claims to have authenticated",
            mfa(),
            world
                .issuer
                .service_principal("m2m")
                .with_audience(API)
                .with_claim("acr", "mfa"),
            401,
        ),
        (
            "a machine",
            five_minutes(),
            world.issuer.service_principal("m2m").with_audience(API),
            401,
        ),
    ];
    for (case, guard, token, status) in cases {
        let (answer, challenge) = world.ask(guard, &token.mint()).await;
        assert_eq!(answer, status, "{case}: {challenge}");
    }
}

#[tokio::test]
async fn the_challenge_says_how_to_authenticate() {
    let world = World::new();
    let guard = require_acr("phr")
        .or_acr("mfa")
        .and_max_age(Duration::from_secs(300));
    let (_, challenge) = world.ask(guard, &world.token().mint()).await;
    assert_eq!(
        challenge,
        "Bearer realm=\"api\", error=\"insufficient_user_authentication\", \
         error_description=\"The user must authenticate again, as the challenge says\", \
         acr_values=\"phr mfa\", max_age=\"300\""
    );
    let wrong = world.token().with_claim("auth_time", json!([]));
    let (_, challenge) = world
        .ask(require_max_age(Duration::from_secs(1)), &wrong.mint())
        .await;
    assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
}

#[tokio::test]
async fn without_the_authentication_layer_it_is_500() {
    let app: Router = Router::new()
        .route("/", get(|| async { "paid" }))
        .route_layer(require_acr("phr"));
    let request = Request::get("/").body(Body::empty()).unwrap();
    assert_eq!(app.oneshot(request).await.unwrap().status(), 500);
}
