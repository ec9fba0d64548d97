use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use countersign_bearer::{Decisions, DenialKind, NeededScopes, Principal};
use countersign_token::OrganizationId;
use http::{Method, StatusCode};

/// What became of one request, and why. Cheap to clone.
///
/// Who called is known from a verified token alone: an event holds nothing of a credential that was refused, and
/// never a token. Its JSON form is that of its [`Serialize`](serde::Serialize), field by field in the
/// [crate's documentation](crate#the-event-in-json).
#[derive(Clone)]
pub struct AuditEvent(Arc<Facts>);

/// All that an event says.
#[derive(Default)]
pub(crate) struct Facts {
    pub(crate) request: RequestFacts,
    pub(crate) decisions: Decisions,
    pub(crate) answer: Option<Answer>,
    pub(crate) decision: AuditDecision,
    pub(crate) latency: Duration,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AuditDecision {
    /// The inner service answered, and its answer is no denial. Its status may still be an error of its own.
    Allowed,
    /// The answer is a denial, or an error after a denial that the handler put into words of its own.
    Denied,
    /// There is no answer: the inner service failed or panicked.
    #[default]
    Error,
    /// There is no answer: whoever asked went away, or a time limit passed.
    Cancelled,
}

impl AuditDecision {
    /// The decision as one word for logs, events and metrics, such as `denied`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Denied => "denied",
            Self::Error => "error",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for AuditDecision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is known of a request when it comes.
#[derive(Default)]
pub(crate) struct RequestFacts {
    pub(crate) time: Duration,
    pub(crate) method: Method,
    #[cfg(feature = "axum")]
    pub(crate) matched_path: Option<axum::extract::MatchedPath>,
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) request_id: Option<Box<str>>,
}

/// What is known of a response.
#[derive(Clone, Copy)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) grpc_status: Option<u32>,
    pub(crate) denial: Option<DenialKind>,
}

impl Answer {
    pub(crate) fn is_failure(&self) -> bool {
        self.status.is_client_error()
            || self.status.is_server_error()
            || self.grpc_status.is_some_and(|code| code != 0)
    }
}

impl AuditEvent {
    pub(crate) fn new(facts: Arc<Facts>) -> Self {
        Self(facts)
    }

    /// When the request came, since the Unix epoch.
    pub fn time(&self) -> Duration {
        self.0.request.time
    }

    /// What became of it.
    pub fn decision(&self) -> AuditDecision {
        self.0.decision
    }

    /// Why it was denied. Also of an allowed request whose handler caught a guard's denial and answered otherwise.
    pub fn denial(&self) -> Option<DenialKind> {
        let answered = self.0.answer.and_then(|answer| answer.denial);
        answered.or(self.0.decisions.denial)
    }

    /// Who called, if an authenticator let them through.
    pub fn principal(&self) -> Option<&Principal> {
        self.0.decisions.principal.as_ref()
    }

    /// Whether an optional layer let the request through without a credential.
    pub fn is_anonymous(&self) -> bool {
        self.0.decisions.is_anonymous
    }

    /// What guards asked for, in the order in which they did.
    pub fn scopes_needed(&self) -> impl Iterator<Item = &NeededScopes> {
        self.0.decisions.needed.iter()
    }

    /// For whom the caller acted who may act across tenants.
    pub fn acting_for(&self) -> Option<&OrganizationId> {
        self.0.decisions.acting_for.as_ref()
    }

    /// The method; `OVERLONG` for one of more than 24 characters.
    pub fn method(&self) -> &Method {
        &self.0.request.method
    }

    /// The pattern of the route that matched, such as `/orgs/{org_id}/invoices`; never the path that was asked for.
    /// `None` without the feature `axum`, outside of a router, and where no route matched.
    pub fn matched_path(&self) -> Option<&str> {
        #[cfg(feature = "axum")]
        {
            let path = self.0.request.matched_path.as_ref();
            path.map(axum::extract::MatchedPath::as_str)
        }
        #[cfg(not(feature = "axum"))]
        None
    }

    /// The status of the response, if there is one.
    pub fn status(&self) -> Option<StatusCode> {
        self.0.answer.map(|answer| answer.status)
    }

    /// The `grpc-status` among the response's headers, where gRPC has the status of a call that failed at once.
    pub fn grpc_status(&self) -> Option<u32> {
        self.0.answer.and_then(|answer| answer.grpc_status)
    }

    /// How long the head of the response took, or the request until it was dropped.
    pub fn latency(&self) -> Duration {
        self.0.latency
    }

    /// What the request is called in other logs.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request.request_id.as_deref()
    }

    /// The address that the request came from.
    pub fn peer(&self) -> Option<SocketAddr> {
        self.0.request.peer
    }
}

/// As its JSON.
impl fmt::Debug for AuditEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_string(self).map_err(|_| fmt::Error)?;
        f.write_str(&json)
    }
}
