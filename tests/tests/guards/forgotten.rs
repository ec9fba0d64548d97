//! Every extractor where its layer is not.

use axum::Router;
use axum::routing::{MethodRouter, any, get};
use countersign::{
    CrossTenant, CustomClaims, DelegatedUser, DenialKind, Microservice, Organization, PathTenant,
    Principal, Scoped, ServicePrincipal, Tenant, TenantScoped, require,
};
use countersign_testing::TestIssuer;

use crate::support::{
    Answer, Everything, Invoices, PATH, Plan, ROUTE, Read, ask, everything, issuer, machine,
    microservice, trusting, user,
};

type Route = MethodRouter<Everything>;

/// Each extractor of the suite with a caller whom it lets through.
fn every_extractor(issuer: &TestIssuer) -> Vec<(&'static str, Route, String)> {
    let (machine, user) = (machine(issuer).mint(), user(issuer).mint());
    let microservice = microservice(issuer).mint();
    let of = |name, route, caller: &String| (name, route, caller.clone());
    vec![
        of("Principal", any(async |_: Principal| "in"), &machine),
        of("Option", any(async |_: Option<Principal>| "in"), &machine),
        of("machine", any(async |_: ServicePrincipal| "in"), &machine),
        of("user", any(async |_: DelegatedUser| "in"), &user),
        of("service", any(async |_: Microservice| "in"), &microservice),
        of(
            "CustomClaims",
            any(async |_: CustomClaims<serde_json::Value>| "in"),
            &machine,
        ),
        of("Scoped", any(async |_: Scoped<Read>| "in"), &machine),
        of("Tenant", any(async |_: Tenant| "in"), &machine),
        of("PathTenant", any(async |_: PathTenant| "in"), &machine),
        of(
            "TenantScoped",
            any(async |_: TenantScoped<Invoices>| "in"),
            &machine,
        ),
        of(
            "Organization",
            any(async |_: Organization<Plan>| "in"),
            &machine,
        ),
        of(
            "CrossTenant",
            any(async |_: CrossTenant<Read>| "in"),
            &microservice,
        ),
    ]
}

fn is_an_error_of_the_program(answer: &Answer, context: &str) {
    assert_eq!(answer.status, 500, "{context}: {answer:?}");
    let missing = Some(DenialKind::MissingLayer);
    assert_eq!(answer.kind, missing, "{context}: {answer:?}");
    assert_ne!(answer.body, "in", "{context}");
}

#[tokio::test]
async fn each_extractor_lets_its_caller_through_where_the_layer_is_and_nobody_where_it_is_not() {
    let issuer = issuer();
    let authenticator = trusting(&issuer).await;
    let extractors = every_extractor(&issuer);
    for (name, route, caller) in &extractors {
        let router = || Router::new().route(ROUTE, route.clone());
        let request = format!("GET {PATH}");
        let covered = router()
            .layer(authenticator.layer())
            .with_state(everything());
        let answer = ask(&covered, &request, caller).await;
        assert_eq!((answer.status, &*answer.body), (200, "in"), "{name}");
        assert_eq!(ask(&covered, &request, "").await.status, 401, "{name}");

        let bare = router().with_state(everything());
        for token in [caller.as_str(), "", "a.b.c"] {
            is_an_error_of_the_program(&ask(&bare, &request, token).await, name);
        }
    }
    println!("guards: {} extractors", extractors.len());
}

#[tokio::test]
async fn each_extractor_is_a_500_wherever_a_route_can_come_past_the_layer() {
    let issuer = issuer();
    let authenticator = trusting(&issuer).await;
    let layer = || authenticator.layer();
    for (name, route, caller) in every_extractor(&issuer) {
        let early = || Router::new().route("/early", get(async || "early"));
        let late = || Router::new().route(ROUTE, route.clone());
        let inner = || Router::new().route("/orgs/{org_id}", route.clone());
        let ways: Vec<(&str, Router<Everything>, &str)> = vec![
            (
                "a route after the layer",
                early().layer(layer()).route(ROUTE, route.clone()),
                PATH,
            ),
            (
                "a router merged after the layer",
                early().layer(layer()).merge(late()),
                PATH,
            ),
            (
                "a router with a layer merged into it",
                late().merge(early().layer(layer())),
                PATH,
            ),
            (
                "a router nested after the layer",
                early().layer(layer()).nest("/v1", inner()),
                "/v1/orgs/org_acme",
            ),
            (
                "a route beside a nested router with a layer",
                late().nest("/v1", early().layer(layer())),
                PATH,
            ),
            (
                "a fallback after the layer",
                early()
                    .layer(layer())
                    .fallback_service(route.clone().with_state::<()>(everything())),
                PATH,
            ),
            (
                "a fallback that `route_layer` does not cover",
                early()
                    .fallback_service(route.clone().with_state::<()>(everything()))
                    .route_layer(layer()),
                PATH,
            ),
            (
                "a method after the layer of another",
                Router::new().route(
                    ROUTE,
                    get(async || "early")
                        .layer(layer())
                        .fallback_service(route.clone().with_state::<()>(everything())),
                ),
                "POST",
            ),
        ];
        for (way, router, path) in ways {
            let app = router.with_state(everything());
            let request = match path {
                "POST" => format!("POST {PATH}"),
                path => format!("GET {path}"),
            };
            let context = format!("{name}, {way}");
            for token in [caller.as_str(), ""] {
                is_an_error_of_the_program(&ask(&app, &request, token).await, &context);
            }
        }
    }
}

#[tokio::test]
async fn a_scope_guard_is_a_500_where_the_layer_is_inside_of_it_or_not_there() {
    let issuer = issuer();
    let authenticator = trusting(&issuer).await;
    let router = || Router::new().route("/", get(async || "in"));
    let guard = require::<Read>;
    let ways: [(&str, Router); 5] = [
        ("alone", router().layer(guard())),
        ("on routes alone", router().route_layer(guard())),
        (
            "outside of the layer",
            router().layer(authenticator.layer()).layer(guard()),
        ),
        (
            "around a nested router that has the layer",
            Router::new()
                .merge(router().layer(authenticator.layer()))
                .layer(guard()),
        ),
        (
            "on a route after the layer",
            Router::new()
                .layer(authenticator.layer())
                .merge(router().layer(guard())),
        ),
    ];
    let token = machine(&issuer).mint();
    for (way, app) in ways {
        for token in [&token, ""] {
            is_an_error_of_the_program(&ask(&app, "GET /", token).await, way);
        }
    }
}
