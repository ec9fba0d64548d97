use axum::Router;
use axum::body::{Body, to_bytes};
use countersign_bearer::{Authenticator, AuthenticatorBuilder};
use countersign_scope::scopes;
use countersign_testing::TestIssuer;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Request, StatusCode};
use tower::ServiceExt;

pub(crate) const AUDIENCE: &str = "https://api.acme.test";

scopes! {
    pub(crate) Read = "invoices:read";
    pub(crate) Write = "invoices:write" || "admin";
    pub(crate) Transfer = "accounts:read" && "transfers:write";
}

/// An authenticator and the issuer that it trusts.
pub(crate) struct World {
    pub(crate) issuer: TestIssuer,
    pub(crate) authenticator: Authenticator,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::of(|builder| builder).await
    }

    pub(crate) async fn of(
        settings: impl FnOnce(AuthenticatorBuilder) -> AuthenticatorBuilder,
    ) -> Self {
        let issuer = TestIssuer::new("https://as.acme.test");
        let builder = Authenticator::builder().issuer(issuer.trusted_for(AUDIENCE));
        let authenticator = settings(builder).build().await.unwrap();
        Self {
            issuer,
            authenticator,
        }
    }

    /// The value of an `Authorization` header with a good token that grants these scopes.
    pub(crate) fn granted(&self, scopes: &str) -> String {
        let token = self.issuer.service_principal("m2m-acme");
        let token = token.with_audience(AUDIENCE).with_organization("org_acme");
        format!("Bearer {}", token.with_claim("scope", scopes).mint())
    }

    /// The same with a token that was changed on its way.
    pub(crate) fn tampered(&self, scopes: &str) -> String {
        let token = self.issuer.service_principal("m2m-acme");
        let token = token.with_audience(AUDIENCE).with_claim("scope", scopes);
        format!("Bearer {}", token.tampered().mint())
    }
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// Sends a request such as `GET /invoices`, without a credential if that is empty.
pub(crate) async fn ask(app: &Router, request: &str, credential: &str) -> Answer {
    let (method, path) = request.split_once(' ').unwrap();
    let mut request = Request::builder().method(method).uri(path);
    if !credential.is_empty() {
        request = request.header(AUTHORIZATION, credential);
    }
    let request = request.body(Body::empty()).unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body: String::from_utf8(body.into()).unwrap(),
    }
}

pub(crate) async fn status(app: &Router, request: &str, credential: &str) -> u16 {
    ask(app, request, credential).await.status.as_u16()
}

pub(crate) async fn ok() -> &'static str {
    "ok"
}
