//! Events as lines of a file.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use countersign_audit::{Audit, AuditSink, AuditStatus, JsonLinesSink};
use countersign_jwks::Clock;
use countersign_testing::FakeClock;
use serde_json::Value;

use crate::support::{Folder, LONG, assert_adds_up, make_events};

/// An audit in a time of its own whose pauses are nothing but the machine's.
fn audit_of(sink: impl AuditSink, clock: &FakeClock) -> Audit {
    let mut hasty = countersign_audit::QueueSettings::default();
    hasty.attempts = 1;
    let builder = Audit::builder().with_clock(Arc::new(clock.clone()));
    builder.sink_with(sink, hasty).build().unwrap()
}

/// The lines, each of which is an event.
fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'));
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

async fn write(audit: &Audit, events: usize) -> AuditStatus {
    make_events(audit, events);
    let status = audit.flush(LONG).await;
    assert_adds_up(&status);
    status
}

/// How many lines each file in the folder has.
fn counts(folder: &Folder) -> Vec<(String, usize)> {
    let files = fs::read_dir(folder.path("")).unwrap();
    let counts = files.map(|file| {
        let file = file.unwrap();
        let name = file.file_name().into_string().unwrap();
        (name, lines(&file.path()).len())
    });
    let mut counts: Vec<_> = counts.collect();
    counts.sort();
    counts
}

fn named(counts: &[(&str, usize)]) -> Vec<(String, usize)> {
    let counts = counts.iter();
    counts
        .map(|(name, count)| ((*name).to_owned(), *count))
        .collect()
}

#[tokio::test]
async fn each_event_is_a_line_that_its_owner_alone_may_read() {
    let folder = Folder::new("lines");
    let path = folder.path("audit.jsonl");
    let audit = audit_of(JsonLinesSink::new(&path), &FakeClock::new());
    assert!(!path.exists(), "nothing is opened before the first event");
    let status = write(&audit, 1000).await;
    assert!(status.is_complete());
    let lines = lines(&path);
    assert_eq!(lines.len(), 1000);
    assert_eq!(lines[999]["decision"], "allowed");
    #[cfg(unix)]
    {
        let mode =
            std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
    }
    // Another process goes on where this one ended.
    let audit = audit_of(JsonLinesSink::new(&path), &FakeClock::new());
    write(&audit, 1).await;
    assert_eq!(self::lines(&path).len(), 1001);
}

#[tokio::test]
async fn a_file_that_is_full_gets_a_number_and_the_oldest_is_deleted() {
    let folder = Folder::new("size");
    let path = folder.path("audit.jsonl");
    let clock = FakeClock::new();
    let line = {
        let audit = audit_of(JsonLinesSink::new(&path), &clock);
        write(&audit, 1).await;
        fs::metadata(&path).unwrap().len()
    };
    fs::remove_file(&path).unwrap();
    let sink = JsonLinesSink::new(&path).with_kept_files(2);
    let audit = audit_of(sink.with_max_bytes(3 * line), &clock);
    for (events, expected) in [
        (2, &[("audit.jsonl", 2)][..]),
        (1, &[("audit.jsonl", 3)]),
        (1, &[("audit.jsonl", 1), ("audit.jsonl.1", 3)]),
        // In one write.
        (
            4,
            &[
                ("audit.jsonl", 2),
                ("audit.jsonl.1", 3),
                ("audit.jsonl.2", 3),
            ],
        ),
        (
            100,
            &[
                ("audit.jsonl", 3),
                ("audit.jsonl.1", 3),
                ("audit.jsonl.2", 3),
            ],
        ),
    ] {
        assert_eq!(write(&audit, events).await.sinks()[0].failed, 0);
        assert_eq!(counts(&folder), named(expected), "{events}");
    }
    drop(audit);
    for (kept, max_bytes, expected) in [
        (1, 3 * line, &[("audit.jsonl", 1), ("audit.jsonl.1", 3)][..]),
        // A line that is longer than a file may be has a file of its own.
        (1, 1, &[("audit.jsonl", 1), ("audit.jsonl.1", 1)]),
        (0, 1, &[("audit.jsonl", 1), ("audit.jsonl.1", 1)]),
    ] {
        let sink = JsonLinesSink::new(&path).with_kept_files(kept);
        let audit = audit_of(sink.with_max_bytes(max_bytes), &clock);
        write(&audit, 1).await;
        assert_eq!(counts(&folder), named(expected), "{kept} {max_bytes}");
    }
}

#[tokio::test]
async fn a_day_has_a_file_of_its_own() {
    let folder = Folder::new("day");
    let path = folder.path("audit.jsonl");
    let clock = FakeClock::new(); // 8 o'clock in the morning, UTC
    let audit = audit_of(JsonLinesSink::new(&path).with_daily_rotation(), &clock);
    let hour = 60 * 60;
    for (hours, expected) in [
        (0, &[("audit.jsonl", 1)][..]),
        (15, &[("audit.jsonl", 2)]),
        (1, &[("audit.jsonl", 1), ("audit.jsonl.1", 2)]),
        (23, &[("audit.jsonl", 2), ("audit.jsonl.1", 2)]),
        // The clock is set back: there is no older file to go to.
        (-24, &[("audit.jsonl", 3), ("audit.jsonl.1", 2)]),
        (
            72,
            &[
                ("audit.jsonl", 1),
                ("audit.jsonl.1", 3),
                ("audit.jsonl.2", 2),
            ],
        ),
    ] {
        clock.jump_unix(hours * hour);
        write(&audit, 1).await;
        assert_eq!(counts(&folder), named(expected), "{hours}");
    }
    let first = &lines(&folder.path("audit.jsonl.2"))[0]["time"];
    assert_eq!(first, "2027-01-15T08:00:00.000Z");
    // A file of an earlier day that is found is another day's as well: this one was changed on the real one.
    let expected = counts(&folder).len() + 1;
    drop(audit);
    let audit = audit_of(JsonLinesSink::new(&path).with_daily_rotation(), &clock);
    write(&audit, 1).await;
    assert_eq!(counts(&folder).len(), expected);
}

#[tokio::test]
async fn a_file_or_folder_that_goes_away_is_noticed() {
    let folder = Folder::new("moved");
    let path = folder.path("logs/audit.jsonl");
    let audit = audit_of(JsonLinesSink::new(&path), &FakeClock::new());
    let missing = write(&audit, 2).await;
    let sink = &missing.sinks()[0];
    assert_eq!((sink.failed, sink.written), (2, 0));
    assert!(sink.last_error.is_some());

    fs::create_dir(folder.path("logs")).unwrap();
    assert_eq!(write(&audit, 3).await.sinks()[0].written, 3);
    fs::rename(&path, folder.path("logs/elsewhere")).unwrap();
    assert_eq!(write(&audit, 4).await.sinks()[0].written, 7);
    assert_eq!(lines(&folder.path("logs/elsewhere")).len(), 3);
    assert_eq!(lines(&path).len(), 4);

    fs::remove_dir_all(folder.path("logs")).unwrap();
    let gone = write(&audit, 5).await;
    assert_eq!((gone.sinks()[0].failed, gone.sinks()[0].written), (7, 7));
    fs::create_dir(folder.path("logs")).unwrap();
    assert_eq!(write(&audit, 6).await.sinks()[0].written, 13);
    assert_eq!(lines(&path).len(), 6);
}

#[tokio::test]
async fn a_line_that_a_crash_cut_does_not_spoil_the_next() {
    let folder = Folder::new("crash");
    let path = folder.path("audit.jsonl");
    fs::write(&path, "{\"time\":\"2027").unwrap();
    let audit = audit_of(JsonLinesSink::new(&path), &FakeClock::new());
    write(&audit, 2).await;
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[0], "{\"time\":\"2027");
    for line in &lines[1..] {
        serde_json::from_str::<Value>(line).unwrap();
    }
}

/// A device that is always full.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_is_counted_and_told() {
    let clock = FakeClock::new();
    let audit = audit_of(JsonLinesSink::new("/dev/full"), &clock);
    let status = write(&audit, 10).await;
    let sink = &status.sinks()[0];
    assert_eq!((sink.failed, sink.written), (10, 0));
    let error = sink.last_error.as_deref().unwrap();
    assert!(error.contains("No space left"), "{error}");
    assert_eq!(clock.monotonic(), Duration::ZERO);
}

/// Where a file cannot grow beyond 4 KiB: the write that would is taken back, and what was written before stays.
#[cfg(target_os = "linux")]
#[test]
fn a_write_that_fails_in_the_middle_leaves_no_half_line() {
    const INSIDE: &str = "COUNTERSIGN_AUDIT_LIMITED";
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    if let Some(path) = std::env::var_os(INSIDE) {
        let audit =
            runtime.block_on(async { audit_of(JsonLinesSink::new(path), &FakeClock::new()) });
        for _ in 0..30 {
            runtime.block_on(write(&audit, 3));
        }
        let status = audit.status();
        let sink = &status.sinks()[0];
        assert!(sink.failed > 0 && sink.written > 0, "{sink:?}");
        let error = sink.last_error.as_deref().unwrap();
        assert!(error.contains("too large"), "{error}");
        println!("written {} of 90", sink.written);
        return;
    }
    let folder = Folder::new("limited");
    let path = folder.path("audit.jsonl");
    let this = std::env::current_exe().unwrap();
    let output = std::process::Command::new("sh")
        .args([
            "-c",
            "trap '' XFSZ; ulimit -f 8; exec \"$0\" --nocapture --exact \"$1\"",
        ])
        .arg(this)
        .arg("json_lines::a_write_that_fails_in_the_middle_leaves_no_half_line")
        .env(INSIDE, &path)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said} {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let written = lines(&path).len();
    assert!(
        said.contains(&format!("written {written} of 90")),
        "{written}: {said}"
    );
    assert!(fs::metadata(&path).unwrap().len() <= 4096);
}
