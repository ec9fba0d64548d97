//! What whoever lacks a scope is told, to the byte.

use axum::Router;
use axum::routing::get;
use countersign_bearer::{Authenticator, AuthenticatorBuilder, DenialKind};
use countersign_scope::{RequireScopes, ScopePolicy, require, scopes};
use http::StatusCode;

use crate::support::{
    AUDIENCE, Answer, INSUFFICIENT_SCOPE, built, get as ask, get_with_token, granted, issuer,
};

scopes! {
    Single = "invoices:read";
    Both = "accounts:read" && "transfers:write";
    Either = "audit:read" || "admin";
    PairFirst = ("accounts:read" && "transfers:write") || "admin";
    Odd = "{scope}" || "admin";
}

fn denial(challenge: &str) -> Answer {
    Answer {
        status: StatusCode::FORBIDDEN,
        kind: Some(DenialKind::InsufficientScope),
        challenges: vec![challenge.to_owned()],
        content_type: Some("application/problem+json".to_owned()),
        cache_control: Some("no-store".to_owned()),
        body: INSUFFICIENT_SCOPE.to_owned(),
    }
}

fn challenge(scope: &str) -> String {
    format!(
        "Bearer realm=\"api\", error=\"insufficient_scope\", \
         error_description=\"The token does not grant the scope that is needed\", scope=\"{scope}\""
    )
}

fn guarded_by(guard: RequireScopes) -> Router {
    Router::new()
        .route("/", get(|| async {}))
        .route_layer(guard)
}

#[tokio::test]
async fn whoever_lacks_a_scope_is_told_of_the_first_alternative_and_of_no_other() {
    let guards = [
        (require::<Single>(), "invoices:read"),
        (require::<Both>(), "accounts:read transfers:write"),
        (require::<Either>(), "audit:read"),
        (require::<PairFirst>(), "accounts:read transfers:write"),
        (require::<Odd>(), "{scope}"),
        (RequireScopes::all(["b", "a"]).unwrap(), "b a"),
        (RequireScopes::any(["b", "a"]).unwrap(), "b"),
    ];
    for (guard, scope) in guards {
        let app = guarded_by(guard).layer(granted("other"));
        assert_eq!(ask(&app, "/").await, denial(&challenge(scope)));
    }
}

/// Neither what is there already nor what is missing of another alternative changes the answer.
#[tokio::test]
async fn what_the_token_grants_is_not_told() {
    for scopes in ["", "accounts:read", "transfers:write", "admin2 secret"] {
        let app = guarded_by(require::<PairFirst>()).layer(granted(scopes));
        let expected = denial(&challenge("accounts:read transfers:write"));
        assert_eq!(ask(&app, "/").await, expected, "{scopes:?}");
    }
}

async fn answer_of<P: ScopePolicy>(
    settings: impl FnOnce(AuthenticatorBuilder) -> AuthenticatorBuilder,
) -> Answer {
    let issuer = issuer();
    let builder = Authenticator::builder().issuer(issuer.trusted_for(AUDIENCE));
    let authenticator = built(settings(builder)).await;
    let app = guarded_by(require::<P>()).layer(authenticator.layer());
    let token = issuer
        .service_principal("m2m-acme")
        .with_audience(AUDIENCE)
        .with_scopes(["other"]);
    get_with_token(&app, "/", &token.mint()).await
}

#[tokio::test]
async fn the_challenge_names_the_metadata_of_the_resource_where_one_is_configured() {
    let answer = answer_of::<Either>(|builder| builder.with_resource("https://api.acme.test/v1"));
    let expected = denial(concat!(
        "Bearer realm=\"https://api.acme.test/v1\", error=\"insufficient_scope\", ",
        "error_description=\"The token does not grant the scope that is needed\", ",
        "scope=\"audit:read\", ",
        "resource_metadata=\"https://api.acme.test/.well-known/oauth-protected-resource/v1\"",
    ));
    assert_eq!(answer.await, expected);
}

#[tokio::test]
async fn the_challenge_has_the_configured_realm() {
    let answer = answer_of::<Either>(|builder| builder.with_realm("acme \"prod\"")).await;
    assert_eq!(
        answer.challenges,
        [challenge("audit:read").replace("\"api\"", r#""acme \"prod\"""#)],
    );
}

#[tokio::test]
async fn the_body_has_the_configured_format_and_the_challenge_stays() {
    let answer = answer_of::<Either>(|builder| {
        builder.with_denial_body(|kind| {
            let text = format!("denied: {kind}");
            (http::HeaderValue::from_static("text/plain"), text.into())
        })
    });
    let answer = answer.await;
    assert_eq!(answer.body, "denied: insufficient_scope");
    assert_eq!(answer.content_type.as_deref(), Some("text/plain"));
    assert_eq!(answer.challenges, [challenge("audit:read")]);
}
