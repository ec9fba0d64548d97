//! Processes of the example `revocation`, each one machine.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use countersign::{Clock, Revocation, SystemClock};
use countersign_testing::TestIssuer;
use reqwest::Client;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::OnceCell;
use tokio::time::timeout;

use crate::broker::{Broker, eventually};
use crate::program::build;

const API: &str = "https://api.acme.example";

/// What was revoked on one machine is refused on the others within so long.
const BOUND: Duration = Duration::from_secs(1);

struct World {
    issuer: TestIssuer,
    http: Client,
    ops: String,
}

struct Machine {
    url: String,
    _child: Child,
}

impl World {
    async fn new() -> Self {
        let issuer = TestIssuer::serve()
            .await
            .with_client("ops", "secret", None, &[]);
        let http = Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(10));
        Self {
            ops: issuer.microservice("ops").with_audience(API).mint(),
            http: http.build().unwrap(),
            issuer,
        }
    }

    async fn machine(&self, arguments: &[&str]) -> Machine {
        static BINARY: OnceCell<PathBuf> = OnceCell::const_new();
        let mut child = Command::new(
            BINARY
                .get_or_init(|| build("revocation", "revocation"))
                .await,
        )
        .arg(self.issuer.name())
        .args(arguments)
        .env("NO_PROXY", "127.0.0.1")
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let read = timeout(Duration::from_secs(30), stdout.read_line(&mut line)).await;
        read.expect("it is ready within 30 s").unwrap();
        let ready: Value = serde_json::from_str(&line).expect("it says where it listens");
        Machine {
            url: ready["listening"].as_str().unwrap().to_owned(),
            _child: child,
        }
    }

    fn token(&self, id: &str) -> String {
        let token = self.issuer.service_principal("m2m-acme");
        token.with_audience(API).with_claim("jti", id).mint()
    }

    async fn ask(&self, machine: &Machine, id: &str) -> u16 {
        let request = self.http.get(&machine.url).bearer_auth(self.token(id));
        request.send().await.unwrap().status().as_u16()
    }

    async fn revoke(&self, machine: &Machine, id: &str) {
        let until = SystemClock::new().unix_time() + Duration::from_secs(3600);
        let revocation = Revocation::token(self.issuer.name(), id, until).unwrap();
        let request = self.http.post(format!("{}/revocations", machine.url));
        let answer = request
            .bearer_auth(&self.ops)
            .json(&revocation)
            .send()
            .await;
        assert_eq!(answer.unwrap().status(), 200);
    }

    /// How long it takes until this machine refuses the token, from now.
    async fn refused(&self, machine: &Machine, id: &str) -> Duration {
        let begun = Instant::now();
        eventually("it is refused", async || {
            (self.ask(machine, id).await == 401).then_some(())
        })
        .await;
        begun.elapsed()
    }

    /// Revokes on one machine what both accept, and sees it refused on the other in time.
    async fn revoked_on_one_is_refused_on(&self, one: &Machine, other: &Machine, id: &str) {
        for machine in [one, other] {
            assert_eq!(self.ask(machine, id).await, 200, "{id}");
        }
        let begun = Instant::now();
        self.revoke(one, id).await;
        self.refused(other, id).await;
        let took = begun.elapsed();
        eprintln!("{id}: refused on the other machine {took:?} after it was asked for");
        assert!(took < BOUND, "{id}: {took:?}");
        assert_eq!(self.ask(one, id).await, 401, "{id}");
    }
}

#[tokio::test]
async fn without_a_broker_what_one_process_revokes_another_that_follows_it_refuses() {
    let world = World::new().await;
    let one = world.machine(&[]).await;
    world.revoke(&one, "before").await;
    let feed = format!("{}/revocations", one.url);
    let other = world.machine(&["--follow", &feed]).await;
    assert_eq!(world.ask(&other, "before").await, 401);
    for id in ["http 1", "http 2", "http 3"] {
        world.revoked_on_one_is_refused_on(&one, &other, id).await;
    }
}

#[tokio::test]
async fn what_one_process_revokes_another_refuses_also_after_the_broker_was_killed() {
    let mut broker = Broker::start().await;
    let world = World::new().await;
    let url = broker.url();
    let one = world.machine(&["--redis", &url]).await;
    let other = world.machine(&["--redis", &url]).await;
    world
        .revoked_on_one_is_refused_on(&one, &other, "redis 1")
        .await;
    world
        .revoked_on_one_is_refused_on(&other, &one, "redis 2")
        .await;

    broker.kill().await;
    assert_eq!(world.ask(&other, "redis 1").await, 401);
    assert_eq!(world.ask(&other, "meanwhile").await, 200);
    world.revoke(&one, "meanwhile").await;
    assert_eq!(world.ask(&one, "meanwhile").await, 401);
    broker.restart().await;
    let took = world.refused(&other, "meanwhile").await;
    eprintln!("revoked while the broker was away: refused {took:?} after it was back");
    assert!(took < BOUND, "{took:?}");
    world
        .revoked_on_one_is_refused_on(&one, &other, "redis 3")
        .await;
    world
        .revoked_on_one_is_refused_on(&other, &one, "redis 4")
        .await;

    broker.kill().await;
    broker.lose_everything();
    broker.restart().await;
    world
        .revoked_on_one_is_refused_on(&one, &other, "redis 5")
        .await;
    eventually("the broker gets back what it lost", async || {
        let length: u64 = broker.ask(&["XLEN", "countersign:revocations"]).await;
        (length >= 6).then_some(())
    })
    .await;
    let third = world.machine(&["--redis", &url]).await;
    for id in ["redis 1", "redis 2", "redis 3", "redis 4", "meanwhile"] {
        assert_eq!(world.ask(&third, id).await, 401, "{id}");
    }
}
