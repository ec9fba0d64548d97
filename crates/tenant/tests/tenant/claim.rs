//! The organization comes from the token's claim and from nothing else.

use axum::Router;
use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::routing::{any, get};
use countersign_bearer::{DenialKind, Denied};
use countersign_tenant::{PathTenant, Tenant};
use countersign_testing::{anonymous, authenticated, microservice};
use countersign_token::{ClaimPath, ClaimsProfile, Microservices, OrganizationForm};
use http::{Request, StatusCode};

use crate::support::{App, ask, denial, send, whose};

const REQUIRED: &str = concat!(
    r#"{"type":"about:blank","title":"Forbidden","status":403,"error":"organization_required","#,
    r#""error_description":"The token names no organization"}"#
);
const AMBIGUOUS: &str = concat!(
    r#"{"type":"about:blank","title":"Forbidden","status":403,"error":"organization_ambiguous","#,
    r#""error_description":"The token names several organizations"}"#
);

fn routes() -> Router {
    Router::new().route("/whose", any(whose))
}

#[tokio::test]
async fn the_tenant_is_the_tokens_organization_with_its_issuer_and_who_acts() {
    async fn described(tenant: Tenant) -> String {
        let client = tenant.principal().client().unwrap_or_default();
        format!("{} of {} by {client}", tenant.id(), tenant.issuer())
    }
    let app = App::new(Router::new().route("/", get(described))).await;
    let answer = app.get_as("org_acme", "/").await;
    assert!(
        answer.is_of("org_acme of https://as.acme.test by m2m"),
        "{answer:?}"
    );
}

/// Whether it names another tenant, this one, or nonsense.
#[tokio::test]
async fn whatever_a_request_says_beside_its_token_changes_nothing_unless_it_is_configured() {
    let app = App::new(routes()).await;
    let token = app.token().with_organization("org_acme").mint();
    for value in ["org_other", "org_acme", "ORG_ACME", "*", ""] {
        let queries = ["org_id", "organization_id", "tenant_id", "organization"];
        for name in queries {
            let request = Request::get(format!("/whose?{name}={value}"));
            let answer = app.ask_with(&token, request).await;
            assert!(answer.is_of("org_acme"), "?{name}={value}: {answer:?}");
        }
        let headers = [
            "host",
            "x-forwarded-host",
            "x-org-id",
            "x-organization-id",
            "x-tenant",
            "x-tenant-id",
            "org_id",
            "tenant_id",
        ];
        for name in headers {
            let request = Request::get("/whose").header(name, value);
            let answer = app.ask_with(&token, request).await;
            assert!(answer.is_of("org_acme"), "{name}: {value}: {answer:?}");
        }
        let request = Request::get("/whose").header("cookie", format!("org_id={value}"));
        assert!(app.ask_with(&token, request).await.is_of("org_acme"));

        let bodies = [
            ("application/json", format!(r#"{{"org_id":"{value}"}}"#)),
            (
                "application/x-www-form-urlencoded",
                format!("tenant_id={value}"),
            ),
        ];
        for (content_type, body) in bodies {
            let request = Request::post("/whose")
                .header("authorization", format!("Bearer {token}"))
                .header("content-type", content_type)
                .body(Body::from(body));
            let answer = send(&app.router, request.unwrap()).await;
            assert!(answer.is_of("org_acme"), "{content_type}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn no_other_claim_stands_in_for_the_profiles() {
    let app = App::new(routes()).await;
    for claim in [
        "organization_id",
        "organization",
        "org",
        "tenant_id",
        "tenant",
        "tid",
        "oid",
        "org_code",
        "ORG_ID",
    ] {
        let token = app.token().with_claim(claim, "org_acme");
        let answer = app.ask_with(&token.mint(), Request::get("/whose")).await;
        let expected = denial(
            StatusCode::FORBIDDEN,
            DenialKind::OrganizationRequired,
            REQUIRED,
        );
        assert_eq!(answer, expected, "{claim}");

        let token = token.with_organization("org_other");
        let answer = app.ask_with(&token.mint(), Request::get("/whose")).await;
        assert!(answer.is_of("org_other"), "{claim}: {answer:?}");
    }
}

#[tokio::test]
async fn a_token_without_organization_is_a_403_whoever_it_is_of() {
    let trust = |issuer: countersign_token::Issuer| {
        issuer.with_microservices(Microservices::clients(["billing"]))
    };
    let routes = routes()
        .route("/orgs/{org_id}", get(whose))
        .route("/path/{org_id}", get(async |_: PathTenant| {}));
    let app = App::trusting(routes, trust, |builder| builder).await;
    let tokens = [
        app.token(),
        app.issuer.microservice("billing"),
        app.issuer.delegated_user("app", "ann"),
    ];
    for token in tokens {
        let token = token.with_audience(crate::support::AUDIENCE).mint();
        for path in ["/whose", "/orgs/org_acme", "/path/org_acme"] {
            let answer = app.ask_with(&token, Request::get(path)).await;
            let expected = denial(
                StatusCode::FORBIDDEN,
                DenialKind::OrganizationRequired,
                REQUIRED,
            );
            assert_eq!(answer, expected, "{path}");
        }
    }
    let app = routes_of_nobody().layer(authenticated(microservice(["invoices:read"])));
    let answer = ask(&app, Request::get("/whose")).await;
    assert_eq!(answer.kind, Some(DenialKind::OrganizationRequired));
}

fn routes_of_nobody() -> Router {
    routes().route("/orgs/{org_id}", get(whose))
}

#[tokio::test]
async fn several_organizations_are_a_403_and_never_the_first_or_the_one_in_the_path() {
    let trust = |issuer: countersign_token::Issuer| {
        issuer.with_profile(
            ClaimsProfile::rfc9068()
                .with_organization_claims([ClaimPath::from("organization")])
                .with_organization_form(OrganizationForm::MembershipAlias),
        )
    };
    let app = App::trusting(routes_of_nobody(), trust, |builder| builder).await;
    let several = app.token().with_claim("organization", vec!["acme", "beta"]);
    for path in ["/whose", "/orgs/acme", "/orgs/beta", "/orgs/other"] {
        let answer = app.ask_with(&several.mint(), Request::get(path)).await;
        let expected = denial(
            StatusCode::FORBIDDEN,
            DenialKind::OrganizationAmbiguous,
            AMBIGUOUS,
        );
        assert_eq!(answer, expected, "{path}");
    }
    for one in [vec!["acme"], vec!["acme", "acme"]] {
        let token = app.token().with_claim("organization", one).mint();
        let answer = app.ask_with(&token, Request::get("/orgs/acme")).await;
        assert!(answer.is_of("acme"), "{answer:?}");
    }
}

#[tokio::test]
async fn without_the_authentication_layer_it_is_a_500_and_never_a_pass() {
    for path in ["/whose", "/orgs/org_acme"] {
        let request = Request::get(path).header("authorization", "Bearer a.b.c");
        let answer = ask(&routes_of_nobody(), request).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(answer.kind, Some(DenialKind::MissingLayer));
    }
}

#[tokio::test]
async fn nobody_behind_an_optional_layer_is_a_401_whichever_tenant_the_path_names() {
    for path in ["/whose", "/orgs/org_acme", "/orgs/%FF"] {
        let app = routes_of_nobody().layer(anonymous());
        let answer = ask(&app, Request::get(path)).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
        assert_eq!(answer.kind, Some(DenialKind::MissingCredential));
    }
}

#[tokio::test]
async fn a_handler_that_takes_a_result_sees_why_it_is_denied() {
    async fn lenient(tenant: Result<Tenant, Denied>) -> String {
        tenant.map_or_else(
            |denied| denied.to_string(),
            |tenant| tenant.id().to_string(),
        )
    }
    let app = App::new(Router::new().route("/orgs/{org_id}", get(lenient))).await;
    let cases = [
        ("org_acme", "org_acme"),
        ("org_other", "denied: other_tenant"),
    ];
    for (organization, expected) in cases {
        let answer = app.get_as(organization, "/orgs/org_acme").await;
        assert!(answer.is_of(expected), "{answer:?}");
    }
}

/// Otherwise `Option<Tenant>` would turn a denial into `None`.
#[test]
fn an_optional_one_is_no_extractor() {
    trait OneOf<Which> {
        fn of() {}
    }
    struct Extractor;
    impl<T> OneOf<()> for T {}
    impl<T: FromRequestParts<()>> OneOf<Extractor> for T {}
    // Compiles only as long as a single implementation fits.
    <Option<Tenant> as OneOf<_>>::of();
    <Option<PathTenant> as OneOf<_>>::of();
    <Tenant as OneOf<Extractor>>::of();
}
