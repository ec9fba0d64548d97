//! The examples as programs: built once, and run as often as a test wants.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;
use tokio::time::timeout;

/// A first build on a small machine compiles the cryptography too.
const BUILD: Duration = Duration::from_secs(20 * 60);

/// Where cargo put the example, by cargo's own word.
pub(crate) async fn build(name: &str, features: &str) -> PathBuf {
    let mut command = Command::new(env!("CARGO"));
    command
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .args(["build", "--package", "countersign-examples"])
        .args(["--bin", name, "--features", features])
        .args(["--message-format", "json-render-diagnostics"])
        .kill_on_drop(true);
    let output = timeout(BUILD, command.output()).await;
    let output = output.expect("cargo build ends").unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "it does not build:\n{log}");
    output
        .stdout
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == name)
        .find_map(|message| Some(PathBuf::from(message["executable"].as_str()?)))
        .expect("cargo names the program it built")
}
