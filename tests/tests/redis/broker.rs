//! A `redis-server` on a port of its own, which ends with its handle and leaves nothing behind.

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::process::{Child, Command};

pub(crate) struct Broker {
    port: u16,
    /// Where it speaks TLS, if it does.
    tls_port: Option<u16>,
    folder: PathBuf,
    child: Option<Child>,
}

impl Broker {
    pub(crate) async fn start() -> Self {
        let mut broker = Self::new();
        broker.restart().await;
        broker
    }

    /// One that also speaks TLS, as `localhost`, vouched for by [`root`](Self::root) alone.
    pub(crate) async fn start_with_tls() -> Self {
        let mut broker = Self::new();
        let mut root = CertificateParams::new(Vec::new()).unwrap();
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = CertifiedIssuer::self_signed(root, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec!["localhost".into()]).unwrap();
        let certificate = certificate.signed_by(&key, &root).unwrap();
        for (name, pem) in [
            ("root.pem", root.pem()),
            ("certificate.pem", certificate.pem()),
            ("key.pem", key.serialize_pem()),
        ] {
            std::fs::write(broker.folder.join(name), pem).unwrap();
        }
        broker.tls_port = Some(free_port());
        broker.restart().await;
        broker
    }

    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("countersign-redis-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        Self {
            port: free_port(),
            tls_port: None,
            folder,
            child: None,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn tls_url(&self) -> String {
        let port = self.tls_port.expect("it was started with TLS");
        format!("rediss://localhost:{port}")
    }

    /// The certificate that vouches for its own.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.join("root.pem")
    }

    /// As a crash does: nothing is said, nothing is saved.
    pub(crate) async fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().await.unwrap();
        }
    }

    /// Loses everything that it has kept. It must have been killed.
    pub(crate) fn lose_everything(&self) {
        assert!(self.child.is_none(), "it is still there");
        std::fs::remove_dir_all(&self.folder).unwrap();
        std::fs::create_dir_all(&self.folder).unwrap();
    }

    /// At the same port, with what it has kept.
    pub(crate) async fn restart(&mut self) {
        self.kill().await;
        let mut command = Command::new("redis-server");
        command
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "yes"])
            .arg("--dir")
            .arg(&self.folder)
            .stdout(std::process::Stdio::null())
            .args(self.tls_arguments())
            .kill_on_drop(true);
        let child = command.spawn().unwrap_or_else(|error| {
            panic!("cannot start redis-server: {error}; on Debian: apt-get install redis-server")
        });
        self.child = Some(child);
        let client = self.client();
        eventually("redis-server answers", async || {
            let mut connection = client.get_multiplexed_async_connection().await.ok()?;
            let pong = redis::cmd("PING")
                .query_async::<String>(&mut connection)
                .await;
            pong.ok()
        })
        .await;
    }

    fn tls_arguments(&self) -> Vec<String> {
        let Some(port) = self.tls_port else {
            return Vec::new();
        };
        let file = |name: &str| self.folder.join(name).display().to_string();
        let (port, root) = (port.to_string(), file("root.pem"));
        let (certificate, key) = (file("certificate.pem"), file("key.pem"));
        [
            ["--tls-port", &port],
            ["--tls-cert-file", &certificate],
            ["--tls-key-file", &key],
            ["--tls-ca-cert-file", &root],
            ["--tls-auth-clients", "no"],
        ]
        .concat()
        .into_iter()
        .map(str::to_owned)
        .collect()
    }

    pub(crate) fn client(&self) -> redis::Client {
        redis::Client::open(self.url()).unwrap()
    }

    /// What the broker answers to a command.
    pub(crate) async fn ask<T: redis::FromRedisValue>(&self, command: &[&str]) -> T {
        let mut connection = self
            .client()
            .get_multiplexed_async_connection()
            .await
            .unwrap();
        let mut asked = redis::Cmd::new();
        asked.arg(command);
        asked.query_async(&mut connection).await.unwrap()
    }
}

fn free_port() -> u16 {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    free.local_addr().unwrap().port()
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.start_kill();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Asks again and again until there is an answer.
pub(crate) async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(30) {
        if let Some(answer) = ask().await {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("not within 30 s: {what}");
}

/// Waits until this holds.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    eventually(what, async || holds().then_some(())).await;
}
