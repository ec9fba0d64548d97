use axum::Router;
use axum::http::{HeaderValue, Request, StatusCode};
use axum::routing::get;
use countersign_bearer::{Authentication, Authenticator, AuthenticatorBuilder, DenialKind, Denied};
use countersign_testing::TestIssuer;
use countersign_token::Refusal;
use serde_json::json;

use crate::support::{Answer, ISSUER, machine, request, send, trusting, trusting_with};

fn app(authenticator: &Authenticator) -> Router {
    Router::new()
        .route("/", get(|| async { "in" }))
        .layer(authenticator.layer())
}

fn challenge_of(answer: &Answer) -> &str {
    answer.header("www-authenticate").unwrap_or("none")
}

#[tokio::test]
async fn a_missing_credential_is_challenged_without_an_error_code() {
    let issuer = TestIssuer::new(ISSUER);
    let app = app(&trusting(&issuer).await);
    let other_scheme = Request::get("/").header("authorization", "Basic dTpw");
    let dpop = Request::get("/").header("authorization", "DPoP abc");
    for request in [
        request(None),
        other_scheme.body(axum::body::Body::empty()).unwrap(),
        dpop.body(axum::body::Body::empty()).unwrap(),
    ] {
        let answer = send(&app, request).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(challenge_of(&answer), r#"Bearer realm="api""#);
        assert_eq!(
            answer.json(),
            json!({ "type": "about:blank", "title": "Unauthorized", "status": 401 })
        );
    }
}

#[tokio::test]
async fn a_malformed_credential_is_an_invalid_request() {
    let issuer = TestIssuer::new(ISSUER);
    let answer = send(&app(&trusting(&issuer).await), request(Some("a b"))).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        challenge_of(&answer),
        r#"Bearer realm="api", error="invalid_request", error_description="The Authorization header is not one bearer token""#
    );
    assert_eq!(answer.json()["error"], "invalid_request");
}

#[tokio::test]
async fn what_is_a_bearer_token_by_its_characters_and_no_jwt_is_an_invalid_token() {
    let issuer = TestIssuer::new(ISSUER);
    let app = app(&trusting(&issuer).await);
    let (longest, too_long) = ("a".repeat(8192), "a".repeat(8193));
    let good = machine(&issuer).mint();
    let cases = [
        ("abc", 401),
        ("a.b.c", 401),
        ("abc==", 401),
        ("~+/", 401),
        (longest.as_str(), 401),
        (&too_long, 400),
        ("a b", 400),
        ("a=b", 400),
        ("a,b", 400),
        ("\u{e9}", 400),
        (&format!("{good},{good}"), 400),
        (&format!("{good}="), 401),
        (&format!(" {good}"), 200),
    ];
    for (token, status) in cases {
        let answer = send(&app, request(Some(token))).await;
        assert_eq!(answer.status, status, "{token:.40}");
    }
}

#[tokio::test]
async fn a_refused_token_is_answered_with_the_rfcs_word_and_the_metadata_of_the_resource() {
    let issuer = TestIssuer::new(ISSUER);
    let authenticator =
        trusting_with(&issuer, |one| one.with_resource("https://api.acme.test/v1")).await;
    let token = machine(&issuer).expired().mint();
    let answer = send(&app(&authenticator), request(Some(&token))).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        challenge_of(&answer),
        "Bearer realm=\"https://api.acme.test/v1\", error=\"invalid_token\", \
         error_description=\"The token has expired\", \
         resource_metadata=\"https://api.acme.test/.well-known/oauth-protected-resource/v1\""
    );
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json")
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(
        answer.json(),
        json!({
            "type": "about:blank",
            "title": "Unauthorized",
            "status": 401,
            "error": "invalid_token",
            "error_description": "The token has expired",
        })
    );
}

#[tokio::test]
async fn each_kind_has_its_status_its_code_and_a_challenge_where_a_token_would_help() {
    let issuer = TestIssuer::new(ISSUER);
    let kinds = [
        (DenialKind::MissingCredential, 401, None, true),
        (DenialKind::UnsupportedScheme, 401, None, true),
        (
            DenialKind::MalformedCredential,
            400,
            Some("invalid_request"),
            true,
        ),
        (
            DenialKind::InvalidToken(Refusal::BadSignature),
            401,
            Some("invalid_token"),
            true,
        ),
        (
            DenialKind::InsufficientScope,
            403,
            Some("insufficient_scope"),
            true,
        ),
        (
            DenialKind::OrganizationRequired,
            403,
            Some("organization_required"),
            false,
        ),
        (
            DenialKind::OrganizationAmbiguous,
            403,
            Some("organization_ambiguous"),
            false,
        ),
        (
            DenialKind::OrganizationUnknown,
            403,
            Some("organization_unknown"),
            false,
        ),
        (
            DenialKind::OrganizationSuspended,
            403,
            Some("organization_suspended"),
            false,
        ),
        (
            DenialKind::DirectoryUnavailable,
            503,
            Some("temporarily_unavailable"),
            false,
        ),
        (
            DenialKind::PrincipalNotAllowed,
            403,
            Some("principal_not_allowed"),
            false,
        ),
        (DenialKind::OtherTenant, 404, None, false),
        (
            DenialKind::KeysUnavailable,
            503,
            Some("temporarily_unavailable"),
            false,
        ),
        (DenialKind::MissingLayer, 500, Some("server_error"), false),
        (
            DenialKind::MissingPathParameter,
            500,
            Some("server_error"),
            false,
        ),
    ];
    let token = machine(&issuer).mint();
    for (kind, status, code, has_challenge) in kinds {
        let app = Router::new()
            .route(
                "/",
                get(move |request: Request<axum::body::Body>| async move {
                    let authentication = Authentication::of(request.extensions())?;
                    Err::<(), Denied>(authentication.deny(kind))
                }),
            )
            .layer(trusting(&issuer).await.layer());
        let answer = send(&app, request(Some(&token))).await;
        assert_eq!(answer.status, status, "{kind}");
        assert_eq!(answer.json()["status"], status, "{kind}");
        assert_eq!(answer.json()["error"].as_str(), code, "{kind}");
        assert_eq!(
            answer.header("www-authenticate").is_some(),
            has_challenge,
            "{kind}"
        );
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{kind}");
    }
}

#[tokio::test]
async fn the_realm_is_quoted_and_the_body_is_replaced_on_request() {
    let issuer = TestIssuer::new(ISSUER);
    let authenticator = trusting_with(&issuer, |builder| {
        builder
            .with_realm(r#"the "acme" \ api"#)
            .with_denial_body(|kind| {
                let text = HeaderValue::from_static("text/plain");
                (text, kind.as_str().into())
            })
    })
    .await;
    let answer = send(&app(&authenticator), request(None)).await;
    assert_eq!(
        challenge_of(&answer),
        r#"Bearer realm="the \"acme\" \\ api""#
    );
    assert_eq!(answer.body, "missing_credential");
    assert_eq!(answer.header("content-type"), Some("text/plain"));
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn another_tenant_is_forbidden_instead_of_not_found_by_option() {
    let issuer = TestIssuer::new(ISSUER);
    let authenticator =
        trusting_with(&issuer, AuthenticatorBuilder::with_other_tenants_forbidden).await;
    let app = Router::new()
        .route(
            "/",
            get(|request: Request<axum::body::Body>| async move {
                let authentication = Authentication::of(request.extensions())?;
                Err::<(), Denied>(authentication.deny(DenialKind::OtherTenant))
            }),
        )
        .layer(authenticator.layer());
    let answer = send(&app, request(Some(&machine(&issuer).mint()))).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_reason_is_left_on_the_response_for_whoever_stands_further_out() {
    use tower::ServiceExt;
    let issuer = TestIssuer::new(ISSUER);
    let app = app(&trusting(&issuer).await);
    let token = machine(&issuer).with_audience("https://other.test").mint();
    let response = app.oneshot(request(Some(&token))).await.unwrap();
    assert_eq!(
        response.extensions().get(),
        Some(&DenialKind::InvalidToken(Refusal::Audience))
    );
}

#[tokio::test]
async fn a_grpc_call_is_denied_in_its_own_terms_and_nothing_else_is() {
    let issuer = TestIssuer::new(ISSUER);
    let authenticator = trusting(&issuer).await;
    let app = app(&authenticator).route_layer(authenticator.layer());
    let expired = machine(&issuer).expired().mint();
    let of = |method: &str, content_type: &str, token: Option<&str>| {
        let mut request = request(token);
        *request.method_mut() = method.parse().unwrap();
        let content_type = HeaderValue::try_from(content_type).unwrap();
        request.headers_mut().insert("content-type", content_type);
        request
    };
    let cases = [
        (of("POST", "application/grpc", None), 200, Some("16")),
        (
            of("POST", "application/grpc+proto", Some(&expired)),
            200,
            Some("16"),
        ),
        (
            of("POST", "application/grpc-web", Some("a b")),
            200,
            Some("16"),
        ),
        // A denial that is a 200 must not be had where somebody might take it for the answer.
        (of("GET", "application/grpc", None), 401, None),
        (of("POST", "application/json", None), 401, None),
    ];
    for (request, status, code) in cases {
        let answer = send(&app, request).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("grpc-status"), code);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert!(challenge_of(&answer).starts_with("Bearer realm="));
        assert_eq!(answer.body.is_empty(), code.is_some());
    }
}
