use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderValue;
use countersign::{
    FeedSettings, RevocationFeed, RevocationList, RevocationPublisher, Revocations,
    ServerSentEvents, WhenOld,
};
#[cfg(feature = "redis")]
use countersign::{RedisRevocations, RedisStream};
use serde::Deserialize;

use crate::revoke::Revoker;

type Error = Box<dyn std::error::Error>;

/// `[revocation]`: which tokens no longer hold, and who says so.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Where it is published, as server-sent events.
    feed: Option<String>,
    /// A file with the bearer token for it, since a configuration is read by many.
    token_file: Option<PathBuf>,
    /// The broker that machines tell each other by, instead.
    redis: Option<String>,
    /// Whether the vendor's own services may revoke here.
    #[serde(default)]
    revoke: bool,
    /// Whether they may follow what was revoked here.
    #[serde(default)]
    publish: bool,
    /// From when on a feed or broker that tells nothing is old, in seconds.
    max_age_seconds: Option<u64>,
    /// What then becomes of tokens that are not known to be revoked.
    when_old: Option<Old>,
    /// How long to wait for it at the start, in seconds.
    start_wait_seconds: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Old {
    Accept,
    Refuse,
}

/// What the settings have made.
pub(crate) struct Running {
    pub(crate) revocations: Arc<dyn Revocations>,
    /// For those who may revoke.
    pub(crate) revoker: Option<Revoker>,
    /// For those who follow.
    pub(crate) publisher: Option<RevocationPublisher>,
}

impl Settings {
    /// Everything that is wrong with them, as far as it can be told without asking anybody.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut refuse = |setting: &str, problem: &str| {
            problems.push(format!("revocation.{setting}: {problem}"));
        };
        let (has_feed, has_redis) = (self.feed.is_some(), self.redis.is_some());
        if has_redis && !cfg!(feature = "redis") {
            refuse("redis", "needs a build with `--features redis`");
        }
        if has_feed && has_redis {
            refuse("redis", "cannot stand beside feed");
        }
        if has_feed && self.revoke {
            let why = "cannot stand beside feed: what is revoked here would be known here alone; revoke where the feed \
                       comes from";
            refuse("revoke", why);
        }
        if has_feed && self.publish {
            let why =
                "cannot stand beside feed: follow where that comes from, which knows what it lacks";
            refuse("publish", why);
        }
        if !has_feed && !has_redis {
            if !self.revoke {
                refuse("feed", "is missing: nothing would ever be revoked");
            }
            for (setting, is_there) in [
                ("max_age_seconds", self.max_age_seconds.is_some()),
                ("when_old", self.when_old.is_some()),
                ("start_wait_seconds", self.start_wait_seconds.is_some()),
            ] {
                if is_there {
                    refuse(setting, "is for a feed or a broker, and there is none");
                }
            }
        }
        match &self.token_file {
            Some(_) if !has_feed => refuse("token_file", "is for a feed, and there is none"),
            Some(file) => {
                if let Err(problem) = authorization(file) {
                    refuse("token_file", &problem);
                }
            }
            None => {}
        }
        problems
    }

    /// Follows from now on what is to be followed, and waits until that has caught up.
    pub(crate) async fn start(self) -> Result<Running, Error> {
        let settings = self.feed_settings();
        let wait = Duration::from_secs(self.start_wait_seconds.unwrap_or(10));
        let list = RevocationList::new();
        let publisher = self.publish.then(|| RevocationPublisher::new(list.clone()));
        #[cfg(feature = "redis")]
        if let Some(url) = self.redis {
            let stream = RedisStream::open(&url).map_err(|error| format!("revocation.{error}"))?;
            let shared = RedisRevocations::start(list, settings, stream);
            wait_for(shared.feed(), wait).await;
            return Ok(Running {
                revoker: self.revoke.then(|| Revoker::Shared(shared.clone())),
                revocations: Arc::new(shared),
                publisher,
            });
        }
        let Some(url) = self.feed else {
            return Ok(Running {
                revoker: self.revoke.then(|| Revoker::Here(list.clone())),
                revocations: Arc::new(list),
                publisher,
            });
        };
        let mut source = ServerSentEvents::new(url)?;
        if let Some(file) = self.token_file {
            // Read with each connection, so that the token may be replaced.
            source = source.with_authorization(move || read(file.clone()));
        }
        let feed = RevocationFeed::start(list, settings, source);
        wait_for(&feed, wait).await;
        Ok(Running {
            revocations: Arc::new(feed),
            revoker: None,
            publisher,
        })
    }

    fn feed_settings(&self) -> FeedSettings {
        let mut settings = FeedSettings::default();
        if let Some(seconds) = self.max_age_seconds {
            settings.max_age = Duration::from_secs(seconds);
        }
        settings.when_old = match self.when_old {
            None | Some(Old::Accept) => WhenOld::Accept,
            Some(Old::Refuse) => WhenOld::Refuse,
        };
        settings
    }
}

async fn wait_for(feed: &RevocationFeed, limit: Duration) {
    if let Err(error) = feed.caught_up(limit).await {
        tracing::warn!(%error, "starting without knowing what was revoked");
    }
}

/// The `Authorization` of the token in this file, on a thread that may wait for the disk.
async fn read(file: PathBuf) -> Option<HeaderValue> {
    let read = tokio::task::spawn_blocking(move || authorization(&file)).await;
    read.ok()?
        .inspect_err(|problem| tracing::warn!(problem, "no token for the feed of revocations"))
        .ok()
}

/// The `Authorization` of the token in this file.
fn authorization(file: &Path) -> Result<HeaderValue, String> {
    /// A token that anybody takes is shorter.
    const MAX_BYTES: u64 = 16 * 1024;
    let of_file = |problem: &dyn std::fmt::Display| format!("{}: {problem}", file.display());
    let mut token = String::new();
    std::fs::File::open(file)
        .and_then(|file| file.take(MAX_BYTES).read_to_string(&mut token))
        .map_err(|error| of_file(&error))?;
    let token = token.trim();
    if token.is_empty() {
        return Err(of_file(&"is empty"));
    }
    let value = HeaderValue::try_from(format!("Bearer {token}"));
    let mut value = value.map_err(|_| of_file(&"is no bearer token"))?;
    value.set_sensitive(true);
    Ok(value)
}
