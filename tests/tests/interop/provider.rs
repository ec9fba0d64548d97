//! `tests/interop/server.mjs`: an `oidc-provider` and its controls.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::program::Program;

const INSTALL: &str =
    "the interop tests need Node.js 20.19 or newer and `npm ci --prefix tests/interop`";

pub(crate) struct Provider {
    pub(crate) issuer: String,
    pub(crate) http: reqwest::Client,
    _program: Program,
}

impl Provider {
    pub(crate) async fn start() -> Self {
        let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("interop");
        let package = folder.join("node_modules/oidc-provider");
        assert!(package.is_dir(), "no {}; {INSTALL}", package.display());
        let mut command = Command::new("node");
        command.arg(folder.join("server.mjs"));
        let mut program = Program::spawn("oidc-provider", &mut command, INSTALL);
        let ready = program.ready().await;
        Self {
            issuer: ready["issuer"].as_str().unwrap().to_owned(),
            http: client(),
            _program: program,
        }
    }

    /// `rotate`, `publish`, `promote` or `retire`, for all algorithms. The key ids by algorithm, the signing one first.
    pub(crate) async fn keys(&self, action: &str) -> Value {
        self.control("keys", &json!({ "action": action })).await
    }

    /// How the keys are served from now on: `up`, `delay_ms`, `max_age`.
    pub(crate) async fn serve_keys(&self, settings: Value) {
        self.control("jwks", &settings).await;
    }

    /// How often the key set was asked for so far.
    pub(crate) async fn key_requests(&self) -> u64 {
        self.requests("jwks").await
    }

    /// How often the metadata was asked for so far.
    pub(crate) async fn discovery_requests(&self) -> u64 {
        self.requests("discovery").await
    }

    /// From now on, a DPoP proof needs a nonce.
    pub(crate) async fn require_nonces(&self) {
        self.control("dpop", &json!({ "nonce": true })).await;
    }

    /// What anyone may read there.
    pub(crate) async fn text(&self, path: &str) -> String {
        let url = format!("{}{path}", self.issuer);
        let answer = self.http.get(url).send().await.unwrap();
        answer.text().await.unwrap()
    }

    async fn requests(&self, what: &str) -> u64 {
        let counters = self.text("/control/counters").await;
        let counters: Value = serde_json::from_str(&counters).unwrap();
        counters[what].as_u64().unwrap()
    }

    async fn control(&self, name: &str, body: &Value) -> Value {
        let url = format!("{}/control/{name}", self.issuer);
        let answer = self.http.post(url).json(body).send().await.unwrap();
        assert!(answer.status().is_success(), "control/{name}: {answer:?}");
        answer.json().await.unwrap()
    }
}

/// A client that follows nothing and goes straight to loopback.
pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(15))
        .build()
        .unwrap()
}
