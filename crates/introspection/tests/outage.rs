//! That no caller fills the log while the server that is asked is away.
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

use countersign_jwks::FetchFailure;

use crate::log::Log;
use crate::world::{Reply, World, s};

#[tokio::test]
async fn an_outage_is_a_line_when_it_begins_and_one_when_it_is_over_however_many_ask() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::INFO)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    let _listening = tracing::subscriber::set_default(subscriber);
    let lines = || {
        let logged = std::mem::take(&mut *log.0.lock().unwrap());
        let logged = String::from_utf8(logged).unwrap();
        let lines = logged.lines().map(|line| {
            let level = line.split_whitespace().nth(1);
            level.unwrap_or_default().to_owned()
        });
        lines.collect::<Vec<_>>()
    };
    let world = World::new();
    let flood = async || {
        for token in 0..100 {
            let token = format!("made-up-{token}-{}", world.wire.asked());
            let _ = world.ask(&token).await;
            world.clock.advance(s(1)).await;
        }
    };
    for (reply, begins, over) in [
        (Reply::Failed(FetchFailure::Connect), "WARN", vec!["INFO"]),
        (Reply::Status(401, None), "ERROR", vec!["INFO"]),
        // It is nothing but what was asked about.
        (Reply::Status(413, None), "WARN", vec![]),
    ] {
        world.wire.answer_others(reply);
        flood().await;
        assert_eq!(lines(), [begins]);
        world
            .wire
            .answer_others(Reply::Json(r#"{"active":false}"#.into()));
        flood().await;
        assert_eq!(lines(), over);
    }
}
