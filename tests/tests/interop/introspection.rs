//! Opaque tokens, which only the authorization server can read.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use axum::routing::get;
use countersign::{
    Algorithm, AssertionAudience, Authenticator, AuthenticatorBuilder, ClaimsProfile,
    ClientAuthentication, Clock, DenialKind, Dpop, Introspection, IntrospectionEndpoint,
    IntrospectionPolicy, Issuer, MachineRule, Principal, PrivateKey, Refusal, SystemClock,
    require_active,
};
use countersign_testing::DpopKey;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::flows::{ALL_SCOPES, API};
use crate::provider::Provider;

/// Whose tokens are opaque.
const VAULT: &str = "https://vault.acme.test";
const CLIENT: &str = "m2m-rs256";

/// What the server leaves out of its answers: the subject of machines, and the id where it is the token.
fn vault(provider: &Provider) -> Issuer {
    let profile = ClaimsProfile::rfc9068()
        .with_required_claims(["iat", "client_id"].map(Into::into))
        .with_machine_rule(MachineRule::SubjectAbsent);
    Issuer::new(&*provider.issuer, VAULT).with_profile(profile)
}

fn basic() -> ClientAuthentication {
    ClientAuthentication::secret_basic("rs-basic", "rs-basic:+%& secret")
}

/// An API that takes JWTs for itself and opaque tokens for the vault.
struct Api(Router);

impl Api {
    async fn new(provider: &Provider, authentication: ClientAuthentication) -> Self {
        Self::remembering(provider, authentication, Duration::from_secs(30)).await
    }

    /// One that takes tokens that are bound to a key, too.
    async fn with_dpop(provider: &Provider) -> Self {
        let dpop = |builder: AuthenticatorBuilder| builder.with_dpop(Dpop::allowed(API));
        Self::built(provider, basic(), Duration::from_secs(30), dpop).await
    }

    async fn remembering(
        provider: &Provider,
        authentication: ClientAuthentication,
        active_for: Duration,
    ) -> Self {
        Self::built(provider, authentication, active_for, |builder| builder).await
    }

    async fn built(
        provider: &Provider,
        authentication: ClientAuthentication,
        active_for: Duration,
        change: impl FnOnce(AuthenticatorBuilder) -> AuthenticatorBuilder,
    ) -> Self {
        // A machine that is busy with other tests is slow to answer, which is not what these are about.
        let policy = IntrospectionPolicy::default()
            .with_active_for(active_for)
            .with_deadline(Duration::from_secs(60));
        let endpoint = IntrospectionEndpoint::Discovery;
        let introspection = Introspection::builder(vault(provider), endpoint, authentication)
            .with_policy(policy)
            .build()
            .unwrap();
        let authenticator = Authenticator::builder()
            .issuer(Issuer::new(&*provider.issuer, API))
            .with_opaque_tokens(Arc::new(introspection));
        let authenticator = change(authenticator).build().await.unwrap();
        let app = Router::new()
            .route("/now", get(whoami))
            .route_layer(require_active().uncached())
            .route("/whoami", get(whoami))
            .layer(authenticator.layer());
        Self(app)
    }

    async fn get(&self, path: &str, token: &str) -> (u16, Option<DenialKind>, Value) {
        let request = Request::get(path).header("authorization", format!("Bearer {token}"));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    async fn send(&self, request: Request<Body>) -> (u16, Option<DenialKind>, Value) {
        let response = self.0.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let kind = response.extensions().get().copied();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (
            status,
            kind,
            serde_json::from_slice(&body).unwrap_or_default(),
        )
    }

    async fn whoami(&self, token: &str) -> Value {
        let (status, kind, body) = self.get("/whoami", token).await;
        assert_eq!(status, 200, "{kind:?} {body}");
        body
    }

    async fn refusal(&self, path: &str, token: &str) -> Option<Refusal> {
        match self.get(path, token).await {
            (401, Some(DenialKind::InvalidToken(refusal)), _) => Some(refusal),
            (status, ..) => {
                assert_eq!(status, 200);
                None
            }
        }
    }
}

async fn whoami(principal: Principal) -> String {
    let scopes: Vec<_> = principal.scopes().iter().map(ToString::to_string).collect();
    json!({
        "kind": principal.kind(),
        "client": principal.client(),
        "user": principal.user(),
        "organization": principal.organization(),
        "scopes": scopes,
    })
    .to_string()
}

fn machine() -> Value {
    json!({
        "kind": "service_principal",
        "client": CLIENT,
        "user": null,
        "organization": "org_acme",
        "scopes": ["admin", "invoices:read", "invoices:write", "reports:read"],
    })
}

/// Every way in which the API can prove itself.
async fn authentications(provider: &Provider) -> Vec<ClientAuthentication> {
    let mut all = vec![
        basic(),
        ClientAuthentication::secret_post("rs-post", "rs-post:+%& secret"),
    ];
    let keys: Value = serde_json::from_str(&provider.text("/control/client-keys").await).unwrap();
    for algorithm in [
        Algorithm::RS256,
        Algorithm::PS256,
        Algorithm::ES256,
        Algorithm::EdDSA,
    ] {
        let pem = keys[algorithm.name()].as_str().unwrap();
        let key = PrivateKey::from_pem(algorithm, pem).unwrap();
        let id = format!("rs-{}", algorithm.name().to_lowercase());
        all.push(ClientAuthentication::private_key_jwt(id, key));
    }
    // Some servers want it so, and this one takes either.
    let key = PrivateKey::from_pem(Algorithm::ES256, keys["ES256"].as_str().unwrap()).unwrap();
    all.push(
        ClientAuthentication::private_key_jwt("rs-es256", key)
            .with_assertion_audience(AssertionAudience::Endpoint),
    );
    all
}

#[tokio::test]
async fn an_opaque_token_is_a_machines_or_a_users_by_every_client_authentication() {
    let provider = Provider::start().await;
    let machine_token = provider.machine_token_for(CLIENT, VAULT, ALL_SCOPES).await;
    let user = provider.user_tokens_for("user-alice", VAULT, "invoices:read");
    let user_token = user.await.access;
    assert!(!machine_token.contains('.') && !user_token.contains('.'));
    let user = json!({
        "kind": "delegated_user",
        "client": "app-ledger",
        "user": "user-alice",
        "organization": "org_acme",
        "scopes": ["invoices:read"],
    });
    for authentication in authentications(&provider).await {
        let case = format!("{authentication:?}");
        let api = Api::new(&provider, authentication).await;
        assert_eq!(api.whoami(&machine_token).await, machine(), "{case}");
        assert_eq!(api.whoami(&user_token).await, user, "{case}");
        assert_eq!(api.get("/now", &machine_token).await.0, 200, "{case}");
        assert_eq!(api.get("/now", &user_token).await.0, 200, "{case}");
    }
}

#[tokio::test]
async fn jwts_of_the_same_server_are_verified_without_asking() {
    let provider = Provider::start().await;
    let api = Api::new(&provider, basic()).await;
    let jwt = provider.machine_token(CLIENT).await;
    let opaque = provider.machine_token_for(CLIENT, VAULT, ALL_SCOPES).await;
    assert_eq!(api.whoami(&jwt).await, machine());
    assert_eq!(api.whoami(&opaque).await, machine());
    // This server answers about no JWT, so that none is certain.
    assert_eq!(api.get("/now", &jwt).await.0, 503);
    assert_eq!(api.whoami(&jwt).await, machine());
}

#[tokio::test]
async fn an_opaque_token_for_another_api_is_refused() {
    let provider = Provider::start().await;
    let api = Api::new(&provider, basic()).await;
    let other = "https://cellar.acme.test";
    let token = provider.machine_token_for(CLIENT, other, ALL_SCOPES).await;
    assert_eq!(
        api.refusal("/whoami", &token).await,
        Some(Refusal::Audience)
    );
    let made_up = api.refusal("/whoami", "made-up").await;
    assert_eq!(made_up, Some(Refusal::Inactive));
}

#[tokio::test]
async fn a_revoked_token_is_refused_at_once_where_it_is_asked_and_else_after_the_cache_time() {
    let provider = Provider::start().await;
    let active_for = Duration::from_secs(3);
    let api = Api::remembering(&provider, basic(), active_for).await;
    let machines = [
        provider.machine_token_for(CLIENT, VAULT, ALL_SCOPES).await,
        provider.machine_token_for(CLIENT, VAULT, ALL_SCOPES).await,
    ];
    let user = provider.user_tokens_for("user-alice", VAULT, "invoices:read");
    let user = user.await.access;
    for token in machines.iter().chain([&user]) {
        assert_eq!(api.refusal("/whoami", token).await, None);
    }
    provider.revoke(CLIENT, &machines[0]).await;
    provider.revoke("app-ledger", &user).await;
    let inactive = Some(Refusal::Inactive);
    assert_eq!(api.refusal("/now", &machines[0]).await, inactive, "asked");
    assert_eq!(
        api.refusal("/whoami", &machines[0]).await,
        inactive,
        "as found out"
    );
    tokio::time::sleep(active_for).await;
    assert_eq!(
        api.refusal("/whoami", &user).await,
        inactive,
        "after the cache time"
    );
    // Another token of the same client is none of this.
    assert_eq!(api.refusal("/now", &machines[1]).await, None);
}

/// An opaque token that is bound to this key.
async fn bound_token(provider: &Provider, key: &DpopKey) -> String {
    let endpoint = format!("{}/token", provider.issuer);
    let now = SystemClock::new().unix_time();
    let proof = key.proof("POST", &endpoint, "", now).without_claim("ath");
    let request = provider
        .token_request(&[
            ("grant_type", "client_credentials"),
            ("resource", VAULT),
            ("scope", ALL_SCOPES),
        ])
        .basic_auth(CLIENT, Some(format!("{CLIENT}-secret")))
        .header("dpop", proof.mint());
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["token_type"], "DPoP", "{answer}");
    answer["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_opaque_token_that_is_bound_to_a_key_needs_a_proof_each_time() {
    let provider = Provider::start().await;
    let (key, stranger) = (DpopKey::new(), DpopKey::new());
    let token = bound_token(&provider, &key).await;
    let (off, on) = (
        Api::new(&provider, basic()).await,
        Api::with_dpop(&provider).await,
    );
    assert_eq!(
        off.refusal("/whoami", &token).await,
        Some(Refusal::UnprovenConfirmation)
    );
    for (path, prover, status) in [
        ("/whoami", Some(&key), 200),
        ("/now", Some(&key), 200),
        ("/whoami", Some(&key), 200),
        ("/whoami", Some(&stranger), 401),
        ("/now", Some(&stranger), 401),
        ("/whoami", None, 401),
    ] {
        let mut request = Request::get(path).header("authorization", format!("DPoP {token}"));
        if let Some(key) = prover {
            let now = SystemClock::new().unix_time();
            let proof = key.proof("GET", &format!("{API}{path}"), &token, now);
            request = request.header("dpop", proof.mint());
        }
        let answered = on.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answered.0, status, "{path}: {answered:?}");
    }
    let as_bearer = on.refusal("/whoami", &token).await;
    assert_eq!(as_bearer, Some(Refusal::UnprovenConfirmation));
}

#[tokio::test]
async fn an_expired_token_is_inactive() {
    let provider = Provider::start().await;
    let api = Api::remembering(&provider, basic(), Duration::from_secs(1)).await;
    // The endpoint is known before the token's two seconds begin.
    api.refusal("/whoami", "made-up").await;
    let token = provider
        .machine_token_for("m2m-brief", VAULT, ALL_SCOPES)
        .await;
    assert_eq!(api.refusal("/whoami", &token).await, None);
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(
        api.refusal("/whoami", &token).await,
        Some(Refusal::Inactive)
    );
}

#[tokio::test]
async fn a_client_that_the_server_does_not_know_lets_nobody_in() {
    let provider = Provider::start().await;
    let token = provider.machine_token_for(CLIENT, VAULT, ALL_SCOPES).await;
    for authentication in [
        ClientAuthentication::secret_basic("rs-basic", "a wrong secret"),
        ClientAuthentication::secret_post("rs-post", "a wrong secret"),
        ClientAuthentication::secret_basic("nobody", "a wrong secret"),
    ] {
        let api = Api::new(&provider, authentication).await;
        let (status, kind, _) = api.get("/whoami", &token).await;
        assert_eq!(
            (status, kind),
            (503, Some(DenialKind::IntrospectionUnavailable))
        );
    }
    // A client that may not ask is told that every token is inactive.
    let caller = ClientAuthentication::secret_basic(CLIENT, format!("{CLIENT}-secret"));
    let api = Api::new(&provider, caller).await;
    assert_eq!(
        api.refusal("/whoami", &token).await,
        Some(Refusal::Inactive)
    );
}
