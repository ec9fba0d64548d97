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

mod log;

use std::fmt::Write as _;

use countersign_bearer::Introspect;
use countersign_introspection::{ClientAuthentication, PrivateKey};
use countersign_jwks::{Algorithm, FetchFailure};
use countersign_token::Issuer;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::log::Log;
use crate::world::{API, ISSUER, Reply, World, s, word};

const TOKEN: &str = "a-token-that-nobody-may-see";
const SECRET: &str = "a-secret-that-nobody-may-see";
/// As it goes over the wire in the `Authorization` header.
const ENCODED: &str = "YXBpOmEtc2VjcmV0LXRoYXQtbm9ib2R5LW1heS1zZWU=";
const KEY: &str = "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC";

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
