//! That neither tokens nor what this resource proves itself with are said anywhere, whatever happens.
//!
//! It has a process of its own: what is listened to here would depend on what other threads log.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, which may panic as tests may"
)]

#[allow(dead_code, reason = "shared with the other tests, which use the rest")]
#[path = "introspection/world.rs"]
mod world;

use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Mutex};

use countersign_bearer::Introspect;
use countersign_introspection::{ClientAuthentication, PrivateKey};
use countersign_jwks::{Algorithm, FetchFailure};
use countersign_token::Issuer;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::world::{API, ISSUER, Reply, World, s, word};

const TOKEN: &str = "a-token-that-nobody-may-see";
const SECRET: &str = "a-secret-that-nobody-may-see";
/// As it goes over the wire in the `Authorization` header.
const ENCODED: &str = "YXBpOmEtc2VjcmV0LXRoYXQtbm9ib2R5LW1heS1zZWU=";
const KEY: &str = "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC";

/// Everything that is logged on this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Log {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn tokens_secrets_and_keys_are_never_said() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::FULL)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    let _listening = tracing::subscriber::set_default(subscriber);

    let pem = format!("-----BEGIN PRIVATE KEY-----\n{KEY}\n-----END PRIVATE KEY-----\n");
    let key = || PrivateKey::from_pem(Algorithm::EdDSA, &pem).unwrap();
    let mut said = format!("{:?}", key());
    let mut heard = 0;
    for authentication in [
        ClientAuthentication::secret_basic("api", SECRET),
        ClientAuthentication::secret_post("api", SECRET),
        ClientAuthentication::private_key_jwt("api", key()),
    ] {
        write!(said, "{authentication:?}").unwrap();
        for reply in [
            None,
            Some(Reply::Json(r#"{"active":false}"#.into())),
            Some(Reply::Json(format!(r#"{{"active":"{TOKEN}"}}"#))),
            Some(Reply::Content("text/html", TOKEN.into())),
            Some(Reply::Status(401, None)),
            Some(Reply::Status(500, None)),
            Some(Reply::Failed(FetchFailure::Connect)),
            Some(Reply::Panic),
        ] {
            let issuer = Issuer::new(ISSUER, API);
            let world = World::asking_as(issuer, authentication.clone(), |builder| {
                write!(said, "{builder:?}").unwrap();
                builder
            });
            match reply {
                Some(reply) => world.wire.answer(TOKEN, reply),
                None => world.activate(TOKEN, "m2m", s(600)),
            }
            for outcome in [world.ask(TOKEN).await, world.ask_anew(TOKEN).await] {
                write!(said, "{outcome:?} {}", word(&outcome)).unwrap();
            }
            let request = world.wire.last();
            write!(said, "{request:?} {:?}", request.headers).unwrap();
            write!(
                said,
                "{:?} {:?}",
                world.introspection,
                world.introspection.issuer()
            )
            .unwrap();
            heard += 1;
        }
    }
    assert_eq!(heard, 24);
    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for expected in ["introspection failed", "check how it authenticates"] {
        assert!(logged.contains(expected), "nothing was heard: {logged}");
    }
    said += &logged;
    for secret in [TOKEN, SECRET, ENCODED, &ENCODED[8..], &KEY[24..40]] {
        assert!(!said.contains(secret), "{secret} in {said}");
    }
}

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
