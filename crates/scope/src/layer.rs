use std::task::{Context, Poll};

use countersign_bearer::RefusalBody;
use countersign_token::{Scope, ScopePolicy};
use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use crate::future::ResponseFuture;
use crate::requirement::{Requirement, RequirementError, scope_of};

/// Guards whatever it wraps with scopes; made by [`require`], or of scopes known only at run time.
///
/// It must stand inside of the authentication layer; outside of it, it answers 500. In axum, give it to
/// `route_layer`.
///
/// ```
/// use countersign_scope::RequireScopes;
///
/// let both = RequireScopes::all(["accounts:read", "transfers:write"])?;
/// let either = RequireScopes::any(["audit:read", "admin"])?;
/// # Ok::<(), countersign_scope::RequirementError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a guard guards nothing until it wraps a service"]
pub struct RequireScopes {
    requirement: Requirement,
}

/// Guards a whole router, or any service, with the policy `P`.
///
/// Axum's `route_layer` guards the routes that the router has so far, for every method. It leaves the fallback
/// alone, which `layer` guards as well.
///
/// ```
/// use axum::{Router, routing::get};
/// use countersign_scope::{require, scopes};
///
/// scopes! {
///     pub Admin = "admin";
/// }
///
/// let admin: Router = Router::new()
///     .route("/users", get(|| async { "users" }))
///     .route_layer(require::<Admin>());
/// ```
pub fn require<P: ScopePolicy>() -> RequireScopes {
    RequireScopes {
        requirement: Requirement::of::<P>(),
    }
}

impl RequireScopes {
    /// Needs every one of these scopes. Refused: none at all, and what is not a scope token.
    pub fn all<S: Into<String>>(
        scopes: impl IntoIterator<Item = S>,
    ) -> Result<Self, RequirementError> {
        let all: Vec<Scope> = scopes.into_iter().map(scope_of).collect::<Result<_, _>>()?;
        Ok(Self {
            requirement: Requirement::owned(vec![all])?,
        })
    }

    /// Needs one of these scopes; whoever has none is told of the first. Refused: none at all, and what is
    /// not a scope token.
    pub fn any<S: Into<String>>(
        scopes: impl IntoIterator<Item = S>,
    ) -> Result<Self, RequirementError> {
        let one_each = scopes
            .into_iter()
            .map(|scope| scope_of(scope).map(|one| vec![one]));
        Ok(Self {
            requirement: Requirement::owned(one_each.collect::<Result<_, _>>()?)?,
        })
    }
}

impl<S> Layer<S> for RequireScopes {
    type Service = Scopes<S>;

    fn layer(&self, inner: S) -> Scopes<S> {
        Scopes {
            inner,
            requirement: self.requirement.clone(),
        }
    }
}

/// The service that [`RequireScopes`] makes.
#[derive(Clone, Debug)]
pub struct Scopes<S> {
    inner: S,
    requirement: Requirement,
}

impl<S, B, R> Service<Request<B>> for Scopes<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: RefusalBody,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let decision = self.requirement.check(request.extensions());
        match decision {
            Ok(_) => ResponseFuture::granted(self.inner.call(request)),
            Err(denied) => ResponseFuture::denied(&denied.for_request(&request)),
        }
    }
}
