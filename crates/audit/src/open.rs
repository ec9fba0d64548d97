use std::sync::Arc;
use std::time::Duration;

use countersign_bearer::{DenialKind, Trail};
use http::{HeaderMap, HeaderName, Method, Request, Response};

use crate::event::{Answer, AuditDecision, AuditEvent, Facts, RequestFacts};
use crate::layer::Settings;

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");

/// No request id is longer.
const MAX_REQUEST_ID: usize = 128;

/// No method in use is longer.
const MAX_METHOD: usize = 24;

/// A request whose decision is not known yet. Its drop, whatever leads to it, makes the one event.
pub(crate) struct Open {
    settings: Arc<Settings>,
    trail: Trail,
    /// Whether nobody further out reads the trail as well.
    is_outermost: bool,
    started: Duration,
    /// Where the event will be, from the start, so that little is moved about.
    facts: Option<Arc<Facts>>,
    pub(crate) stage: Stage,
}

/// How far the request has come.
#[derive(Clone, Copy)]
pub(crate) enum Stage {
    /// The inner service runs. Whoever leaves it otherwise than by returning, panics.
    Inside,
    /// The inner service waits for something.
    Waiting,
    /// The inner service gave an error instead of a response.
    Failed,
    /// There is a response.
    Answered(Answer),
}

impl Open {
    /// Puts the trail into the request and keeps what the event will say of it.
    pub(crate) fn new<B>(settings: Arc<Settings>, request: &mut Request<B>) -> Self {
        let mut trail = Trail::default();
        let outer = request.extensions_mut().insert(trail.clone());
        let is_outermost = outer.is_none();
        if let Some(outer) = outer {
            trail = outer.clone();
            request.extensions_mut().insert(outer);
        }
        let clock = &settings.audit.clock;
        Self {
            trail,
            is_outermost,
            started: clock.monotonic(),
            facts: Some(Arc::new(Facts {
                request: RequestFacts {
                    time: clock.unix_time(),
                    method: bounded(request.method()),
                    #[cfg(feature = "axum")]
                    matched_path: request.extensions().get().cloned(),
                    peer: settings.peer_of(request.extensions()),
                    request_id: settings.request_id_in(request.headers()),
                },
                ..Facts::default()
            })),
            settings,
            stage: Stage::Inside,
        }
    }

    /// What the event says of the response.
    pub(crate) fn answer<R>(&mut self, response: &Response<R>) -> Answer {
        if let Some(facts) = self.facts.as_mut().and_then(Arc::get_mut)
            && facts.request.request_id.is_none()
        {
            facts.request.request_id = self.settings.request_id_in(response.headers());
        }
        let grpc_status = response.headers().get(&GRPC_STATUS);
        Answer {
            status: response.status(),
            grpc_status: grpc_status
                .and_then(|code| code.to_str().ok())
                .and_then(|code| code.parse().ok()),
            denial: denial_of(response),
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let audit = &self.settings.audit;
        let Some(mut facts) = self.facts.take() else {
            return;
        };
        // Nobody else has it before it is sent.
        if let Some(facts) = Arc::get_mut(&mut facts) {
            facts.latency = audit.clock.monotonic().saturating_sub(self.started);
            facts.decisions = if self.is_outermost {
                self.trail.take()
            } else {
                self.trail.decisions()
            };
            (facts.decision, facts.answer) = match self.stage {
                Stage::Inside | Stage::Failed => (AuditDecision::Error, None),
                Stage::Waiting => (AuditDecision::Cancelled, None),
                Stage::Answered(answer) => (decision_of(&answer, facts), Some(answer)),
            };
        }
        audit.record(AuditEvent::new(facts));
    }
}

fn decision_of(answer: &Answer, facts: &Facts) -> AuditDecision {
    // A guard's denial that the handler answered as a success is no denial of the request.
    let is_denied =
        answer.denial.is_some() || facts.decisions.denial.is_some() && answer.is_failure();
    if is_denied {
        AuditDecision::Denied
    } else {
        AuditDecision::Allowed
    }
}

impl Settings {
    fn request_id_in(&self, headers: &HeaderMap) -> Option<Box<str>> {
        let id = headers.get(self.request_id.as_ref()?)?.as_bytes();
        let is_id = (1..=MAX_REQUEST_ID).contains(&id.len()) && id.iter().all(u8::is_ascii_graphic);
        // Copied: what a header's value shares with others in memory is as long as the caller likes.
        let id = std::str::from_utf8(id).ok().filter(|_| is_id)?;
        Some(id.into())
    }
}

/// Events wait in memory, so that nothing in them may be as long as the caller likes.
fn bounded(method: &Method) -> Method {
    if method.as_str().len() <= MAX_METHOD {
        method.clone()
    } else {
        Method::from_bytes(b"OVERLONG").unwrap_or_default()
    }
}

/// Why the response is a denial, if it is one that the suite made.
fn denial_of<R>(response: &Response<R>) -> Option<DenialKind> {
    let kind = response.extensions().get().copied();
    #[cfg(feature = "tonic")]
    let kind = kind.or_else(|| {
        let status: &tonic::Status = response.extensions().get()?;
        let denied = std::error::Error::source(status)?;
        let denied: &countersign_bearer::Denied = denied.downcast_ref()?;
        Some(denied.kind())
    });
    kind
}
