//! What axum panics at is reported instead, and nothing else is. Alone in its program, since it silences panics.

use std::panic;

use axum::Router;
use axum::routing::{get, post};
use countersign_bearer::Authenticator;
use countersign_router::{GuardedRouter, Public};
use countersign_testing::TestIssuer;

const PATHS: [&str; 23] = [
    "/", "", "x", "//", "/a/", "/{a}", "/{a}/{b}", "/{a}{b}", "/x{a}", "/{a}x", "/{}", "/{", "/}",
    "/{{a}}", "/{*a}", "/{*}", "/{*a}/b", "/a/{*b}", "/*a", "/:a", "/a:b", "/a*b", "/\u{e9}",
];

async fn ok() {}

/// Two routes, or a service and a route, at these paths.
fn in_axum(first: &str, second: &str, is_service: bool) -> Router {
    let router = Router::new();
    if is_service {
        router.nest_service(first, get(ok)).route(second, post(ok))
    } else {
        router.route(first, get(ok)).route(second, post(ok))
    }
}

fn guarded(first: &str, second: &str, is_service: bool) -> GuardedRouter {
    let router = GuardedRouter::new();
    let router = if is_service {
        router.nest_service(Public, first, get(ok))
    } else {
        router.get(Public, first, ok)
    };
    router.post(Public, second, ok)
}

#[tokio::test]
async fn what_axum_panics_at_is_a_problem_and_nothing_else_is() {
    let issuer = TestIssuer::new("https://as.acme.test").trusted_for("https://api.acme.test");
    let authenticator = Authenticator::builder().issuer(issuer).build();
    let authenticator = authenticator.await.expect("an issuer with fixed keys");

    let pairs = PATHS
        .iter()
        .flat_map(|one| PATHS.iter().map(move |other| (*one, *other)));
    let cases = pairs.flat_map(|(one, other)| [(one, other, true), (one, other, false)]);
    let cases: Vec<_> = cases.collect();

    let loud = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let by_axum: Vec<_> = cases
        .iter()
        .map(|(one, other, is_service)| {
            panic::catch_unwind(|| in_axum(one, other, *is_service)).is_ok()
        })
        .collect();
    panic::set_hook(loud);

    for ((one, other, is_service), axum_can) in cases.into_iter().zip(by_axum) {
        let built = guarded(one, other, is_service).build(&authenticator);
        let case = format!("{one:?} {other:?}, first is a service: {is_service}");
        assert_eq!(built.is_ok(), axum_can, "{case}: {built:?}");
    }
}
