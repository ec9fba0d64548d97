//! A broker that speaks TLS alone to machines: a process of their own each, since what certificates are trusted is the
//! environment's to say.

use std::path::Path;
use std::time::Duration;

use countersign::{
    FeedFailure, FeedSettings, ProofId, RedisReplayStore, RedisRevocations, RedisStream,
    Remembering, ReplayStore, Revocation, RevocationList,
};
use tokio::process::Command;
use tokio::time::timeout;

use crate::broker::{Broker, eventually};

const URL: &str = "COUNTERSIGN_TEST_BROKER";
const ISSUER: &str = "https://as.acme.test";

/// Says what came of it.
async fn be_a_machine(url: &str) -> String {
    let list = RevocationList::new();
    let stream = RedisStream::open(url).unwrap();
    let revocations = RedisRevocations::start(list.clone(), FeedSettings::default(), stream);
    let caught_up = revocations.feed().caught_up(Duration::from_secs(5)).await;
    if let Err(error) = caught_up {
        assert_ne!(error.last_failure, None, "it says why");
        assert_ne!(error.last_failure, Some(FeedFailure::Timeout));
    }
    let known = list.status().not_befores;
    let now = list.clock().unix_time();
    let client = format!("m2m-{}", std::process::id());
    let revocation = Revocation::client(ISSUER, &client, now).unwrap();
    let shared = match caught_up {
        Ok(()) => revocations.revoke(revocation).await.is_ok(),
        Err(_) => false,
    };
    let store = RedisReplayStore::open(url).unwrap();
    let store = store.with_deadline(Duration::from_secs(5));
    let remembering = store.remember(ProofId::new([7; 32], "1"), Duration::from_secs(60));
    let replay = match remembering {
        Remembering::Ready(replay) => replay,
        Remembering::Pending(replay) => replay.await,
    };
    format!("known: {known}, shared: {shared}, proof: {replay:?}")
}

#[tokio::test]
#[ignore = "it is one machine of the test below, which runs it"]
async fn one_machine() {
    let url = std::env::var(URL).expect("the test below says where the broker is");
    println!("{}", be_a_machine(&url).await);
}

/// What a machine said that trusts these certificates, or those of the platform.
async fn machine(url: &str, trusted: Option<&Path>) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["tls::one_machine", "--exact", "--ignored", "--nocapture"])
        .env(URL, url)
        .env_remove("SSL_CERT_DIR")
        .kill_on_drop(true);
    match trusted {
        Some(file) => command.env("SSL_CERT_FILE", file),
        None => command.env_remove("SSL_CERT_FILE"),
    };
    let output = timeout(Duration::from_secs(60), command.output()).await;
    let output = output.expect("it ends").unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{log}");
    let line = said.lines().find(|line| line.contains("known: "));
    line.unwrap_or_else(|| panic!("{said}\n{log}")).to_owned()
}

#[tokio::test]
async fn machines_meet_at_a_broker_over_tls_and_none_that_does_not_trust_its_certificate() {
    let broker = Broker::start_with_tls().await;
    let (url, root) = (broker.tls_url(), broker.root());
    for (trusted, expected) in [
        (Some(&*root), "known: 0, shared: true, proof: Fresh"),
        (Some(&*root), "known: 1, shared: true, proof: Seen"),
        (None, "known: 0, shared: false, proof: Unavailable"),
        (Some(&*root), "known: 2, shared: true, proof: Seen"),
    ] {
        let said = machine(&url, trusted).await;
        assert!(said.contains(expected), "{trusted:?}: {said}");
    }
    // Its certificate names `localhost`.
    let other_name = url.replace("localhost", "127.0.0.1");
    let said = machine(&other_name, Some(&root)).await;
    assert!(said.contains("shared: false, proof: Unavailable"), "{said}");
    eventually("the broker has what was told", async || {
        let length: u64 = broker.ask(&["XLEN", "countersign:revocations"]).await;
        (length == 3).then_some(())
    })
    .await;
}
