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

/// The content of a file of at most `max_bytes`, read where blocking is allowed.
pub(crate) async fn read_file(path: PathBuf, max_bytes: usize) -> Result<Vec<u8>, FetchFailure> {
    let read = move || {
        let mut content = Vec::new();
        // One byte beyond the limit tells that there is more, however long the file is.
        let limit = u64::try_from(max_bytes).map_or(u64::MAX, |limit| limit.saturating_add(1));
        File::open(path)
            .and_then(|file| file.take(limit).read_to_end(&mut content))
            .map_err(|_| FetchFailure::File)?;
        if content.len() > max_bytes {
            return Err(FetchFailure::TooLarge);
        }
        Ok(content)
    };
    tokio::task::spawn_blocking(read)
        .await
        .unwrap_or(Err(FetchFailure::File))
}
