use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::{Router, routing::get};
use countersign_bearer::{DelegatedUser, Microservice, Principal, ServicePrincipal, Trail};
use countersign_testing::{
    AsPrincipal, CLIENT, ISSUER, anonymous, authenticated, delegated_user, microservice,
    service_principal,
};
use countersign_token::CallerKind;
use tower::ServiceExt;

async fn status(layer: AsPrincipal, path: &str) -> StatusCode {
    let app: Router = Router::new()
        .route("/any", get(async |_: Principal| ()))
        .route("/optional", get(async |_: Option<Principal>| ()))
        .route("/automation", get(async |_: ServicePrincipal| ()))
        .route("/user", get(async |_: DelegatedUser| ()))
        .route("/service", get(async |_: Microservice| ()))
        .layer(layer);
    let request = Request::get(path).body(Body::empty()).unwrap();
    app.oneshot(request).await.unwrap().status()
}

#[test]
fn a_principal_is_what_it_was_made_as() {
    let automation = service_principal("org_acme", ["invoices:read"]);
    assert_eq!(automation.kind(), CallerKind::ServicePrincipal);
    assert_eq!(
        (automation.issuer(), automation.client()),
        (ISSUER, Some(CLIENT))
    );
    assert_eq!(automation.organization().unwrap().as_str(), "org_acme");
    assert!(automation.scopes().contains("invoices:read"));

    let user = delegated_user("org_acme", "ann", ["a", "b"]);
    assert_eq!(user.kind(), CallerKind::DelegatedUser);
    assert_eq!((user.user(), user.client()), (Some("ann"), Some(CLIENT)));
    assert_eq!(user.scopes().len(), 2);

    let service = microservice([String::from("a")]);
    assert_eq!(service.kind(), CallerKind::Microservice);
    assert_eq!(service.organization(), None);
}

#[test]
#[should_panic(expected = "\"a b\" is not a scope")]
fn a_scope_that_no_token_could_have_is_not_taken() {
    service_principal("org_acme", ["a b"]);
}

#[tokio::test]
async fn a_handler_sees_the_asserted_principal_and_guards_hold() {
    let none: [&str; 0] = [];
    let ann = delegated_user("org_acme", "ann", none);
    for (layer, path, expected) in [
        (authenticated(ann.clone()), "/any", 200),
        (authenticated(ann.clone()), "/optional", 200),
        (authenticated(ann.clone()), "/user", 200),
        (authenticated(ann.clone()), "/automation", 403),
        (authenticated(ann), "/service", 403),
        (authenticated(microservice(none)), "/service", 200),
        (anonymous(), "/optional", 200),
        (anonymous(), "/any", 401),
    ] {
        assert_eq!(status(layer, path).await, expected, "{path}");
    }
}

#[tokio::test]
async fn an_audit_further_out_sees_who_was_asserted() {
    for (layer, client, is_anonymous) in [
        (authenticated(microservice(["a"])), Some(CLIENT), false),
        (anonymous(), None, true),
    ] {
        let app: Router = Router::new()
            .route("/optional", get(async |_: Option<Principal>| ()))
            .layer(layer);
        let trail = Trail::default();
        let mut request = Request::get("/optional").body(Body::empty()).unwrap();
        request.extensions_mut().insert(trail.clone());
        app.oneshot(request).await.unwrap();
        let decisions = trail.take();
        let principal = decisions.principal.as_ref();
        assert_eq!(principal.and_then(|one| one.client()), client);
        assert_eq!(decisions.is_anonymous, is_anonymous);
    }
}
