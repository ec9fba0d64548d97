use std::sync::Arc;
use std::task::{Context, Poll};

use countersign_token::{Confirmation, OrganizationId};
use http::header::AUTHORIZATION;
use http::{Request, Response};
use tower_service::Service;
use tracing::Span;

use crate::authentication::Authentication;
use crate::authenticator::{Authenticator, Decision};
use crate::body::RefusalBody;
use crate::context;
use crate::denied::{DenialKind, Denied};
use crate::future::ResponseFuture;
use crate::meter::{self, Started};
use crate::principal::Principal;
use crate::sender::Remembered;
use crate::trail::Trail;

/// The service that [`BearerLayer`](crate::BearerLayer) makes: it obeys [`Authenticator::decide`].
#[derive(Clone, Debug)]
pub struct Bearer<S> {
    inner: S,
    authenticator: Authenticator,
    optional: bool,
}

impl<S> Bearer<S> {
    pub(crate) fn new(inner: S, authenticator: Authenticator, optional: bool) -> Self {
        Self {
            inner,
            authenticator,
            optional,
        }
    }
}

impl<S, B, R> Service<Request<B>> for Bearer<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    R: RefusalBody,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = ResponseFuture<S, B, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let started = Started::now(self.authenticator.context().clock());
        let decision = self.authenticator.decide(&request);
        // There is one at most: a request with two is denied.
        if let Some(credential) = request.headers_mut().get_mut(AUTHORIZATION) {
            credential.set_sensitive(true);
        }
        if self.authenticator.takes_proofs()
            && let Some(proof) = request.headers_mut().get_mut("dpop")
        {
            proof.set_sensitive(true);
        }
        let admission = Admission {
            nobody: self.optional.then(|| self.authenticator.context().clone()),
            started,
        };
        match decision {
            Decision::Ready(result) => match admission.admit(result, &mut request) {
                Ok(span) => ResponseFuture::admitted(self.inner.call(request), span),
                Err(denied) => ResponseFuture::denied(&denied),
            },
            Decision::Pending(pending) => {
                // The service that was polled ready is the one to call; the clone stays for the next request.
                let clone = self.inner.clone();
                let ready = std::mem::replace(&mut self.inner, clone);
                ResponseFuture::pending(pending, admission, ready, request)
            }
        }
    }
}

/// Who is let through: everybody authenticated, and behind an optional layer whoever brought no credential.
#[derive(Debug)]
pub(crate) struct Admission {
    /// The context of those who bring no credential, where they are let through.
    nobody: Option<Arc<context::Context>>,
    started: Started,
}

impl Admission {
    /// Leaves the mark in the request and returns the span that its own logs stand in.
    pub(crate) fn admit<B>(
        self,
        result: Result<Principal, Denied>,
        request: &mut Request<B>,
    ) -> Result<Span, Denied> {
        self.started.decided(&result);
        let (span, mark) = match (result, self.nobody) {
            (Ok(principal), _) => {
                if let Some(trail) = Trail::of(request.extensions()) {
                    trail.authenticated(&principal);
                }
                meter::let_through(Some(&principal));
                if let Some(Confirmation::KeyThumbprint(_)) = principal.confirmation()
                    && let Some(mark) = Remembered::of(request, principal.context())
                {
                    request.extensions_mut().insert(mark);
                }
                (span_of(&principal), principal.into())
            }
            (Err(denied), Some(context)) if denied.kind() == DenialKind::MissingCredential => {
                if let Some(trail) = Trail::of(request.extensions()) {
                    trail.authenticated_nobody();
                }
                meter::let_through(None);
                (Span::none(), Authentication::of_nobody(context))
            }
            (Err(denied), _) => {
                return Err(denied.for_request(request));
            }
        };
        request.extensions_mut().insert(mark);
        Ok(span)
    }
}

/// Who the caller is, where a subscriber wants to know. With a program's feature `tracing/log` on, a span costs as
/// much as the rest of the layer even where nobody listens.
fn span_of(principal: &Principal) -> Span {
    if !tracing::level_enabled!(tracing::Level::INFO) {
        return Span::none();
    }
    tracing::info_span!(
        "caller",
        kind = principal.kind().as_str(),
        client = principal.client(),
        organization = principal.organization().map(OrganizationId::as_str),
    )
}
