//! Events as rows of an SQLite file.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use countersign_audit::{Audit, AuditStatus, QueueSettings, SqliteSink};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{ConnectOptions, Executor, Row};

use crate::support::{Folder, World, assert_adds_up, get, make_events, send, with_token};

fn audit_of(sink: SqliteSink) -> Audit {
    let mut hasty = QueueSettings::default();
    hasty.attempts = 1;
    Audit::builder().sink_with(sink, hasty).build().unwrap()
}

async fn open(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new()
        .filename(path)
        .connect()
        .await
        .unwrap()
}

async fn rows(path: &Path, query: &'static str) -> Vec<SqliteRow> {
    open(path).await.fetch_all(query).await.unwrap()
}

async fn count(path: &Path) -> i64 {
    rows(path, "SELECT count(*) FROM audit_events").await[0].get(0)
}

async fn write(audit: &Audit, events: usize) -> AuditStatus {
    make_events(audit, events);
    let status = audit.flush(crate::support::LONG).await;
    assert_adds_up(&status);
    status
}

#[tokio::test]
async fn what_is_written_can_be_read_back() {
    let folder = Folder::new("rows");
    let path = folder.path("audit.db");
    let world = World::new().await;
    let clock = Arc::new(world.clock.clone());
    let audit = Audit::builder()
        .sink(SqliteSink::new(&path))
        .with_clock(clock);
    let audit = audit.build().unwrap();
    let app = axum::Router::new()
        .route("/orgs/{org_id}", axum::routing::get(async || ()))
        .layer(world.authenticator.layer())
        .layer(audit.layer())
        // Further in than this one, whose events are the yardstick.
        .layer(world.audit.layer());
    let token = world.reader().with_scopes(["b", "a"]).mint();
    let requests = [
        with_token("/orgs/';DROP%20TABLE%20audit_events;--", &token),
        with_token("/orgs/org_acme", &token).header("x-request-id", "\"quoted'\""),
        get("/orgs/org_acme"),
    ];
    for request in requests {
        send(&app, request).await;
    }
    audit.shutdown(crate::support::LONG).await;
    let events = world.events().await;
    let rows = rows(&path, "SELECT * FROM audit_events ORDER BY id").await;
    assert_eq!(rows.len(), 3);
    for (row, event) in rows.iter().zip(&events) {
        for (name, value) in event.as_object().unwrap() {
            let name = name.as_str();
            if value.is_i64() {
                assert_eq!(row.get::<Option<i64>, _>(name), value.as_i64(), "{name}");
            } else {
                let text = match value {
                    serde_json::Value::Null => None,
                    serde_json::Value::String(text) => Some(text.clone()),
                    list => Some(list.to_string()),
                };
                assert_eq!(row.get::<Option<String>, _>(name), text, "{name}");
            }
        }
    }
    let ids: Vec<i64> = rows.iter().map(|row| row.get("id")).collect();
    assert_eq!(ids, [1, 2, 3]);
}

#[tokio::test]
async fn rows_are_in_the_order_of_the_events_and_the_oldest_go() {
    let folder = Folder::new("bounded");
    let path = folder.path("audit.db");
    let audit = audit_of(SqliteSink::new(&path).with_max_events(700));
    let status = write(&audit, 1000).await;
    assert!(status.is_complete(), "{status:?}");
    assert_eq!(count(&path).await, 700);
    write(&audit, 10).await;
    let ids = rows(&path, "SELECT min(id), max(id), count(*) FROM audit_events").await;
    let ids: [i64; 3] = [0, 1, 2].map(|column| ids[0].get(column));
    assert_eq!(ids, [311, 1010, 700]);
}

#[tokio::test]
async fn the_file_has_a_log_that_is_written_ahead_and_its_owner_alone_may_read_it() {
    let folder = Folder::new("mode");
    let path = folder.path("audit.db");
    let audit = audit_of(SqliteSink::new(&path));
    write(&audit, 1).await;
    let mode: String = rows(&path, "PRAGMA journal_mode").await[0].get(0);
    assert_eq!(mode, "wal");
    #[cfg(unix)]
    for name in ["audit.db", "audit.db-wal", "audit.db-shm"] {
        let permissions = fs::metadata(folder.path(name)).unwrap().permissions();
        let mode = std::os::unix::fs::PermissionsExt::mode(&permissions);
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[tokio::test]
async fn another_process_goes_on_with_the_same_file() {
    let folder = Folder::new("again");
    let path = folder.path("audit.db");
    for so_far in [3, 6] {
        let audit = audit_of(SqliteSink::new(&path));
        let status = write(&audit, 3).await;
        assert!(status.is_complete(), "{status:?}");
        assert_eq!(count(&path).await, so_far);
    }
}

#[tokio::test]
async fn a_file_of_a_later_version_or_of_something_else_is_refused() {
    let folder = Folder::new("later");
    let later = folder.path("later.db");
    fs::write(&later, "").unwrap();
    open(&later)
        .await
        .execute("PRAGMA user_version = 99")
        .await
        .unwrap();
    let other = folder.path("other.db");
    fs::write(&other, "a diary ".repeat(1000)).unwrap();
    for (path, reason) in [(later, "later version"), (other, "not a database")] {
        let before = fs::read(&path).unwrap();
        let audit = audit_of(SqliteSink::new(&path));
        let status = write(&audit, 3).await;
        let sink = &status.sinks()[0];
        assert_eq!((sink.written, sink.failed), (0, 3));
        let error = sink.last_error.as_deref().unwrap();
        assert!(error.contains(reason), "{error}");
        if reason != "later version" {
            assert_eq!(fs::read(&path).unwrap(), before);
        }
    }
}

#[tokio::test]
async fn a_file_or_folder_that_goes_away_is_noticed() {
    let folder = Folder::new("gone");
    let path = folder.path("data/audit.db");
    let audit = audit_of(SqliteSink::new(&path));
    assert_eq!(write(&audit, 1).await.sinks()[0].failed, 1);
    fs::create_dir(folder.path("data")).unwrap();
    assert_eq!(write(&audit, 2).await.sinks()[0].written, 2);
    fs::remove_dir_all(folder.path("data")).unwrap();
    assert_eq!(write(&audit, 3).await.sinks()[0].failed, 4);
    fs::create_dir(folder.path("data")).unwrap();
    assert_eq!(write(&audit, 4).await.sinks()[0].written, 6);
    assert_eq!(count(&path).await, 4);
}

/// Somebody else holds the file; the events wait, and no request does.
#[tokio::test]
async fn a_locked_file_is_waited_for() {
    let folder = Folder::new("locked");
    let path = folder.path("audit.db");
    let audit = audit_of(SqliteSink::new(&path));
    write(&audit, 1).await;
    let mut other = open(&path).await;
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    make_events(&audit, 5);
    let flush = audit.flush(crate::support::LONG);
    let mut flush = std::pin::pin!(flush);
    for _ in 0..100 {
        assert!(futures_util::poll!(flush.as_mut()).is_pending());
        tokio::task::yield_now().await;
    }
    other.execute("COMMIT").await.unwrap();
    let status = flush.await;
    assert!(status.is_complete(), "{status:?}");
    assert_eq!(count(&path).await, 6);
}
