//! Who gets through to a route, by its guard.

use axum::Router;
use axum::routing::get;
use countersign_bearer::Principal;
use countersign_router::{Authenticated, GuardedRouter, Optional, Public};

use crate::support::{Read, Transfer, World, Write, ask, ok, status};

fn routes() -> GuardedRouter {
    GuardedRouter::new()
        .get(Public, "/public", ok)
        .get(Optional, "/optional", async |caller: Option<Principal>| {
            caller.map_or("nobody", |_| "somebody")
        })
        .get(Authenticated, "/authenticated", ok)
        .get(Read, "/one", ok)
        .get(Write, "/either", ok)
        .get(Transfer, "/both", ok)
}

#[tokio::test]
async fn each_guard_lets_through_whom_it_says() {
    let world = World::new().await;
    let app = routes().build(&world.authenticator).unwrap();
    let callers = [
        ("nobody", String::new()),
        ("another scheme", "Basic dTpw".into()),
        ("a malformed credential", "Bearer a b".into()),
        (
            "a tampered token",
            world.tampered("invoices:read admin accounts:read"),
        ),
        ("no scope", world.granted("")),
        ("read", world.granted("invoices:read")),
        ("half of both", world.granted("transfers:write")),
        (
            "the second alternative",
            world.granted("admin accounts:read transfers:write"),
        ),
    ];
    for (path, expected) in [
        ("/public", [200, 200, 200, 200, 200, 200, 200, 200]),
        ("/optional", [200, 200, 400, 401, 200, 200, 200, 200]),
        ("/authenticated", [401, 401, 400, 401, 200, 200, 200, 200]),
        ("/one", [401, 401, 400, 401, 403, 200, 403, 403]),
        ("/either", [401, 401, 400, 401, 403, 403, 403, 200]),
        ("/both", [401, 401, 400, 401, 403, 403, 403, 200]),
    ] {
        for ((caller, credential), expected) in callers.iter().zip(expected) {
            let answered = status(&app, &format!("GET {path}"), credential).await;
            assert_eq!(answered, expected, "{caller} at {path}");
        }
    }
}

#[tokio::test]
async fn a_denial_is_worded_as_everywhere_in_the_suite() {
    let world = World::new().await;
    let app = routes().build(&world.authenticator).unwrap();
    let denied = ask(&app, "GET /either", &world.granted("")).await;
    assert_eq!(
        denied.header("www-authenticate"),
        Some(
            "Bearer realm=\"api\", error=\"insufficient_scope\", error_description=\"The token does not \
             grant the scope that is needed\", scope=\"invoices:write\""
        )
    );
    assert_eq!(
        denied.header("content-type"),
        Some("application/problem+json")
    );
}

#[tokio::test]
async fn a_handler_finds_the_caller_behind_a_guard_and_a_programming_error_without_one() {
    async fn whoami(caller: Principal) -> String {
        caller.subject().unwrap_or("nobody").to_owned()
    }
    let world = World::new().await;
    let app = GuardedRouter::new()
        .get(Authenticated, "/authenticated", whoami)
        .get(Read, "/scoped", whoami)
        .get(Public, "/public", whoami)
        .build(&world.authenticator)
        .unwrap();
    let caller = world.granted("invoices:read");
    for path in ["/authenticated", "/scoped"] {
        let answer = ask(&app, &format!("GET {path}"), &caller).await;
        assert_eq!((answer.status.as_u16(), &*answer.body), (200, "m2m-acme"));
    }
    assert_eq!(status(&app, "GET /public", &caller).await, 500);
}

/// Every method that can be declared, and no other, is routed to its handler behind its guard.
#[tokio::test]
async fn each_method_has_its_own_guard() {
    let world = World::new().await;
    let app = GuardedRouter::new()
        .get(Public, "/x", || async { "get" })
        .post(Read, "/x", || async { "post" })
        .put(Read, "/x", || async { "put" })
        .patch(Read, "/x", || async { "patch" })
        .delete(Authenticated, "/x", || async { "delete" })
        .options(Public, "/x", || async { "options" })
        .build(&world.authenticator)
        .unwrap();
    let caller = world.granted("invoices:read");
    for (request, of_nobody, of_caller, body) in [
        ("GET /x", 200, 200, "get"),
        ("HEAD /x", 200, 200, ""),
        ("POST /x", 401, 200, "post"),
        ("PUT /x", 401, 200, "put"),
        ("PATCH /x", 401, 200, "patch"),
        ("DELETE /x", 401, 200, "delete"),
        ("OPTIONS /x", 200, 200, "options"),
        ("TRACE /x", 405, 405, ""),
    ] {
        assert_eq!(status(&app, request, "").await, of_nobody, "{request}");
        let answer = ask(&app, request, &caller).await;
        assert_eq!(
            (answer.status.as_u16(), &*answer.body),
            (of_caller, body),
            "{request}"
        );
    }
}

#[tokio::test]
async fn what_is_not_declared_is_answered_as_axum_does() {
    let world = World::new().await;
    let app = routes().build(&world.authenticator).unwrap();
    let plain: Router = Router::new().route("/one", get(ok));
    let caller = world.granted("invoices:read");
    for request in ["POST /one", "OPTIONS /one", "GET /unknown", "POST /unknown"] {
        let expected = ask(&plain, request, "").await;
        for credential in ["", &caller] {
            let answer = ask(&app, request, credential).await;
            assert_eq!(answer.status, expected.status, "{request}");
            assert_eq!(answer.headers, expected.headers, "{request}");
        }
    }
}

#[tokio::test]
async fn head_is_answered_as_get_under_the_same_guard_unless_it_has_its_own() {
    let world = World::new().await;
    let app = GuardedRouter::new()
        .get(Read, "/x", ok)
        .get(Read, "/own", ok)
        .head(Public, "/own", ok)
        .get(Read, "/any", ok)
        .any(Public, "/any", ok)
        .build(&world.authenticator)
        .unwrap();
    let caller = world.granted("invoices:read");
    for (request, credential, expected) in [
        ("HEAD /x", "", 401),
        ("HEAD /x", &*world.granted(""), 403),
        ("HEAD /x", &*caller, 200),
        ("HEAD /own", "", 200),
        ("GET /own", "", 401),
        ("HEAD /any", "", 401),
        ("GET /any", "", 401),
        ("PUT /any", "", 200),
    ] {
        let answer = ask(&app, request, credential).await;
        assert_eq!(answer.status.as_u16(), expected, "{request}");
        let has_body = !request.starts_with("HEAD");
        assert_eq!(!answer.body.is_empty(), has_body, "{request}");
    }
}

#[tokio::test]
async fn a_fallback_has_a_guard_like_any_route() {
    let world = World::new().await;
    let caller = world.granted("");
    let fallback = || async { (http::StatusCode::IM_A_TEAPOT, "else") };
    let public = routes().with_fallback(Public, fallback);
    let authenticated = routes().with_fallback(Authenticated, fallback);
    let scoped = routes().with_fallback(Read, fallback);
    for (routes, of_nobody, of_caller) in [
        (public, 418, 418),
        (authenticated, 401, 418),
        (scoped, 401, 403),
    ] {
        let app = routes.build(&world.authenticator).unwrap();
        for request in ["GET /unknown", "POST /", "OPTIONS /one/more"] {
            assert_eq!(status(&app, request, "").await, of_nobody, "{request}");
            assert_eq!(status(&app, request, &caller).await, of_caller, "{request}");
        }
        // Known paths are not its business.
        assert_eq!(status(&app, "POST /one", "").await, 405);
        assert_eq!(status(&app, "GET /public", "").await, 200);
    }
}
