use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use countersign::{
    Authenticated, GuardedRouter, Microservice, Revocation, RevocationList, RevocationPublisher,
    RevokeError, scopes,
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
    revoker: Option<Revoker>,
    publisher: Option<&RevocationPublisher>,
) -> GuardedRouter<S> {
    const PATH: &str = "/revocations";
    let mut routes = GuardedRouter::new();
    if let Some(revoker) = revoker {
        let revoke = async move |caller: Microservice, Json(revocation): Json<Revocation>| {
            revoke(&revoker, &caller, revocation).await
        };
        routes = routes.post(WriteRevocations, PATH, revoke);
    }
    if let Some(publisher) = publisher {
        let feed = Router::new().route(PATH, publisher.route());
        routes = routes.merge_router(Authenticated, "GET /revocations", feed);
    }
    routes
}

async fn revoke(revoker: &Revoker, caller: &Microservice, revocation: Revocation) -> Response {
    // Whoever can make a microservice of another issuer must not shut out this one's callers.
    if revocation.issuer_name() != caller.issuer() {
        let problem = "whoever revokes does so for the issuer of his own token";
        return (StatusCode::UNPROCESSABLE_ENTITY, problem).into_response();
    }
    // The audit trail says who asked, and this for what. Before it is done: whoever goes away must not keep it out.
    tracing::info!(
        by = caller.client(),
        issuer = revocation.issuer_name(),
        kind = revocation.kind().as_str(),
        id = revocation.id(),
        "asked to revoke"
    );
    match revoker.revoke(revocation).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(refused) => {
            tracing::warn!(
                by = caller.client(),
                refused = refused.1,
                "not revoked everywhere"
            );
            refused.into_response()
        }
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
