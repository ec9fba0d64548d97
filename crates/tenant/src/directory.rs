use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use countersign_bearer::{DenialKind, Denied};
use countersign_jwks::suite::Outage;
use countersign_jwks::{BoxFuture, Clock, SystemClock};
use countersign_token::OrganizationId;
use futures_util::future::{Either, select};
use quick_cache::sync::Cache;

use crate::tenant::Tenant;

/// Where the application keeps its organizations: a table, another service.
///
/// ```
/// use std::convert::Infallible;
///
/// use countersign_tenant::{OrganizationDirectory, OrganizationRecord};
/// use countersign_token::OrganizationId;
///
/// struct Plan {
///     seats: u32,
/// }
///
/// struct Database;
///
/// impl OrganizationDirectory for Database {
///     type Record = Plan;
///     type Error = Infallible;
///
///     async fn find(
///         &self,
///         _issuer: &str,
///         id: &OrganizationId,
///     ) -> Result<Option<OrganizationRecord<Plan>>, Infallible> {
///         Ok((id.as_str() == "org_acme")
///             .then(|| OrganizationRecord::new(Plan { seats: 5 }).with_aliases(["acme"])))
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no directory of organizations",
    note = "implement `OrganizationDirectory` for it: `find` loads one organization's record"
)]
pub trait OrganizationDirectory: Send + Sync + 'static {
    /// What is known of an organization.
    type Record: Send + Sync + 'static;
    /// Why the directory did not answer. The request is answered with 503; it is logged when an outage begins, and at
    /// level debug otherwise.
    type Error: Error + Send;

    /// The record of the organization that this issuer calls so; `None` if there is none. It is never asked
    /// for what a caller sent, only for what a verified token names.
    fn find(
        &self,
        issuer: &str,
        id: &OrganizationId,
    ) -> impl Future<Output = Result<Option<OrganizationRecord<Self::Record>>, Self::Error>> + Send;
}

/// What a directory has on one organization.
#[derive(Clone, Debug)]
pub struct OrganizationRecord<T> {
    pub(crate) record: T,
    pub(crate) aliases: Arc<[String]>,
    pub(crate) is_suspended: bool,
}

impl<T> OrganizationRecord<T> {
    /// An organization that may use the service, with this record of the application's.
    pub fn new(record: T) -> Self {
        Self {
            record,
            aliases: Arc::default(),
            is_suspended: false,
        }
    }

    /// Other names that paths, hosts and the configured header may call it by, such as a slug.
    #[must_use]
    pub fn with_aliases<A: Into<String>>(mut self, aliases: impl IntoIterator<Item = A>) -> Self {
        self.aliases = aliases.into_iter().map(Into::into).collect();
        self
    }

    /// An organization that may not use the service at the moment.
    #[must_use]
    pub fn suspended(mut self) -> Self {
        self.is_suspended = true;
        self
    }
}

/// How a [`Directory`] keeps what it has loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DirectorySettings {
    /// How long a record is used: 30 s. A suspension takes effect within it.
    pub time_to_live: Duration,
    /// How long an unknown organization stays unknown: 5 s.
    pub unknown_time_to_live: Duration,
    /// How long a failure is answered without asking again: 1 s.
    pub failure_time_to_live: Duration,
    /// How long the directory may take to answer: 5 s.
    pub deadline: Duration,
    /// How many organizations are kept: 10,000.
    pub capacity: usize,
}

impl Default for DirectorySettings {
    fn default() -> Self {
        Self {
            time_to_live: Duration::from_secs(30),
            unknown_time_to_live: Duration::from_secs(5),
            failure_time_to_live: Duration::from_secs(1),
            deadline: Duration::from_secs(5),
            capacity: 10_000,
        }
    }
}

/// A directory with a cache in front: what the router's state holds for the extractor
/// [`Organization`](crate::Organization). Cheap to clone; clones share the cache.
///
/// However many requests of one organization come at once, it is loaded once.
pub struct Directory<T> {
    inner: Arc<Inner<T>>,
}

struct Inner<T> {
    finder: Box<dyn Find<T>>,
    cache: Cache<Key, Arc<Entry<T>>>,
    clock: Arc<dyn Clock>,
    settings: DirectorySettings,
    /// Any caller has it asked, so the log is told of no more than an outage.
    outage: Outage,
}

/// Two issuers may use one id for different organizations.
type Key = (String, OrganizationId);

struct Entry<T> {
    found: Found<T>,
    until: Duration,
}

enum Found<T> {
    Known(Arc<OrganizationRecord<T>>),
    Unknown,
    Failed,
}

impl<T: Send + Sync + 'static> Directory<T> {
    /// A directory with default settings.
    pub fn new(directory: impl OrganizationDirectory<Record = T>) -> Self {
        Self::with_settings(directory, DirectorySettings::default())
    }

    /// A directory with settings of your own.
    pub fn with_settings(
        directory: impl OrganizationDirectory<Record = T>,
        settings: DirectorySettings,
    ) -> Self {
        Self::with_clock(directory, settings, Arc::new(SystemClock::new()))
    }

    /// A directory whose time comes from this clock.
    pub fn with_clock(
        directory: impl OrganizationDirectory<Record = T>,
        settings: DirectorySettings,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                finder: Box::new(Arc::new(directory)),
                cache: Cache::new(settings.capacity.max(1)),
                clock,
                settings,
                outage: Outage::default(),
            }),
        }
    }

    /// The record of a tenant. Refuses: unknown, 403 `organization_unknown`; suspended, 403
    /// `organization_suspended`; the directory does not answer, 503.
    pub async fn get(&self, tenant: &Tenant) -> Result<Arc<OrganizationRecord<T>>, Denied> {
        let entry = self.entry(tenant).await;
        match &entry.found {
            Found::Known(record) if record.is_suspended => {
                Err(tenant.principal().deny(DenialKind::OrganizationSuspended))
            }
            Found::Known(record) => Ok(record.clone()),
            Found::Unknown => Err(tenant.principal().deny(DenialKind::OrganizationUnknown)),
            Found::Failed => Err(tenant
                .principal()
                .deny(DenialKind::DirectoryUnavailable)
                .with_retry_after(self.inner.settings.failure_time_to_live)),
        }
    }

    /// Forgets a tenant's record, so that a change takes effect at once in this process.
    pub fn forget(&self, issuer: &str, id: &OrganizationId) {
        self.inner.cache.remove(&(issuer.to_owned(), id.clone()));
    }

    async fn entry(&self, tenant: &Tenant) -> Arc<Entry<T>> {
        let Inner { cache, clock, .. } = &*self.inner;
        let key = (tenant.issuer().to_owned(), tenant.id().clone());
        let now = clock.monotonic();
        cache.remove_if(&key, |entry| entry.until <= now);
        match cache.get_value_or_guard_async(&key).await {
            Ok(entry) => entry,
            Err(guard) => {
                let entry = Arc::new(self.load(tenant).await);
                // It fails only if the entry was removed meanwhile; then the next request loads it again.
                let _ = guard.insert(entry.clone());
                entry
            }
        }
    }

    async fn load(&self, tenant: &Tenant) -> Entry<T> {
        let Inner {
            finder,
            clock,
            settings,
            outage,
            ..
        } = &*self.inner;
        let finding = finder.find(tenant.issuer().to_owned(), tenant.id().clone());
        let found = match select(pin!(finding), clock.sleep(settings.deadline)).await {
            Either::Left((Ok(found), _)) => {
                if outage.is_over() {
                    tracing::info!("the directory of organizations answers again");
                }
                found.map_or(Found::Unknown, |record| Found::Known(Arc::new(record)))
            }
            Either::Left((Err(error), _)) => self.failed(&error),
            Either::Right(((), _)) => self.failed("no answer in time"),
        };
        let time_to_live = match &found {
            Found::Known(_) => settings.time_to_live,
            Found::Unknown => settings.unknown_time_to_live,
            Found::Failed => settings.failure_time_to_live,
        };
        let until = clock.monotonic().saturating_add(time_to_live);
        Entry { found, until }
    }

    fn failed(&self, error: &str) -> Found<T> {
        if self.inner.outage.is_news(self.inner.clock.monotonic()) {
            tracing::warn!(
                error,
                "the directory of organizations failed; it is told when it answers again"
            );
        } else {
            tracing::debug!(error, "the directory of organizations failed");
        }
        Found::Failed
    }
}

impl<T> Clone for Directory<T> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
        }
    }
}

impl<T> fmt::Debug for Directory<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Directory")
            .field("settings", &self.inner.settings)
            .finish_non_exhaustive()
    }
}

/// What a directory says, or its error in words.
type Said<T> = Result<Option<OrganizationRecord<T>>, String>;

/// [`OrganizationDirectory`] without its types, so that a handler names the record's type only.
trait Find<T>: Send + Sync {
    fn find(&self, issuer: String, id: OrganizationId) -> BoxFuture<Said<T>>;
}

impl<D: OrganizationDirectory> Find<D::Record> for Arc<D> {
    fn find(&self, issuer: String, id: OrganizationId) -> BoxFuture<Said<D::Record>> {
        let directory = self.clone();
        Box::pin(async move {
            let found = directory.as_ref().find(&issuer, &id).await;
            found.map_err(|error| error.to_string())
        })
    }
}
