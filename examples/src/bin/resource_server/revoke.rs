use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use countersign::{
    Authenticated, Authenticator, GuardedRouter, Microservice, Revocation, RevocationList,
    RevocationPublisher, RevokeError, scopes,
};
#[cfg(feature = "redis")]
use countersign::{RedisRevocations, RedisRevokeError};

scopes! {
    /// Withdraw tokens, of any organization.
    WriteRevocations = "revocations:write";
}

/// Where tokens are withdrawn.
#[derive(Clone)]
pub(crate) enum Revoker {
    /// On this machine, and on those that follow it.
    Here(RevocationList),
    /// On all machines of a broker.
    #[cfg(feature = "redis")]
    Shared(RedisRevocations),
}

/// Why a token was not withdrawn, or not everywhere yet.
type Refused = (StatusCode, &'static str);

/// The routes of the vendor's own services. Whoever may revoke can shut out every organization, and whoever follows sees
/// clients and users of all: nobody else gets in, whatever the scope.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>(
    authenticator: &Authenticator,
    revoker: Option<Revoker>,
    publisher: Option<&RevocationPublisher>,
) -> GuardedRouter<S> {
    const PATH: &str = "/revocations";
    let mut routes = GuardedRouter::new();
    if let Some(revoker) = revoker {
        let authenticator = authenticator.clone();
        let revoke = async move |caller: Microservice, Json(revocation): Json<Revocation>| {
            revoke(&authenticator, &revoker, &caller, revocation).await
        };
        routes = routes.post(WriteRevocations, PATH, revoke);
    }
    if let Some(publisher) = publisher {
        let feed = Router::new().route(PATH, publisher.route());
        routes = routes.merge_router(Authenticated, "GET /revocations", feed);
    }
    routes
}

async fn revoke(
    authenticator: &Authenticator,
    revoker: &Revoker,
    caller: &Microservice,
    revocation: Revocation,
) -> Response {
    let issuer = revocation.issuer_name().to_owned();
    // One that is misspelt would take a place in the list, and revoke nothing.
    let issuers = authenticator.status();
    if !issuers.iter().any(|(name, _)| **name == *issuer) {
        let problem = "no token of this issuer is accepted here";
        return (StatusCode::UNPROCESSABLE_ENTITY, problem).into_response();
    }
    let (kind, id) = (
        revocation.kind().as_str(),
        revocation.id().map(str::to_owned),
    );
    let answer = revoker.revoke(revocation).await;
    let status = answer.map_or_else(|(status, _)| status, |()| StatusCode::NO_CONTENT);
    // The audit trail says who asked, and this for what.
    tracing::info!(
        by = caller.client(),
        issuer,
        kind,
        id,
        status = status.as_u16(),
        "asked to revoke"
    );
    match answer {
        Ok(()) => status.into_response(),
        Err(refused) => refused.into_response(),
    }
}

impl Revoker {
    #[cfg_attr(
        not(feature = "redis"),
        expect(clippy::unused_async, reason = "only a broker is waited for")
    )]
    async fn revoke(&self, revocation: Revocation) -> Result<(), Refused> {
        match self {
            Self::Here(list) => list.revoke(revocation).map(drop).map_err(refused),
            #[cfg(feature = "redis")]
            Self::Shared(shared) => match shared.revoke(revocation).await {
                Ok(()) => Ok(()),
                Err(RedisRevokeError::Refused(error)) => Err(refused(error)),
                Err(_) => Err((
                    StatusCode::ACCEPTED,
                    "in force on this machine, and on the others when the broker is back",
                )),
            },
        }
    }
}

fn refused(error: RevokeError) -> Refused {
    match error {
        RevokeError::InFuture => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "the moment is in the future",
        ),
        _ => (
            StatusCode::INSUFFICIENT_STORAGE,
            "the list of revocations is full",
        ),
    }
}
