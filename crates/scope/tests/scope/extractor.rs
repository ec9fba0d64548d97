//! `Scoped<P>` in handlers.

use axum::extract::FromRequestParts;
use axum::routing::get;
use axum::{Json, Router};
use countersign_bearer::{Authenticator, DenialKind, Denied, Principal};
use countersign_scope::{Scoped, require, scopes};
use countersign_testing::{anonymous, authenticated, delegated_user};
use http::StatusCode;

use crate::missing_layer::{is_programming_error, is_without_credential};
use crate::support::{AUDIENCE, INSUFFICIENT_SCOPE, built, get as ask, granted, issuer};

scopes! {
    Read = "invoices:read";
    Write = "invoices:write" || "admin";
}

async fn read(_: Scoped<Read>) -> &'static str {
    "invoices"
}

async fn read_and_write(_: Scoped<Read>, _: Scoped<Write>) {}

fn app() -> Router {
    Router::new()
        .route("/read", get(read))
        .route("/both", get(read_and_write))
}

#[tokio::test]
async fn a_handler_is_reached_by_whoever_meets_every_policy_of_it() {
    let cases = [
        ("/read", "invoices:read", None),
        ("/read", "invoices:write admin", Some("invoices:read")),
        ("/read", "", Some("invoices:read")),
        ("/both", "invoices:read invoices:write", None),
        ("/both", "invoices:read admin", None),
        ("/both", "invoices:read", Some("invoices:write")),
        ("/both", "admin", Some("invoices:read")),
        ("/both", "", Some("invoices:read")),
    ];
    for (path, scopes, missing) in cases {
        let answer = ask(&app().layer(granted(scopes)), path).await;
        let Some(missing) = missing else {
            assert_eq!(answer.status, StatusCode::OK, "{path} {scopes:?}");
            continue;
        };
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} {scopes:?}");
        assert_eq!(answer.kind, Some(DenialKind::InsufficientScope));
        assert_eq!(answer.body, INSUFFICIENT_SCOPE);
        let [challenge] = &answer.challenges[..] else {
            panic!("{answer:?}");
        };
        let told = format!(", scope=\"{missing}\"");
        assert!(challenge.ends_with(&told), "{challenge}");
    }
}

#[tokio::test]
async fn an_extractor_and_a_guard_around_it_must_both_be_met() {
    let app = app().route_layer(require::<Write>());
    for (scopes, status) in [
        ("invoices:read", StatusCode::FORBIDDEN),
        ("admin", StatusCode::FORBIDDEN),
        ("invoices:read admin", StatusCode::OK),
    ] {
        let app = app.clone().layer(granted(scopes));
        assert_eq!(ask(&app, "/read").await.status, status, "{scopes:?}");
    }
}

#[tokio::test]
async fn it_hands_over_the_principal() {
    async fn of_the_caller(scoped: Scoped<Read>, principal: Principal) -> Json<bool> {
        let clone = scoped.clone();
        let is_caller = |one: &Principal| {
            one.user() == Some("ann")
                && one.scopes().contains("invoices:read")
                && one.organization() == principal.organization()
        };
        Json(is_caller(&scoped) && is_caller(&clone) && is_caller(&scoped.into_principal()))
    }
    let app = Router::new()
        .route("/", get(of_the_caller))
        .layer(authenticated(delegated_user(
            "org_acme",
            "ann",
            ["invoices:read"],
        )));
    assert_eq!(ask(&app, "/").await.body, "true");
}

#[tokio::test]
async fn without_the_authentication_layer_it_is_a_500_and_never_a_pass() {
    for path in ["/read", "/both"] {
        is_programming_error(&ask(&app(), path).await);
    }
}

#[tokio::test]
async fn nobody_behind_an_optional_layer_is_a_401() {
    let builder = Authenticator::builder().issuer(issuer().trusted_for(AUDIENCE));
    let optional = built(builder).await.layer().optional();
    for app in [app().layer(anonymous()), app().layer(optional)] {
        is_without_credential(&ask(&app, "/read").await);
    }
}

/// The handler may look at the denial and answer as it likes, or hand it on as it would have been.
#[tokio::test]
async fn a_handler_that_takes_a_result_sees_why_it_is_denied() {
    async fn lenient(caller: Result<Scoped<Read>, Denied>) -> Result<String, Denied> {
        match caller {
            Ok(caller) => Ok(format!("all, {}", caller.scopes())),
            Err(denied) if denied.kind() == DenialKind::InsufficientScope => {
                Ok(format!("a few, for want of {:?}", denied.scope()))
            }
            Err(denied) => Err(denied),
        }
    }
    let app = || Router::new().route("/", get(lenient));
    let cases = [
        ("invoices:read", "all, invoices:read"),
        ("other", r#"a few, for want of Some("invoices:read")"#),
    ];
    for (scopes, expected) in cases {
        let answer = ask(&app().layer(granted(scopes)), "/").await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.body, expected);
    }
    is_without_credential(&ask(&app().layer(anonymous()), "/").await);
    is_programming_error(&ask(&app(), "/").await);
}

/// Otherwise `Option<Scoped<P>>` would turn a denial into `None`.
#[test]
fn an_optional_one_is_no_extractor() {
    trait OneOf<Which> {
        fn of() {}
    }
    struct Extractor;
    impl<T> OneOf<()> for T {}
    impl<T: FromRequestParts<()>> OneOf<Extractor> for T {}
    // Compiles only as long as a single implementation fits.
    <Option<Scoped<Read>> as OneOf<_>>::of();
    <Scoped<Read> as OneOf<Extractor>>::of();
}
