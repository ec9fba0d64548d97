use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use countersign_bearer::{
    Authenticator, CustomClaims, DelegatedUser, Denied, Microservice, Principal, ServicePrincipal,
};
use countersign_testing::TestIssuer;
use countersign_token::Microservices;

use crate::support::{API, ISSUER, machine, request, send, trusting, trusting_with};

async fn of_every_kind() -> (Authenticator, [String; 3]) {
    let issuer = TestIssuer::new(ISSUER);
    let authenticator = Authenticator::builder()
        .issuer(
            issuer
                .trusted_for(API)
                .with_microservices(Microservices::clients(["billing"])),
        )
        .build()
        .await
        .unwrap();
    let tokens = [
        machine(&issuer).mint(),
        issuer
            .delegated_user("app", "ada")
            .with_audience(API)
            .mint(),
        issuer.microservice("billing").with_audience(API).mint(),
    ];
    (authenticator, tokens)
}

#[tokio::test]
async fn each_kind_has_an_extractor_that_refuses_the_others() {
    let (authenticator, tokens) = of_every_kind().await;
    let handlers = [
        get(async |caller: ServicePrincipal| caller.client().unwrap_or_default().to_owned()),
        get(async |caller: DelegatedUser| caller.user().to_owned()),
        get(async |caller: Microservice| caller.client().unwrap_or_default().to_owned()),
    ];
    for (served, handler) in handlers.into_iter().enumerate() {
        let app = Router::new()
            .route("/", handler)
            .layer(authenticator.layer());
        for (kind, token) in tokens.iter().enumerate() {
            let answer = send(&app, request(Some(token))).await;
            if kind == served {
                assert_eq!(answer.body, ["m2m-acme", "ada", "billing"][kind]);
            } else {
                assert_eq!(answer.status, StatusCode::FORBIDDEN);
                assert_eq!(answer.json()["error"], "principal_not_allowed");
                assert_eq!(answer.header("www-authenticate"), None);
            }
        }
    }
}

#[tokio::test]
async fn an_extractor_without_a_layer_is_an_error_of_the_program_and_never_a_pass() {
    let handlers = [
        get(async |_: Principal| "in"),
        get(async |_: Option<Principal>| "in"),
        get(async |_: ServicePrincipal| "in"),
        get(async |_: DelegatedUser| "in"),
        get(async |_: Microservice| "in"),
        get(async |_: CustomClaims<serde_json::Value>| "in"),
    ];
    for handler in handlers {
        let app = Router::new().route("/", handler);
        let answer = send(&app, request(Some("abc"))).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(answer.json()["error"], "server_error");
    }
}

#[tokio::test]
async fn behind_an_optional_layer_nobody_is_told_from_somebody() {
    let (authenticator, [token, ..]) = of_every_kind().await;
    let app = Router::new()
        .route(
            "/",
            get(async |caller: Option<Principal>| caller.is_some().to_string()),
        )
        .route("/required", get(async |_: Principal| "in"))
        .layer(authenticator.layer().optional());
    assert_eq!(send(&app, request(Some(&token))).await.body, "true");
    assert_eq!(send(&app, request(None)).await.body, "false");
    let mut required = request(None);
    *required.uri_mut() = "/required".parse().unwrap();
    assert_eq!(send(&app, required).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn custom_claims_are_read_into_a_type_or_refused() {
    #[derive(serde::Deserialize)]
    struct Plan {
        plan: String,
        seats: Option<u32>,
    }
    let issuer = TestIssuer::new(ISSUER);
    let app = Router::new()
        .route(
            "/",
            get(async |CustomClaims(plan): CustomClaims<Plan>| {
                format!("{} {:?}", plan.plan, plan.seats)
            }),
        )
        .layer(trusting(&issuer).await.layer());
    let fitting = machine(&issuer)
        .with_claim("plan", "gold")
        .with_claim("seats", 3);
    let answer = send(&app, request(Some(&fitting.mint()))).await;
    assert_eq!(answer.body, "gold Some(3)");
    for unfit in [machine(&issuer), machine(&issuer).with_claim("plan", 1)] {
        let answer = send(&app, request(Some(&unfit.mint()))).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(answer.json()["error"], "invalid_token");
    }
}

#[tokio::test]
async fn a_handler_may_look_at_a_denial_itself() {
    let (authenticator, tokens) = of_every_kind().await;
    let app = Router::new()
        .route(
            "/",
            get(async |caller: Result<DelegatedUser, Denied>| match caller {
                Ok(user) => format!("user {}", user.user()),
                Err(denied) => denied.kind().to_string(),
            }),
        )
        .layer(authenticator.layer());
    assert_eq!(
        send(&app, request(Some(&tokens[0]))).await.body,
        "principal_not_allowed"
    );
    assert_eq!(send(&app, request(Some(&tokens[1]))).await.body, "user ada");
}

#[tokio::test]
async fn nobody_behind_an_optional_layer_is_told_where_to_get_a_token() {
    let authenticator = trusting_with(&TestIssuer::new(ISSUER), |builder| {
        builder.with_resource(API)
    })
    .await;
    let app = Router::new()
        .route("/", get(async |_: Principal| "in"))
        .layer(authenticator.layer().optional());
    let answer = send(&app, request(None)).await;
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(challenge.contains("resource_metadata="), "{challenge}");
}

#[tokio::test]
async fn a_caller_is_let_through_by_any_alternative_and_told_of_the_first() {
    let issuer = TestIssuer::new(ISSUER);
    let wanted = [vec![], vec!["read", "write"], vec!["admin"]];
    let app = Router::new()
        .route(
            "/",
            get(async move |caller: Principal| {
                let granted = caller.require_any(wanted.clone().into_iter());
                granted.map(|()| "in")
            }),
        )
        .layer(trusting(&issuer).await.layer());
    for (scopes, is_let_through) in [
        (&["read", "write"][..], true),
        (&["admin"], true),
        (&["read"], false),
        (&[], false),
    ] {
        let token = machine(&issuer).with_scopes(scopes).mint();
        let answer = send(&app, request(Some(&token))).await;
        if is_let_through {
            assert_eq!(answer.body, "in", "{scopes:?}");
        } else {
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{scopes:?}");
            let challenge = answer.header("www-authenticate").unwrap();
            assert!(challenge.contains("scope=\"read write\""), "{challenge}");
        }
    }
}
