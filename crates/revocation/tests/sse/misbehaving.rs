use std::time::Duration;

use countersign_bearer::Validity;
use countersign_revocation::{FeedFailure, Revocation, RevocationFeed};

use crate::world::{
    Answer, Raw, caught_up, change, check, events, everything, follow, list, meanwhile, quick,
    refuses, source, user,
};

fn ann() -> Revocation {
    user(&list(), "ann")
}

fn head(status: &str, more: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n{more}\r\n").into()
}

fn faults() -> Vec<(&'static str, Answer, FeedFailure)> {
    use FeedFailure::{ContentType, Gap, Interrupted, Malformed, Redirect, Status, TooLarge};
    let events_type = "Content-Type: text/event-stream\r\n";
    let long = |text: &str| events(&format!("event: revocation\n{text}"));
    vec![
        (
            "500",
            Answer::Ended(head("500 Oops", events_type)),
            Status(500),
        ),
        ("404", Answer::Ended(head("404 Not Found", "")), Status(404)),
        (
            "204",
            Answer::Ended(head("204 No Content", events_type)),
            Status(204),
        ),
        (
            "redirect",
            Answer::Ended(head("302 Found", "Location: /there\r\n")),
            Redirect,
        ),
        ("no type", Answer::Ended(head("200 OK", "")), ContentType),
        (
            "json",
            Answer::Ended(head("200 OK", "Content-Type: application/json\r\n")),
            ContentType,
        ),
        (
            "no HTTP",
            Answer::Ended(b"good day\r\n\r\n".to_vec()),
            Interrupted,
        ),
        ("nothing", Answer::Ended(Vec::new()), Interrupted),
        ("reset", Answer::Reset(events(": hello\n\n")), Interrupted),
        ("ends", Answer::Ended(events("")), Interrupted),
        (
            "half an event",
            Answer::Ended(events("event: caught-up\nda")),
            Interrupted,
        ),
        (
            "endless line",
            Answer::Endless(events(""), vec![b'x'; 4096]),
            TooLarge,
        ),
        (
            "endless event",
            Answer::Endless(events(""), b"data: xxxxxxxxxxxxxxxxx\n".to_vec()),
            TooLarge,
        ),
        (
            "huge event",
            Answer::Held(long(&format!("data: {}\n\n", "x".repeat(9000)))),
            TooLarge,
        ),
        (
            "no text",
            Answer::Held([&events("data: ")[..], b"\xff\xfe\n\n"].concat()),
            Malformed,
        ),
        (
            "no id",
            Answer::Held(events("event: caught-up\ndata: 1\n\n")),
            Malformed,
        ),
        (
            "odd id",
            Answer::Held(events("id: 1\nevent: caught-up\ndata: 1\n\n")),
            Malformed,
        ),
        (
            "number left out",
            Answer::Held(events(&(caught_up(1) + &change(3, &ann())))),
            Gap,
        ),
        (
            "begins anywhere",
            Answer::Held(events(&change(3, &ann()))),
            Gap,
        ),
        (
            "ahead",
            Answer::Held(events(
                &(caught_up(1) + "event: heartbeat\ndata: 00000000000000aa-2\n\n"),
            )),
            Gap,
        ),
        (
            "another epoch",
            Answer::Held(events(
                &(caught_up(1) + "event: heartbeat\ndata: 00000000000000ab-1\n\n"),
            )),
            Gap,
        ),
        (
            "no number",
            Answer::Held(events(&(caught_up(1) + "event: revocation\ndata: {}\n\n"))),
            Malformed,
        ),
    ]
}

#[tokio::test]
async fn each_fault_is_told_by_its_name_and_got_over() {
    for (name, answer, failure) in faults() {
        let server = Raw::new(answer).await;
        let feed = follow(&server.url);
        // It may catch up for a moment, and then it is no longer told; but it happens again.
        let is_told = || feed.status().last_failure == Some(failure);
        meanwhile(name, is_told).await;
        server.answer(Answer::Held(events(&everything(&[&ann()], 9))));
        refuses(&feed, "ann").await;
        meanwhile(name, || feed.status().current).await;
        assert_eq!(feed.status().last_failure, None, "{name}");
    }
}

#[tokio::test]
async fn silence_and_bytes_that_never_become_an_event_are_given_up() {
    for (name, answer) in [
        ("no answer", Answer::Held(Vec::new())),
        ("half a head", Answer::Held(b"HTTP/1.1 200 OK\r\n".to_vec())),
        ("no event", Answer::Held(events(""))),
        (
            "comments",
            Answer::Endless(events(""), b": still here\n".to_vec()),
        ),
        ("after catching up", Answer::Held(events(&caught_up(1)))),
    ] {
        let server = Raw::new(answer).await;
        let source = source(&server.url).with_idle_timeout(Duration::from_millis(300));
        let feed = RevocationFeed::start(list(), quick(), source);
        let is_told = || feed.status().last_failure == Some(FeedFailure::Timeout);
        meanwhile(name, is_told).await;
    }
}

#[tokio::test]
async fn nobody_there_is_a_failure_to_connect() {
    let address = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let feed = follow(&format!("http://{address}/"));
    let is_told = || feed.status().last_failure == Some(FeedFailure::Connect);
    meanwhile("it is told", is_told).await;
    let waited = feed.caught_up(Duration::from_millis(50)).await;
    assert!(waited.is_err());
}

#[tokio::test]
async fn what_is_no_revocation_is_counted_and_what_is_around_it_counts() {
    let list = list();
    let junk = [
        "{}",
        "null",
        "[[[[[[",
        r#"{"kind":"galaxy","issuer":"i","id":"m31","not_before":1}"#,
        r#"{"kind":"user","issuer":"i","id":"","not_before":1}"#,
        r#"{"kind":"user","issuer":"i","id":"x","not_before":99999999999}"#,
        "\u{1f980}",
    ];
    let mut text = everything(&[&ann()], 0);
    for (number, junk) in (1..).zip(junk) {
        let id = format!("00000000000000aa-{number}");
        text.extend(["id: ", &id, "\nevent: revocation\ndata: ", junk, "\n\n"]);
    }
    text += "event: anything\ndata: else\n\n";
    text += &change(8, &user(&list, "bob"));
    let server = Raw::new(Answer::Held(events(&text))).await;
    let feed = follow(&server.url);
    refuses(&feed, "ann").await;
    refuses(&feed, "bob").await;
    let status = feed.status();
    assert_eq!(
        (status.added, status.refused, status.failures),
        (2, 8, 0),
        "{status:?}"
    );
    assert_eq!(check(&feed, "cleo"), Validity::Valid);
}

#[tokio::test]
async fn told_twice_is_known_once() {
    // Made once: another second would be another moment.
    let ann = ann();
    let text = everything(&[], 1) + &change(2, &ann) + &change(2, &ann) + &change(1, &ann);
    let text = text + &change(3, &user(&list(), "bob"));
    let server = Raw::new(Answer::Held(events(&text))).await;
    let feed = follow(&server.url);
    refuses(&feed, "bob").await;
    assert_eq!((feed.status().added, feed.status().failures), (2, 0));
}
