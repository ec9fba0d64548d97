//! One event for each request's decision: who called, what was decided, and why.
//!
//! [`AuditLayer`] stands outside of everything else and makes an [`AuditEvent`] of each request, also of one that is
//! dropped half-way or whose handler panics. [`Audit`] takes it to the sinks, each with a queue and a task of its own:
//! a sink that is slow, stalls, fails or panics delays no request and no other sink, and what it loses is counted.
//!
//! ```text
//! request ─ AuditLayer ─ BearerLayer ─ guards ─ handler
//!               │ ╰─ trail ◄───┴──────────┴ who decides writes into it
//!               ▼
//!           AuditEvent ─┬─ queue ─ task ─ TracingSink
//!                       ├─ queue ─ task ─ JsonLinesSink     full: dropped and counted, never waited for
//!                       ╰─ queue ─ task ─ your own          failing: tried again, then counted
//! ```
//!
//! # Example
//!
//! ```
//! use std::time::Duration;
//!
//! use axum::{Router, routing::get};
//! use countersign_audit::{Audit, TracingSink};
//! # use countersign_bearer::Authenticator;
//!
//! # async fn example(authenticator: Authenticator) -> Result<(), Box<dyn std::error::Error>> {
//! let audit = Audit::builder().sink(TracingSink::new()).build()?;
//! let app: Router = Router::new()
//!     .route("/invoices", get(async || "invoices"))
//!     .layer(authenticator.layer())
//!     .layer(audit.layer()); // last, so that it is outermost
//! // Serve it, and when the server has answered its last request:
//! audit.shutdown(Duration::from_secs(5)).await;
//! # Ok(())
//! # }
//! ```
//!
//! # The event in JSON
//!
//! An object with these members, always all of them, in this order. No name will change its meaning.
//!
//! | member | | |
//! |---|---|---|
//! | `time` | string | when the request came: RFC 3339, UTC, milliseconds |
//! | `decision` | string | `allowed`, `denied`, `error`, `cancelled`: see [`AuditDecision`] |
//! | `denial` | string or null | [why](countersign_bearer::DenialKind::as_str), also where the handler answered otherwise |
//! | `principal_kind` | string or null | `service_principal`, `delegated_user`, `microservice`; `anonymous` if an optional layer let the request through without a credential; null if nobody was let through, or nobody asked |
//! | `subject` | string or null | `sub` of the verified token |
//! | `client` | string or null | the OAuth client |
//! | `user` | string or null | the user for whom an app acts |
//! | `organization` | string or null | the organization that the token names, if it names exactly one |
//! | `organizations` | array of strings | all that it names |
//! | `token_id` | string or null | `jti` |
//! | `issuer` | string or null | who issued the token |
//! | `scopes_needed` | array of strings | what each guard asked for, in order; `a b \| c` is "a and b, or c" |
//! | `scopes_granted` | array of strings | sorted, with all that they imply |
//! | `acting_for` | string or null | the organization for which somebody acted across tenants |
//! | `method` | string | of the request; `OVERLONG` beyond 24 characters |
//! | `matched_path` | string or null | the pattern of the route, never the path; feature `axum` |
//! | `status` | integer or null | of the response; null where there is none |
//! | `grpc_status` | integer or null | where the response has it among its headers |
//! | `latency_us` | integer | microseconds until the response's head, or until the request was dropped |
//! | `request_id` | string or null | of the request, or else of the response; 1 to 128 printable characters |
//! | `peer` | string or null | address and port; feature `axum`, or [`AuditLayer::with_peer`] |
//!
//! # Features
//!
//! | feature | what it adds |
//! |---|---|
//! | `axum` | matched path and peer of axum's requests |
//! | `metrics` | `countersign_audit_events_total{sink, outcome}`; outcomes `written`, `dropped`, `failed` |
//! | `sqlite` | `SqliteSink`, through `sqlx` |
//! | `tonic` | why a tonic handler denied a call |

mod audit;
mod builder;
mod event;
mod json;
mod json_lines;
mod layer;
mod log_file;
mod open;
mod queue;
mod report;
mod service;
mod sink;
#[cfg(feature = "sqlite")]
mod sqlite;
mod status;
mod thread;
mod time;
mod tracing_sink;
mod worker;

pub use audit::Audit;
pub use builder::{AuditBuildError, AuditBuilder};
pub use event::{AuditDecision, AuditEvent};
pub use json_lines::JsonLinesSink;
pub use layer::AuditLayer;
pub use queue::QueueSettings;
pub use service::{Audited, ResponseFuture};
pub use sink::{AuditSink, SinkError};
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteSink;
pub use status::{AuditStatus, SinkStatus};
pub use thread::{BlockingSink, OnThread};
pub use tracing_sink::TracingSink;
