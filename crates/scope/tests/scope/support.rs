use axum::Router;
use axum::body::{Body, to_bytes};
use countersign_bearer::{Authenticator, AuthenticatorBuilder, DenialKind};
use countersign_jwks::Algorithm;
use countersign_testing::{AsPrincipal, TestIssuer, authenticated, service_principal};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{Method, Request, Response, StatusCode};
use tower::ServiceExt;

pub(crate) const AUDIENCE: &str = "https://api.acme.test";

/// What a caller without the scope is told in the body, whichever scope it is.
pub(crate) const INSUFFICIENT_SCOPE: &str = concat!(
    r#"{"type":"about:blank","title":"Forbidden","status":403,"error":"insufficient_scope","#,
    r#""error_description":"The token does not grant the scope that is needed"}"#
);

/// In the place of the authentication layer: a caller with these scopes, separated by spaces.
pub(crate) fn granted(scopes: &str) -> AsPrincipal {
    authenticated(service_principal("org_acme", scopes.split_whitespace()))
}

pub(crate) fn issuer() -> TestIssuer {
    TestIssuer::new("https://as.acme.test").with_algorithm(Algorithm::ES256)
}

pub(crate) async fn built(builder: AuthenticatorBuilder) -> Authenticator {
    builder.build().await.unwrap()
}

/// A response with its body read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) kind: Option<DenialKind>,
    pub(crate) challenges: Vec<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) cache_control: Option<String>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) async fn of(response: Response<Body>) -> Self {
        let header = |name| {
            let values = response.headers().get_all(name).iter();
            values.map(|value| value.to_str().unwrap().to_owned())
        };
        Self {
            status: response.status(),
            kind: response.extensions().get().copied(),
            challenges: header(WWW_AUTHENTICATE).collect(),
            content_type: header(CONTENT_TYPE).next(),
            cache_control: header(CACHE_CONTROL).next(),
            body: {
                let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
                String::from_utf8(bytes.into()).unwrap()
            },
        }
    }
}

pub(crate) async fn ask(app: &Router, method: Method, path: &str) -> Answer {
    let request = Request::builder().method(method).uri(path);
    send(app, request.body(Body::empty()).unwrap()).await
}

pub(crate) async fn get(app: &Router, path: &str) -> Answer {
    ask(app, Method::GET, path).await
}

pub(crate) async fn get_with_token(app: &Router, path: &str, token: &str) -> Answer {
    let request = Request::get(path).header("authorization", format!("Bearer {token}"));
    send(app, request.body(Body::empty()).unwrap()).await
}

async fn send(app: &Router, request: Request<Body>) -> Answer {
    Answer::of(app.clone().oneshot(request).await.unwrap()).await
}
