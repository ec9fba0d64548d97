//! `resource_server`: who may revoke there, who follows it, and what its settings must be.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use countersign::{Clock, Revocation, SystemClock};
use countersign_testing::TestIssuer;
use reqwest::Client;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::OnceCell;
use tokio::time::timeout;

use crate::broker::{Broker, eventually};
use crate::program::build;

const API: &str = "https://api.acme.example";

struct World {
    issuer: TestIssuer,
    http: Client,
    folder: PathBuf,
}

struct Server {
    url: String,
    child: Child,
}

impl World {
    async fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("countersign-program-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let http = Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(20));
        Self {
            issuer: TestIssuer::serve().await,
            http: http.build().unwrap(),
            folder,
        }
    }

    /// Writes a file of this test's own. Its name with the path.
    fn file(&self, name: &str, content: &str) -> String {
        let path = self.folder.join(name);
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    }

    /// A process with these settings beside the usual ones.
    async fn spawn(&self, settings: &str) -> Child {
        static BINARY: OnceCell<PathBuf> = OnceCell::const_new();
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let binary = BINARY
            .get_or_init(|| build("resource_server", "redis"))
            .await;
        let issuer = self.issuer.name();
        let text = format!(
            r#"
            listen = "127.0.0.1:0"
            resource = "{API}"
            {settings}
            [[issuers]]
            issuer = "{issuer}"
            audiences = ["{API}"]
            organizations = ["org_acme"]
            microservices = {{ clients = ["ops", "billing"] }}
            "#
        );
        let name = format!("{}.toml", NUMBER.fetch_add(1, Ordering::Relaxed));
        Command::new(binary)
            .arg(self.file(&name, &text))
            .env("NO_PROXY", "127.0.0.1")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap()
    }

    async fn serve(&self, settings: &str) -> Server {
        let mut child = self.spawn(settings).await;
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let read = timeout(Duration::from_secs(30), stdout.read_line(&mut line)).await;
        read.expect("it is ready within 30 s").unwrap();
        let ready: Value = serde_json::from_str(&line).expect("it says where it listens");
        let url = ready["listening"].as_str().unwrap().to_owned();
        Server { url, child }
    }

    /// A token of the vendor's own service of this name.
    fn microservice(&self, client: &str, scope: &str) -> String {
        let token = self.issuer.microservice(client).with_audience(API);
        token.with_scopes(scope.split_whitespace()).mint()
    }

    fn ops(&self) -> String {
        self.microservice("ops", "revocations:write")
    }

    /// A customer's token of this id, with a scope that is not for customers.
    fn customer(&self, id: &str) -> String {
        let token = self.issuer.service_principal("m2m-acme");
        let token = token.with_audience(API).with_organization("org_acme");
        let token = token.with_scopes(["revocations:write"]);
        token.with_claim("jti", id).mint()
    }

    fn revocation(&self, id: &str) -> Value {
        let until = SystemClock::new().unix_time() + Duration::from_secs(3600);
        let revocation = Revocation::token(self.issuer.name(), id, until).unwrap();
        serde_json::to_value(revocation).unwrap()
    }

    async fn post(&self, server: &Server, token: &str, body: &Value) -> u16 {
        let request = self.http.post(format!("{}/revocations", server.url));
        let request = request.bearer_auth(token).json(body);
        request.send().await.unwrap().status().as_u16()
    }

    async fn get(&self, server: &Server, path: &str, token: &str) -> u16 {
        let request = self.http.get(format!("{}{path}", server.url));
        let answer = request.bearer_auth(token).send().await.unwrap();
        answer.status().as_u16()
    }

    async fn whoami(&self, server: &Server, id: &str) -> u16 {
        self.get(server, "/whoami", &self.customer(id)).await
    }

    async fn refuses(&self, server: &Server, id: &str) {
        let begun = Instant::now();
        eventually("it is refused", async || {
            (self.whoami(server, id).await == 401).then_some(())
        })
        .await;
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(2), "{id}: {took:?}");
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[tokio::test]
async fn nobody_revokes_or_follows_unless_it_is_configured() {
    let world = World::new().await;
    let one = world.serve("").await;
    let ops = world.ops();
    assert_eq!(world.post(&one, &ops, &world.revocation("1")).await, 404);
    assert_eq!(world.get(&one, "/revocations", &ops).await, 404);
    let one = world.serve("[revocation]\nrevoke = true").await;
    assert_eq!(world.get(&one, "/revocations", &ops).await, 405);
    assert_eq!(world.post(&one, &ops, &world.revocation("1")).await, 204);
    assert_eq!(world.whoami(&one, "1").await, 401);
    assert_eq!(world.whoami(&one, "2").await, 200);
}

#[tokio::test]
async fn the_vendors_own_services_revoke_with_the_scope_and_others_do_not_and_it_is_on_record() {
    let world = World::new().await;
    let audit = world.folder.join("audit.jsonl");
    let settings = format!(
        "[revocation]\nrevoke = true\n[audit]\nfile = {:?}",
        audit.display().to_string()
    );
    let server = world.serve(&settings).await;
    let ops = world.ops();
    let unscoped = world.microservice("ops", "invoices:read");
    let (by_client, now) = ("m2m-acme", SystemClock::new().unix_time().as_secs());
    let of_client = |issuer: &str, not_before: u64| json!({"kind": "client", "issuer": issuer, "id": by_client, "not_before": not_before});
    let ours = world.issuer.name();
    let good = world.revocation("1");
    let long = json!({"kind": "client", "issuer": ours, "id": "x".repeat(5000), "not_before": 1});
    for (what, token, body, expected) in [
        ("a customer", &world.customer("2"), &good, 403),
        ("no scope", &unscoped, &good, 403),
        ("no token", &"x".to_owned(), &good, 401),
        ("no revocation", &ops, &json!({"kind": "client"}), 422),
        (
            "of another issuer",
            &ops,
            &of_client("https://as.globex.test", 1),
            422,
        ),
        ("in the future", &ops, &of_client(ours, now + 3600), 422),
        ("too long", &ops, &long, 413),
    ] {
        assert_eq!(world.post(&server, token, body).await, expected, "{what}");
    }
    assert_eq!(
        world.whoami(&server, "1").await,
        200,
        "none of these did it"
    );
    assert_eq!(world.post(&server, &ops, &good).await, 204);
    assert_eq!(world.whoami(&server, "1").await, 401);
    let recorded = eventually("it is on record", async || {
        let lines = std::fs::read_to_string(&audit).ok()?;
        let mut events = lines
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        events.find(|event| event["status"] == 204)
    })
    .await;
    let recorded = recorded.to_string();
    for part in ["\"ops\"", "/revocations", "POST"] {
        assert!(recorded.contains(part), "{part}: {recorded}");
    }
}

#[tokio::test]
async fn another_machine_follows_with_its_token_and_the_one_that_is_followed_ends_at_once() {
    let world = World::new().await;
    let settings = "[revocation]\nrevoke = true\npublish = true";
    let mut one = world.serve(settings).await;
    let ops = world.ops();
    assert_eq!(
        world.post(&one, &ops, &world.revocation("before")).await,
        204
    );
    assert_eq!(
        world.get(&one, "/revocations", &world.customer("1")).await,
        403
    );

    let follow = |token: &str| {
        format!(
            "[revocation]\nfeed = \"{}/revocations\"\nwhen_old = \"refuse\"\nstart_wait_seconds = 1\n{token}",
            one.url
        )
    };
    // A token that is for the machines to replace, with white space around it as editors leave it.
    let token = world.file("token", &format!("{}\n", world.microservice("billing", "")));
    let other = world
        .serve(&follow(&format!("token_file = {token:?}")))
        .await;
    assert_eq!(world.whoami(&other, "before").await, 401);
    assert_eq!(world.whoami(&other, "1").await, 200);
    assert_eq!(world.post(&one, &ops, &world.revocation("1")).await, 204);
    world.refuses(&other, "1").await;
    assert_eq!(world.post(&other, &ops, &world.revocation("2")).await, 404);

    let without = world.serve(&follow("")).await;
    assert_eq!(world.whoami(&without, "2").await, 503, "it knows nothing");

    let pid = one.child.id().unwrap().to_string();
    let begun = Instant::now();
    let killed = Command::new("kill").args(["-TERM", &pid]).status().await;
    assert!(killed.unwrap().success());
    let ended = timeout(Duration::from_secs(25), one.child.wait()).await;
    let ended = ended
        .expect("it does not wait for those who follow")
        .unwrap();
    assert_eq!(ended.code(), Some(0), "after {:?}", begun.elapsed());
}

#[tokio::test]
async fn machines_at_a_broker_revoke_for_each_other_and_say_when_it_is_away() {
    let mut broker = Broker::start().await;
    let world = World::new().await;
    let settings = format!("[revocation]\nredis = \"{}\"\nrevoke = true", broker.url());
    let one = world.serve(&settings).await;
    let other = world.serve(&settings).await;
    let ops = world.ops();
    for (on, seen_on, id) in [(&one, &other, "1"), (&other, &one, "2")] {
        assert_eq!(world.whoami(seen_on, id).await, 200);
        assert_eq!(world.post(on, &ops, &world.revocation(id)).await, 204);
        world.refuses(seen_on, id).await;
    }
    broker.kill().await;
    let status = world.post(&one, &ops, &world.revocation("3")).await;
    assert_eq!(status, 202, "here, and elsewhere when the broker is back");
    assert_eq!(world.whoami(&one, "3").await, 401);
    broker.restart().await;
    eventually("the other knows", async || {
        (world.whoami(&other, "3").await == 401).then_some(())
    })
    .await;
}

#[tokio::test]
async fn settings_that_make_no_sense_are_named_before_it_starts() {
    let world = World::new().await;
    let empty = world.file("empty", "\n");
    let feed = "feed = \"https://revoker.acme.test/\"";
    for (settings, words) in [
        ("", vec!["revocation.feed"]),
        ("publish = true", vec!["revocation.feed"]),
        (
            &*format!("{feed}\nredis = \"redis://b\"\nrevoke = true\npublish = true"),
            vec![
                "revocation.redis",
                "revocation.revoke",
                "revocation.publish",
            ],
        ),
        (
            "revoke = true\ntoken_file = \"/dev/null\"",
            vec!["revocation.token_file"],
        ),
        (
            "revoke = true\nwhen_old = \"refuse\"\nmax_age_seconds = 5",
            vec!["revocation.when_old", "revocation.max_age_seconds"],
        ),
        (
            &*format!("{feed}\ntoken_file = {empty:?}"),
            vec!["revocation.token_file", "empty"],
        ),
        (
            &*format!("{feed}\ntoken_file = \"/nowhere/at/all\""),
            vec!["revocation.token_file", "/nowhere/at/all"],
        ),
    ] {
        let child = world.spawn(&format!("[revocation]\n{settings}")).await;
        let output = timeout(Duration::from_secs(30), child.wait_with_output()).await;
        let output = output.expect("it ends").unwrap();
        let log = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{settings}: {log}");
        for word in words {
            assert!(log.contains(word), "{settings}: no {word}: {log}");
        }
    }
}
