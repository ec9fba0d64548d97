//! A guard without the authentication layer, and behind an optional one.

use axum::Router;
use axum::routing::get;
use countersign_bearer::{Authenticator, DenialKind};
use countersign_scope::{RequireScopes, require, scopes};
use countersign_testing::anonymous;
use http::StatusCode;

use crate::support::{AUDIENCE, Answer, built, get as ask, get_with_token, granted, issuer};

scopes! {
    Read = "invoices:read";
}

pub(crate) fn is_programming_error(answer: &Answer) {
    let expected = Answer {
        status: StatusCode::INTERNAL_SERVER_ERROR,
        kind: Some(DenialKind::MissingLayer),
        challenges: vec![],
        content_type: Some("application/problem+json".to_owned()),
        cache_control: Some("no-store".to_owned()),
        body: concat!(
            r#"{"type":"about:blank","title":"Internal Server Error","status":500,"#,
            r#""error":"server_error","error_description":"The service is misconfigured"}"#
        )
        .to_owned(),
    };
    assert_eq!(*answer, expected);
}

/// Whose body says nothing of scopes, and whose challenge has no error code.
pub(crate) fn is_without_credential(answer: &Answer) {
    let expected = Answer {
        status: StatusCode::UNAUTHORIZED,
        kind: Some(DenialKind::MissingCredential),
        challenges: vec!["Bearer realm=\"api\"".to_owned()],
        content_type: Some("application/problem+json".to_owned()),
        cache_control: Some("no-store".to_owned()),
        body: r#"{"type":"about:blank","title":"Unauthorized","status":401}"#.to_owned(),
    };
    assert_eq!(*answer, expected);
}

fn unreachable_when_guarded_by(guard: RequireScopes) -> Router {
    Router::new()
        .route("/", get(|| async { panic!("reached") as () }))
        .route_layer(guard)
}

#[tokio::test]
async fn a_guard_without_the_authentication_layer_is_a_500_and_never_a_pass() {
    for guard in [require::<Read>(), RequireScopes::any(["a"]).unwrap()] {
        let app = unreachable_when_guarded_by(guard);
        is_programming_error(&ask(&app, "/").await);
        // A credential makes no difference: nobody has verified it.
        is_programming_error(&get_with_token(&app, "/", "a.b.c").await);
    }
}

#[tokio::test]
async fn a_guard_outside_of_the_authentication_layer_is_a_500_though_the_token_is_good() {
    let issuer = issuer();
    let builder = Authenticator::builder().issuer(issuer.trusted_for(AUDIENCE));
    let authenticator = built(builder).await;
    let token = issuer
        .service_principal("m2m-acme")
        .with_audience(AUDIENCE)
        .with_scopes(["invoices:read"])
        .mint();
    let router = || Router::new().route("/", get(|| async {}));

    let wrong = router()
        .route_layer(authenticator.layer())
        .route_layer(require::<Read>());
    is_programming_error(&get_with_token(&wrong, "/", &token).await);
    let right = router()
        .route_layer(require::<Read>())
        .route_layer(authenticator.layer());
    let answer = get_with_token(&right, "/", &token).await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn a_route_added_after_the_authentication_layer_is_a_500_where_it_has_a_guard() {
    let guarded = Router::new()
        .route("/guarded", get(|| async {}))
        .route_layer(require::<Read>());
    let app = Router::new()
        .route("/", get(|| async {}))
        .layer(granted("invoices:read"))
        .merge(guarded);
    is_programming_error(&ask(&app, "/guarded").await);
}

#[tokio::test]
async fn nobody_behind_an_optional_layer_is_a_401() {
    let app = unreachable_when_guarded_by(require::<Read>()).layer(anonymous());
    is_without_credential(&ask(&app, "/").await);

    let builder = Authenticator::builder().issuer(issuer().trusted_for(AUDIENCE));
    let authenticator = built(builder).await;
    let app =
        unreachable_when_guarded_by(require::<Read>()).layer(authenticator.layer().optional());
    is_without_credential(&ask(&app, "/").await);
    // Present and bad is not absent.
    let answer = get_with_token(&app, "/", "a.b.c").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(matches!(answer.kind, Some(DenialKind::InvalidToken(_))));
}
