//! What the table writes into an `OpenAPI` document.

use axum::Router;
use countersign_bearer::Authenticator;
use countersign_router::{Authenticated, GuardedRouter, Public};
use countersign_testing::TestIssuer;
use serde_json::{Value, json};
use utoipa::openapi::path::{HttpMethod, Operation, OperationBuilder, PathItem};
use utoipa::openapi::{Info, OpenApi, Paths, Response, SecurityRequirement};

use crate::support::{AUDIENCE, Read, Transfer, World, Write, ok};

fn operation() -> Operation {
    let ok = Response::new("As asked");
    OperationBuilder::new().response("200", ok).build()
}

fn document(operations: &[(HttpMethod, &str)]) -> OpenApi {
    let mut paths = Paths::new();
    for (method, path) in operations {
        paths.add_path_operation(path, vec![method.clone()], operation());
    }
    OpenApi::new(Info::new("Invoices", "1.0.0"), paths)
}

fn json(document: &OpenApi) -> Value {
    serde_json::to_value(document).unwrap()
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/responses/{name}") })
}

#[tokio::test]
async fn each_operation_has_the_security_and_the_denials_of_its_route() {
    let world = World::new().await;
    let routes: GuardedRouter = GuardedRouter::new()
        .get(Public, "/health", ok)
        .get(Authenticated, "/whoami", ok)
        .get(Read, "/invoices/{id}", ok)
        .post(Write, "/invoices/{id}", ok)
        .put(Transfer, "/invoices/{id}", ok);
    let mut document = document(&[
        (HttpMethod::Get, "/health"),
        (HttpMethod::Get, "/whoami"),
        (HttpMethod::Get, "/invoices/{id}"),
        (HttpMethod::Post, "/invoices/{id}"),
        (HttpMethod::Put, "/invoices/{id}"),
    ]);
    let unmatched = routes.table().describe(&mut document, &world.authenticator);
    assert!(unmatched.is_empty(), "{unmatched:?}");

    let document = json(&document);
    let paths = &document["paths"];
    for (operation, security, denials) in [
        (&paths["/health"]["get"], json!([]), &[][..]),
        (
            &paths["/whoami"]["get"],
            json!([{ "as.acme.test": [] }]),
            &[("401", "Unauthenticated"), ("503", "KeysUnavailable")],
        ),
        (
            &paths["/invoices/{id}"]["get"],
            json!([{ "as.acme.test": ["invoices:read"] }]),
            &SCOPED,
        ),
        (
            &paths["/invoices/{id}"]["post"],
            json!([{ "as.acme.test": ["invoices:write"] }, { "as.acme.test": ["admin"] }]),
            &SCOPED,
        ),
        (
            &paths["/invoices/{id}"]["put"],
            json!([{ "as.acme.test": ["accounts:read", "transfers:write"] }]),
            &SCOPED,
        ),
    ] {
        assert_eq!(operation["security"], security);
        let mut responses = json!({ "200": { "description": "As asked" } });
        for (status, name) in denials {
            responses[*status] = reference(name);
        }
        assert_eq!(operation["responses"], responses);
    }
}

const SCOPED: [(&str, &str); 3] = [
    ("401", "Unauthenticated"),
    ("403", "InsufficientScope"),
    ("503", "KeysUnavailable"),
];

#[tokio::test]
async fn the_components_are_the_issuers_and_the_denials() {
    let world = World::new().await;
    let routes: GuardedRouter = GuardedRouter::new().get(Read, "/x", ok);
    let mut document = document(&[(HttpMethod::Get, "/x")]);
    let unmatched = routes.table().describe(&mut document, &world.authenticator);
    assert!(unmatched.is_empty());

    let components = json(&document)["components"].take();
    assert_eq!(
        components["securitySchemes"],
        json!({ "as.acme.test": {
            "type": "openIdConnect",
            "openIdConnectUrl": "https://as.acme.test/.well-known/openid-configuration",
        } })
    );
    let problem = json!({
        "type": "object",
        "required": ["type", "title", "status"],
        "properties": {
            "type": { "type": "string" },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "error": { "type": "string" },
            "error_description": { "type": "string" },
        },
    });
    let response = |description: &str, header: &str| {
        json!({
            "description": description,
            "headers": { header: { "schema": { "type": "string" } } },
            "content": { "application/problem+json": { "schema": problem } },
        })
    };
    assert_eq!(
        components["responses"],
        json!({
            "Unauthenticated":
                response("There is no token, or it is refused", "WWW-Authenticate"),
            "InsufficientScope":
                response("The token does not grant the scope that is needed", "WWW-Authenticate"),
            "KeysUnavailable":
                response("The token can be neither accepted nor refused at the moment", "Retry-After"),
        })
    );
}

#[tokio::test]
async fn a_token_of_any_issuer_will_do() {
    let mut builder = Authenticator::builder();
    for name in [
        "https://as.acme.test",
        "https://tenant.auth0.test/",
        "https://login.test/acme/v2.0",
        "https://login.test/acme_v2.0",
    ] {
        let issuer = TestIssuer::new(name).trusted_for(AUDIENCE);
        builder = builder.issuer(issuer.dangerous_any_organization());
    }
    let authenticator = builder.build().await.unwrap();
    let routes: GuardedRouter =
        GuardedRouter::new()
            .get(Write, "/x", ok)
            .get(Authenticated, "/y", ok);
    let mut document = document(&[(HttpMethod::Get, "/x"), (HttpMethod::Get, "/y")]);
    let unmatched = routes.table().describe(&mut document, &authenticator);
    assert!(unmatched.is_empty());

    let document = json(&document);
    let names = [
        "as.acme.test",
        "login.test_acme_v2.0",
        "login.test_acme_v2.0-2",
        "tenant.auth0.test",
    ];
    let each = |scopes: &[&str]| names.map(|name| json!({ name: scopes })).to_vec();
    assert_eq!(
        document["paths"]["/x"]["get"]["security"],
        Value::Array([each(&["invoices:write"]), each(&["admin"])].concat())
    );
    assert_eq!(
        document["paths"]["/y"]["get"]["security"],
        Value::Array(each(&[]))
    );
    let schemes = document["components"]["securitySchemes"]
        .as_object()
        .unwrap();
    assert_eq!(schemes.keys().collect::<Vec<_>>(), names);
    let urls: Vec<_> = schemes
        .values()
        .map(|one| &one["openIdConnectUrl"])
        .collect();
    assert_eq!(
        urls,
        [
            "https://as.acme.test/.well-known/openid-configuration",
            "https://login.test/acme/v2.0/.well-known/openid-configuration",
            "https://login.test/acme_v2.0/.well-known/openid-configuration",
            "https://tenant.auth0.test/.well-known/openid-configuration",
        ]
    );
}

#[tokio::test]
async fn what_belongs_nowhere_is_returned_and_left_alone() {
    let world = World::of(|builder| builder.with_resource(AUDIENCE)).await;
    let routes: GuardedRouter = GuardedRouter::new()
        .get(Read, "/described", ok)
        .get(Read, "/forgotten", ok)
        .any(Public, "/forgotten", ok)
        .merge_router(Public, "plain", Router::new())
        .nest_service(Public, "/assets", Router::<()>::new())
        .with_fallback(Public, ok);
    let mut document = document(&[
        (HttpMethod::Get, "/described"),
        (HttpMethod::Post, "/described"),
        (HttpMethod::Get, "/unknown"),
    ]);
    let before = json(&document)["paths"].take();
    let table = routes.table_for(&world.authenticator);
    let unmatched = table.describe(&mut document, &world.authenticator);
    assert!(!unmatched.is_empty());
    assert_eq!(unmatched.routes, ["GET /forgotten", "* /forgotten"]);
    assert_eq!(unmatched.operations, ["POST /described", "GET /unknown"]);
    let after = json(&document)["paths"].take();
    assert_eq!(after["/described"]["post"], before["/described"]["post"]);
    assert_eq!(after["/unknown"], before["/unknown"]);
    assert_ne!(after["/described"]["get"], before["/described"]["get"]);
}

#[tokio::test]
async fn an_operation_belongs_to_the_route_that_answers_it() {
    let world = World::new().await;
    let routes: GuardedRouter = GuardedRouter::new()
        .get(Read, "/x", ok)
        .any(Public, "/x", ok)
        .get(Authenticated, "/own", ok)
        .head(Public, "/own", ok)
        .get(Read, "/rest/{*path}", ok)
        .nest_service(Authenticated, "/files", Router::<()>::new())
        .nest_service(Public, "/files/open", Router::<()>::new())
        .get(Read, "/files/one", ok);
    let operations = [
        (HttpMethod::Get, "/x", "invoices:read"),
        (HttpMethod::Head, "/x", "invoices:read"),
        (HttpMethod::Delete, "/x", "public"),
        (HttpMethod::Get, "/own", "authenticated"),
        (HttpMethod::Head, "/own", "public"),
        (HttpMethod::Get, "/rest/{path}", "invoices:read"),
        (HttpMethod::Get, "/files", "authenticated"),
        (HttpMethod::Post, "/files/{name}", "authenticated"),
        (HttpMethod::Get, "/files/open/{name}", "public"),
        (HttpMethod::Get, "/files/one", "invoices:read"),
        (HttpMethod::Put, "/files/one", "nothing"),
        (HttpMethod::Get, "/filesystem", "nothing"),
    ];
    let pairs: Vec<_> = operations
        .iter()
        .map(|(method, path, _)| (method.clone(), *path))
        .collect();
    let mut document = document(&pairs);
    let unmatched = routes.table().describe(&mut document, &world.authenticator);
    assert_eq!(unmatched.routes, [""; 0]);
    assert_eq!(unmatched.operations, ["PUT /files/one", "GET /filesystem"]);
    for (method, path, access) in operations {
        let operation = document.paths.get_path_operation(path, method).unwrap();
        let security = serde_json::to_value(&operation.security).unwrap();
        let expected = match access {
            "nothing" => Value::Null,
            "public" => json!([]),
            "authenticated" => json!([{ "as.acme.test": [] }]),
            scope => json!([{ "as.acme.test": [scope] }]),
        };
        assert_eq!(security, expected, "{path} {access}");
    }
}

#[tokio::test]
async fn what_the_document_says_of_responses_is_kept_and_what_it_says_of_security_is_not() {
    let world = World::new().await;
    let routes: GuardedRouter = GuardedRouter::new()
        .get(Read, "/x", ok)
        .get(Public, "/y", ok);
    let own = || {
        OperationBuilder::new()
            .response("403", Response::new("My own words"))
            .security(SecurityRequirement::new("wrong", ["wrong"]))
    };
    let mut document = document(&[]);
    for path in ["/x", "/y"] {
        let item = PathItem::new(HttpMethod::Get, own());
        document.paths.paths.insert(path.into(), item);
    }
    document.security = Some(vec![SecurityRequirement::new("for all", ["wrong"])]);
    let unmatched = routes.table().describe(&mut document, &world.authenticator);
    assert!(unmatched.is_empty());

    let document = json(&document);
    assert_eq!(
        document["paths"]["/x"]["get"],
        json!({
            "responses": {
                "401": reference("Unauthenticated"),
                "403": { "description": "My own words" },
                "503": reference("KeysUnavailable"),
            },
            "security": [{ "as.acme.test": ["invoices:read"] }],
        })
    );
    assert_eq!(
        document["paths"]["/y"]["get"],
        json!({
            "responses": { "403": { "description": "My own words" } },
            "security": [],
        })
    );
}

#[tokio::test]
async fn describing_twice_is_describing_once() {
    let world = World::new().await;
    let routes: GuardedRouter = GuardedRouter::new().get(Write, "/x", ok);
    let mut once = document(&[(HttpMethod::Get, "/x")]);
    assert!(
        routes
            .table()
            .describe(&mut once, &world.authenticator)
            .is_empty()
    );
    let mut twice = once.clone();
    assert!(
        routes
            .table()
            .describe(&mut twice, &world.authenticator)
            .is_empty()
    );
    assert_eq!(json(&once), json(&twice));
}

#[tokio::test]
async fn a_document_of_public_operations_gets_no_components() {
    let world = World::new().await;
    let routes: GuardedRouter = GuardedRouter::new().get(Public, "/x", ok);
    let mut document = document(&[(HttpMethod::Get, "/x")]);
    assert!(
        routes
            .table()
            .describe(&mut document, &world.authenticator)
            .is_empty()
    );
    assert_eq!(json(&document)["components"], Value::Null);
}
