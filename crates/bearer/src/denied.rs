use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use countersign_token::{ProofRefusal, Refusal};
use http::request::Parts;
use http::{Extensions, HeaderMap, HeaderValue, Method, Request, StatusCode};

use crate::context::Context;
use crate::grpc;
use crate::meter;
use crate::mistake;
use crate::trail::Trail;

/// Why a request was denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DenialKind {
    /// No credential, or one of another scheme. 401, a challenge without an error code.
    MissingCredential,
    /// A DPoP credential, which is not accepted here. 401, a challenge without an error code; never anonymous.
    UnsupportedScheme,
    /// Two credentials, or one that is no bearer token by its characters. 400 `invalid_request`.
    MalformedCredential,
    /// The token was refused. 401 `invalid_token`.
    InvalidToken(Refusal),
    /// The proof that the caller holds the key its token is bound to was refused. 401 `invalid_dpop_proof`.
    InvalidProof(ProofRefusal),
    /// The proof lacks a nonce of ours, or has an old one; a fresh one comes with the denial. 401 `use_dpop_nonce`.
    ProofNonceRequired,
    /// The user authenticated too long ago or too weakly for this route
    /// ([RFC 9470](https://www.rfc-editor.org/rfc/rfc9470)). 401 `insufficient_user_authentication`.
    InsufficientAuthentication,
    /// The token lacks a scope that the route needs. 403 `insufficient_scope`.
    InsufficientScope,
    /// The token names no organization where the handler needs one. 403 `organization_required`.
    OrganizationRequired,
    /// The token names several organizations where one is needed. 403 `organization_ambiguous`.
    OrganizationAmbiguous,
    /// The organization is not in the application's directory. 403 `organization_unknown`.
    OrganizationUnknown,
    /// The application's directory says that the organization is suspended. 403 `organization_suspended`.
    OrganizationSuspended,
    /// A caller of another kind than the handler serves. 403 `principal_not_allowed`.
    PrincipalNotAllowed,
    /// Path, host or header name another tenant than the token. 404, or 403 by option.
    OtherTenant,
    /// The issuer's keys cannot be reached, so the token could be neither accepted nor refused. 503.
    KeysUnavailable,
    /// The application's directory of organizations did not answer. 503.
    DirectoryUnavailable,
    /// The authorization server could not be asked whether the token is active. 503.
    IntrospectionUnavailable,
    /// What is known of revoked tokens is too old to tell. 503.
    RevocationsUnavailable,
    /// Whether a proof was presented before cannot be told: its store is full or does not answer. 503.
    ReplayStoreUnavailable,
    /// A guard or extractor runs where no authentication layer is. 500, a programming error: this one and the two below
    /// are logged as errors, each once a minute at most.
    MissingLayer,
    /// A handler asks for the tenant in the path, and its route has no such parameter. 500, a programming
    /// error.
    MissingPathParameter,
    /// A route wants to know whether the token is active, and there is nobody to ask about its issuer's tokens.
    /// 500, a programming error.
    MissingIntrospection,
}

impl DenialKind {
    /// The kind as one word for logs, events and metrics, such as `insufficient_scope`; for a refused token
    /// the reason, such as `expired`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MissingCredential => "missing_credential",
            Self::UnsupportedScheme => "unsupported_scheme",
            Self::MalformedCredential => "malformed_credential",
            Self::InvalidToken(refusal) => refusal.as_str(),
            Self::InvalidProof(refusal) => refusal.as_str(),
            Self::ProofNonceRequired => "proof_nonce_required",
            Self::InsufficientAuthentication => "insufficient_user_authentication",
            Self::InsufficientScope => "insufficient_scope",
            Self::OrganizationRequired => "organization_required",
            Self::OrganizationAmbiguous => "organization_ambiguous",
            Self::OrganizationUnknown => "organization_unknown",
            Self::OrganizationSuspended => "organization_suspended",
            Self::PrincipalNotAllowed => "principal_not_allowed",
            Self::OtherTenant => "other_tenant",
            Self::KeysUnavailable => "keys_unavailable",
            Self::DirectoryUnavailable => "directory_unavailable",
            Self::IntrospectionUnavailable => "introspection_unavailable",
            Self::RevocationsUnavailable => "revocations_unavailable",
            Self::ReplayStoreUnavailable => "replay_store_unavailable",
            Self::MissingLayer => "missing_layer",
            Self::MissingPathParameter => "missing_path_parameter",
            Self::MissingIntrospection => "missing_introspection",
        }
    }

    /// The `error` code that the client is told, where there is one.
    pub const fn error_code(self) -> Option<&'static str> {
        match self {
            Self::MissingCredential | Self::UnsupportedScheme | Self::OtherTenant => None,
            Self::MalformedCredential => Some("invalid_request"),
            Self::InvalidToken(_) => Some("invalid_token"),
            Self::InvalidProof(_) => Some("invalid_dpop_proof"),
            Self::ProofNonceRequired => Some("use_dpop_nonce"),
            Self::InsufficientAuthentication
            | Self::InsufficientScope
            | Self::OrganizationRequired
            | Self::OrganizationAmbiguous
            | Self::OrganizationUnknown
            | Self::OrganizationSuspended
            | Self::PrincipalNotAllowed => Some(self.as_str()),
            Self::KeysUnavailable
            | Self::DirectoryUnavailable
            | Self::IntrospectionUnavailable
            | Self::RevocationsUnavailable
            | Self::ReplayStoreUnavailable => Some("temporarily_unavailable"),
            Self::MissingLayer | Self::MissingPathParameter | Self::MissingIntrospection => {
                Some("server_error")
            }
        }
    }

    /// The fixed sentence that the client is told, where there is one. It echoes nothing of the request.
    pub const fn description(self) -> Option<&'static str> {
        Some(match self {
            Self::MissingCredential | Self::UnsupportedScheme | Self::OtherTenant => return None,
            Self::MalformedCredential => "The Authorization header is not one bearer token",
            Self::InvalidProof(refusal) => refusal.description(),
            Self::ProofNonceRequired => "The DPoP proof needs the nonce of this answer",
            Self::InsufficientAuthentication => {
                "The user must authenticate again, as the challenge says"
            }
            Self::InvalidToken(refusal) => refusal.description(),
            Self::InsufficientScope => "The token does not grant the scope that is needed",
            Self::OrganizationRequired => "The token names no organization",
            Self::OrganizationAmbiguous => "The token names several organizations",
            Self::OrganizationUnknown => "The token's organization is not known here",
            Self::OrganizationSuspended => "The token's organization is suspended",
            Self::PrincipalNotAllowed => "This resource does not serve callers of this kind",
            Self::KeysUnavailable
            | Self::IntrospectionUnavailable
            | Self::RevocationsUnavailable
            | Self::ReplayStoreUnavailable => "The token cannot be verified at the moment",
            Self::DirectoryUnavailable => "The organization cannot be looked up at the moment",
            Self::MissingLayer | Self::MissingPathParameter | Self::MissingIntrospection => {
                "The service is misconfigured"
            }
        })
    }
}

impl fmt::Display for DenialKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the client may do about its denial.
#[derive(Clone, Debug, Default)]
pub(crate) struct Advice {
    /// Ask for these scopes.
    pub(crate) scope: Option<String>,
    /// Try again then.
    pub(crate) retry_after: Option<Duration>,
    /// Put this nonce into the next proof.
    pub(crate) nonce: Option<HeaderValue>,
    /// Have the user authenticate like this.
    pub(crate) step_up: Option<Arc<StepUp>>,
}

/// How a user must have authenticated ([RFC 9470 §3](https://www.rfc-editor.org/rfc/rfc9470#section-3)).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StepUp {
    /// The authentication context class references, one of which `acr` must be, the preferred first. With none, any
    /// will do.
    pub acr_values: Vec<String>,
    /// How long ago `auth_time` may be.
    pub max_age: Option<Duration>,
}

/// A denied request: the one denial type of the suite. Layers, guards and extractors return it, and
/// [`respond`](Self::respond) is the one place that makes a response of it.
#[derive(Clone)]
#[must_use = "a denial that is dropped lets the request through"]
pub struct Denied {
    kind: DenialKind,
    pub(crate) context: Option<Arc<Context>>,
    /// Whether the caller came in the scheme `DPoP`, whose challenge then tells the error.
    pub(crate) is_dpop: bool,
    advice: Option<Box<Advice>>,
    /// Set if the request is a gRPC call: the content type of its response.
    pub(crate) grpc: Option<HeaderValue>,
}

impl Denied {
    /// A denial as the authenticator with this context words it; without a layer there is none.
    pub(crate) fn new(kind: DenialKind, context: impl Into<Option<Arc<Context>>>) -> Self {
        mistake::report(kind);
        Self {
            kind,
            context: context.into(),
            is_dpop: false,
            advice: None,
            grpc: None,
        }
    }

    /// `scope` is what the client should ask for: scope tokens with spaces between.
    pub(crate) fn with_scope(mut self, scope: Option<String>) -> Self {
        self.advice.get_or_insert_default().scope = scope;
        self
    }

    /// The denial of a caller who came in the scheme `DPoP`, or not.
    pub(crate) fn in_dpop(mut self, is_dpop: bool) -> Self {
        self.is_dpop = is_dpop;
        self
    }

    /// The denial, giving the client a nonce for its next proof.
    pub(crate) fn with_nonce(mut self, nonce: HeaderValue) -> Self {
        self.advice.get_or_insert_default().nonce = Some(nonce);
        self
    }

    /// The denial, telling the client how the user must authenticate.
    pub(crate) fn with_step_up(mut self, wanted: Arc<StepUp>) -> Self {
        self.advice.get_or_insert_default().step_up = Some(wanted);
        self
    }

    /// The denial, telling the client when to try again.
    pub fn with_retry_after(mut self, delay: Duration) -> Self {
        self.advice.get_or_insert_default().retry_after = Some(delay);
        self
    }

    /// The denial as an answer to this request: a trailers-only gRPC response if it is a POST whose `content-type`
    /// is `application/grpc*`. Without it, a denial is answered as any other request's, and the request's
    /// [`Trail`] does not tell of it.
    pub fn for_request<B>(self, request: &Request<B>) -> Self {
        self.answering(request.method(), request.headers(), request.extensions())
    }

    /// The same, where a request has been taken apart.
    pub fn for_parts(self, parts: &Parts) -> Self {
        self.answering(&parts.method, &parts.headers, &parts.extensions)
    }

    fn answering(mut self, method: &Method, headers: &HeaderMap, extensions: &Extensions) -> Self {
        meter::denied(self.kind);
        if let Some(trail) = Trail::of(extensions) {
            trail.denied(&self);
        }
        self.grpc = grpc::content_type(method, headers);
        self
    }

    /// Why.
    pub fn kind(&self) -> DenialKind {
        self.kind
    }

    /// The scopes that the client is told to ask for, where scopes were missing.
    pub fn scope(&self) -> Option<&str> {
        self.advice()?.scope.as_deref()
    }

    /// What the client is told besides.
    pub(crate) fn advice(&self) -> Option<&Advice> {
        self.advice.as_deref()
    }

    /// The status of the response.
    pub fn status(&self) -> StatusCode {
        let reveals_existence = || {
            let context = self.context.as_ref();
            context.is_some_and(|context| context.tenant.reveals_existence)
        };
        match self.kind {
            DenialKind::MalformedCredential => StatusCode::BAD_REQUEST,
            DenialKind::MissingCredential
            | DenialKind::UnsupportedScheme
            | DenialKind::InvalidToken(_)
            | DenialKind::InvalidProof(_)
            | DenialKind::ProofNonceRequired
            | DenialKind::InsufficientAuthentication => StatusCode::UNAUTHORIZED,
            DenialKind::OtherTenant if !reveals_existence() => StatusCode::NOT_FOUND,
            DenialKind::InsufficientScope
            | DenialKind::OrganizationRequired
            | DenialKind::OrganizationAmbiguous
            | DenialKind::OrganizationUnknown
            | DenialKind::OrganizationSuspended
            | DenialKind::PrincipalNotAllowed
            | DenialKind::OtherTenant => StatusCode::FORBIDDEN,
            DenialKind::KeysUnavailable
            | DenialKind::DirectoryUnavailable
            | DenialKind::IntrospectionUnavailable
            | DenialKind::RevocationsUnavailable
            | DenialKind::ReplayStoreUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            DenialKind::MissingLayer
            | DenialKind::MissingPathParameter
            | DenialKind::MissingIntrospection => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl fmt::Debug for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Denied")
            .field("kind", &self.kind)
            .field("advice", &self.advice)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "denied: {}", self.kind)
    }
}

impl std::error::Error for Denied {}
