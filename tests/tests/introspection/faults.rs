//! Each way to misbehave, one after the other.

use std::io::Write;

use countersign::{Clock, DenialKind, Refusal};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::server::{Answer, Origin, json as json_response, response};
use crate::world::{PATH, SECOND, World, answer, breathe, good};

const LARGE: usize = 10 << 20;

struct Fault {
    name: &'static str,
    answer: fn(&Place<'_>) -> Answer,
    seen: Seen,
}

/// What a caller sees about whose token the server is asked.
#[derive(Clone, Copy, Debug)]
enum Seen {
    /// 503.
    Unavailable,
    /// The same, after the time that a question may take.
    TimedOut,
    /// 401.
    Refused(Refusal),
}

use Seen::{Refused, TimedOut, Unavailable};

/// Where it happens.
struct Place<'a> {
    world: &'a World,
    /// Another server, which calls every token good and which nobody should be led to.
    elsewhere: &'a Origin,
}

impl Place<'_> {
    /// A good answer with this member instead.
    fn with(&self, name: &str, value: Value) -> Answer {
        let mut answer = answer(&self.world.origin, &self.world.clock);
        answer[name] = value;
        Answer::Bytes(json_response(answer.to_string()))
    }

    fn without(&self, name: &str) -> Answer {
        let mut answer = answer(&self.world.origin, &self.world.clock);
        answer.as_object_mut().unwrap().remove(name);
        Answer::Bytes(json_response(answer.to_string()))
    }

    /// A good answer, under another type.
    fn of_type(&self, content_type: &str) -> Answer {
        let body = answer(&self.world.origin, &self.world.clock).to_string();
        Answer::Bytes(response(
            &format!("200 OK\r\nContent-Type: {content_type}"),
            body,
        ))
    }

    fn redirect(&self, status: &str) -> Answer {
        let to = self.elsewhere.url(PATH);
        Answer::Bytes(response(&format!("{status}\r\nLocation: {to}"), ""))
    }
}

fn status(head: &str) -> Answer {
    Answer::Bytes(response(head, "{}"))
}

fn text(body: &str) -> Answer {
    Answer::Bytes(json_response(body))
}

/// A body under a head that says something else of its length, or nothing.
fn framed(headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{headers}\r\n");
    [head.as_bytes(), body].concat()
}

/// Small enough to be taken, and 10 MiB once it is unpacked.
fn bomb() -> Answer {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&vec![b' '; LARGE]).unwrap();
    let packed = encoder.finish().unwrap();
    assert!(packed.len() < 64 << 10, "{} bytes", packed.len());
    let head = "200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip";
    Answer::Bytes(response(head, packed))
}

/// A table of faults: `"name": answer => seen,`.
macro_rules! faults {
    ($($name:literal: $answer:expr => $seen:expr,)*) => {
        &[$(Fault { name: $name, answer: $answer, seen: $seen }),*]
    };
}

const CONNECTIONS: &[Fault] = faults! {
    "refused": |_| Answer::Refused => Unavailable,
    "reset at once": |_| Answer::Reset(Vec::new()) => Unavailable,
    "reset in the middle": |_| Answer::Reset(framed("Content-Length: 99\r\n", b"{\"active\"")) => Unavailable,
    "closed at once": |_| Answer::Bytes(Vec::new()) => Unavailable,
    "silence": |_| Answer::Silence(Vec::new()) => TimedOut,
    "silence after the head": |_| Answer::Silence(framed("Content-Length: 99\r\n", b"")) => TimedOut,
    "one byte a second": |at| match good(&at.world.origin, &at.world.clock) {
        Answer::Bytes(bytes) => Answer::Drip(bytes),
        other => other,
    } => TimedOut,
    "white space without end": |_| {
        Answer::Endless(framed("Connection: close\r\n", b""), vec![b' '; 4096])
    } => Unavailable,
    "not HTTP": |_| Answer::Bytes(b"SSH-2.0-OpenSSH_9.6\r\n".into()) => Unavailable,
    "a body shorter than it says": |_| Answer::Bytes(framed("Content-Length: 99\r\n", b"{}")) => Unavailable,
    "10 MiB": |_| Answer::Bytes(json_response(vec![b' '; LARGE])) => Unavailable,
    "10 MiB in one chunk": |_| {
        let chunk = format!("{LARGE:x}\r\n{}\r\n0\r\n\r\n", " ".repeat(LARGE));
        Answer::Bytes(framed("Transfer-Encoding: chunked\r\n", chunk.as_bytes()))
    } => Unavailable,
    "10 MiB packed into 10 KiB": |_| bomb() => Unavailable,
};

const STATUSES: &[Fault] = faults! {
    "500": |_| status("500 Internal Server Error") => Unavailable,
    "500 with a good answer": |at| {
        let body = answer(&at.world.origin, &at.world.clock).to_string();
        Answer::Bytes(response("500 Sorry\r\nContent-Type: application/json", body))
    } => Unavailable,
    "502 with a page": |_| Answer::Bytes(response("502 Bad Gateway", "<p>nginx")) => Unavailable,
    "400": |_| status("400 Bad Request") => Unavailable,
    "401": |_| status("401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"as\"") => Unavailable,
    "403": |_| status("403 Forbidden") => Unavailable,
    "404": |_| status("404 Not Found") => Unavailable,
    "429 that asks for 20 s of quiet":
        |_| status("429 Too Many Requests\r\nRetry-After: 20") => Unavailable,
    "503 that asks for an hour of quiet":
        |_| status("503 Service Unavailable\r\nRetry-After: 3600") => Unavailable,
    "204": |_| Answer::Bytes(b"HTTP/1.1 204 No Content\r\n\r\n".into()) => Unavailable,
    "206": |_| status("206 Partial Content\r\nContent-Type: application/json") => Unavailable,
    "304": |_| Answer::Bytes(b"HTTP/1.1 304 Not Modified\r\n\r\n".into()) => Unavailable,
    "a redirect": |at| at.redirect("302 Found") => Unavailable,
    "a redirect for good": |at| at.redirect("301 Moved") => Unavailable,
    "a redirect to look elsewhere": |at| at.redirect("303 See Other") => Unavailable,
    "a redirect that takes the token along": |at| at.redirect("307 Temporary Redirect") => Unavailable,
    "a redirect that takes it along for good": |at| at.redirect("308 Permanent Redirect") => Unavailable,
};

const CONTENTS: &[Fault] = faults! {
    "a page": |at| at.of_type("text/html") => Unavailable,
    "JSON that calls itself text": |at| at.of_type("text/plain") => Unavailable,
    "JSON that calls itself a signed answer":
        |at| at.of_type("application/token-introspection+jwt") => Unavailable,
    "JSON that calls itself nothing": |_| Answer::Bytes(response("200 OK", "{\"active\":true}")) => Unavailable,
    "a page that calls itself JSON": |_| text("<!doctype html><title>Sign in</title>") => Unavailable,
    "an empty body": |_| text("") => Unavailable,
    "JSON cut short": |_| text(r#"{"active":true,"iss":"#) => Unavailable,
    "an array": |_| text(r#"[{"active":true}]"#) => Unavailable,
    "no active": |at| at.without("active") => Unavailable,
    "active as a text": |at| at.with("active", json!("true")) => Unavailable,
    "active as a number": |at| at.with("active", json!(1)) => Unavailable,
    "active twice": |_| text(r#"{"active":false,"active":true}"#) => Unavailable,
    "inactive": |_| text(r#"{"active":false}"#) => Refused(Refusal::Inactive),
    "inactive, and all claims": |at| at.with("active", json!(false)) => Refused(Refusal::Inactive),
    "another issuer": |at| at.with("iss", json!("https://as.globex.test")) => Refused(Refusal::UnknownIssuer),
    "no issuer": |at| at.without("iss") => Refused(Refusal::MissingClaim),
    "another audience": |at| at.with("aud", json!("https://billing.acme.test")) => Refused(Refusal::Audience),
    "no audience": |at| at.without("aud") => Refused(Refusal::MissingClaim),
    "a refresh token": |at| at.with("token_type", json!("refresh_token")) => Refused(Refusal::NotAccessToken),
    "no end": |at| at.without("exp") => Refused(Refusal::MissingClaim),
    "an end long ago": |at| at.with("exp", json!(1_000)) => Refused(Refusal::Expired),
    "an end as a text": |at| at.with("exp", json!("1900000000")) => Refused(Refusal::MalformedClaim),
    "no client": |at| at.without("client_id") => Refused(Refusal::MissingClaim),
    "a claim of another type": |at| at.with("sub", json!(["m2m-acme"])) => Refused(Refusal::MalformedClaim),
    "bound to a key": |at| at.with("cnf", json!({"jkt": "A".repeat(43)})) => Refused(Refusal::UnprovenConfirmation),
};

/// One fault, from its beginning to its end.
async fn hold(fault: &Fault) {
    let mut world = World::new().await;
    let mut elsewhere = Origin::start(world.clock.clone()).await;
    elsewhere.answer(PATH, world.good()).await;
    let answer = (fault.answer)(&Place {
        world: &world,
        elsewhere: &elsewhere,
    });
    world.origin.answer(PATH, answer).await;

    let began = world.clock.monotonic();
    let told = async {
        let unseen = async {
            let unseen = world.ask("/", "unseen").await;
            see(fault, &unseen);
            // Whoever wants certainty gets none, of a token that was good a moment ago.
            let certain = world.ask("/now", world.jwt()).await;
            see(fault, &certain);
        };
        match fault.seen {
            TimedOut => world.in_time(unseen).await,
            _ => unseen.await,
        }
    };
    let others = async {
        for _ in 0..5 {
            world.serves(fault.name).await;
            breathe().await;
        }
    };
    tokio::join!(told, others);
    let took = world.clock.monotonic().abs_diff(began);
    // Two questions, one after the other.
    assert!(took <= 11 * SECOND, "{}: {took:?}", fault.name);
    world.serves(fault.name).await;
    assert_eq!(elsewhere.connections(), 0, "{}: led elsewhere", fault.name);

    // It is over: after a minute at most, everybody is served, whatever was remembered meanwhile.
    let good = world.good();
    world.origin.answer(PATH, good).await;
    world.clock.advance(76 * SECOND).await;
    for (path, token) in [("/", "unseen"), ("/", "seen"), ("/now", world.jwt())] {
        let answered = world.ask(path, token).await;
        assert_eq!(answered.status, 200, "{}, over: {answered:?}", fault.name);
    }
}

fn see(fault: &Fault, answered: &crate::world::Answered) {
    let name = fault.name;
    match fault.seen {
        Unavailable | TimedOut => {
            let kind = Some(DenialKind::IntrospectionUnavailable);
            assert_eq!((answered.status, answered.kind), (503, kind), "{name}");
            let retry_after = answered.retry_after.unwrap();
            assert!((1..=60).contains(&retry_after), "{name}: {retry_after} s");
        }
        // Of the bound one the guard says that it is somebody else's: the token that it knows is not bound.
        Refused(Refusal::UnprovenConfirmation) => assert_eq!(answered.status, 401, "{name}"),
        Refused(refusal) => {
            let kind = Some(DenialKind::InvalidToken(refusal));
            assert_eq!((answered.status, answered.kind), (401, kind), "{name}");
        }
    }
}

#[tokio::test]
async fn a_connection_that_brings_no_answer_stops_nobody_else() {
    for fault in CONNECTIONS {
        hold(fault).await;
    }
    println!("introspection: {} faults of connections", CONNECTIONS.len());
}

#[tokio::test]
async fn a_status_that_is_no_answer_stops_nobody_else() {
    for fault in STATUSES {
        hold(fault).await;
    }
    println!("introspection: {} statuses", STATUSES.len());
}

#[tokio::test]
async fn what_is_said_of_one_token_concerns_no_other() {
    for fault in CONTENTS {
        hold(fault).await;
    }
    println!("introspection: {} contents", CONTENTS.len());
}
