//! The table: its rows, its text, its scopes.

use axum::Router;
use countersign_router::{Authenticated, GuardedRouter, Public, RouteAccess, RouteKind};

use crate::support::{Read, Transfer, World, Write, ok};

fn routes() -> GuardedRouter {
    GuardedRouter::new()
        .with_fallback(Authenticated, ok)
        .merge_router(Transfer, "the old reports", Router::new())
        .nest_service(Public, "/assets", Router::<()>::new())
        .any(Authenticated, "/b", ok)
        .options(Public, "/b", ok)
        .delete(Write, "/b", ok)
        .patch(Write, "/b", ok)
        .put(Write, "/b", ok)
        .post(Read, "/b", ok)
        .head(Public, "/b", ok)
        .get(Read, "/b", ok)
        .get(Transfer, "/a/{id}", ok)
        .get(Public, "/", ok)
}

const TEXT: &str = "\
GET      /                  public
GET      /a/{id}            accounts:read && transfers:write
*        /assets/*          public
GET      /b                 invoices:read
HEAD     /b                 public
POST     /b                 invoices:read
PUT      /b                 invoices:write || admin
PATCH    /b                 invoices:write || admin
DELETE   /b                 invoices:write || admin
OPTIONS  /b                 public
*        /b                 authenticated
*        (the old reports)  accounts:read && transfers:write
*        (any other path)   authenticated";

#[test]
fn the_text_is_aligned_and_ordered_by_path_and_method() {
    assert_eq!(routes().table().to_string(), TEXT);
}

#[test]
fn the_order_of_declaration_makes_no_difference() {
    let one: GuardedRouter = GuardedRouter::new()
        .get(Read, "/x", ok)
        .post(Write, "/x", ok)
        .get(Public, "/y", ok);
    let other: GuardedRouter = GuardedRouter::new()
        .get(Public, "/y", ok)
        .post(Write, "/x", ok)
        .get(Read, "/x", ok);
    assert_eq!(one.table(), other.table());
}

#[test]
fn a_table_without_rows_is_empty() {
    let table = GuardedRouter::<()>::new().table();
    assert_eq!(table.to_string(), "");
    assert_eq!(table.scopes_supported().count(), 0);
}

#[test]
fn rows_can_be_asked() {
    let table = routes().table();
    let public = table
        .rows()
        .iter()
        .filter(|row| row.access() == RouteAccess::Public);
    let public: Vec<_> = public
        .map(|row| {
            (
                row.kind(),
                row.method().map(http::Method::as_str),
                row.path(),
            )
        })
        .collect();
    assert_eq!(
        public,
        [
            (RouteKind::Route, Some("GET"), "/"),
            (RouteKind::Service, None, "/assets"),
            (RouteKind::Route, Some("HEAD"), "/b"),
            (RouteKind::Route, Some("OPTIONS"), "/b"),
        ]
    );
}

#[test]
fn the_scopes_of_all_routes_are_listed_once() {
    let scopes: Vec<_> = routes().table().scopes_supported().collect();
    assert_eq!(
        scopes,
        [
            "accounts:read",
            "admin",
            "invoices:read",
            "invoices:write",
            "transfers:write"
        ]
    );
}

#[tokio::test]
async fn for_an_authenticator_with_a_resource_the_table_has_its_metadata() {
    let without = World::new().await;
    assert_eq!(routes().table_for(&without.authenticator), routes().table());

    let with = World::of(|builder| builder.with_resource("https://api.acme.test/v1")).await;
    let routes: GuardedRouter = GuardedRouter::new().get(Read, "/x", ok);
    assert_eq!(
        routes.table_for(&with.authenticator).to_string(),
        "\
GET  /.well-known/oauth-protected-resource/v1  public
GET  /x                                        invoices:read"
    );
}
