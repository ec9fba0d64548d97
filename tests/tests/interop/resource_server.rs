//! The program under test: built once, started with a configuration of its own.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use reqwest::header::AUTHORIZATION;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use tokio::process::Command;
use tokio::sync::OnceCell;

use crate::answer::Answer;
use crate::config::{self, Issuer};
use crate::program::{Program, within};
use crate::provider;

/// A first build on a small machine compiles the cryptography too.
const BUILD: Duration = Duration::from_secs(20 * 60);

pub(crate) struct ResourceServer {
    pub(crate) program: Program,
    address: String,
    http: reqwest::Client,
    _folder: Folder,
}

impl ResourceServer {
    pub(crate) async fn start(issuers: &[Issuer]) -> Self {
        let (mut program, folder) = launch(&config::file(issuers)).await;
        let ready = program.ready().await;
        let address = ready["listening"].as_str();
        Self {
            address: address
                .unwrap_or_else(|| panic!("not ready: {ready}"))
                .to_owned(),
            program,
            http: provider::client(),
            _folder: folder,
        }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.address))
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Answer {
        send(self.request(Method::GET, path).bearer_auth(token)).await
    }

    pub(crate) async fn post(&self, path: &str, token: &str) -> Answer {
        send(self.request(Method::POST, path).bearer_auth(token)).await
    }

    pub(crate) async fn get_open(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    /// Presents exactly these `Authorization` headers.
    pub(crate) async fn get_with(&self, path: &str, credentials: &[&str]) -> Answer {
        let request = self.request(Method::GET, path);
        let request = credentials.iter().fold(request, |request, value| {
            request.header(AUTHORIZATION, *value)
        });
        send(request).await
    }

    /// What `/status` says of one issuer.
    pub(crate) async fn status(&self, issuer: &str) -> Value {
        let body = self.get_open("/status").await.expect(200, "/status");
        let issuers = body.as_array().unwrap_or_else(|| panic!("no list: {body}"));
        let found = issuers.iter().find(|entry| entry["issuer"] == issuer);
        found
            .unwrap_or_else(|| panic!("no {issuer}: {body}"))
            .clone()
    }
}

pub(crate) async fn send(request: RequestBuilder) -> Answer {
    Answer::of(request.send().await.unwrap()).await
}

/// Starts the program without waiting for it to be ready. The folder holds its configuration.
pub(crate) async fn launch(config: &str) -> (Program, Folder) {
    static BINARY: OnceCell<PathBuf> = OnceCell::const_new();
    let binary = BINARY.get_or_init(build).await;
    let folder = Folder::new();
    let path = folder.write("resource_server.toml", config);
    let mut command = Command::new(binary);
    // The library's client heeds the proxy settings of the environment; loopback has no proxy.
    command.arg(path).env("NO_PROXY", "127.0.0.1");
    let program = Program::spawn("resource_server", &mut command, "its build is broken");
    (program, folder)
}

/// Where cargo put the program, by cargo's own word.
async fn build() -> PathBuf {
    let mut command = Command::new(env!("CARGO"));
    command
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .args(["build", "--package", "countersign-examples"])
        .args(["--bin", "resource_server"])
        .args(["--message-format", "json-render-diagnostics"])
        .kill_on_drop(true);
    let output = within(BUILD, "cargo build", command.output())
        .await
        .unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "resource_server does not build:\n{log}"
    );
    output
        .stdout
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == "resource_server")
        .find_map(|message| Some(PathBuf::from(message["executable"].as_str()?)))
        .expect("cargo names the program it built")
}

/// A folder of this test's own, removed with its handle.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static SERIAL: AtomicU32 = AtomicU32::new(0);
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let name = format!("interop-{}-{serial}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, content).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Only leaves litter in the target folder if it fails.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
