use std::path::PathBuf;

use countersign::{Audit, AuditBuildError, JsonLinesSink, TracingSink};
use serde::Deserialize;

/// `[audit]`: where the record of every decision goes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// A file of JSON lines, begun anew when it is full; those before are kept beside it.
    file: Option<PathBuf>,
    max_bytes: Option<u64>,
    kept_files: Option<u32>,
    #[serde(default)]
    daily: bool,
    /// A table of an SQLite file.
    #[cfg(feature = "sqlite")]
    sqlite: Option<PathBuf>,
    /// Among the log, as events with the target `countersign::audit`.
    #[serde(default)]
    log: bool,
}

impl Settings {
    pub(crate) fn build(self) -> Result<Audit, AuditBuildError> {
        let mut audit = Audit::builder();
        if let Some(file) = self.file {
            let mut sink = JsonLinesSink::new(file);
            if let Some(bytes) = self.max_bytes {
                sink = sink.with_max_bytes(bytes);
            }
            if let Some(files) = self.kept_files {
                sink = sink.with_kept_files(files);
            }
            if self.daily {
                sink = sink.with_daily_rotation();
            }
            audit = audit.sink(sink);
        }
        #[cfg(feature = "sqlite")]
        if let Some(file) = self.sqlite {
            audit = audit.sink(countersign::SqliteSink::new(file));
        }
        if self.log {
            audit = audit.sink(TracingSink::new());
        }
        audit.build()
    }
}
