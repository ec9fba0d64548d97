//! Whole responses that are no answer, whatever was asked for.

use std::io::Write;
use std::sync::Arc;

use countersign::FetchFailure::{
    ContentType, Interrupted, Malformed, Redirect, Status, Timeout, TooLarge,
};
use countersign::HttpFetch;
use countersign_testing::FakeClock;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::outage::{Fault, faults, hold};
use crate::server::{Answer, Origin, json, response};
use crate::world::{KEYS, METADATA, World, token};

const LARGE: usize = 10 << 20;

fn status(head: &str) -> Answer {
    Answer::Bytes(response(head, "{}"))
}

fn of_type(content_type: &str, body: &str) -> Answer {
    let head = format!("200 OK\r\nContent-Type: {content_type}");
    Answer::Bytes(response(&head, body))
}

/// A body under a head that says something else of its length, or nothing.
fn framed(headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{headers}\r\n");
    [head.as_bytes(), body].concat()
}

fn redirect(status: &str, to: &str) -> Answer {
    Answer::Bytes(response(&format!("{status}\r\nLocation: {to}"), ""))
}

/// Small enough to be taken, and 10 MiB once it is unpacked.
fn bomb() -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&vec![b' '; LARGE]).unwrap();
    let packed = encoder.finish().unwrap();
    assert!(packed.len() < 64 << 10, "{} bytes", packed.len());
    packed
}

const FAULTS: &[Fault] = faults! {
    "500": |_| status("500 Internal Server Error") => Status(500),
    "502 with a page": |_| Answer::Bytes(response("502 Bad Gateway", "<p>nginx")) => Status(502),
    "401": |_| status("401 Unauthorized") => Status(401),
    "429 that asks for an hour of quiet":
        |_| status("429 Too Many Requests\r\nRetry-After: 3600") => Status(429),
    "503 that asks for a day of quiet by its date":
        |_| status("503 Service Unavailable\r\nRetry-After: Sat, 16 Jan 2027 08:00:00 GMT")
            => Status(503),
    "429 with a number that no type holds":
        |_| status("429 Too Many Requests\r\nRetry-After: 99999999999999999999") => Status(429),
    "204": |_| Answer::Bytes(b"HTTP/1.1 204 No Content\r\n\r\n".into()) => Status(204),
    "206": |_| status("206 Partial Content\r\nContent-Type: application/json") => Status(206),
    "304 to an unconditional request":
        |_| Answer::Bytes(b"HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n".into()) => Status(304),
    "a status that does not exist": |_| status("999 Enough") => Status(999),
    "a page": |_| of_type("text/html", "<!doctype html><title>Sign in</title>") => ContentType,
    "a page that calls itself JSON":
        |_| of_type("application/json", "<!doctype html><title>Sign in</title>") => Malformed,
    "JSON that calls itself text": |_| of_type("text/plain", r#"{"keys":[]}"#) => ContentType,
    "JSON that calls itself a JWT": |_| of_type("application/jwt", r#"{"keys":[]}"#) => ContentType,
    "JSON that calls itself nothing": |_| Answer::Bytes(response("200 OK", "{}")) => ContentType,
    "an empty body": |_| of_type("application/json", "") => Malformed,
    "JSON cut short": |_| of_type("application/json", r#"{"keys":[{"kty":"EC","#) => Malformed,
    "a body longer than it says":
        |_| Answer::Bytes(framed("Content-Length: 5\r\n", br#"{"keys":[]}"#)) => Malformed,
    "a body shorter than it says, and the end":
        |_| Answer::Bytes(framed("Content-Length: 99\r\n", br#"{"keys":[]}"#)) => Interrupted,
    "a body shorter than it says, and silence":
        |_| Answer::Silence(framed("Content-Length: 99\r\n", br#"{"keys":[]}"#)) => Timeout,
    "two lengths":
        |_| Answer::Bytes(framed("Content-Length: 11\r\nContent-Length: 2\r\n", br#"{"keys":[]}"#))
            => Interrupted,
    "a length that is no number":
        |_| Answer::Bytes(framed("Content-Length: -1\r\n", br#"{"keys":[]}"#)) => Interrupted,
    "a chunk that is cut short":
        |_| Answer::Bytes(framed("Transfer-Encoding: chunked\r\n", b"b\r\n{\"keys\"")) => Interrupted,
    "a chunk whose length is no number":
        |_| Answer::Bytes(framed("Transfer-Encoding: chunked\r\n", b"x\r\n{}\r\n0\r\n\r\n"))
            => Interrupted,
    "10 MiB, as it says": |_| Answer::Bytes(json(vec![b' '; LARGE])) => TooLarge,
    "10 MiB in one chunk": |_| {
        let chunk = format!("{LARGE:x}\r\n{}\r\n0\r\n\r\n", " ".repeat(LARGE));
        Answer::Bytes(framed("Transfer-Encoding: chunked\r\n", chunk.as_bytes()))
    } => TooLarge,
    "10 MiB until the connection ends":
        |_| Answer::Bytes(framed("Connection: close\r\n", &vec![b' '; LARGE])) => TooLarge,
    "white space without end": |_| {
        Answer::Endless(framed("Connection: close\r\n", b""), vec![b' '; 4096])
    } => TooLarge,
    "10 MiB packed into 10 KiB": |_| {
        let head = "200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip";
        Answer::Bytes(response(head, bomb()))
    } => Malformed,
    "a redirect for good": |at| redirect("301 Moved", &at.elsewhere.url(KEYS)) => Redirect,
    "a redirect": |at| redirect("302 Found", &at.elsewhere.url(KEYS)) => Redirect,
    "a redirect to look elsewhere": |at| redirect("303 See Other", &at.elsewhere.url(KEYS)) => Redirect,
    "a redirect of the same method":
        |at| redirect("307 Temporary Redirect", &at.elsewhere.url(KEYS)) => Redirect,
    "a redirect of the same method for good":
        |at| redirect("308 Permanent Redirect", &at.elsewhere.url(KEYS)) => Redirect,
    "a choice of redirects": |at| redirect("300 Multiple Choices", &at.elsewhere.url(KEYS)) => Redirect,
    "a redirect to itself": |at| redirect("302 Found", &at.origin.url(KEYS)) => Redirect,
    "a redirect to the metadata service of the cloud":
        |_| redirect("302 Found", "http://169.254.169.254/latest/meta-data/") => Redirect,
    "a redirect to a file": |_| redirect("302 Found", "file:///etc/passwd") => Redirect,
    "a redirect to nowhere": |_| status("302 Found") => Redirect,
    "a page that refreshes elsewhere": |at| {
        let refresh = format!("200 OK\r\nRefresh: 0; url={}", at.elsewhere.url(KEYS));
        Answer::Bytes(response(&refresh, ""))
    } => ContentType,
};

#[tokio::test]
async fn a_response_that_is_no_key_set_stops_no_caller_whose_key_is_known() {
    hold(FAULTS, KEYS).await;
    println!("faults: {} cases at {KEYS}", FAULTS.len());
}

#[tokio::test]
async fn nor_does_one_that_is_no_metadata() {
    hold(FAULTS, METADATA).await;
    println!("faults: {} cases at {METADATA}", FAULTS.len());
}

#[tokio::test]
async fn a_client_of_ones_own_that_unpacks_is_stopped_at_the_limit_of_what_comes_out() {
    let clock = FakeClock::new();
    let origin = Origin::start(clock.clone()).await;
    let client = reqwest::Client::builder().gzip(true).no_proxy().build();
    let fetch = HttpFetch::from_client(client.unwrap());
    let mut world = World::around(origin, clock, Some(Arc::new(fetch))).await;
    let head = "200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip";
    let bomb = Answer::Bytes(response(head, bomb()));
    world.origin.answer(KEYS, bomb).await;
    world.issuer.rotate();
    assert_eq!(world.ask(&token(&world.issuer)).await.status, 503);
    assert_eq!(world.last_error(), Some(TooLarge));
    world.serves("after the bomb").await;
}
