use std::task::{Context, Poll};

use countersign_bearer::{
    Authentication, DenialKind, Denied, IntrospectionFailure, Principal, RefusalBody,
};
use countersign_jwks::BoxFuture;
use countersign_jwks::suite::Seldom;
use countersign_token::{CallerKind, Claims, Refusal};
use http::header::AUTHORIZATION;
use http::{HeaderMap, Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use crate::future::ResponseFuture;

/// The longest token that a server is asked about.
const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// Lets a request through only if the authorization server says, now, that its token is active; made by
/// [`require_active`].
#[derive(Clone, Copy, Debug)]
#[must_use = "a guard guards nothing until it wraps a service"]
pub struct RequireActive {
    anew: bool,
}

/// Guards routes that need certainty, such as one that pays out money: a signed token says what was true when it was
/// issued, and this asks whether it still is.
///
/// It must stand inside of the authentication layer, which verifies the token first, and needs somebody to ask about
/// the caller's issuer:
/// [`with_introspection`](countersign_bearer::AuthenticatorBuilder::with_introspection). In axum, give it to
/// `route_layer`. What it refuses:
///
/// | | |
/// |---|---|
/// | no authentication layer, or nobody to ask about tokens of this issuer | 500, logged as a programming error |
/// | the token is not active, or the answer breaks a rule of the issuer's settings | 401 `invalid_token` |
/// | the answer names another caller than the token: kind, subject, client, user or organizations | 401 `invalid_token` |
/// | the server cannot be asked | 503 with `Retry-After` |
///
/// A server that leaves `sub` out for machines names the same caller still. Scopes are the token's.
///
/// ```
/// use axum::{Router, routing::post};
/// use countersign_introspection::require_active;
///
/// let payments: Router = Router::new()
///     .route("/payouts", post(|| async { "paid" }))
///     .route_layer(require_active());
/// ```
pub fn require_active() -> RequireActive {
    RequireActive { anew: false }
}

impl RequireActive {
    /// Asks for each request, whatever is remembered: a revocation counts from the moment at which the server knows
    /// of it. Requests with the same token at the same time share an answer to a question put after they came.
    pub fn uncached(mut self) -> Self {
        self.anew = true;
        self
    }

    /// What has to be waited for before the request may go on.
    fn question<B>(self, request: &Request<B>) -> Result<Check, Denied> {
        let authentication = Authentication::of(request.extensions())?;
        let principal = authentication.principal()?;
        let context = authentication.context();
        let server = context
            .introspection(principal.issuer())
            .ok_or_else(|| authentication.deny(DenialKind::MissingIntrospection))?;
        // The layer found one; it is absent where a principal was asserted by other means.
        let token = presented(request.headers())
            .ok_or_else(|| authentication.deny(DenialKind::MissingCredential))?;
        Ok(Check {
            principal: principal.clone(),
            answer: if self.anew {
                server.introspect_anew(token)
            } else {
                server.introspect(token)
            },
        })
    }
}

impl<S> Layer<S> for RequireActive {
    type Service = Active<S>;

    fn layer(&self, inner: S) -> Active<S> {
        Active {
            inner,
            guard: *self,
        }
    }
}

/// The service that [`RequireActive`] makes.
#[derive(Clone, Debug)]
pub struct Active<S> {
    inner: S,
    guard: RequireActive,
}

impl<S, B, R> Service<Request<B>> for Active<S>
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

    fn call(&mut self, request: Request<B>) -> Self::Future {
        match self.guard.question(&request) {
            Ok(check) => {
                // The service that was polled ready is the one to call; the clone stays for the next request.
                let clone = self.inner.clone();
                let ready = std::mem::replace(&mut self.inner, clone);
                ResponseFuture::pending(check, ready, request)
            }
            Err(denied) => ResponseFuture::denied(&denied.for_request(&request)),
        }
    }
}

/// A question that was put for somebody's request.
pub(crate) struct Check {
    principal: Principal,
    pub(crate) answer: BoxFuture<Result<Claims, IntrospectionFailure>>,
}

impl Check {
    /// Whether the request may go on after this answer.
    pub(crate) fn judge(&self, answer: Result<Claims, IntrospectionFailure>) -> Result<(), Denied> {
        let deny = |kind| self.principal.deny(kind);
        match answer {
            Ok(claims) => {
                if let Some(difference) = difference(&self.principal, &claims) {
                    report_another(self.principal.issuer(), difference);
                    return Err(deny(DenialKind::InvalidToken(Refusal::Inactive)));
                }
                Ok(())
            }
            Err(IntrospectionFailure::Refused(refusal)) => {
                Err(deny(DenialKind::InvalidToken(refusal)))
            }
            Err(IntrospectionFailure::Unavailable { retry_after }) => {
                Err(deny(DenialKind::IntrospectionUnavailable).with_retry_after(retry_after))
            }
            Err(_) => Err(deny(DenialKind::IntrospectionUnavailable)),
        }
    }
}

/// Tells the log once a minute at most, and at level debug otherwise: whoever has such a token may come as often as he
/// likes.
fn report_another(issuer: &str, difference: &'static str) {
    static TOLD: Seldom = Seldom::new();
    if TOLD.is_due_now() {
        tracing::warn!(
            issuer,
            difference,
            "the answer to introspection names another caller than the token (told once a minute at most)"
        );
    } else {
        tracing::debug!(issuer, difference, "the answer names another caller");
    }
}

/// In what the caller that was verified and the one in an answer differ.
fn difference(verified: &Claims, answered: &Claims) -> Option<&'static str> {
    let is_machine = verified.kind() != CallerKind::DelegatedUser;
    let may_lack_subject = is_machine && answered.subject().is_none();
    let confirmation = answered.confirmation();
    [
        ("issuer", verified.issuer() == answered.issuer()),
        ("kind", verified.kind() == answered.kind()),
        ("client", verified.client() == answered.client()),
        ("user", verified.user() == answered.user()),
        (
            "subject",
            may_lack_subject || verified.subject() == answered.subject(),
        ),
        (
            "organizations",
            verified.organizations() == answered.organizations(),
        ),
        // A server need not tell what a token is bound to; the token does.
        (
            "confirmation",
            confirmation.is_none() || confirmation == verified.confirmation(),
        ),
    ]
    .into_iter()
    .find_map(|(what, is_same)| (!is_same).then_some(what))
}

/// The token of the one credential, whichever scheme it came under.
fn presented(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    let is_ours = ["bearer", "dpop"]
        .iter()
        .any(|ours| scheme.eq_ignore_ascii_case(ours));
    let token = token.trim_start_matches(' ');
    let is_token = !token.is_empty()
        && token.len() <= MAX_TOKEN_BYTES
        && token
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte));
    (is_ours && is_token).then_some(token)
}
