//! Path parameters that name a tenant.

use axum::Router;
use axum::routing::{any, get};
use http::{Request, StatusCode};

use crate::support::{App, whose};

#[tokio::test]
async fn a_path_parameter_that_names_a_tenant_must_name_the_tokens_own() {
    let cases = [
        // Of each reserved name.
        ("/orgs/{org_id}/x", "/orgs/org_acme/x", true),
        ("/orgs/{org_id}/x", "/orgs/org_other/x", false),
        ("/{organization_id}", "/org_acme", true),
        ("/{organization_id}", "/org_other", false),
        ("/t/{tenant_id}", "/t/org_acme", true),
        ("/t/{tenant_id}", "/t/org_other", false),
        // Other names are other things.
        ("/i/{id}", "/i/org_other", true),
        ("/i/{org}", "/i/org_other", true),
        ("/i/{ORG_ID}", "/i/org_other", true),
        ("/i/{my_org_id}", "/i/org_other", true),
        // Exactly.
        ("/o/{org_id}", "/o/ORG_ACME", false),
        ("/o/{org_id}", "/o/org_acm", false),
        ("/o/{org_id}", "/o/org_acme2", false),
        ("/o/{org_id}", "/o/*", false),
        ("/o/{org_id}", "/o/%20org_acme", false),
        ("/o/{org_id}", "/o/org_acme%00", false),
        ("/o/{org_id}", "/o/org_acme%2F", false),
        ("/o/{org_id}", "/o/org_acme;v=1", false),
        ("/o/{org_id}", "/o/org_acme,org_acme", false),
        // Decoded once.
        ("/o/{org_id}", "/o/org%5Facme", true),
        ("/o/{org_id}", "/o/%6f%72%67_acme", true),
        ("/o/{org_id}", "/o/org%255Facme", false),
        ("/o/{org_id}", "/o/org%5", false),
        ("/o/{org_id}", "/o/org%zzacme", false),
        // A query is no path.
        ("/o/{org_id}", "/o/org_acme?org_id=org_other", true),
        ("/o/{org_id}", "/o/org_other?org_id=org_acme", false),
    ];
    for (route, path, agrees) in cases {
        let app = App::new(Router::new().route(route, get(whose))).await;
        let answer = app.get_as("org_acme", path).await;
        if agrees {
            assert!(answer.is_of("org_acme"), "{path}: {answer:?}");
        } else {
            assert!(answer.is_not_found(), "{path}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn an_identifier_may_have_any_characters_that_a_path_can_encode() {
    let app = App::new(Router::new().route("/o/{org_id}", get(whose))).await;
    let cases = [
        ("a/b", "/o/a%2Fb", true),
        ("a/b", "/o/a%2fb", true),
        ("a/b", "/o/a%252Fb", false),
        ("soci\u{e9}t\u{e9}", "/o/soci%C3%A9t%C3%A9", true),
        // The same by the look, decomposed.
        ("soci\u{e9}t\u{e9}", "/o/socie%CC%81te%CC%81", false),
        ("a%5Fb", "/o/a%255Fb", true),
        ("a%5Fb", "/o/a%5Fb", false),
        ("a b", "/o/a%20b", true),
        ("a b", "/o/a+b", false),
        ("..", "/o/..", true),
    ];
    for (organization, path, agrees) in cases {
        let answer = app.get_as(organization, path).await;
        assert_eq!(answer.is_of(organization), agrees, "{path}: {answer:?}");
        assert_eq!(answer.is_not_found(), !agrees, "{path}: {answer:?}");
    }
}

/// A parameter that cannot be read hides all others from whoever asks axum for them.
#[tokio::test]
async fn a_parameter_that_is_not_utf_8_is_a_404() {
    let routes = Router::new()
        .route("/o/{org_id}", get(whose))
        .route("/before/{id}/o/{org_id}", get(whose))
        .route("/after/{org_id}/{id}", get(whose))
        .nest("/nest/{id}", Router::new().route("/{org_id}", get(whose)))
        .route("/without/{id}", get(whose));
    let app = App::new(routes).await;
    for path in [
        "/o/%FF",
        "/o/org_acme%FF",
        "/o/%C3",
        "/before/%FF/o/org_acme",
        "/after/org_acme/%FF",
        "/nest/%FF/org_acme",
        "/nest/x/%FF",
        "/without/%FF",
    ] {
        let answer = app.get_as("org_acme", path).await;
        assert!(answer.is_not_found(), "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn an_empty_parameter_names_nobody() {
    let routes = Router::new()
        .route("/o/{org_id}", get(whose))
        .route("/o/{org_id}/x", get(whose));
    let app = App::new(routes).await;
    assert!(app.get_as("org_acme", "/o//x").await.is_not_found());
    // At the end the router knows none, so that the handler is not reached.
    let answer = app.get_as("org_acme", "/o/").await;
    assert_eq!((answer.status, answer.kind), (StatusCode::NOT_FOUND, None));
}

fn leaf(path: &str) -> Router {
    Router::new().route(path, any(whose))
}

#[tokio::test]
async fn each_occurrence_in_nested_routers_must_name_the_tokens_own() {
    let by_nest = leaf("/x");
    let by_nest = Router::new().nest("/t/{tenant_id}", by_nest);
    let by_nest = Router::new().nest("/orgs/{org_id}", by_nest);
    // A service of its own adds its parameters to those that are there, here by the same name.
    let by_service = Router::new().nest_service("/t/{org_id}", leaf("/x"));
    let by_service = Router::new().nest_service("/orgs/{org_id}", by_service);
    let in_one_route = leaf("/orgs/{org_id}/t/{tenant_id}/x");
    for routes in [by_nest, by_service, in_one_route] {
        let app = App::new(routes).await;
        for (outer, inner) in [
            ("org_acme", "org_acme"),
            ("org_acme", "org_other"),
            ("org_other", "org_acme"),
            ("org_other", "org_other"),
            ("org_acme", "%FF"),
            ("%FF", "org_acme"),
        ] {
            let path = format!("/orgs/{outer}/t/{inner}/x");
            let answer = app.get_as("org_acme", &path).await;
            if (outer, inner) == ("org_acme", "org_acme") {
                assert!(answer.is_of("org_acme"), "{path}: {answer:?}");
            } else {
                assert!(answer.is_not_found(), "{path}: {answer:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_wildcard_of_a_reserved_name_must_be_the_identifier_as_a_whole() {
    let routes = Router::new()
        .route("/all/{*org_id}", get(whose))
        .route("/rest/{*rest}", get(whose))
        .route("/o/{org_id}/{*rest}", get(whose));
    let app = App::new(routes).await;
    for (path, agrees) in [
        ("/all/org_acme", true),
        ("/all/org_acme/", false),
        ("/all/org_acme/x", false),
        ("/all/x/org_acme", false),
        ("/rest/org_other", true),
        ("/o/org_acme/org_other", true),
        ("/o/org_other/org_acme", false),
    ] {
        let answer = app.get_as("org_acme", path).await;
        assert_eq!(answer.is_of("org_acme"), agrees, "{path}: {answer:?}");
        assert_eq!(answer.is_not_found(), !agrees, "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn a_fallback_serves_the_tokens_tenant_and_sees_what_its_router_is_nested_under() {
    let inner = leaf("/x").fallback(whose);
    let routes = Router::new().nest("/orgs/{org_id}", inner).fallback(whose);
    let app = App::new(routes).await;
    for (path, agrees) in [
        ("/nowhere", true),
        ("/", true),
        ("/orgs/org_acme/nowhere", true),
        ("/orgs/org_other/nowhere", false),
        ("/orgs/org_other/x", false),
    ] {
        let answer = app.get_as("org_acme", path).await;
        assert_eq!(answer.is_of("org_acme"), agrees, "{path}: {answer:?}");
        assert_eq!(answer.is_not_found(), !agrees, "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn which_parameters_name_a_tenant_is_said_once_for_all_routers() {
    let routes = || {
        let nested = Router::new().nest("/nested/{account}", leaf("/x"));
        nested
            .route("/a/{account}", get(whose))
            .route("/o/{org_id}", get(whose))
    };
    let one = App::with(routes(), |builder| {
        builder.with_path_parameters(["account"])
    })
    .await;
    let two = App::with(routes(), |builder| {
        builder.with_path_parameters(["account", "org_id"])
    });
    let two = two.await;
    for (app, [of_account, of_org_id]) in [(one, [false, true]), (two, [false, false])] {
        for (path, agrees) in [
            ("/a/org_other", of_account),
            ("/nested/org_other/x", of_account),
            ("/o/org_other", of_org_id),
        ] {
            let answer = app.get_as("org_acme", path).await;
            assert_eq!(answer.is_of("org_acme"), agrees, "{path}: {answer:?}");
            assert_eq!(answer.is_not_found(), !agrees, "{path}: {answer:?}");
        }
        assert!(
            app.get_as("org_acme", "/a/org_acme")
                .await
                .is_of("org_acme")
        );
    }
}

#[tokio::test]
async fn it_is_the_same_for_every_method() {
    let app = App::new(leaf("/o/{org_id}")).await;
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"] {
        let request = |path| Request::builder().method(method).uri(path);
        let answer = app.ask_as("org_acme", request("/o/org_other")).await;
        assert!(answer.is_not_found(), "{method}: {answer:?}");
        let answer = app.ask_as("org_acme", request("/o/org_acme")).await;
        assert!(answer.is_of("org_acme"), "{method}: {answer:?}");
    }
}
