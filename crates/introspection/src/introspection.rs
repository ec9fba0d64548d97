use std::fmt;
use std::future::ready;
use std::sync::Arc;

use countersign_bearer::{Introspect, IntrospectionFailure};
use countersign_jwks::BoxFuture;
use countersign_token::{Claims, Issuer};

use crate::authentication::ClientAuthentication;
use crate::builder::IntrospectionBuilder;
use crate::endpoint::IntrospectionEndpoint;
use crate::flight::{Freshness, Shared};
use crate::meter;

/// One authorization server that is asked about its tokens. Cheap to clone; all clones share what they remember, the
/// questions under way and the budget.
///
/// Give it to [`with_opaque_tokens`](countersign_bearer::AuthenticatorBuilder::with_opaque_tokens) or
/// [`with_introspection`](countersign_bearer::AuthenticatorBuilder::with_introspection).
#[derive(Clone)]
pub struct Introspection {
    shared: Arc<Shared>,
}

impl Introspection {
    /// Asks this issuer's server, at this endpoint, as this client. The claims of an answer are read by the issuer's
    /// profile and rules, as those of a JWT are.
    pub fn builder(
        issuer: Issuer,
        endpoint: IntrospectionEndpoint,
        authentication: ClientAuthentication,
    ) -> IntrospectionBuilder {
        IntrospectionBuilder::new(issuer, endpoint, authentication)
    }

    pub(crate) fn new(shared: Shared) -> Self {
        Self {
            shared: Arc::new(shared),
        }
    }

    fn put(
        &self,
        token: &str,
        freshness: Freshness,
    ) -> BoxFuture<Result<Claims, IntrospectionFailure>> {
        let shared = Arc::clone(&self.shared);
        let tag = shared.tagger.tag(token);
        if freshness == Freshness::Remembered
            && let Some(outcome) = shared.remembered(tag)
        {
            meter::remembered(shared.server.issuer.name());
            return Box::pin(ready(outcome));
        }
        let token = token.into();
        Box::pin(async move {
            let issuer = shared.server.issuer.name().clone();
            let outcome = shared.pursue(tag, token, freshness).await;
            meter::answered(&issuer, &outcome);
            outcome
        })
    }
}

impl Introspect for Introspection {
    fn issuer(&self) -> &Issuer {
        &self.shared.server.issuer
    }

    fn introspect(&self, token: &str) -> BoxFuture<Result<Claims, IntrospectionFailure>> {
        self.put(token, Freshness::Remembered)
    }

    fn introspect_anew(&self, token: &str) -> BoxFuture<Result<Claims, IntrospectionFailure>> {
        self.put(token, Freshness::Anew)
    }
}

impl fmt::Debug for Introspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Introspection")
            .field("issuer", self.shared.server.issuer.name())
            .field("endpoint", &self.shared.server.endpoint)
            .field("authentication", &self.shared.server.authentication)
            .field("answers", &self.shared.answers)
            .finish_non_exhaustive()
    }
}
