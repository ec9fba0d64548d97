use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::future::BoxFuture;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Executor, Row};

use crate::event::AuditEvent;
use crate::sink::{AuditSink, SinkError};

/// What makes an empty file the one that is written to, step by step. A step that was released is never changed.
const MIGRATIONS: &[&str] = &[include_str!("sqlite/1.sql")];

const INSERT: &str = include_str!("sqlite/insert.sql");

/// Ids have no gaps: the newest row's tells how many there have been.
const TRIM: &str = "DELETE FROM audit_events WHERE id <= (SELECT max(id) FROM audit_events) - ?1";

/// Writes events to the table `audit_events` of an SQLite file, a batch in one transaction.
///
/// The columns are the members of the [JSON form](crate#the-event-in-json), after an `id` that grows with each event;
/// lists are JSON. The file is made where it is missing, readable by its owner alone (mode 0600, on Unix), with a
/// write-ahead log, so that others may read while it is written to. A file that somebody has moved or deleted is made
/// anew. One of a later version of this crate is refused.
///
/// ```
/// use countersign_audit::{Audit, SqliteSink};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let file = SqliteSink::new("/var/lib/acme/audit.db").with_max_events(10_000_000);
/// let audit = Audit::builder().sink(file).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SqliteSink {
    name: String,
    path: PathBuf,
    max_events: u64,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    connection: SqliteConnection,
    /// Held to be compared with whatever has its name.
    file: File,
}

impl SqliteSink {
    /// Writes to this file; the name of the sink is `sqlite`. Nothing is opened before the first event.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            name: "sqlite".into(),
            path: path.into(),
            max_events: 1_000_000,
            open: None,
        }
    }

    /// The name of the sink, where there are several.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// How many events the table holds before the oldest are deleted: 1,000,000.
    #[must_use]
    pub fn with_max_events(mut self, events: u64) -> Self {
        self.max_events = events;
        self
    }

    async fn open(&mut self) -> Result<&mut SqliteConnection, SinkError> {
        let (path, held) = (self.path.clone(), self.open.take());
        // A file system may hang.
        let looked = tokio::task::spawn_blocking(move || look(&path, held));
        let open = match looked.await?? {
            Looked::InPlace(open) => open,
            Looked::Opened(file) => Open {
                connection: connect(self.path.clone()).await?,
                file,
            },
        };
        Ok(&mut self.open.insert(open).connection)
    }
}

impl AuditSink for SqliteSink {
    fn name(&self) -> &str {
        &self.name
    }

    async fn write(&mut self, events: &[AuditEvent]) -> Result<(), SinkError> {
        let json = serde_json::to_string(events)?;
        let max_events = i64::try_from(self.max_events).unwrap_or(i64::MAX);
        Ok(insert(self.open().await?, json, max_events).await?)
    }

    /// Moves what is in the write-ahead log to the file, which has both survive the machine.
    async fn flush(&mut self) -> Result<(), SinkError> {
        if let Some(open) = &mut self.open {
            let checkpoint = "PRAGMA wal_checkpoint(PASSIVE)";
            open.connection.execute(checkpoint).await?;
        }
        Ok(())
    }
}

/// Boxed, since the compiler cannot tell otherwise that it may move between threads.
fn insert(
    connection: &mut SqliteConnection,
    json: String,
    max_events: i64,
) -> BoxFuture<'_, sqlx::Result<()>> {
    Box::pin(async move {
        let mut transaction = connection.begin().await?;
        let insert = sqlx::query(INSERT).bind(json);
        insert.execute(&mut *transaction).await?;
        let trim = sqlx::query(TRIM).bind(max_events);
        trim.execute(&mut *transaction).await?;
        transaction.commit().await
    })
}

enum Looked {
    InPlace(Open),
    Opened(File),
}

/// What was open, if the file still has its name, or else the file, made where it is missing.
fn look(path: &Path, held: Option<Open>) -> io::Result<Looked> {
    if let Some(held) = held
        && let (Ok(named), Ok(open)) = (std::fs::metadata(path), held.file.metadata())
        && crate::log_file::is_same(&named, &open)
    {
        return Ok(Looked::InPlace(held));
    }
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(Looked::Opened)
}

/// Boxed for the same reason.
fn connect(path: PathBuf) -> BoxFuture<'static, Result<SqliteConnection, SinkError>> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(Duration::from_secs(5))
        .disable_statement_logging();
    Box::pin(async move {
        let mut connection = options.connect().await?;
        let version = connection.fetch_one("PRAGMA user_version").await?;
        let version = usize::try_from(version.try_get::<i64, _>(0)?)?;
        let missing = MIGRATIONS.get(version..);
        let missing = missing.ok_or("the file is of a later version of countersign-audit")?;
        for (step, migration) in (version + 1..).zip(missing) {
            let step =
                format!("BEGIN IMMEDIATE; {migration}; PRAGMA user_version = {step}; COMMIT;");
            connection.execute(step.as_str()).await?;
        }
        Ok(connection)
    })
}
