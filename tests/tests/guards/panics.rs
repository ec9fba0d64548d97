//! Code of the program's own that panics takes down its request and nothing else.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::http::HeaderValue;
use axum::routing::get;
use countersign::{
    Authenticator, Directory, DirectorySettings, Organization, OrganizationDirectory,
    OrganizationId, OrganizationRecord, Principal, Tenant, TenantScope, TenantScoped, Unscoped,
};
use countersign_testing::{FakeClock, TestIssuer};
use futures_util::FutureExt;
use tower_http::catch_panic::CatchPanicLayer;

use crate::support::{API, ask, issuer, machine, of, send, status, trusting, trusting_with};

/// Whether the code under test panics at the moment.
#[derive(Clone, Default)]
struct Mood(Arc<AtomicBool>);

impl Mood {
    fn set(&self, panics: bool) {
        self.0.store(panics, Ordering::SeqCst);
    }

    fn check(&self) {
        assert!(!self.0.load(Ordering::SeqCst), "a bad mood");
    }
}

impl TenantScope for Mood {
    type Scoped = ();

    fn for_tenant(&self, _: &Tenant) {
        self.check();
    }
}

impl OrganizationDirectory for Mood {
    type Record = ();
    type Error = Infallible;

    async fn find(
        &self,
        _: &str,
        _: &OrganizationId,
    ) -> Result<Option<OrganizationRecord<()>>, Infallible> {
        tokio::task::yield_now().await;
        self.check();
        Ok(Some(OrganizationRecord::new(())))
    }
}

/// The same request before, during and after the panic, with the panic caught outside of all.
async fn hold(app: Router, mood: &Mood, token: &str, good: u16) {
    let app = app.layer(CatchPanicLayer::new());
    mood.set(true);
    for _ in 0..3 {
        assert_eq!(status(&app, "GET /", token).await, 500);
    }
    mood.set(false);
    for _ in 0..3 {
        assert_eq!(status(&app, "GET /", token).await, good);
    }
    mood.set(true);
    let _ = status(&app, "GET /", token).await;
    mood.set(false);
    assert_eq!(status(&app, "GET /", token).await, good);
}

fn handler(mood: &Mood) -> Router {
    let mood = mood.clone();
    let handler = async move |_: Principal| {
        mood.check();
        "in"
    };
    Router::new().route("/", get(handler))
}

#[tokio::test]
async fn a_handler_that_panics_hurts_no_later_request_whether_it_is_caught_or_not() {
    let issuer = issuer();
    let authenticator = trusting(&issuer).await;
    let (mood, token) = (Mood::default(), machine(&issuer).mint());
    let app = handler(&mood).layer(authenticator.layer());
    hold(app.clone(), &mood, &token, 200).await;

    mood.set(true);
    let caught = AssertUnwindSafe(send(&app, of("GET /", &token)));
    assert!(caught.catch_unwind().await.is_err());
    mood.set(false);
    assert_eq!(ask(&app, "GET /", &token).await.body, "in");
    assert_eq!(status(&app, "GET /", "").await, 401);

    let inside = handler(&mood).layer(CatchPanicLayer::new());
    let inside = inside.layer(authenticator.layer());
    mood.set(true);
    assert_eq!(status(&inside, "GET /", &token).await, 500);
    assert_eq!(status(&inside, "GET /", "").await, 401);
}

#[tokio::test]
async fn a_handler_that_panics_after_its_request_waited_for_keys_hurts_no_later_request() {
    let issuer = TestIssuer::serve().await;
    let authenticator = trusting(&issuer).await;
    let mood = Mood::default();
    let app = handler(&mood).layer(authenticator.layer());
    issuer.rotate();
    let token = machine(&issuer).mint();
    hold(app, &mood, &token, 200).await;
    assert_eq!(issuer.fetches().keys, 2, "at start, and for the new key");
}

#[tokio::test]
async fn a_check_of_the_programs_own_that_panics_hurts_no_later_request() {
    let issuer = issuer();
    let (mood, token) = (Mood::default(), machine(&issuer).mint());
    let check = mood.clone();
    let trusted = issuer.trusted_for(API).with_check(move |_| {
        check.check();
        true
    });
    let authenticator = Authenticator::builder().issuer(trusted).build().await;
    let layer = authenticator.unwrap().layer();
    hold(handler(&Mood::default()).layer(layer), &mood, &token, 200).await;
}

#[tokio::test]
async fn a_denial_body_that_panics_hurts_no_later_request() {
    let issuer = issuer();
    let mood = Mood::default();
    let body = mood.clone();
    let authenticator = trusting_with(&issuer, |builder| {
        builder.with_denial_body(move |_| {
            body.check();
            (HeaderValue::from_static("text/plain"), "no".into())
        })
    });
    let app = handler(&Mood::default()).layer(authenticator.await.layer());
    hold(app, &mood, "", 401).await;
}

#[tokio::test]
async fn a_tenants_state_that_panics_hurts_no_later_request() {
    let issuer = issuer();
    let authenticator = trusting(&issuer).await;
    let (mood, token) = (Mood::default(), machine(&issuer).mint());
    let app = Router::new()
        .route("/", get(async |_: TenantScoped<Mood>| "in"))
        .layer(authenticator.layer())
        .with_state(Unscoped::new(mood.clone()));
    hold(app, &mood, &token, 200).await;
}

#[tokio::test]
async fn a_directory_that_panics_hurts_no_later_request() {
    let issuer = issuer();
    let authenticator = trusting(&issuer).await;
    let (mood, token) = (Mood::default(), machine(&issuer).mint());
    let clock = FakeClock::new();
    let settings = DirectorySettings::default();
    let directory = Directory::with_clock(mood.clone(), settings, Arc::new(clock.clone()));
    let app = Router::new()
        .route("/", get(async |_: Organization<()>| "in"))
        .layer(authenticator.layer())
        .with_state(directory)
        .layer(CatchPanicLayer::new());
    mood.set(true);
    assert_eq!(status(&app, "GET /", &token).await, 500);
    // Others wait for the same record while one of them loads it and panics.
    let all = (0..20).map(|_| status(&app, "GET /", &token));
    let all = futures_util::future::join_all(all).await;
    assert!(all.iter().all(|status| *status == 500), "{all:?}");

    mood.set(false);
    clock.advance(settings.failure_time_to_live).await;
    let all = (0..20).map(|_| status(&app, "GET /", &token));
    let all = futures_util::future::join_all(all).await;
    assert!(all.iter().all(|status| *status == 200), "{all:?}");
}
