//! Two guards in one handler.

use axum::Router;
use axum::routing::get;
use countersign::{PathTenant, Scoped, ServicePrincipal, Tenant};

use crate::support::{ROUTE, Read, issuer, machine, status, trusting, user};

#[tokio::test]
async fn the_first_guard_that_refuses_is_the_one_that_answers_and_all_must_let_through() {
    let issuer = issuer();
    let authenticator = trusting(&issuer).await;
    let router = Router::new()
        .route(
            &format!("/scope-first{ROUTE}"),
            get(async |_: Scoped<Read>, _: Tenant| "in"),
        )
        .route(
            &format!("/tenant-first{ROUTE}"),
            get(async |_: Tenant, _: Scoped<Read>| "in"),
        )
        .route(
            &format!("/kind-first{ROUTE}"),
            get(async |_: ServicePrincipal, _: PathTenant, _: Scoped<Read>| "in"),
        )
        .route(
            &format!("/kind-last{ROUTE}"),
            get(async |_: Scoped<Read>, _: PathTenant, _: ServicePrincipal| "in"),
        );
    let app: Router = router.layer(authenticator.layer());
    let without = |name| machine(&issuer).without_claim(name).mint();
    let nothing = machine(&issuer).without_claim("scope");
    let nothing = nothing.without_claim("org_id").mint();
    let good = machine(&issuer).mint();
    // The status by each of the four handlers, in their order.
    for (caller, token, organization, expected) in [
        ("all is well", &good, "org_acme", [200; 4]),
        ("another tenant", &good, "org_other", [404; 4]),
        ("no scope", &without("scope"), "org_acme", [403; 4]),
        (
            "no scope, another tenant",
            &without("scope"),
            "org_other",
            [403, 404, 404, 403],
        ),
        ("no tenant", &without("org_id"), "org_acme", [403; 4]),
        ("neither", &nothing, "org_acme", [403; 4]),
        (
            "another kind",
            &user(&issuer).mint(),
            "org_acme",
            [200, 200, 403, 403],
        ),
        (
            "another kind and tenant",
            &user(&issuer).mint(),
            "org_other",
            [404, 404, 403, 404],
        ),
    ] {
        let handlers = ["scope-first", "tenant-first", "kind-first", "kind-last"];
        for (handler, expected) in handlers.into_iter().zip(expected) {
            let request = format!("GET /{handler}/orgs/{organization}");
            let status = status(&app, &request, token).await;
            assert_eq!(status, expected, "{caller}, {handler}");
        }
    }
}
