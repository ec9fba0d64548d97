use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, Response, StatusCode};
use countersign_bearer::{Authenticator, AuthenticatorBuilder, DenialKind, Denied};
use countersign_testing::{TestIssuer, TokenBuilder};
use countersign_token::Refusal;
use serde_json::Value;
use tower::ServiceExt;

pub(crate) const API: &str = "https://api.acme.test";
pub(crate) const ISSUER: &str = "https://as.acme.test";

/// An authenticator that trusts this issuer, with whatever `configure` adds.
pub(crate) async fn trusting_with(
    issuer: &TestIssuer,
    configure: impl FnOnce(AuthenticatorBuilder) -> AuthenticatorBuilder,
) -> Authenticator {
    let builder = Authenticator::builder().issuer(issuer.trusted_for(API));
    configure(builder).build().await.unwrap()
}

pub(crate) async fn trusting(issuer: &TestIssuer) -> Authenticator {
    trusting_with(issuer, |builder| builder).await
}

/// A token of a machine of `org_acme` for this API.
pub(crate) fn machine(issuer: &TestIssuer) -> TokenBuilder {
    issuer
        .service_principal("m2m-acme")
        .with_audience(API)
        .with_organization("org_acme")
}

pub(crate) fn request(token: Option<&str>) -> Request<Body> {
    let mut request = Request::get("/");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request.body(Body::empty()).unwrap()
}

/// What a client sees.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) async fn of(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        Self {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

pub(crate) async fn send(app: &Router, request: Request<Body>) -> Answer {
    Answer::of(app.clone().oneshot(request).await.unwrap()).await
}

pub(crate) fn refusal<T>(result: Result<T, Denied>) -> Refusal {
    match result
        .map(|_| "let through")
        .map_err(|denied| denied.kind())
    {
        Err(DenialKind::InvalidToken(refusal)) => refusal,
        other => panic!("not a refused token: {other:?}"),
    }
}
