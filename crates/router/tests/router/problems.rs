//! What is refused when a router is built, all of it at once.

use axum::Router;
use countersign_router::{Authenticated, GuardedRouter, Public};
use countersign_scope::ScopePolicy;

use crate::support::{Read, World, ok};

async fn problems(routes: GuardedRouter) -> Vec<String> {
    let world = World::of(|builder| builder.with_resource("https://api.acme.test")).await;
    match routes.build(&world.authenticator) {
        Ok(_) => Vec::new(),
        Err(error) => error.problems().iter().map(ToString::to_string).collect(),
    }
}

#[tokio::test]
async fn every_problem_is_listed() {
    let nested = GuardedRouter::new()
        .get(Public, "no-slash", ok)
        .with_fallback(Public, ok)
        .merge_router(Public, "plain", Router::new());
    let routes = GuardedRouter::new()
        .get(Read, "/twice", ok)
        .get(Public, "/twice", ok)
        .post(Public, "", ok)
        .get(Public, "/old/:id", ok)
        .get(Public, "/old/*rest", ok)
        .get(Public, "/a/{id}", ok)
        .put(Public, "/a/{name}", ok)
        .get(Public, "/{unclosed", ok)
        .nest("/v1", nested)
        .nest("/", GuardedRouter::new())
        .nest("/{*rest}", GuardedRouter::new())
        .nest_service(Public, "/", Router::<()>::new())
        .get(Public, "/.well-known/oauth-protected-resource", ok)
        .with_fallback(Authenticated, ok);
    assert_eq!(
        problems(routes).await,
        [
            "POST : the path must start with /",
            "GET /old/:id: a parameter is written {name}, and the rest of a path {*name}",
            "GET /old/*rest: a parameter is written {name}, and the rest of a path {*name}",
            "/v1: a nested router has a fallback",
            "/v1: a nested router has a plain router merged, which can only be merged",
            "GET no-slash: the path must start with /",
            "/: nothing can be nested under /, only merged",
            "/{*rest}: nothing can be nested under the rest of a path",
            "/: nothing can be nested under /, only merged",
            "GET /twice: is declared twice",
            "PUT /a/{name}: cannot stand beside /a/{id}",
            "GET /{unclosed: the path is malformed: Parameters must be registered with a valid name",
            "* (any other path): is declared twice",
            "GET /.well-known/oauth-protected-resource: is declared twice",
        ]
    );
}

#[tokio::test]
async fn a_method_of_a_path_is_declared_once_however_it_comes_together() {
    let one = || GuardedRouter::new().get(Read, "/x/y", ok);
    let cases = [
        one().get(Public, "/x/y", ok),
        one().merge(one()),
        one().nest("/x", GuardedRouter::new().get(Public, "/y", ok)),
    ];
    for routes in cases {
        assert_eq!(problems(routes).await, ["GET /x/y: is declared twice"]);
    }
    let any = one().any(Public, "/x/y", ok).any(Read, "/x/y", ok);
    assert_eq!(problems(any).await, ["* /x/y: is declared twice"]);
}

#[tokio::test]
async fn a_policy_made_by_hand_must_name_scopes() {
    struct Nothing;
    impl ScopePolicy for Nothing {
        const ALTERNATIVES: &'static [&'static [&'static str]] = &[];
    }
    struct HalfNothing;
    impl ScopePolicy for HalfNothing {
        const ALTERNATIVES: &'static [&'static [&'static str]] = &[&["a"], &[]];
    }
    let routes = GuardedRouter::new()
        .get(Nothing, "/x", ok)
        .get(HalfNothing, "/y", ok);
    assert_eq!(
        problems(routes).await,
        [
            "GET /x: the policy has an alternative that names no scope",
            "GET /y: the policy has an alternative that names no scope",
        ]
    );
}
