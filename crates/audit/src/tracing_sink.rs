use tracing::Dispatch;
use tracing::dispatcher::{get_default, with_default};
use tracing::subscriber::NoSubscriber;

use crate::event::AuditEvent;
use crate::json::Record;
use crate::sink::{AuditSink, SinkError};
use crate::thread::{BlockingSink, OnThread};

/// Writes each event as one structured `tracing` event: target `countersign::audit`, level info, with the fields of
/// the [JSON form](crate#the-event-in-json) that are not null. Lists are as their JSON.
///
/// It runs on a thread of its own, since whoever subscribes may write to something that blocks. It goes to the
/// subscriber that is the default where the sink is made, or else to the global one.
#[derive(Debug)]
pub struct TracingSink(OnThread<Events>);

impl TracingSink {
    /// A sink for the subscriber in force.
    pub fn new() -> Self {
        let subscriber = get_default(Dispatch::clone);
        Self(OnThread::new(Events { subscriber }))
    }
}

impl Default for TracingSink {
    fn default() -> Self {
        Self::new()
    }
}

impl AuditSink for TracingSink {
    fn name(&self) -> &str {
        self.0.name()
    }

    async fn write(&mut self, events: &[AuditEvent]) -> Result<(), SinkError> {
        self.0.write(events).await
    }
}

#[derive(Debug)]
struct Events {
    subscriber: Dispatch,
}

impl BlockingSink for Events {
    fn name(&self) -> &'static str {
        "tracing"
    }

    fn write(&mut self, events: &[AuditEvent]) -> Result<(), SinkError> {
        let write = || events.iter().for_each(|event| emit(&Record::of(event)));
        if self.subscriber.is::<NoSubscriber>() {
            write();
        } else {
            with_default(&self.subscriber, write);
        }
        Ok(())
    }
}

fn emit(record: &Record<'_>) {
    tracing::info!(
        target: "countersign::audit",
        parent: None,
        time = %record.time,
        decision = record.decision,
        denial = record.denial,
        principal_kind = record.principal_kind,
        subject = record.subject,
        client = record.client,
        user = record.user,
        organization = record.organization,
        organizations = listed(&record.organizations),
        token_id = record.token_id,
        issuer = record.issuer,
        scopes_needed = listed(&record.scopes_needed),
        scopes_granted = listed(&record.scopes_granted),
        acting_for = record.acting_for,
        method = record.method,
        matched_path = record.matched_path,
        status = record.status,
        grpc_status = record.grpc_status,
        latency_us = record.latency_us,
        request_id = record.request_id,
        peer = record.peer.map(tracing::field::display),
    );
}

/// A list that says something.
fn listed(texts: &[impl serde::Serialize]) -> Option<String> {
    let json = serde_json::to_string(texts).ok();
    json.filter(|_| !texts.is_empty())
}
