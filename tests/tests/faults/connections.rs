//! Connections that bring no response.

use countersign::FetchFailure::{Connect, Interrupted, Timeout};

use crate::outage::{Fault, faults, hold};
use crate::server::{Answer, json};
use crate::world::{KEYS, METADATA};

const HEAD: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n";
const HALF: &str = "{\"keys\": [";

const FAULTS: &[Fault] = faults! {
    "the connection is refused": |_| Answer::Refused => Connect,
    "the connection is reset without an answer": |_| Answer::Reset(Vec::new()) => Interrupted,
    "the connection is reset within the body": |_| Answer::Reset([HEAD, HALF].concat().into()) => Interrupted,
    "the connection is closed without an answer": |_| Answer::Bytes(Vec::new()) => Interrupted,
    "the connection is closed within the head": |_| Answer::Bytes("HTTP/1.1 200 O".into()) => Interrupted,
    "no answer ever comes": |_| Answer::Silence(Vec::new()) => Timeout,
    "no body ever comes": |_| Answer::Silence(HEAD.into()) => Timeout,
    "half of a body comes": |_| Answer::Silence([HEAD, HALF].concat().into()) => Timeout,
    "one byte comes each second": |_| Answer::Drip(json("{}")) => Timeout,
    "it speaks another protocol": |_| Answer::Bytes("SSH-2.0-OpenSSH_9.9\r\n".into()) => Interrupted,
    "the head never ends": |_| Answer::Endless("HTTP/1.1 200 OK\r\n".into(), "X-Filler: 0123\r\n".into()) => Interrupted,
    "interim responses come for ever": |_| Answer::Endless(Vec::new(), "HTTP/1.1 103 Early Hints\r\n\r\n".into()) => Timeout,
};

#[tokio::test]
async fn a_connection_that_brings_no_keys_stops_no_caller_whose_key_is_known() {
    hold(FAULTS, KEYS).await;
    println!("faults: {} cases at {KEYS}", FAULTS.len());
}

#[tokio::test]
async fn nor_does_one_that_brings_no_metadata() {
    hold(FAULTS, METADATA).await;
    println!("faults: {} cases at {METADATA}", FAULTS.len());
}
