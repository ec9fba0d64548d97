//! The guarded service, the issuer of its tokens, and its callers.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use countersign::{Authentication, Authenticator, AuthenticatorBuilder, DenialKind, scopes};
use countersign_testing::{TestIssuer, TokenBuilder};
use futures_util::stream;
use tokio::net::TcpListener;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::health_server::Health;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

pub(crate) const AUDIENCE: &str = "https://api.acme.test";

scopes! {
    /// See how the service is.
    pub(crate) ReadHealth = "health:read";
}

/// A health service whose handlers ask of the caller what the name in the request says: the scope
/// [`ReadHealth`], nothing but being authenticated, or to be of the organization of that name.
#[derive(Clone, Copy)]
pub(crate) struct Asking;

pub(crate) const FOR_SCOPE: &str = "scope";
pub(crate) const FOR_NOTHING: &str = "";

#[tonic::async_trait]
impl Health for Asking {
    type WatchStream = stream::Iter<std::vec::IntoIter<Result<HealthCheckResponse, Status>>>;

    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        admit(&request)?;
        Ok(Response::new(serving()))
    }

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        admit(&request)?;
        Ok(Response::new(stream::iter(vec![
            Ok(serving()),
            Ok(serving()),
        ])))
    }
}

fn admit(request: &Request<HealthCheckRequest>) -> Result<(), Status> {
    let caller = Authentication::of(request.extensions())?.principal()?;
    match (request.get_ref().service.as_str(), caller.organization()) {
        (FOR_NOTHING, _) => {}
        (FOR_SCOPE, _) => caller.require::<ReadHealth>()?,
        (asked, Some(own)) if own.as_str() == asked => {}
        (_, Some(_)) => Err(caller.deny(DenialKind::OtherTenant))?,
        (_, None) => Err(caller.deny(DenialKind::OrganizationRequired))?,
    }
    Ok(())
}

fn serving() -> HealthCheckResponse {
    HealthCheckResponse {
        status: ServingStatus::Serving.into(),
    }
}

/// An issuer, and an authenticator that trusts it and has fixed keys.
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
        let builder = Authenticator::builder()
            .issuer(issuer.trusted_for(AUDIENCE))
            .with_realm("acme")
            .with_resource(AUDIENCE);
        Self {
            issuer,
            authenticator: settings(builder).build().await.unwrap(),
        }
    }

    /// A token of a machine of `org_acme` without scopes.
    pub(crate) fn token(&self) -> TokenBuilder {
        token_of(&self.issuer)
    }

    /// The same with the scope that [`ReadHealth`] needs.
    pub(crate) fn scoped_token(&self) -> TokenBuilder {
        self.token().with_scopes(["health:read"])
    }

    /// `Authorization` headers that the layer refuses, each with the status that HTTP has for it.
    pub(crate) fn refused(&self) -> [(&'static str, Option<String>, StatusCode); 6] {
        let stranger = TestIssuer::new("https://as.acme.test");
        [
            ("none", None, StatusCode::UNAUTHORIZED),
            (
                "another scheme",
                Some("Basic YTpi".into()),
                StatusCode::UNAUTHORIZED,
            ),
            (
                "a malformed one",
                Some("Bearer a b".into()),
                StatusCode::BAD_REQUEST,
            ),
            (
                "no token at all",
                Some("Bearer abc".into()),
                StatusCode::UNAUTHORIZED,
            ),
            (
                "a bad signature",
                Some(bearer(&self.token().signed_by(&stranger))),
                StatusCode::UNAUTHORIZED,
            ),
            (
                "an expired token",
                Some(bearer(&self.token().expired())),
                StatusCode::UNAUTHORIZED,
            ),
        ]
    }
}

pub(crate) fn token_of(issuer: &TestIssuer) -> TokenBuilder {
    issuer
        .service_principal("m2m-acme")
        .with_audience(AUDIENCE)
        .with_organization("org_acme")
}

pub(crate) fn bearer(token: &TokenBuilder) -> String {
    format!("Bearer {}", token.clone().mint())
}

/// A free port of 127.0.0.1, and tonic's client for whatever will serve there.
pub(crate) async fn listen() -> (TcpListener, Channel) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, Endpoint::from_shared(url).unwrap().connect_lazy())
}

/// Calls the service by tonic's client.
pub(crate) async fn check(
    channel: &Channel,
    authorization: Option<&str>,
    service: &str,
) -> Result<(), Status> {
    check_with(channel, headers(authorization), service).await
}

pub(crate) async fn check_with(
    channel: &Channel,
    metadata: HeaderMap,
    service: &str,
) -> Result<(), Status> {
    let request = call(metadata, service);
    let response = HealthClient::new(channel.clone()).check(request).await?;
    assert_eq!(response.into_inner(), serving());
    Ok(())
}

/// Calls the streaming method; how many messages came.
pub(crate) async fn watch(
    channel: &Channel,
    authorization: Option<&str>,
    service: &str,
) -> Result<usize, Status> {
    let request = call(headers(authorization), service);
    let response = HealthClient::new(channel.clone()).watch(request).await?;
    let mut messages = response.into_inner();
    let mut count = 0;
    while messages.message().await?.is_some() {
        count += 1;
    }
    Ok(count)
}

fn call(metadata: HeaderMap, service: &str) -> Request<HealthCheckRequest> {
    let mut request = Request::new(HealthCheckRequest {
        service: service.into(),
    });
    *request.metadata_mut() = tonic::metadata::MetadataMap::from_headers(metadata);
    request
}

pub(crate) fn headers(authorization: Option<&str>) -> HeaderMap {
    let value = authorization.map(|value| HeaderValue::try_from(value).unwrap());
    let header = value.map(|value| (header::AUTHORIZATION, value));
    header.into_iter().collect()
}
