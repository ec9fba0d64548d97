use std::convert::Infallible;
use std::future::{Future, ready};
use std::path::PathBuf;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use countersign_audit::{Audit, AuditEvent, AuditSink, AuditStatus, SinkError};
use countersign_bearer::Authenticator;
use countersign_jwks::Algorithm;
use countersign_testing::{FakeClock, TestIssuer, TokenBuilder};
use countersign_token::Microservices;
use futures_util::FutureExt;
use http::request::Builder;
use http::{Request, Response};
use serde_json::Value;
use tower::{Layer, Service, ServiceExt, service_fn};

pub(crate) const AUDIENCE: &str = "https://api.acme.test";
pub(crate) const ISSUER: &str = "https://as.acme.test";

/// Far longer than anything takes. Nothing waits for it.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// What [`with_time`] moves the clock by.
const STEP: Duration = Duration::from_millis(100);

/// Remembers events as their JSON.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen(Arc<Mutex<Vec<Value>>>);

impl Seen {
    pub(crate) fn take(&self) -> Vec<Value> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl AuditSink for Seen {
    fn name(&self) -> &'static str {
        "seen"
    }

    async fn write(&mut self, events: &[AuditEvent]) -> Result<(), SinkError> {
        let mut seen = self.0.lock().unwrap();
        for event in events {
            seen.push(serde_json::to_value(event)?);
        }
        Ok(())
    }
}

/// An issuer, an authenticator that trusts it, and an audit, all in one time.
pub(crate) struct World {
    pub(crate) clock: FakeClock,
    pub(crate) issuer: TestIssuer,
    pub(crate) authenticator: Authenticator,
    pub(crate) audit: Audit,
    seen: Seen,
}

impl World {
    pub(crate) async fn new() -> Self {
        let clock = FakeClock::new();
        let issuer = TestIssuer::new(ISSUER)
            .with_algorithm(Algorithm::ES256)
            .with_clock(Arc::new(clock.clone()));
        let trusted = issuer
            .trusted_for(AUDIENCE)
            .with_microservices(Microservices::clients(["support"]));
        let authenticator = Authenticator::builder()
            .issuer(trusted)
            .with_clock(Arc::new(clock.clone()));
        let seen = Seen::default();
        let audit = Audit::builder()
            .sink(seen.clone())
            .with_clock(Arc::new(clock.clone()));
        Self {
            authenticator: authenticator.build().await.unwrap(),
            audit: audit.build().unwrap(),
            clock,
            issuer,
            seen,
        }
    }

    /// A machine of acme's that may read invoices.
    pub(crate) fn reader(&self) -> TokenBuilder {
        self.issuer
            .service_principal("m2m-acme")
            .with_audience(AUDIENCE)
            .with_organization("org_acme")
            .with_scopes(["invoices:read"])
    }

    /// An app that acts for a user of acme's.
    pub(crate) fn person(&self) -> TokenBuilder {
        let person = self.issuer.delegated_user("reports", "ann");
        person.with_audience(AUDIENCE).with_organization("org_acme")
    }

    /// The vendor's own service that may look at any tenant.
    pub(crate) fn support(&self) -> TokenBuilder {
        let support = self.issuer.microservice("support");
        support
            .with_audience(AUDIENCE)
            .with_scopes(["support:read"])
    }

    /// The events since the last call.
    pub(crate) async fn events(&self) -> Vec<Value> {
        self.audit.flush(LONG).await;
        self.seen.take()
    }

    /// The only event since the last call.
    pub(crate) async fn event(&self) -> Value {
        let mut events = self.events().await;
        assert_eq!(events.len(), 1, "{events:?}");
        events.remove(0)
    }
}

/// Sends so many requests to a service that answers at once. That each is answered in one poll shows that nothing in
/// the audit waits.
pub(crate) fn make_events(audit: &Audit, count: usize) {
    let answer = |_: Request<()>| ready(Ok::<_, Infallible>(Response::new(())));
    let mut service = audit.layer().layer(service_fn(answer));
    for _ in 0..count {
        let response = service.call(Request::new(())).now_or_never();
        response.expect("an answer in one poll").unwrap();
    }
}

/// Polls the future and moves the clock, in steps of 100 ms, until it is done.
pub(crate) async fn with_time<F: Future>(clock: &FakeClock, future: F) -> F::Output {
    let mut future = pin!(future);
    for _ in 0..10_000 {
        if let Poll::Ready(output) = futures_util::poll!(future.as_mut()) {
            return output;
        }
        // Others do first what they can do without time.
        clock.advance(Duration::ZERO).await;
        if let Poll::Ready(output) = futures_util::poll!(future.as_mut()) {
            return output;
        }
        clock.advance(STEP).await;
    }
    panic!("it waits for something else than time");
}

/// Every event is counted once, for every sink.
pub(crate) fn assert_adds_up(status: &AuditStatus) {
    for sink in status.sinks() {
        let sum = sink.written + sink.dropped + sink.failed + sink.queued;
        assert_eq!(sum, status.events(), "{sink:?}");
    }
}

/// A folder that is gone when the test is.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let name = format!("countersign-audit-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn get(path: &str) -> Builder {
    Request::get(path)
}

pub(crate) fn with_token(path: &str, token: &str) -> Builder {
    get(path).header("authorization", format!("Bearer {token}"))
}

pub(crate) async fn send(app: &Router, request: Builder) -> Response<Body> {
    let request = request.body(Body::empty()).unwrap();
    app.clone().oneshot(request).await.unwrap()
}
