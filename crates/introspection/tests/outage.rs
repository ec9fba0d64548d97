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

use axum::body::Body;
use axum::{Router, routing::get};
use countersign_bearer::Authenticator;
use countersign_introspection::require_active;
use countersign_jwks::FetchFailure;
use countersign_testing::{TestIssuer, authenticated};
use http::Request;
use tower::ServiceExt;

use crate::log::Log;
use crate::world::{API, ISSUER, Reply, World, s};

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
async fn a_server_that_makes_up_statuses_fills_no_log() {
    let log = Log::default();
    let _listening = listen(&log);
    let world = World::new();
    for status in 430..499 {
        world.wire.answer_others(Reply::Status(status, None));
        flood(&world, 1).await;
    }
    assert_eq!(log.lines().len(), 8);
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
