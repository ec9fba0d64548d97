//! That no caller fills the log while the server that is asked is away, and that the log says what happened.
//!
//! It has a process of its own: what is listened to here would depend on what other threads log.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, which may panic as tests may"
)]

#[allow(dead_code, reason = "shared with the other tests, which use the rest")]
#[path = "introspection/world.rs"]
mod world;

mod log;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Body;
use axum::{Router, routing::get};
use bytes::Bytes;
use countersign_bearer::Authenticator;
use countersign_introspection::require_active;
use countersign_jwks::{BoxFuture, Fetch, FetchFailure, FetchRequest};
use countersign_testing::{TestIssuer, authenticated};
use countersign_token::Issuer;
use http::header::CONTENT_TYPE;
use http::{Request, Response};
use tower::ServiceExt;

use crate::log::Log;
use crate::world::{API, ENDPOINT, ISSUER, Reply, World, s};

const INACTIVE: &str = r#"{"active":false}"#;

impl Log {
    /// What was said since the last time, a line each.
    fn lines(&self) -> Vec<String> {
        let logged = std::mem::take(&mut *self.0.lock().unwrap());
        let logged = String::from_utf8(logged).unwrap();
        logged.lines().map(str::to_owned).collect()
    }

    /// Panics unless exactly these were said since the last time: each with a level and what the line has in it.
    fn said(&self, expected: &[(&str, &[&str])], when: &str) {
        let lines = self.lines();
        assert_eq!(lines.len(), expected.len(), "{when}: {lines:#?}");
        for (line, (level, parts)) in lines.iter().zip(expected) {
            assert_eq!(
                line.split_whitespace().nth(1),
                Some(*level),
                "{when}: {line}"
            );
            for part in *parts {
                assert!(line.contains(part), "{when}, {part}: {line}");
            }
        }
    }
}

fn listen(log: &Log) -> tracing::subscriber::DefaultGuard {
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::INFO)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    tracing::subscriber::set_default(subscriber)
}

/// So many made-up tokens, one a second.
async fn flood(world: &World, tokens: usize) {
    for _ in 0..tokens {
        let token = format!("made-up-{}", world.wire.asked());
        let _ = world.ask(&token).await;
        world.clock.advance(s(1)).await;
    }
}

#[tokio::test]
async fn an_outage_is_a_line_when_it_begins_and_one_when_it_is_over_however_many_ask() {
    let log = Log::default();
    let _listening = listen(&log);
    let world = World::new();
    for (reply, level, text) in [
        (
            Reply::Failed(FetchFailure::Connect),
            "WARN",
            "introspection failed",
        ),
        (
            Reply::Status(401, None),
            "ERROR",
            "lets this resource introspect no token",
        ),
        (Reply::Status(500, None), "WARN", "introspection failed"),
    ] {
        world.wire.answer_others(reply);
        flood(&world, 100).await;
        log.said(&[(level, &[text])], text);
        world.wire.answer_others(Reply::Json(INACTIVE.into()));
        flood(&world, 100).await;
        log.said(&[("INFO", &["introspection works again"])], text);
    }
}

#[tokio::test]
async fn a_question_left_unanswered_is_told_as_no_more_than_that_and_once_until_it_is_over() {
    let log = Log::default();
    let _listening = listen(&log);
    let text = "left a question about a token unanswered, which is held against no other";
    for (reply, failure) in [
        (Reply::Status(400, None), "status 400"),
        (Reply::Status(403, None), "status 403"),
        (Reply::Status(413, None), "status 413"),
        (Reply::Failed(FetchFailure::Redirect), "redirect"),
        (Reply::Content("text/html", b"<p>blocked".into()), "content"),
    ] {
        let world = World::new();
        world.activate("good", "m2m", s(3600));
        world.wire.answer_others(reply);
        for _ in 0..50 {
            flood(&world, 2).await;
            // That others are answered meanwhile is no end of it.
            world.ask_anew("good").await.unwrap();
        }
        log.said(&[("WARN", &[text, failure])], failure);
        world.wire.answer_others(Reply::Json(INACTIVE.into()));
        flood(&world, 58).await;
        log.said(&[], failure);
        flood(&world, 10).await;
        let over = "no more questions unanswered in this way for a minute";
        log.said(&[("INFO", &[over, failure, "questions=100"])], failure);
        flood(&world, 100).await;
        log.said(&[], failure);
    }
}

#[tokio::test]
async fn one_way_to_leave_questions_unanswered_hides_no_other_and_an_outage_neither() {
    let log = Log::default();
    let _listening = listen(&log);
    let world = World::new();
    for (reply, level, failure) in [
        (Reply::Status(413, None), "WARN", "status 413"),
        (Reply::Status(400, None), "WARN", "status 400"),
        (Reply::Status(401, None), "ERROR", "status 401"),
    ] {
        world.wire.answer_others(reply);
        flood(&world, 5).await;
        log.said(&[(level, &[failure])], failure);
    }
    world.wire.answer_others(Reply::Json(INACTIVE.into()));
    flood(&world, 10).await;
    log.said(&[("INFO", &["works again"])], "it answers");
    flood(&world, 60).await;
    log.said(
        &[("INFO", &["status 413"]), ("INFO", &["status 400"])],
        "a minute later",
    );
}

#[tokio::test]
async fn a_made_up_token_now_and_then_hides_no_server_that_comes_to_answer_nothing() {
    let log = Log::default();
    let _listening = listen(&log);
    let world = World::new();
    let forbidden = Reply::Status(403, None);
    world.wire.answer_others(forbidden.clone());
    for _ in 0..20 {
        world.activate("good", "m2m", s(3600));
        flood(&world, 1).await;
        world.clock.advance(s(49)).await;
        world.ask_anew("good").await.unwrap();
    }
    let text = "left a question about a token unanswered";
    log.said(&[("WARN", &[text, "status 403"])], "as long as it answers");
    for _ in 0..2 {
        world.wire.answer("good", forbidden.clone());
        for _ in 0..100 {
            world.clock.advance(s(10)).await;
            world.ask_anew("good").await.unwrap_err();
        }
        let text = "has answered no question about a token for a minute";
        log.said(&[("WARN", &[text, "status 403"])], "it answers nothing");
        world.activate("good", "m2m", s(3600));
        world.ask_anew("good").await.unwrap();
        log.said(&[("INFO", &["works again"])], "it answers again");
    }
}

/// Metadata that is there while this is set.
#[derive(Clone, Debug, Default)]
struct Metadata(Arc<AtomicBool>);

impl Fetch for Metadata {
    fn fetch(&self, _: FetchRequest) -> BoxFuture<Result<Response<Bytes>, FetchFailure>> {
        let body = format!(r#"{{"issuer":"{ISSUER}","introspection_endpoint":"{ENDPOINT}"}}"#);
        let response = Response::builder()
            .header(CONTENT_TYPE, "application/json")
            .body(body.into());
        let response = response.map_err(|_| FetchFailure::Malformed);
        let is_there = self.0.load(Ordering::Relaxed);
        Box::pin(async move {
            response.and_then(|it| is_there.then_some(it).ok_or(FetchFailure::Connect))
        })
    }
}

#[tokio::test]
async fn metadata_that_is_away_is_told_while_the_place_that_is_known_is_asked() {
    let log = Log::default();
    let _listening = listen(&log);
    let metadata = Metadata::default();
    let world = World::discovering(Issuer::new(ISSUER, API), Arc::new(metadata.clone()));
    metadata.0.store(true, Ordering::Relaxed);
    flood(&world, 1).await;
    for _ in 0..2 {
        metadata.0.store(false, Ordering::Relaxed);
        flood(&world, 2 * 3600).await;
        let text = "the introspection endpoint was not found again";
        log.said(&[("WARN", &[text, "connect"])], "away");
        metadata.0.store(true, Ordering::Relaxed);
        flood(&world, 100).await;
        let text = "the introspection endpoint was found again";
        log.said(&[("INFO", &[text])], "there");
    }
}

#[tokio::test]
async fn a_server_that_makes_up_statuses_fills_no_log() {
    let log = Log::default();
    let _listening = listen(&log);
    let world = World::new();
    for status in 430..499 {
        world.wire.answer_others(Reply::Status(status, None));
        flood(&world, 1).await;
    }
    let lines = log.lines();
    assert_eq!(lines.len(), 9, "{lines:#?}");
    assert!(lines[8].contains("answered no question"), "{lines:#?}");
}

#[tokio::test]
async fn a_caller_of_whom_the_answer_says_that_he_is_another_fills_no_log() {
    let log = Log::default();
    let world = World::new();
    let issuer = TestIssuer::new(ISSUER).with_clock(Arc::new(world.clock.clone()));
    let authenticator = Authenticator::builder()
        .issuer(issuer.trusted_for(API))
        .with_clock(Arc::new(world.clock.clone()))
        .with_introspection(Arc::new(world.introspection.clone()));
    let authenticator = authenticator.build().await.unwrap();
    let token = issuer.service_principal("m2m-acme").with_audience(API);
    let token = token.with_organization("org_acme").mint();
    world.activate(&token, "somebody-else", s(3600));
    let principal = authenticator.verify(&token).await.unwrap();
    let app = Router::new()
        .route("/", get(async || "in"))
        .route_layer(require_active())
        .layer(authenticated(principal));
    let _listening = listen(&log);
    for _ in 0..50 {
        let request = Request::get("/").header("authorization", format!("Bearer {token}"));
        let request = request.body(Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 401);
    }
    let told = "names another caller than the token";
    log.said(&[("WARN", &[told, "client"])], "50 requests");
}
