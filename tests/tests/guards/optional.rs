//! Extractors that are not insisted on.

use axum::Router;
use axum::routing::get;
use countersign::{
    DenialKind, Denied, GuardedRouter, Optional, Principal, Scoped, Tenant, TenantScoped,
};

use crate::support::{Invoices, Read, ask, everything, issuer, machine, status, trusting};

/// The reason for which nobody was let in, or who was.
fn told<T>(caller: Result<T, Denied>) -> String {
    caller.map_or_else(|denied| denied.kind().to_string(), |_| "in".to_owned())
}

#[tokio::test]
async fn nobody_is_somebody_only_where_the_layer_is_optional() {
    let issuer = issuer();
    let authenticator = trusting(&issuer).await;
    let whether = async |caller: Option<Principal>| caller.is_some().to_string();
    let router = || Router::new().route("/", get(whether));
    let guarded = GuardedRouter::new().get(Optional, "/", whether);
    let good = machine(&issuer).mint();
    let bad = machine(&issuer).expired().mint();
    // With no token, a good one and a bad one.
    for (way, app, expected) in [
        (
            "the layer",
            router().layer(authenticator.layer()),
            [401, 200, 401],
        ),
        (
            "the optional layer",
            router().layer(authenticator.layer().optional()),
            [200, 200, 401],
        ),
        (
            "a route of `Optional`",
            guarded.build(&authenticator).unwrap(),
            [200, 200, 401],
        ),
        ("no layer", router(), [500, 500, 500]),
    ] {
        for (token, expected) in ["", &good, &bad].into_iter().zip(expected) {
            let answer = ask(&app, "GET /", token).await;
            assert_eq!(answer.status, expected, "{way}: {answer:?}");
            if expected == 200 {
                let is_somebody = (!token.is_empty()).to_string();
                assert_eq!(answer.body, is_somebody, "{way}");
            }
        }
    }
}

/// A handler that takes a `Result` has taken it upon itself to refuse. What it is told is the truth.
#[tokio::test]
async fn a_handler_that_takes_a_result_is_told_why_and_nothing_better() {
    let issuer = issuer();
    let authenticator = trusting(&issuer).await;
    let router = || {
        Router::new()
            .route(
                "/caller",
                get(async |one: Result<Principal, Denied>| told(one)),
            )
            .route(
                "/scoped",
                get(async |one: Result<Scoped<Read>, Denied>| told(one)),
            )
            .route(
                "/tenant",
                get(async |one: Result<Tenant, Denied>| told(one)),
            )
            .route(
                "/state",
                get(async |one: Result<TenantScoped<Invoices>, Denied>| told(one)),
            )
    };
    let bare = router().with_state(everything());
    let optional = router().layer(authenticator.layer().optional());
    let optional = optional.with_state(everything());
    let nothing = machine(&issuer).without_claim("scope");
    let nothing = nothing.without_claim("org_id").mint();
    let no_scope = DenialKind::InsufficientScope;
    let no_tenant = DenialKind::OrganizationRequired;
    for (path, of_nothing) in [
        ("GET /caller", "in".to_owned()),
        ("GET /scoped", no_scope.to_string()),
        ("GET /tenant", no_tenant.to_string()),
        ("GET /state", no_tenant.to_string()),
    ] {
        let missing = DenialKind::MissingLayer.to_string();
        let good = machine(&issuer).mint();
        assert_eq!(ask(&bare, path, &good).await.body, missing, "{path}");
        let nobody = DenialKind::MissingCredential.to_string();
        assert_eq!(ask(&optional, path, "").await.body, nobody, "{path}");
        assert_eq!(ask(&optional, path, &nothing).await.body, of_nothing);
        assert_eq!(ask(&optional, path, &good).await.body, "in", "{path}");
        assert_eq!(status(&optional, path, "a.b.c").await, 401, "{path}");
    }
}
