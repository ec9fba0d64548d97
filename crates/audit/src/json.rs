//! The form of an event in JSON, which other forms take their names and values from.

use std::fmt;
use std::net::SocketAddr;

use countersign_bearer::DenialKind;
use countersign_token::OrganizationId;
use serde::{Serialize, Serializer};

use crate::event::AuditEvent;
use crate::time::Rfc3339;

/// An event in plain values. Documented field by field in `lib.rs`.
#[derive(Serialize)]
pub(crate) struct Record<'e> {
    #[serde(serialize_with = "displayed")]
    pub(crate) time: Rfc3339,
    pub(crate) decision: &'static str,
    pub(crate) denial: Option<&'static str>,
    pub(crate) principal_kind: Option<&'static str>,
    pub(crate) subject: Option<&'e str>,
    pub(crate) client: Option<&'e str>,
    pub(crate) user: Option<&'e str>,
    pub(crate) organization: Option<&'e str>,
    pub(crate) organizations: Vec<&'e str>,
    pub(crate) token_id: Option<&'e str>,
    pub(crate) issuer: Option<&'e str>,
    pub(crate) scopes_needed: Vec<String>,
    pub(crate) scopes_granted: Vec<&'e str>,
    pub(crate) acting_for: Option<&'e str>,
    pub(crate) method: &'e str,
    pub(crate) matched_path: Option<&'e str>,
    pub(crate) status: Option<u16>,
    pub(crate) grpc_status: Option<u32>,
    pub(crate) latency_us: u64,
    pub(crate) request_id: Option<&'e str>,
    pub(crate) peer: Option<SocketAddr>,
}

impl<'e> Record<'e> {
    pub(crate) fn of(event: &'e AuditEvent) -> Self {
        let principal = event.principal();
        let kind = principal.map(|one| one.kind().as_str());
        Self {
            time: Rfc3339(event.time()),
            decision: event.decision().as_str(),
            denial: event.denial().map(DenialKind::as_str),
            principal_kind: kind.or(event.is_anonymous().then_some("anonymous")),
            subject: principal.and_then(|one| one.subject()),
            client: principal.and_then(|one| one.client()),
            user: principal.and_then(|one| one.user()),
            organization: principal
                .and_then(|one| one.organization())
                .map(OrganizationId::as_str),
            organizations: principal
                .map(|one| one.organizations().as_slice().iter())
                .map(|all| all.map(OrganizationId::as_str).collect())
                .unwrap_or_default(),
            token_id: principal.and_then(|one| one.token_id()),
            issuer: principal.map(|one| one.issuer()),
            scopes_needed: event.scopes_needed().map(ToString::to_string).collect(),
            scopes_granted: principal
                .map(|one| one.scopes().iter().collect())
                .unwrap_or_default(),
            acting_for: event.acting_for().map(OrganizationId::as_str),
            method: event.method().as_str(),
            matched_path: event.matched_path(),
            status: event.status().map(|status| status.as_u16()),
            grpc_status: event.grpc_status(),
            // The microseconds of a u64 are half a million years.
            latency_us: u64::try_from(event.latency().as_micros()).unwrap_or(u64::MAX),
            request_id: event.request_id(),
            peer: event.peer(),
        }
    }
}

impl Serialize for AuditEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Record::of(self).serialize(serializer)
    }
}

fn displayed<S: Serializer>(value: &impl fmt::Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

#[cfg(test)]
mod tests;
