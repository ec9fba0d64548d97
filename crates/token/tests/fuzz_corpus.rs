//! Replays what fuzzing starts from, and what it has found, without a fuzzer.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests, which may panic and print as tests may"
)]

use std::fs;
use std::path::Path;

#[path = "../fuzz/src/lib.rs"]
#[expect(
    clippy::missing_panics_doc,
    reason = "a target panics where a promise is broken: that is what it is for"
)]
pub mod targets;

#[test]
fn every_token_of_the_corpus_keeps_the_promises() {
    replay("compact_token", targets::compact_token);
}

#[test]
fn every_header_of_the_corpus_keeps_the_promises() {
    replay("header", targets::header);
}

#[test]
fn every_payload_of_the_corpus_keeps_the_promises() {
    replay("claims", targets::claims);
}

fn replay(target: &str, check: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let inputs = fs::read_dir(corpus.join(target)).unwrap();
    let mut count = 0;
    for input in inputs {
        let input = input.unwrap().path();
        // Shown if the test fails: the last one is to blame.
        println!("{}", input.display());
        check(&fs::read(&input).unwrap());
        count += 1;
    }
    assert!(count >= 10, "only {count} inputs for {target}");
}
