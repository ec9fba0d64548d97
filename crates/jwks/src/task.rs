//! The one place where tasks are started.

use std::fs::File;
use std::future::Future;
use std::io::Read;
use std::path::PathBuf;

use tokio::runtime::Handle;

use crate::fetch::FetchFailure;

/// Runs `future` apart from its caller, whose cancellation or panic then does not touch it.
///
/// Outside of a tokio runtime the future is dropped at once: it must tell by its drop that it did not run.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that starts detached tasks"
)]
pub fn spawn(future: impl Future<Output = ()> + Send + 'static) {
    if Handle::try_current().is_ok() {
        drop(tokio::spawn(future));
    }
}

/// Reads a file where blocking is allowed: `max_bytes` and one more at most, which tells the parser, whose limit it is,
/// that there are too many.
pub(crate) async fn read_file(path: PathBuf, max_bytes: usize) -> Result<Vec<u8>, FetchFailure> {
    let read = move || {
        let mut content = Vec::new();
        let limit = u64::try_from(max_bytes).map_or(u64::MAX, |limit| limit.saturating_add(1));
        File::open(path)
            .and_then(|file| file.take(limit).read_to_end(&mut content))
            .map_err(|_| FetchFailure::File)?;
        Ok(content)
    };
    tokio::task::spawn_blocking(read)
        .await
        .unwrap_or(Err(FetchFailure::File))
}
