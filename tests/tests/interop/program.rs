//! A child process that says on its first line that it is ready, and ends with its handle.

use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;

/// How long a program may take to say that it is ready.
const READY: Duration = Duration::from_secs(30);

pub(crate) struct Program {
    name: &'static str,
    child: Child,
    /// Open for as long as the handle: a program may end when it closes, however the test ended.
    _stdin: ChildStdin,
    stdout: Option<BufReader<ChildStdout>>,
    stderr: Arc<Mutex<Vec<u8>>>,
    collector: JoinHandle<()>,
}

impl Program {
    /// Starts `command`; `hint` says what to do if it is not installed.
    pub(crate) fn spawn(name: &'static str, command: &mut Command, hint: &str) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {name}: {error}; {hint}"));
        let stderr = Arc::new(Mutex::new(Vec::new()));
        let pipe = child.stderr.take().expect("stderr is piped");
        let collector = tokio::spawn(collect(pipe, stderr.clone()));
        Self {
            name,
            _stdin: child.stdin.take().expect("stdin is piped"),
            stdout: child.stdout.take().map(BufReader::new),
            child,
            stderr,
            collector,
        }
    }

    /// The line of JSON by which the program says that it is ready.
    pub(crate) async fn ready(&mut self) -> Value {
        let mut stdout = self.stdout.take().expect("a program is ready once");
        let mut line = String::new();
        let read = within(READY, self.name, stdout.read_line(&mut line)).await;
        read.unwrap_or_else(|error| panic!("{}: {error}", self.name));
        // What else it prints is read and dropped, lest a full pipe stop it.
        tokio::spawn(collect(stdout, Arc::default()));
        serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("{} did not start: {error} in {line:?}", self.name))
    }

    /// Asks the program to end, as a supervisor does.
    pub(crate) async fn terminate(&self) {
        let pid = self.child.id().expect("still running").to_string();
        let status = Command::new("kill").args(["-TERM", &pid]).status().await;
        assert!(status.unwrap().success(), "kill -TERM {pid}");
    }

    /// How the program ended; all that it wrote to standard error has been read by then.
    pub(crate) async fn exit(&mut self, limit: Duration) -> ExitStatus {
        let status = within(limit, self.name, self.child.wait()).await.unwrap();
        within(limit, self.name, &mut self.collector).await.unwrap();
        status
    }

    pub(crate) fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.stderr.lock().unwrap()).into_owned()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- {} wrote:\n{}---", self.name, self.stderr());
        }
    }
}

async fn collect(mut pipe: impl AsyncRead + Unpin, into: Arc<Mutex<Vec<u8>>>) {
    let mut chunk = [0; 4096];
    while let Ok(read @ 1..) = pipe.read(&mut chunk).await {
        into.lock().unwrap().extend_from_slice(&chunk[..read]);
    }
}

/// The future's value, or a failed test when `limit` has passed.
pub(crate) async fn within<F: Future>(limit: Duration, what: &str, future: F) -> F::Output {
    tokio::time::timeout(limit, future)
        .await
        .unwrap_or_else(|_| panic!("{what}: nothing within {limit:?}"))
}

/// Asks again and again until there is an answer, or fails the test when `limit` has passed.
pub(crate) async fn eventually<T, F>(limit: Duration, what: &str, mut ask: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    within(limit, what, async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    })
    .await
}
