use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_extractor_with_state;
use axum::routing::get;
use countersign_jwks::Clock;
use countersign_tenant::{
    Directory, DirectorySettings, Organization, OrganizationDirectory, OrganizationRecord, Tenant,
};
use countersign_testing::{FakeClock, authenticated, service_principal};
use countersign_token::OrganizationId;

struct Plan {
    seats: u32,
}

/// A directory that counts how often it is asked, and does not answer on request.
#[derive(Clone)]
struct Database {
    asked: Arc<AtomicUsize>,
    is_down: Arc<AtomicBool>,
    hangs: Arc<AtomicBool>,
    is_suspended: Arc<AtomicBool>,
    clock: FakeClock,
}

#[derive(Debug, thiserror::Error)]
#[error("down")]
struct Down;

impl OrganizationDirectory for Database {
    type Record = Plan;
    type Error = Down;

    async fn find(
        &self,
        _: &str,
        id: &OrganizationId,
    ) -> Result<Option<OrganizationRecord<Plan>>, Down> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if self.hangs.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        if self.is_down.load(Ordering::Relaxed) {
            return Err(Down);
        }
        if id.as_str() != "org_acme" {
            return Ok(None);
        }
        let record = OrganizationRecord::new(Plan { seats: 5 }).with_aliases(["acme", "acme-inc"]);
        let record = if self.is_suspended.load(Ordering::Relaxed) {
            record.suspended()
        } else {
            record
        };
        Ok(Some(record))
    }
}

impl Database {
    fn new() -> Self {
        Self {
            asked: Arc::default(),
            is_down: Arc::default(),
            hangs: Arc::default(),
            is_suspended: Arc::default(),
            clock: FakeClock::new(),
        }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    fn directory(&self) -> Directory<Plan> {
        let clock: Arc<dyn Clock> = Arc::new(self.clock.clone());
        Directory::with_clock(self.clone(), DirectorySettings::default(), clock)
    }

    /// A router for callers of this organization.
    fn app(&self, organization: &str) -> Router {
        let caller = service_principal(organization, ["invoices:read"]);
        Router::new()
            .route("/orgs/{org_id}/seats", get(seats))
            .route("/seats", get(seats))
            .route(
                "/orgs/{org_id}/first",
                get(async |_: Organization<Plan>, tenant: Tenant| tenant.id().to_string()),
            )
            .route(
                "/orgs/{org_id}/last",
                get(async |tenant: Tenant, _: Organization<Plan>| tenant.id().to_string()),
            )
            .with_state(self.directory())
            .layer(authenticated(caller))
    }
}

async fn seats(organization: Organization<Plan>) -> String {
    format!("{} {}", organization.tenant().id(), organization.seats)
}

#[tokio::test]
async fn the_record_is_that_of_the_tokens_organization_by_whichever_of_its_names() {
    let app = Database::new().app("org_acme");
    for path in [
        "/seats",
        "/orgs/org_acme/seats",
        "/orgs/acme/seats",
        "/orgs/acme-inc/seats",
    ] {
        let answer = super::get(&app, path).await;
        assert_eq!(answer, (StatusCode::OK, "org_acme 5".into()), "{path}");
    }
    for path in [
        "/orgs/org_globex/seats",
        "/orgs/ACME/seats",
        "/orgs/acm/seats",
    ] {
        let (status, _) = super::get(&app, path).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn other_tenant_extractors_accept_an_alias_behind_the_record_only() {
    let database = Database::new();
    let app = database.app("org_acme");
    assert_eq!(super::get(&app, "/orgs/acme/first").await.1, "org_acme");
    assert_eq!(
        super::get(&app, "/orgs/acme/last").await.0,
        StatusCode::NOT_FOUND
    );
    assert_eq!(super::get(&app, "/orgs/org_acme/last").await.1, "org_acme");

    let whole_router: Router = Router::new()
        .route(
            "/orgs/{org_id}",
            get(async |tenant: Tenant| tenant.id().to_string()),
        )
        .layer(from_extractor_with_state::<Organization<Plan>, _>(
            database.directory(),
        ))
        .layer(authenticated(service_principal("org_acme", ["a"])));
    assert_eq!(super::get(&whole_router, "/orgs/acme").await.1, "org_acme");
    assert_eq!(
        super::get(&whole_router, "/orgs/globex").await.0,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn an_alias_of_one_caller_is_nothing_to_another_behind_it() {
    let database = Database::new();
    let inside = |organization| {
        Router::new()
            .route(
                "/orgs/{org_id}",
                get(async |tenant: Tenant| tenant.id().to_string()),
            )
            .layer(authenticated(service_principal(organization, ["a"])))
            .layer(from_extractor_with_state::<Organization<Plan>, _>(
                database.directory(),
            ))
            .layer(authenticated(service_principal("org_acme", ["a"])))
    };
    let answer = super::get(&inside("org_acme"), "/orgs/acme").await;
    assert_eq!(answer, (StatusCode::OK, "org_acme".into()));
    let (status, _) = super::get(&inside("org_globex"), "/orgs/acme").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_unknown_and_the_suspended_are_refused_by_name() {
    let database = Database::new();
    let (status, body) = super::get(&database.app("org_new"), "/seats").await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(body.contains("organization_unknown"), "{body}");

    database.is_suspended.store(true, Ordering::Relaxed);
    let app = database.app("org_acme");
    let (status, body) = super::get(&app, "/seats").await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(body.contains("organization_suspended"), "{body}");

    database.is_suspended.store(false, Ordering::Relaxed);
    database.clock.advance(Duration::from_secs(30)).await;
    assert_eq!(super::get(&app, "/seats").await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_record_is_loaded_once_in_30_seconds_however_many_ask() {
    let database = Database::new();
    let app = database.app("org_acme");
    let many = (0..50).map(|_| super::get(&app, "/seats"));
    for (status, _) in futures_util::future::join_all(many).await {
        assert_eq!(status, StatusCode::OK);
    }
    assert_eq!(database.asked(), 1);
    database.clock.advance(Duration::from_secs(29)).await;
    super::get(&app, "/seats").await;
    assert_eq!(database.asked(), 1);
    database.clock.advance(Duration::from_secs(1)).await;
    super::get(&app, "/seats").await;
    assert_eq!(database.asked(), 2);
}

#[tokio::test]
async fn a_directory_that_fails_is_a_503_and_is_not_asked_by_each_request() {
    let database = Database::new();
    database.is_down.store(true, Ordering::Relaxed);
    let app = database.app("org_acme");
    for _ in 0..10 {
        let (status, body) = super::get(&app, "/seats").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(body.contains("temporarily_unavailable"), "{body}");
    }
    assert_eq!(database.asked(), 1);
    database.is_down.store(false, Ordering::Relaxed);
    database.clock.advance(Duration::from_secs(1)).await;
    assert_eq!(super::get(&app, "/seats").await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_directory_that_hangs_is_given_up_after_its_deadline() {
    let database = Database::new();
    database.hangs.store(true, Ordering::Relaxed);
    let app = database.app("org_acme");
    let waiting = super::get(&app, "/seats");
    let passing = async {
        for _ in 0..6 {
            database.clock.advance(Duration::from_secs(1)).await;
        }
    };
    let ((status, _), ()) = futures_util::future::join(waiting, passing).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_request_that_is_dropped_while_loading_hurts_no_other() {
    let database = Database::new();
    database.hangs.store(true, Ordering::Relaxed);
    let app = database.app("org_acme");
    let mut dropped = Box::pin(super::get(&app, "/seats"));
    assert!(futures_util::poll!(&mut dropped).is_pending());
    let mut waiting = Box::pin(super::get(&app, "/seats"));
    assert!(futures_util::poll!(&mut waiting).is_pending());
    database.hangs.store(false, Ordering::Relaxed);
    drop(dropped);
    assert_eq!(waiting.await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_change_takes_effect_at_once_where_the_record_is_forgotten() {
    let database = Database::new();
    let directory = database.directory();
    let caller = service_principal("org_acme", ["invoices:read"]);
    let issuer = caller.issuer().to_owned();
    let app = Router::new()
        .route("/seats", get(seats))
        .with_state(directory.clone())
        .layer(authenticated(caller));
    assert_eq!(super::get(&app, "/seats").await.0, StatusCode::OK);
    database.is_suspended.store(true, Ordering::Relaxed);
    assert_eq!(super::get(&app, "/seats").await.0, StatusCode::OK, "kept");
    directory.forget(&issuer, &OrganizationId::new("org_acme").unwrap());
    assert_eq!(super::get(&app, "/seats").await.0, StatusCode::FORBIDDEN);
}
