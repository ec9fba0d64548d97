use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use countersign_bearer::ConfigError;
use countersign_jwks::suite::{First, race};
use countersign_revocation::{
    FeedFailure, FeedSink, Origin, Revocation, RevocationKind, RevocationSource,
};
use redis::aio::MultiplexedConnection;
use redis::streams::{StreamId, StreamRangeReply, StreamReadReply};
use redis::{AsyncConnectionConfig, Client, Cmd, Pipeline, RedisError, Value};
use tokio::sync::watch;

use crate::broker::client;
use crate::failure::failure;

/// How long a read waits for news: how old the feed gets when there is none.
const BLOCK: Duration = Duration::from_secs(2);

/// How long the broker may take to answer, and to be connected to.
const PATIENCE: Duration = Duration::from_secs(3);

/// Within so long, chance says which machine gives the broker back what it lost.
const TURN: Duration = Duration::from_millis(500);

/// So many entries are read or written at once.
const AT_ONCE: usize = 1000;

/// The longest entry that can be a revocation, in bytes.
const MAX_BYTES: usize = 8 * 1024;

/// The field of an entry that holds the revocation.
const FIELD: &str = "revocation";

/// The stream that the machines share: what [`RedisRevocations`](crate::RedisRevocations) keeps a list in step with.
pub struct RedisStream {
    client: Client,
    key: String,
    is_read_only: bool,
    /// Up to which change of the list the broker has everything.
    shared: watch::Sender<u64>,
    /// The newest id that is known of the stream, in milliseconds by the broker's clock; 0 for none.
    newest: AtomicU64,
}

impl RedisStream {
    /// The stream of the broker at this URL (`redis://`, with feature `tls` also `rediss://`), under the key
    /// `countersign:revocations`. It does not connect yet.
    ///
    /// Refused as a [`ConfigError`]: a URL of another scheme, one with a `#`, and `rediss://` without the feature.
    pub fn open(url: &str) -> Result<Self, ConfigError> {
        Ok(Self {
            client: client(url)?,
            key: "countersign:revocations".to_owned(),
            is_read_only: false,
            shared: watch::Sender::new(0),
            newest: AtomicU64::new(0),
        })
    }

    /// Another key, as where several services share a broker.
    #[must_use]
    pub fn with_key(mut self, key: impl Into<String>) -> Self {
        self.key = key.into();
        self
    }

    /// Never writes, for a machine that has no right to: what is revoked there stays there.
    #[must_use]
    pub fn with_read_only(mut self) -> Self {
        self.is_read_only = true;
        self
    }

    pub(crate) fn shared(&self) -> watch::Receiver<u64> {
        self.shared.subscribe()
    }

    async fn connect(&self, patience: Duration) -> Result<MultiplexedConnection, RedisError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(patience));
        self.client
            .get_multiplexed_async_connection_with_config(&config)
            .await
    }

    async fn run(&self, sink: &FeedSink) -> Result<(), FeedFailure> {
        let failed = |error: RedisError| {
            tracing::debug!(%error, "the broker of revocations failed");
            failure(&error)
        };
        let mut reading = self.connect(BLOCK + PATIENCE).await.map_err(failed)?;
        let mut contents = Contents::default();
        // It may be another broker, or one that has lost everything.
        self.newest.store(0, Ordering::Relaxed);
        // What is added from now on is read as well, after what there is.
        self.read_all(&mut reading, &mut contents, sink)
            .await
            .map_err(failed)?;
        sink.caught_up();
        let mut last = contents.last.clone();
        let read = async {
            loop {
                if let Err(error) = self.read_next(&mut reading, &mut last, sink).await {
                    return failed(error);
                }
            }
        };
        if self.is_read_only {
            return Err(read.await);
        }
        let mut writing = self.connect(PATIENCE).await.map_err(failed)?;
        match race(read, self.write(&mut writing, contents, sink)).await {
            First::Left(failure) => Err(failure),
            First::Right(Ok(())) => Err(FeedFailure::Gap),
            First::Right(Err(error)) => Err(failed(error)),
        }
    }

    /// Reads what came after what was read before, to the end.
    async fn read_all(
        &self,
        connection: &mut MultiplexedConnection,
        contents: &mut Contents,
        sink: &FeedSink,
    ) -> Result<(), RedisError> {
        loop {
            let mut range = Cmd::new();
            range.arg("XRANGE").arg(&self.key);
            range.arg(format!("({}", contents.last)).arg("+");
            range.arg("COUNT").arg(AT_ONCE);
            let page: StreamRangeReply = range.query_async(connection).await?;
            let Some(newest) = page.ids.last() else {
                return Ok(());
            };
            contents.last.clone_from(&newest.id);
            self.saw(&newest.id);
            let revocations = revocations(&page.ids, sink);
            for revocation in &revocations {
                contents.add(revocation);
            }
            sink.record(revocations);
        }
    }

    /// Waits for news, for a while.
    async fn read_next(
        &self,
        connection: &mut MultiplexedConnection,
        last: &mut String,
        sink: &FeedSink,
    ) -> Result<(), RedisError> {
        let mut read = Cmd::new();
        read.arg("XREAD").arg("COUNT").arg(AT_ONCE);
        read.arg("BLOCK").arg(milliseconds(BLOCK));
        read.arg("STREAMS").arg(&self.key).arg(&*last);
        let news: Option<StreamReadReply> = read.query_async(connection).await?;
        for stream in news.iter().flat_map(|news| &news.keys) {
            sink.record(revocations(&stream.ids, sink));
            if let Some(newest) = stream.ids.last() {
                last.clone_from(&newest.id);
                self.saw(&newest.id);
            }
        }
        sink.heard();
        Ok(())
    }

    /// Adds to the stream what the list has and the stream lacks, and then what comes to the list. Ends where that
    /// came faster than it could be passed on.
    async fn write(
        &self,
        connection: &mut MultiplexedConnection,
        mut contents: Contents,
        sink: &FeedSink,
    ) -> Result<(), RedisError> {
        let (list, origin) = (sink.list(), sink.origin());
        let mut changes = list.subscribe();
        let (mut sequence, entries) = list.entries();
        // What was revoked here while the broker was away is known to nobody else. What it had before and lost, all
        // machines know, and one is to give it back.
        let fresh = list
            .changes_after(*self.shared.borrow())
            .unwrap_or_default();
        let fresh = fresh.into_iter().filter(|change| {
            change.sequence <= sequence
                && change.origin != origin
                && !contents.has(&change.revocation)
        });
        let fresh: Vec<_> = fresh.map(|change| change.revocation).collect();
        self.add(connection, &fresh, sink).await?;
        for revocation in &fresh {
            contents.add(revocation);
        }
        let lacks = |contents: &Contents| entries.iter().any(|entry| !contents.has(entry));
        if lacks(&contents) {
            let turn = TURN.mul_f64(fastrand::f64());
            list.clock().sleep(turn).await;
            self.read_all(connection, &mut contents, sink).await?;
            let missing = entries.iter().filter(|entry| !contents.has(entry));
            let missing: Vec<_> = missing.cloned().collect();
            self.add(connection, &missing, sink).await?;
        }
        drop((contents, entries));
        loop {
            self.shared.send_replace(sequence);
            let newest = *changes.borrow_and_update();
            if newest == sequence {
                if changes.changed().await.is_err() {
                    return Ok(());
                }
                continue;
            }
            let Some(news) = list.changes_after(sequence) else {
                return Ok(());
            };
            sequence = news.last().map_or(sequence, |change| change.sequence);
            let of_others = |from: Origin| from != origin;
            let news = news.into_iter().filter(|change| of_others(change.origin));
            let news: Vec<_> = news.map(|change| change.revocation).collect();
            self.add(connection, &news, sink).await?;
        }
    }

    async fn add(
        &self,
        connection: &mut MultiplexedConnection,
        revocations: &[Revocation],
        sink: &FeedSink,
    ) -> Result<(), RedisError> {
        let retention = milliseconds(sink.list().retention());
        for some in revocations.chunks(AT_ONCE) {
            // By the earlier of this machine's clock and the one that made the ids: whichever is wrong, too little is
            // dropped rather than what others have not read yet.
            let here = milliseconds(sink.list().clock().unix_time());
            let now = here.min(self.newest.load(Ordering::Relaxed));
            let oldest = now.saturating_sub(retention);
            let mut pipeline = Pipeline::with_capacity(some.len());
            for revocation in some {
                let add = pipeline.cmd("XADD").arg(&self.key);
                add.arg("MINID").arg("~").arg(oldest);
                add.arg("*").arg(FIELD).arg(revocation.to_json());
            }
            let ids: Vec<String> = pipeline.query_async(connection).await?;
            if let Some(id) = ids.last() {
                self.saw(id);
            }
        }
        Ok(())
    }

    fn saw(&self, id: &str) {
        let milliseconds = id.split('-').next().and_then(|part| part.parse().ok());
        self.newest
            .fetch_max(milliseconds.unwrap_or(0), Ordering::Relaxed);
    }
}

impl RevocationSource for RedisStream {
    fn name(&self) -> &'static str {
        "redis"
    }

    async fn follow(&mut self, sink: &FeedSink) -> FeedFailure {
        match self.run(sink).await {
            Err(failure) => failure,
            Ok(()) => FeedFailure::Interrupted,
        }
    }
}

/// Without the URL, which may hold a password.
impl fmt::Debug for RedisStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStream")
            .field("key", &self.key)
            .field("is_read_only", &self.is_read_only)
            .finish_non_exhaustive()
    }
}

/// What the stream has, for as long as it is compared with the list.
struct Contents {
    /// The id of the last entry that was read.
    last: String,
    latest: HashMap<(RevocationKind, String, String), Duration>,
}

impl Default for Contents {
    fn default() -> Self {
        Self {
            last: "0-0".to_owned(),
            latest: HashMap::new(),
        }
    }
}

impl Contents {
    fn add(&mut self, revocation: &Revocation) {
        let latest = self.latest.entry(key(revocation)).or_default();
        *latest = revocation.moment().max(*latest);
    }

    fn has(&self, revocation: &Revocation) -> bool {
        let latest = self.latest.get(&key(revocation));
        latest.is_some_and(|latest| *latest >= revocation.moment())
    }
}

fn key(revocation: &Revocation) -> (RevocationKind, String, String) {
    let issuer = revocation.issuer_name().to_owned();
    let id = revocation.id().unwrap_or_default().to_owned();
    (revocation.kind(), issuer, id)
}

/// Those among the entries that are revocations. What is none was not put there by this suite.
fn revocations(entries: &[StreamId], sink: &FeedSink) -> Vec<Revocation> {
    let mut revocations = Vec::with_capacity(entries.len());
    for entry in entries {
        match entry.map.get(FIELD) {
            Some(Value::BulkString(json)) if json.len() <= MAX_BYTES => {
                match Revocation::from_json(json) {
                    Ok(revocation) => revocations.push(revocation),
                    Err(invalid) => sink.refuse(&invalid),
                }
            }
            _ => sink.refuse(&"an entry without a revocation"),
        }
    }
    revocations
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
