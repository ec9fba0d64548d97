use std::sync::Arc;
use std::time::Duration;

use countersign::{
    FeedSettings, RevocationFeed, RevocationList, Revocations, ServerSentEvents, WhenOld,
};
#[cfg(feature = "redis")]
use countersign::{RedisRevocations, RedisStream};
use serde::Deserialize;

type Error = Box<dyn std::error::Error>;

/// `[revocation]`: the feed that tells which tokens no longer hold.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Where it is published, as server-sent events.
    feed: Option<String>,
    /// The broker that machines tell each other by, instead.
    #[cfg(feature = "redis")]
    redis: Option<String>,
    /// From when on it is old, in seconds.
    max_age_seconds: Option<u64>,
    /// What then becomes of tokens that are not known to be revoked.
    #[serde(default)]
    when_old: Old,
    /// How long to wait for it at the start, in seconds.
    start_wait_seconds: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Old {
    #[default]
    Accept,
    Refuse,
}

impl Settings {
    /// Follows the feed from now on, and waits until it has caught up.
    pub(crate) async fn follow(self) -> Result<Arc<dyn Revocations>, Error> {
        let mut settings = FeedSettings::default();
        if let Some(seconds) = self.max_age_seconds {
            settings.max_age = Duration::from_secs(seconds);
        }
        settings.when_old = match self.when_old {
            Old::Accept => WhenOld::Accept,
            Old::Refuse => WhenOld::Refuse,
        };
        let wait = Duration::from_secs(self.start_wait_seconds.unwrap_or(10));
        #[cfg(feature = "redis")]
        if let Some(url) = self.redis {
            if self.feed.is_some() {
                return Err("revocation.redis: cannot stand beside feed".into());
            }
            let stream =
                RedisStream::open(&url).map_err(|error| format!("revocation.redis: {error}"))?;
            let revocations = RedisRevocations::start(RevocationList::new(), settings, stream);
            wait_for(revocations.feed(), wait).await;
            return Ok(Arc::new(revocations));
        }
        let url = self.feed.ok_or("revocation.feed: is missing")?;
        let source = ServerSentEvents::new(url)?;
        let feed = RevocationFeed::start(RevocationList::new(), settings, source);
        wait_for(&feed, wait).await;
        Ok(Arc::new(feed))
    }
}

async fn wait_for(feed: &RevocationFeed, limit: Duration) {
    if let Err(error) = feed.caught_up(limit).await {
        tracing::warn!(%error, "starting without knowing what was revoked");
    }
}
