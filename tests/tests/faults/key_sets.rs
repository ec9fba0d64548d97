//! JSON that is no key set, or none that can be used.

use std::fmt::Write;

use countersign::FetchFailure::{Malformed, NoUsableKey, TooManyKeys};

use crate::outage::{Fault, faults, hold};
use crate::server::{Answer, json};
use crate::world::KEYS;

fn set(body: impl AsRef<[u8]>) -> Answer {
    Answer::Bytes(json(body))
}

/// So many keys, each with a number for its name.
fn keys(count: usize) -> Answer {
    let mut body = String::from(r#"{"keys":["#);
    for number in 0..count {
        let comma = if number == 0 { "" } else { "," };
        let _ = write!(
            body,
            r#"{comma}{{"kty":"OKP","crv":"Ed25519","kid":"{number}","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}}"#
        );
    }
    set(body + "]}")
}

const FAULTS: &[Fault] = faults! {
    "no keys": |_| set(r#"{"keys":[]}"#) => NoUsableKey,
    "a secret": |_| set(r#"{"keys":[{"kty":"oct","kid":"a","k":"c2VjcmV0"}]}"#) => NoUsableKey,
    "keys of other algorithms only": |_| keys(3) => NoUsableKey,
    "keys that are no objects": |_| set(r#"{"keys":[null,1,"a",[],{}]}"#) => NoUsableKey,
    "a point at infinity":
        |_| set(r#"{"keys":[{"kty":"EC","crv":"P-256","kid":"a","x":"AA","y":"AA"}]}"#)
            => NoUsableKey,
    "a hundred and one keys": |_| keys(101) => TooManyKeys,
    "ten thousand empty objects": |_| {
        set(format!(r#"{{"keys":[{}{{}}]}}"#, "{},".repeat(9_999)))
    } => TooManyKeys,
    "no member keys": |_| set("{}") => Malformed,
    "keys that are an object": |_| set(r#"{"keys":{"a":{}}}"#) => Malformed,
    "keys that are null": |_| set(r#"{"keys":null}"#) => Malformed,
    "keys twice": |_| set(r#"{"keys":[],"keys":[]}"#) => Malformed,
    "a key without a set": |_| set(r#"{"kty":"EC","crv":"P-256"}"#) => Malformed,
    "an array": |_| set("[]") => Malformed,
    "null": |_| set("null") => Malformed,
    "two documents": |_| set(r#"{"keys":[]}{"keys":[]}"#) => Malformed,
    "a byte order mark": |_| set("\u{feff}{\"keys\":[]}") => Malformed,
    "UTF-16": |_| set(b"\xff\xfe{\0}\0") => Malformed,
    "invalid UTF-8": |_| set(b"{\"keys\":[],\"a\":\"\xff\"}") => Malformed,
    "a hundred thousand brackets": |_| set("[".repeat(100_000)) => Malformed,
    "a hundred thousand brackets within": |_| {
        set(format!(r#"{{"keys":{}"#, "[".repeat(100_000)))
    } => Malformed,
};

#[tokio::test]
async fn a_set_that_cannot_be_used_stops_no_caller_whose_key_is_known() {
    hold(FAULTS, KEYS).await;
    println!("faults: {} cases at {KEYS}", FAULTS.len());
}
