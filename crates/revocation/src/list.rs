use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use countersign_bearer::{Revocations, Validity};
use countersign_jwks::{Clock, SystemClock};
use countersign_token::Claims;
use tokio::sync::watch;

use crate::gate::Gate;
use crate::journal::{Change, Journal, Origin};
use crate::revocation::{Revocation, RevocationKind};
use crate::table::{Entry, Table};

/// The largest leeway that an issuer can be given: so long may a token be accepted after it expired. It also covers
/// clocks that differ.
const GRACE: Duration = Duration::from_secs(5 * 60);

/// Tokens that were withdrawn before they expire, in memory. Cheap to clone; clones are one list.
///
/// A request reads it without waiting for anybody. What is on it stays on it until the tokens that it is about have
/// expired anyway; nothing takes it back.
#[derive(Clone)]
pub struct RevocationList {
    inner: Arc<Inner>,
}

/// What a [`RevocationList`] may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RevocationListSettings {
    /// The longest that a token lives: 24 hours. For so long, and 5 minutes for leeway, a "not before" is kept, and
    /// so is a token at most. Give issuers the same limit (`Issuer::with_max_lifetime`): a token that lives longer
    /// would be accepted again.
    pub max_token_lifetime: Duration,
    /// How many entries there may be: 100,000. What would be one more is refused; nothing is dropped for it.
    pub capacity: usize,
    /// How many of the last changes are kept for those who pass them on: 1,024. Who is behind by more reads all.
    pub journal: usize,
}

impl Default for RevocationListSettings {
    fn default() -> Self {
        Self {
            max_token_lifetime: Duration::from_secs(24 * 60 * 60),
            capacity: 100_000,
            journal: 1_024,
        }
    }
}

/// Why a revocation was not recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RevokeError {
    /// The list has as many entries as it may have, none of which has expired.
    #[error("the revocation list is full")]
    Full,
    /// The moment is more than 5 minutes ahead: it would refuse tokens that are yet to be issued.
    #[error("the moment of the revocation is in the future")]
    InFuture,
}

/// What became of revocations that were recorded together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recorded {
    /// Those that changed the list. The others it knew already, or their tokens have expired.
    pub added: usize,
    /// Those that found no place.
    pub full: usize,
    /// Those whose moment is in the future.
    pub in_future: usize,
    /// The time, by the monotonic clock, from which on nothing is missing of what found no place.
    pub incomplete_until: Option<Duration>,
}

/// How a [`RevocationList`] is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RevocationListStatus {
    /// Tokens withdrawn by their ids.
    pub tokens: usize,
    /// Clients, organizations, users and issuers with a moment before which their tokens are withdrawn.
    pub not_befores: usize,
    /// How many revocations found no place since the start. Their tokens are accepted.
    pub refused: u64,
}

struct Inner {
    gate: Gate,
    table: ArcSwap<Table>,
    writer: Mutex<Writer>,
    sequence: watch::Sender<u64>,
    refused: AtomicU64,
    origins: AtomicU64,
    /// Tells this list's numbers from those of another, or of the same program before it was started anew.
    epoch: u64,
    settings: RevocationListSettings,
    clock: Arc<dyn Clock>,
}

struct Writer {
    expiry: BTreeMap<(Duration, u64), Arc<Entry>>,
    journal: Journal,
    number: u64,
    is_full: bool,
}

/// What became of one.
enum Outcome {
    Added,
    Known,
    Refused(RevokeError, Duration),
}

impl RevocationList {
    /// An empty list with default settings.
    pub fn new() -> Self {
        Self::with_settings(RevocationListSettings::default())
    }

    /// An empty list with settings of your own.
    pub fn with_settings(settings: RevocationListSettings) -> Self {
        Self::with_clock(settings, Arc::new(SystemClock::new()))
    }

    /// An empty list whose time comes from this clock.
    pub fn with_clock(settings: RevocationListSettings, clock: Arc<dyn Clock>) -> Self {
        Self {
            inner: Arc::new(Inner {
                gate: Gate::new(settings.capacity),
                table: ArcSwap::from_pointee(Table::new()),
                writer: Mutex::new(Writer {
                    expiry: BTreeMap::new(),
                    journal: Journal::new(settings.journal),
                    number: 0,
                    is_full: false,
                }),
                sequence: watch::Sender::new(0),
                refused: AtomicU64::new(0),
                origins: AtomicU64::new(0),
                epoch: fastrand::u64(..),
                settings,
                clock,
            }),
        }
    }

    /// Withdraws, from the next request on. Returns the number of the last change, which this is unless the list
    /// knew it already.
    pub fn revoke(&self, revocation: Revocation) -> Result<u64, RevokeError> {
        let recorded = self.record([revocation], Origin::BY_HAND);
        if recorded.full > 0 {
            Err(RevokeError::Full)
        } else if recorded.in_future > 0 {
            Err(RevokeError::InFuture)
        } else {
            Ok(self.sequence())
        }
    }

    /// Withdraws all of these: what a feed does with what it reads.
    pub fn record(
        &self,
        revocations: impl IntoIterator<Item = Revocation>,
        origin: Origin,
    ) -> Recorded {
        let mut writer = self.inner.writer();
        let mut table = Table::clone(&self.inner.table.load());
        let forgotten = self.inner.forget_expired(&mut writer, &mut table);
        let mut recorded = Recorded::default();
        for revocation in revocations {
            match self.inner.add(&mut writer, &mut table, revocation, origin) {
                Outcome::Added => recorded.added += 1,
                Outcome::Known => {}
                Outcome::Refused(RevokeError::Full, until) => {
                    recorded.full += 1;
                    recorded.incomplete_until = recorded.incomplete_until.max(Some(until));
                }
                Outcome::Refused(RevokeError::InFuture, until) => {
                    recorded.in_future += 1;
                    recorded.incomplete_until = recorded.incomplete_until.max(Some(until));
                }
            }
        }
        if !forgotten.is_empty() || recorded.added > 0 {
            self.inner.publish(table, &forgotten);
        }
        if recorded.added > 0 {
            self.inner.sequence.send_replace(writer.journal.last());
        }
        self.inner.report(&mut writer, recorded);
        recorded
    }

    /// What is on the list, and the number of the last change that is in it.
    pub fn entries(&self) -> (u64, Vec<Revocation>) {
        let writer = self.inner.tidied();
        let table = self.inner.table.load();
        let entries = table.entries().map(|entry| entry.revocation.clone());
        (writer.journal.last(), entries.collect())
    }

    /// The changes after this one, none if it is the last; `None` if not all of them are kept.
    pub fn changes_after(&self, sequence: u64) -> Option<Vec<Change>> {
        self.inner.writer().journal.after(sequence)
    }

    /// The number of the last change.
    pub fn sequence(&self) -> u64 {
        *self.inner.sequence.borrow()
    }

    /// Tells the number of the last change whenever there is another.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.inner.sequence.subscribe()
    }

    /// A name for what adds to this list, unlike any other's.
    pub fn new_origin(&self) -> Origin {
        Origin(self.inner.origins.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// How full it is.
    pub fn status(&self) -> RevocationListStatus {
        drop(self.inner.tidied());
        let table = self.inner.table.load();
        let tokens = table.count(RevocationKind::Token);
        RevocationListStatus {
            tokens,
            not_befores: table.len() - tokens,
            refused: self.inner.refused.load(Ordering::Relaxed),
        }
    }

    /// The settings it was made with.
    pub fn settings(&self) -> &RevocationListSettings {
        &self.inner.settings
    }

    /// For how long after it was made known a revocation can matter: one of a moment a little ahead is kept for a little
    /// longer than the longest life of a token after that.
    pub fn retention(&self) -> Duration {
        let lifetime = self.inner.settings.max_token_lifetime;
        lifetime.saturating_add(2 * GRACE)
    }

    /// Where its time comes from.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.inner.clock
    }

    /// Tells the numbers of this list's changes from those of any other: it is drawn when a list is made.
    pub fn epoch(&self) -> u64 {
        self.inner.epoch
    }
}

impl Revocations for RevocationList {
    fn check(&self, claims: &Claims) -> Validity {
        if self.inner.gate.may_revoke(claims) && self.inner.table.load().revokes(claims) {
            Validity::Revoked
        } else {
            Validity::Valid
        }
    }
}

impl Default for RevocationList {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for RevocationList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RevocationList")
            .field("entries", &self.inner.table.load().len())
            .field("settings", &self.inner.settings)
            .finish_non_exhaustive()
    }
}

impl Inner {
    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The writer, nothing expired being left.
    fn tidied(&self) -> MutexGuard<'_, Writer> {
        let mut writer = self.writer();
        let now = self.clock.monotonic();
        if writer
            .expiry
            .first_key_value()
            .is_some_and(|((until, _), _)| *until <= now)
        {
            let mut table = Table::clone(&self.table.load());
            let forgotten = self.forget_expired(&mut writer, &mut table);
            self.publish(table, &forgotten);
        }
        writer
    }

    fn forget_expired(&self, writer: &mut Writer, table: &mut Table) -> Vec<Arc<Entry>> {
        let now = self.clock.monotonic();
        let mut forgotten = Vec::new();
        while let Some(first) = writer.expiry.first_entry() {
            if first.key().0 > now {
                break;
            }
            let entry = first.remove();
            table.remove(&entry);
            forgotten.push(entry);
        }
        forgotten
    }

    fn add(
        &self,
        writer: &mut Writer,
        table: &mut Table,
        mut revocation: Revocation,
        origin: Origin,
    ) -> Outcome {
        let (monotonic, now) = (self.clock.monotonic(), self.clock.unix_time());
        let lifetime = self.settings.max_token_lifetime;
        let expires_at = match revocation.kind {
            // No token that exists by now lives longer.
            RevocationKind::Token => revocation.moment().min(now.saturating_add(lifetime)),
            _ if revocation.moment() > now.saturating_add(GRACE) => {
                // Its tokens may be good for that long, by a clock that is right.
                let ahead = revocation.moment().saturating_sub(now);
                let until = monotonic.saturating_add(ahead).saturating_add(lifetime);
                return Outcome::Refused(RevokeError::InFuture, until.saturating_add(GRACE));
            }
            _ => revocation.moment().saturating_add(lifetime),
        };
        // From here on the wall clock may jump.
        let remaining = expires_at.saturating_add(GRACE).saturating_sub(now);
        if remaining.is_zero() {
            return Outcome::Known;
        }
        let until = monotonic.saturating_add(remaining);
        let mut is_new = false;
        let known = table.find(revocation.kind, &revocation.issuer, &revocation.id);
        match known {
            Some(known) if known.revocation.covers(&revocation) => return Outcome::Known,
            Some(known) => {
                writer.expiry.remove(&(known.until, known.number));
                revocation.issuer = known.revocation.issuer.clone();
            }
            None if table.len() >= self.settings.capacity => {
                return Outcome::Refused(RevokeError::Full, until);
            }
            None => {
                is_new = true;
                // Most are of one issuer, whose name need not be there 100,000 times.
                let last = writer.expiry.last_key_value().map(|(_, entry)| entry);
                if let Some(last) = last.filter(|last| last.revocation.issuer == revocation.issuer)
                {
                    revocation.issuer = last.revocation.issuer.clone();
                }
            }
        }
        writer.number += 1;
        writer.journal.push(revocation.clone(), origin);
        let entry = Arc::new(Entry::new(revocation, until, writer.number));
        writer.expiry.insert((until, writer.number), entry.clone());
        if is_new {
            self.gate.add(&entry);
        }
        table.insert(entry);
        Outcome::Added
    }

    fn publish(&self, table: Table, forgotten: &[Arc<Entry>]) {
        let table = Arc::new(table);
        self.table.store(table.clone());
        self.gate.open_for(&table);
        for entry in forgotten {
            self.gate.remove(entry);
        }
    }

    fn report(&self, writer: &mut Writer, recorded: Recorded) {
        let refused = u64::try_from(recorded.full).unwrap_or(u64::MAX);
        self.refused.fetch_add(refused, Ordering::Relaxed);
        if recorded.full > 0 && !writer.is_full {
            let capacity = self.settings.capacity;
            tracing::error!(
                capacity,
                "the revocation list is full: a revocation was refused"
            );
        }
        if recorded.full > 0 || recorded.added > 0 {
            writer.is_full = recorded.full > 0;
        }
    }
}
