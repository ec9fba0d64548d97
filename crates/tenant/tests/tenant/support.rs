use axum::Router;
use axum::body::{Body, to_bytes};
use countersign_bearer::{Authenticator, AuthenticatorBuilder, DenialKind};
use countersign_jwks::Algorithm;
use countersign_tenant::Tenant;
use countersign_testing::{TestIssuer, TokenBuilder};
use countersign_token::Issuer;
use http::request::Builder;
use http::{HeaderName, Request, StatusCode};
use tower::ServiceExt;

pub(crate) const AUDIENCE: &str = "https://api.acme.test";

/// A handler that says whom it serves.
pub(crate) async fn whose(tenant: Tenant) -> String {
    tenant.id().to_string()
}

/// Routes behind the real layer, and the issuer that it trusts.
pub(crate) struct App {
    pub(crate) router: Router,
    pub(crate) issuer: TestIssuer,
}

impl App {
    /// With the default settings.
    pub(crate) async fn new(routes: Router) -> Self {
        Self::with(routes, |builder| builder).await
    }

    pub(crate) async fn with(
        routes: Router,
        settings: impl FnOnce(AuthenticatorBuilder) -> AuthenticatorBuilder,
    ) -> Self {
        Self::trusting(routes, |issuer| issuer, settings).await
    }

    pub(crate) async fn trusting(
        routes: Router,
        trust: impl FnOnce(Issuer) -> Issuer,
        settings: impl FnOnce(AuthenticatorBuilder) -> AuthenticatorBuilder,
    ) -> Self {
        let issuer = issuer("https://as.acme.test");
        let trusted = trust(issuer.trusted_for(AUDIENCE));
        let builder = settings(Authenticator::builder().issuer(trusted));
        let authenticator = builder.build().await.unwrap();
        Self {
            router: routes.layer(authenticator.layer()),
            issuer,
        }
    }

    /// A token of an organization's automation; it names no organization yet.
    pub(crate) fn token(&self) -> TokenBuilder {
        self.issuer.service_principal("m2m").with_audience(AUDIENCE)
    }

    /// Sends a request with a token of this organization.
    pub(crate) async fn ask_as(&self, organization: &str, request: Builder) -> Answer {
        let token = self.token().with_organization(organization).mint();
        self.ask_with(&token, request).await
    }

    pub(crate) async fn ask_with(&self, token: &str, request: Builder) -> Answer {
        let request = request.header("authorization", format!("Bearer {token}"));
        ask(&self.router, request).await
    }

    /// Asks for a path with a token of this organization.
    pub(crate) async fn get_as(&self, organization: &str, path: &str) -> Answer {
        self.ask_as(organization, Request::get(path)).await
    }
}

pub(crate) fn issuer(name: &str) -> TestIssuer {
    TestIssuer::new(name).with_algorithm(Algorithm::ES256)
}

/// A response with its body read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) kind: Option<DenialKind>,
    pub(crate) headers: Vec<(HeaderName, String)>,
    pub(crate) body: String,
}

impl Answer {
    /// Whether the handler answered that it serves this organization.
    pub(crate) fn is_of(&self, organization: &str) -> bool {
        self.status == StatusCode::OK && self.body == organization
    }

    /// Whether it is the answer to whoever names another tenant: one that tells nothing.
    pub(crate) fn is_not_found(&self) -> bool {
        *self
            == denial(
                StatusCode::NOT_FOUND,
                DenialKind::OtherTenant,
                r#"{"type":"about:blank","title":"Not Found","status":404}"#,
            )
    }
}

/// A denial without a challenge: status, body and every header.
pub(crate) fn denial(status: StatusCode, kind: DenialKind, body: &str) -> Answer {
    Answer {
        status,
        kind: Some(kind),
        headers: vec![
            (
                http::header::CONTENT_TYPE,
                "application/problem+json".to_owned(),
            ),
            (http::header::CACHE_CONTROL, "no-store".to_owned()),
            (http::header::CONTENT_LENGTH, body.len().to_string()),
        ],
        body: body.to_owned(),
    }
}

pub(crate) async fn ask(router: &Router, request: Builder) -> Answer {
    let request = request.body(Body::empty()).unwrap();
    send(router, request).await
}

pub(crate) async fn send(router: &Router, request: Request<Body>) -> Answer {
    let response = router.clone().oneshot(request).await.unwrap();
    let headers = response.headers().iter();
    Answer {
        status: response.status(),
        kind: response.extensions().get().copied(),
        headers: headers
            .map(|(name, value)| (name.clone(), value.to_str().unwrap().to_owned()))
            .collect(),
        body: {
            let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
            String::from_utf8(bytes.into()).unwrap()
        },
    }
}
