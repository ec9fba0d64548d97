//! Tokens that the authorization server binds to a client's key.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use axum::routing::get;
use countersign::{Algorithm, Authenticator, Clock, Dpop, DpopNonces, Principal, SystemClock};
use countersign_testing::DpopKey;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::flows::{ALL_SCOPES, API, claims};
use crate::provider::Provider;

const CLIENT: &str = "m2m-rs256";
const URI: &str = "https://api.acme.test/invoices";

/// What the token endpoint answers to a proof with this nonce: status, nonce and body.
async fn token(
    provider: &Provider,
    key: &DpopKey,
    nonce: Option<&str>,
) -> (u16, Option<String>, Value) {
    let endpoint = format!("{}/token", provider.issuer);
    let now = SystemClock::new().unix_time();
    let mut proof = key.proof("POST", &endpoint, "", now).without_claim("ath");
    if let Some(nonce) = nonce {
        proof = proof.with_nonce(nonce);
    }
    let request = provider
        .token_request(&[
            ("grant_type", "client_credentials"),
            ("resource", API),
            ("scope", ALL_SCOPES),
        ])
        .basic_auth(CLIENT, Some(format!("{CLIENT}-secret")))
        .header("dpop", proof.mint());
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let nonce = answer.headers().get("dpop-nonce");
    let nonce = nonce.map(|nonce| nonce.to_str().unwrap().to_owned());
    (status, nonce, answer.json().await.unwrap())
}

async fn app(provider: &Provider, dpop: Dpop) -> Router {
    let issuer = countersign::Issuer::new(provider.issuer.as_str(), API);
    let issuer = issuer.with_algorithms([Algorithm::RS256]);
    let authenticator = Authenticator::builder().issuer(issuer).with_dpop(dpop);
    let authenticator = authenticator.build().await.unwrap();
    let whoami = |principal: Principal| async move { principal.client().unwrap().to_owned() };
    Router::new()
        .route("/invoices", get(whoami))
        .layer(authenticator.layer())
}

async fn ask(app: &Router, scheme: &str, token: &str, proof: Option<&str>) -> (u16, HeaderMap) {
    let mut request =
        Request::get("/invoices").header("authorization", format!("{scheme} {token}"));
    if let Some(proof) = proof {
        request = request.header("dpop", proof);
    }
    let request = request.body(Body::empty()).unwrap();
    let answer = app.clone().oneshot(request).await.unwrap();
    (answer.status().as_u16(), answer.headers().clone())
}

fn proof(key: &DpopKey, token: &str) -> countersign_testing::ProofBuilder {
    key.proof("GET", URI, token, SystemClock::new().unix_time())
}

#[tokio::test]
async fn a_bound_token_opens_the_api_with_a_proof_of_its_key_and_with_nothing_else() {
    let provider = Provider::start().await;
    let (key, stranger) = (DpopKey::new(), DpopKey::new());
    let (status, _, answer) = token(&provider, &key, None).await;
    assert_eq!(
        (status, &answer["token_type"]),
        (200, &json!("DPoP")),
        "{answer}"
    );
    let token = answer["access_token"].as_str().unwrap();
    assert_eq!(claims(token)["cnf"]["jkt"], json!(key.thumbprint()));

    let app = app(&provider, Dpop::allowed(API)).await;
    let good = proof(&key, token).mint();
    assert_eq!(ask(&app, "DPoP", token, Some(&good)).await.0, 200);
    let refused = [
        ("the proof again", "DPoP", Some(good)),
        ("no proof", "DPoP", None),
        ("as a bearer", "Bearer", None),
        (
            "as a bearer with a proof",
            "Bearer",
            Some(proof(&key, token).mint()),
        ),
        (
            "another key's proof",
            "DPoP",
            Some(proof(&stranger, token).mint()),
        ),
        (
            "a proof for another token",
            "DPoP",
            Some(proof(&key, "x").mint()),
        ),
    ];
    for (case, scheme, proof) in refused {
        let (status, _) = ask(&app, scheme, token, proof.as_deref()).await;
        assert_eq!(status, 401, "{case}");
    }
    // The provider's bearer tokens stay what they were.
    let bearer = provider.machine_token(CLIENT).await;
    assert_eq!(ask(&app, "Bearer", &bearer, None).await.0, 200);
    assert_eq!(
        ask(&app, "DPoP", &bearer, Some(&proof(&key, &bearer).mint()))
            .await
            .0,
        401
    );
}

#[tokio::test]
async fn nonces_are_asked_for_by_either_server_and_repeated_by_the_client() {
    let provider = Provider::start().await;
    provider.require_nonces().await;
    let key = DpopKey::new();
    let (status, nonce, answer) = token(&provider, &key, None).await;
    assert_eq!(
        (status, &answer["error"]),
        (400, &json!("use_dpop_nonce")),
        "{answer}"
    );
    let (status, _, answer) = token(&provider, &key, nonce.as_deref()).await;
    assert_eq!(status, 200, "{answer}");
    let token = answer["access_token"].as_str().unwrap();

    let ours = Dpop::required(API).with_nonces(DpopNonces::random());
    let app = app(&provider, ours).await;
    let theirs = proof(&key, token).with_nonce(&nonce.unwrap());
    let (status, headers) = ask(&app, "DPoP", token, Some(&theirs.mint())).await;
    assert_eq!(status, 401);
    let challenge = headers["www-authenticate"].to_str().unwrap();
    assert!(
        challenge.contains("error=\"use_dpop_nonce\""),
        "{challenge}"
    );
    let fresh = headers["dpop-nonce"].to_str().unwrap();
    let again = proof(&key, token).with_nonce(fresh).mint();
    assert_eq!(ask(&app, "DPoP", token, Some(&again)).await.0, 200);
}
