//! Scopes that imply others: said for an issuer, and seen by the guards.

use axum::Router;
use axum::routing::get;
use countersign_bearer::Authenticator;
use countersign_scope::{RequireScopes, require, scopes};
use countersign_token::ScopeHierarchy;
use http::StatusCode;

use crate::support::{AUDIENCE, built, get_with_token, issuer};

scopes! {
    Read = "invoices:read";
    Write = "invoices:write";
}

fn app(authenticator: &Authenticator) -> Router {
    let route = || get(|| async {});
    let read = Router::new().route("/read", route());
    let write = Router::new().route("/write", route());
    let both = Router::new().route("/both", route());
    read.route_layer(require::<Read>())
        .merge(write.route_layer(require::<Write>()))
        .merge(both.route_layer(RequireScopes::all(["invoices:read", "invoices:write"]).unwrap()))
        .layer(authenticator.layer())
}

#[tokio::test]
async fn a_scope_implies_another_only_where_the_issuer_says_so() {
    let issuer = issuer();
    let hierarchy = ScopeHierarchy::new()
        .implies("admin", ["invoices:write"])
        .unwrap()
        .implies("invoices:write", ["invoices:read"])
        .unwrap();
    let without = issuer.trusted_for(AUDIENCE);
    let with = without.clone().with_scope_hierarchy(hierarchy);
    let without = app(&built(Authenticator::builder().issuer(without)).await);
    let with = app(&built(Authenticator::builder().issuer(with)).await);
    // What passes /read, /write and /both, with the hierarchy and without.
    let cases = [
        ("admin", [true, true, true], [false; 3]),
        ("invoices:write", [true, true, true], [false, true, false]),
        ("invoices:read", [true, false, false], [true, false, false]),
        ("administrator", [false; 3], [false; 3]),
        ("ADMIN", [false; 3], [false; 3]),
        ("", [false; 3], [false; 3]),
    ];
    for (scope, expected_with, expected_without) in cases {
        let token = issuer
            .service_principal("m2m-acme")
            .with_audience(AUDIENCE)
            .with_claim("scope", scope)
            .mint();
        for (app, expected) in [(&with, expected_with), (&without, expected_without)] {
            for (path, expected) in ["/read", "/write", "/both"].into_iter().zip(expected) {
                let answer = get_with_token(app, path, &token).await;
                let expected = if expected {
                    StatusCode::OK
                } else {
                    StatusCode::FORBIDDEN
                };
                assert_eq!(answer.status, expected, "{path} with {scope:?}");
            }
        }
    }
}
