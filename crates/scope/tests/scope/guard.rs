//! `require::<P>()` around routers.

use axum::Router;
use axum::routing::{get, post};
use countersign_bearer::DenialKind;
use countersign_scope::{require, scopes};
use http::{Method, StatusCode};

use crate::support::{ask, granted};

scopes! {
    Admin = "admin";
    Audit = "audit:read";
}

#[tokio::test]
async fn every_route_and_method_of_a_guarded_router_is_guarded() {
    let guarded = Router::new()
        .route("/users", get(|| async { "users" }).post(|| async {}))
        .route("/users/{id}", get(|| async { "user" }))
        .nest("/deep", Router::new().route("/er", post(|| async {})))
        .route_layer(require::<Admin>());
    let cases = [
        (Method::GET, "/users", StatusCode::OK),
        (Method::HEAD, "/users", StatusCode::OK),
        (Method::POST, "/users", StatusCode::OK),
        (Method::GET, "/users/1", StatusCode::OK),
        (Method::HEAD, "/users/1", StatusCode::OK),
        (Method::POST, "/deep/er", StatusCode::OK),
        // The guard answers before the method is looked at.
        (Method::DELETE, "/users", StatusCode::METHOD_NOT_ALLOWED),
        (Method::OPTIONS, "/users", StatusCode::METHOD_NOT_ALLOWED),
    ];
    for (method, path, with_scope) in cases {
        let allowed = guarded.clone().layer(granted("admin"));
        let answer = ask(&allowed, method.clone(), path).await;
        assert_eq!(answer.status, with_scope, "{method} {path}");
        let forbidden = guarded.clone().layer(granted("audit:read"));
        let answer = ask(&forbidden, method.clone(), path).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{method} {path}");
    }
}

#[tokio::test]
async fn a_head_request_is_answered_like_a_get_without_the_body() {
    let app = Router::new()
        .route("/", get(|| async { "users" }))
        .route_layer(require::<Admin>())
        .layer(granted("other"));
    let of_get = ask(&app, Method::GET, "/").await;
    let of_head = ask(&app, Method::HEAD, "/").await;
    assert_eq!(of_head.status, StatusCode::FORBIDDEN);
    assert_eq!(of_head.challenges, of_get.challenges);
    assert_eq!(of_head.body, "");
}

#[tokio::test]
async fn a_fallback_is_guarded_by_layer_and_left_alone_by_route_layer() {
    let router = || {
        Router::new()
            .route("/", get(|| async {}))
            .fallback(|| async { "fallback" })
    };
    let cases = [
        (router().layer(require::<Admin>()), StatusCode::FORBIDDEN),
        (router().route_layer(require::<Admin>()), StatusCode::OK),
    ];
    for (app, of_fallback) in cases {
        let app = app.layer(granted("other"));
        let answer = ask(&app, Method::GET, "/nowhere").await;
        assert_eq!(answer.status, of_fallback);
        let answer = ask(&app, Method::GET, "/").await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    }
}

#[tokio::test]
async fn routes_merged_or_added_after_the_guard_are_not_guarded_by_it() {
    let audit = Router::new()
        .route("/audit", get(|| async {}))
        .route_layer(require::<Audit>())
        .route("/later", get(|| async {}));
    let app = Router::new()
        .route("/open", get(|| async {}))
        .merge(audit)
        .layer(granted("other"));
    let cases = [
        ("/audit", StatusCode::FORBIDDEN),
        ("/later", StatusCode::OK),
        ("/open", StatusCode::OK),
        ("/nowhere", StatusCode::NOT_FOUND),
    ];
    for (path, status) in cases {
        assert_eq!(ask(&app, Method::GET, path).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn guards_around_each_other_must_all_be_met() {
    let app = Router::new()
        .nest(
            "/admin",
            Router::new()
                .route("/audit", get(|| async {}))
                .route_layer(require::<Audit>()),
        )
        .route_layer(require::<Admin>());
    let cases = [
        ("admin audit:read", StatusCode::OK, None),
        ("admin", StatusCode::FORBIDDEN, Some("scope=\"audit:read\"")),
        ("audit:read", StatusCode::FORBIDDEN, Some("scope=\"admin\"")),
        ("", StatusCode::FORBIDDEN, Some("scope=\"admin\"")),
    ];
    for (scopes, status, told) in cases {
        let app = app.clone().layer(granted(scopes));
        let answer = ask(&app, Method::GET, "/admin/audit").await;
        assert_eq!(answer.status, status, "{scopes:?}");
        let is_told = |told| answer.challenges.iter().any(|one| one.ends_with(told));
        assert!(told.is_none_or(is_told), "{answer:?}");
    }
}

#[tokio::test]
async fn a_denied_request_reaches_no_handler() {
    let app = Router::new()
        .route("/", get(|| async { panic!("reached") as () }))
        .route_layer(require::<Admin>())
        .layer(granted("other"));
    let answer = ask(&app, Method::GET, "/").await;
    assert_eq!(answer.kind, Some(DenialKind::InsufficientScope));
}
