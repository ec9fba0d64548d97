use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use countersign_bearer::{ConfigError, ProofId, Remembering, Replay, ReplayStore};
use countersign_jwks::suite::{First, Outage, race};
use countersign_jwks::{Clock, SystemClock};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Cmd, Value};

use crate::broker::{client, problem};

/// The DPoP proofs that were presented to any machine of a service: a proof counts once, whichever it is presented to.
///
/// One `SET … NX PX` a proof; the broker forgets it when its time is over. A broker that does not answer within
/// 500 ms makes it [`Replay::Unavailable`], a 503: without it, nobody can tell whether a proof was presented before. Set
/// `maxmemory-policy noeviction`, so that a broker that is full says so instead of forgetting.
///
/// There is no share of one key as in memory: limit requests by caller in front, so that nobody fills the broker.
#[derive(Clone)]
pub struct RedisReplayStore {
    connection: ConnectionManager,
    prefix: Arc<str>,
    deadline: Duration,
    clock: Arc<dyn Clock>,
    outage: Arc<Outage>,
}

impl RedisReplayStore {
    /// A store at the broker of this URL (`redis://`, with feature `tls` also `rediss://`), under keys that begin with
    /// `countersign:proof:`. Must be called within a tokio runtime. It connects with the first proof, and again by itself.
    ///
    /// Refused as a [`ConfigError`]: a URL of another scheme, one with a `#`, and `rediss://` without the feature.
    pub fn open(url: &str) -> Result<Self, ConfigError> {
        let deadline = Duration::from_millis(500);
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(deadline))
            .set_response_timeout(Some(deadline))
            .set_number_of_retries(1);
        let connection = ConnectionManager::new_lazy_with_config(client(url)?, config)
            .map_err(|error| problem(error.to_string()))?;
        Ok(Self {
            connection,
            prefix: "countersign:proof:".into(),
            deadline,
            clock: Arc::new(SystemClock::new()),
            outage: Arc::default(),
        })
    }

    /// Other keys, as where several services share a broker: a proof for one of them is none for the other.
    #[must_use]
    pub fn with_prefix(mut self, prefix: &str) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// How long the broker may take: 500 ms.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }
}

impl ReplayStore for RedisReplayStore {
    fn remember(&self, proof: ProofId, lifetime: Duration) -> Remembering {
        let mut connection = self.connection.clone();
        let key = [self.prefix.as_bytes(), proof.digest()].concat();
        let lifetime = u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX);
        // More than a century is an error to the broker, and no time at all is one, too.
        let lifetime = lifetime.clamp(1, 1 << 42);
        let deadline = self.clock.sleep(self.deadline);
        let (outage, clock) = (self.outage.clone(), self.clock.clone());
        Remembering::Pending(Box::pin(async move {
            let mut set = Cmd::new();
            set.arg("SET").arg(key).arg(1).arg("NX");
            set.arg("PX").arg(lifetime);
            let answer = race(set.query_async(&mut connection), deadline).await;
            let failed = |error: &dyn fmt::Display| {
                if outage.is_news(clock.monotonic()) {
                    tracing::warn!(%error, "the store of DPoP proofs is away; it is told when it is back");
                }
                Replay::Unavailable
            };
            let replay = match answer {
                First::Left(Ok(Value::Okay)) => Replay::Fresh,
                First::Left(Ok(Value::Nil)) => Replay::Seen,
                First::Left(Ok(_)) => return failed(&"an answer of another kind"),
                First::Right(()) => return failed(&"no answer in time"),
                First::Left(Err(error)) => return failed(&error),
            };
            if outage.is_over() {
                tracing::info!("the store of DPoP proofs is back");
            }
            replay
        }))
    }
}

/// Without the connection, which may know a password.
impl fmt::Debug for RedisReplayStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisReplayStore")
            .field("prefix", &self.prefix)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}
