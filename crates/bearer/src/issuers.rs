use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
use countersign_jwks::Jwks;
use countersign_token::{Claims, Issuer};

use crate::error::{BuildError, ConfigError};
use crate::introspect::Introspect;
use crate::proof::Stands;

/// An issuer with its keys: the one place where tokens and keys meet.
#[derive(Debug)]
pub(crate) struct TrustedIssuer {
    pub(crate) standing: Arc<Standing>,
    pub(crate) jwks: Jwks,
}

/// An issuer without its keys, so that what was verified under it does not keep their refresh going.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) issuer: Issuer,
    /// Cleared when it is taken out of the table, before anybody is told that it was: whoever still works with
    /// it then finds that it counts no longer.
    is_trusted: AtomicBool,
}

impl TrustedIssuer {
    pub(crate) fn new(issuer: Issuer, jwks: Jwks) -> Self {
        Self {
            standing: Arc::new(Standing {
                issuer,
                is_trusted: AtomicBool::new(true),
            }),
            jwks,
        }
    }

    pub(crate) fn issuer(&self) -> &Issuer {
        &self.standing.issuer
    }
}

impl Stands for Standing {
    fn is_trusted(&self) -> bool {
        self.is_trusted.load(Ordering::Acquire)
    }

    fn still_accepts(&self, claims: &Claims, now: Duration) -> bool {
        self.issuer.still_accepts(claims, now).is_ok()
    }
}

impl Standing {
    fn distrust(&self) {
        self.is_trusted.store(false, Ordering::Release);
    }
}

/// The issuers by their exact names.
type Table = HashMap<Arc<str>, Arc<TrustedIssuer>>;

/// The issuers that are trusted at the moment. Reading takes no lock; changes happen one after the other.
///
/// The table holds the only lasting reference to an issuer: when it is taken out, its tokens are refused, its
/// background task ends and its memory goes.
pub(crate) struct Issuers {
    table: ArcSwap<Table>,
    /// The turns of those who get an issuer's keys, and will set it then.
    turns: Mutex<Vec<Weak<Place>>>,
    introspected: Option<Introspected>,
}

/// The issuer whose opaque tokens are asked about. Who is asked stays, and whether it counts changes as the issuer is
/// removed and set.
struct Introspected {
    name: Arc<str>,
    is_removed: AtomicBool,
}

/// A turn to set an issuer. It is lost when the issuer of that name is set or removed by somebody else.
pub(crate) struct Turn(Arc<Place>);

struct Place {
    name: Arc<str>,
    is_lost: AtomicBool,
}

impl Issuers {
    pub(crate) fn new(
        trusted: Vec<TrustedIssuer>,
        introspected: Option<Arc<dyn Introspect>>,
    ) -> Self {
        let table = trusted
            .into_iter()
            .map(|trusted| (trusted.issuer().name().clone(), Arc::new(trusted)));
        Self {
            table: ArcSwap::from_pointee(table.collect()),
            turns: Mutex::new(Vec::new()),
            introspected: introspected.map(|one| Introspected {
                name: one.issuer().name().clone(),
                is_removed: AtomicBool::new(false),
            }),
        }
    }

    /// Whether opaque tokens count.
    pub(crate) fn trusts_introspected(&self) -> bool {
        let introspected = self.introspected.as_ref();
        introspected.is_some_and(|one| !one.is_removed.load(Ordering::Acquire))
    }

    /// Whether it is the issuer of opaque tokens, and these count no longer.
    pub(crate) fn removed_introspected(&self, name: &str) -> bool {
        self.introspected_of(name)
            .is_some_and(|one| one.is_removed.load(Ordering::Acquire))
    }

    fn introspected_of(&self, name: &str) -> Option<&Introspected> {
        self.introspected.as_ref().filter(|one| *one.name == *name)
    }

    /// Takes a turn to set the issuer of this name.
    pub(crate) fn take_turn(&self, name: &Arc<str>) -> Turn {
        let place = Arc::new(Place {
            name: name.clone(),
            is_lost: AtomicBool::new(false),
        });
        let mut turns = self.lock();
        // Those that were given up are forgotten.
        turns.retain(|turn| turn.strong_count() > 0);
        turns.push(Arc::downgrade(&place));
        Turn(place)
    }

    pub(crate) fn get(&self, name: &str) -> Option<Arc<TrustedIssuer>> {
        self.table.load().get(name).cloned()
    }

    /// All of them, in the order of their names.
    pub(crate) fn all(&self) -> Vec<Arc<TrustedIssuer>> {
        let mut all: Vec<_> = self.table.load().values().cloned().collect();
        all.sort_by(|one, other| one.issuer().name().cmp(other.issuer().name()));
        all
    }

    /// Adds an issuer, or replaces the one of its name, in a turn that was not lost; checks first, under the
    /// lock, with what the issuers then are.
    pub(crate) fn set(
        &self,
        trusted: TrustedIssuer,
        turn: &Turn,
        check: impl FnOnce(Vec<Issuer>) -> Result<(), ConfigError>,
    ) -> Result<(), BuildError> {
        let turns = self.lock();
        let name = trusted.issuer().name().clone();
        if turn.0.is_lost.load(Ordering::Relaxed) {
            return Err(BuildError::Overtaken { issuer: name });
        }
        check(self.with(trusted.issuer()))?;
        lose(&turns, &name);
        if let Some(introspected) = self.introspected_of(&name) {
            introspected.is_removed.store(false, Ordering::Release);
        }
        let mut table = Table::clone(&self.table.load());
        let replaced = table.insert(name, Arc::new(trusted));
        self.table.store(Arc::new(table));
        if let Some(old) = replaced {
            old.standing.distrust();
        }
        Ok(())
    }

    /// Takes an issuer out; `false` if there was none of that name.
    pub(crate) fn remove(&self, name: &str) -> bool {
        let turns = self.lock();
        lose(&turns, name);
        let mut table = Table::clone(&self.table.load());
        let removed = table.remove(name);
        self.table.store(Arc::new(table));
        if let Some(old) = &removed {
            old.standing.distrust();
        }
        let introspected = self.introspected_of(name);
        let was_introspected =
            introspected.is_some_and(|one| !one.is_removed.swap(true, Ordering::AcqRel));
        removed.is_some() || was_introspected
    }

    /// What the issuers would be with this one, which comes last.
    pub(crate) fn with(&self, issuer: &Issuer) -> Vec<Issuer> {
        self.all()
            .iter()
            .map(|trusted| trusted.issuer())
            .filter(|other| other.name() != issuer.name())
            .chain([issuer])
            .cloned()
            .collect()
    }

    /// Nothing is left half done by a panic: the table is stored as a whole.
    fn lock(&self) -> MutexGuard<'_, Vec<Weak<Place>>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whoever has a turn to set the issuer of this name loses it.
fn lose(turns: &[Weak<Place>], name: &str) {
    for place in turns.iter().filter_map(Weak::upgrade) {
        if *place.name == *name {
            place.is_lost.store(true, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_jwks::{Algorithm, KeySource};

    #[tokio::test]
    async fn what_is_taken_out_of_the_table_is_gone() {
        let keys = br#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
        let source = KeySource::json(*keys);
        let jwks = Jwks::builder("https://a.test", source, Algorithm::Ed25519.into());
        let jwks = jwks.build().await.unwrap();
        let issuer = Issuer::new("https://a.test", "https://api.test");
        let issuers = Issuers::new(vec![TrustedIssuer::new(issuer, jwks)], None);
        let trusted = Arc::downgrade(&issuers.get("https://a.test").unwrap());
        assert!(
            trusted
                .upgrade()
                .is_some_and(|one| one.standing.is_trusted())
        );
        assert!(issuers.remove("https://a.test"));
        assert!(trusted.upgrade().is_none());
    }

    #[test]
    fn turns_that_were_given_up_are_forgotten() {
        let issuers = Issuers::new(Vec::new(), None);
        for _ in 0..100 {
            drop(issuers.take_turn(&"https://a.test".into()));
        }
        assert!(issuers.lock().len() <= 1);
    }
}
