use std::time::Duration;

use countersign::{
    FeedSettings, RevocationFeed, RevocationList, ServerSentEvents, ServerSentEventsError, WhenOld,
};
use serde::Deserialize;

/// `[revocation]`: the feed that tells which tokens no longer hold.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Where it is published, as server-sent events.
    feed: String,
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
    pub(crate) async fn follow(self) -> Result<RevocationFeed, ServerSentEventsError> {
        let mut settings = FeedSettings::default();
        if let Some(seconds) = self.max_age_seconds {
            settings.max_age = Duration::from_secs(seconds);
        }
        settings.when_old = match self.when_old {
            Old::Accept => WhenOld::Accept,
            Old::Refuse => WhenOld::Refuse,
        };
        let source = ServerSentEvents::new(self.feed)?;
        let feed = RevocationFeed::start(RevocationList::new(), settings, source);
        let wait = Duration::from_secs(self.start_wait_seconds.unwrap_or(10));
        if let Err(error) = feed.caught_up(wait).await {
            tracing::warn!(%error, "starting without knowing what was revoked");
        }
        Ok(feed)
    }
}
