use std::fmt;
use std::sync::Arc;

use serde_json::value::RawValue;

use crate::algorithm::{Algorithm, Algorithms};
use crate::jwk::{self, SkipReason};
use crate::key::Key;
use crate::members::Members;

/// What a key set may be at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of the JSON text: 256 KiB.
    pub max_bytes: usize,
    /// Members of `keys`, usable or not: 100.
    pub max_keys: usize,
}

impl Limits {
    /// The size of the JSON text, in bytes; more is refused as [`KeySetError::TooLarge`].
    #[must_use]
    pub const fn with_max_bytes(mut self, max_bytes: usize) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// The number of members of `keys`; more is refused as [`KeySetError::TooManyKeys`].
    #[must_use]
    pub const fn with_max_keys(mut self, max_keys: usize) -> Self {
        self.max_keys = max_keys;
        self
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_bytes: 256 * 1024,
            max_keys: 100,
        }
    }
}

/// The usable keys of a JWK set ([RFC 7517 §5]). Immutable and cheap to clone; never empty.
///
/// ```
/// use countersign_jwks::{Algorithm, Algorithms, KeySet, Selection, SkipReason};
///
/// let json = br#"{"keys": [
///     {"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
///     {"kty": "oct", "kid": "b", "k": "c2VjcmV0"}
/// ]}"#;
/// let set = KeySet::parse(json, Algorithms::from(Algorithm::Ed25519))?;
///
/// assert!(matches!(set.select(Some("a"), Algorithm::Ed25519), Selection::Found(_)));
/// assert_eq!(set.skipped()[0].reason, SkipReason::Symmetric);
/// # Ok::<(), countersign_jwks::KeySetError>(())
/// ```
///
/// [RFC 7517 §5]: https://www.rfc-editor.org/rfc/rfc7517#section-5
#[derive(Clone)]
pub struct KeySet(Arc<Content>);

struct Content {
    keys: Vec<Arc<Key>>,
    skipped: Vec<SkippedKey>,
}

impl KeySet {
    /// Reads a key set within the default [`Limits`]: 256 KiB, 100 keys, at least one usable.
    ///
    /// Only the keys that fit one of `allowed` are kept. A key that cannot be used is skipped and reported, see
    /// [`skipped`](Self::skipped). Usable keys of one `kid` and `kty` are merged if they are the same key, and all
    /// skipped if they are not.
    pub fn parse(json: &[u8], allowed: Algorithms) -> Result<Self, KeySetError> {
        Self::parse_within(json, allowed, Limits::default())
    }

    /// Like [`parse`](Self::parse), within limits of your own.
    pub fn parse_within(
        json: &[u8],
        allowed: Algorithms,
        limits: Limits,
    ) -> Result<Self, KeySetError> {
        if json.len() > limits.max_bytes {
            return Err(KeySetError::TooLarge);
        }
        let json = std::str::from_utf8(json).map_err(|_| KeySetError::Malformed)?;
        let members = Members::parse(json).map_err(|_| KeySetError::Malformed)?;
        let keys = members.get("keys").ok_or(KeySetError::Malformed)?;
        let keys: Vec<&RawValue> =
            serde_json::from_str(keys.get()).map_err(|_| KeySetError::Malformed)?;
        if keys.len() > limits.max_keys {
            return Err(KeySetError::TooManyKeys);
        }

        let mut usable = Vec::with_capacity(keys.len());
        let mut skipped = Vec::new();
        for (index, key) in keys.into_iter().enumerate() {
            match jwk::parse(key.get(), allowed) {
                Ok(key) => usable.push((index, key)),
                Err((kid, reason)) => skipped.push(SkippedKey { index, kid, reason }),
            }
        }
        let keys = merge(usable, &mut skipped);
        if keys.is_empty() {
            return Err(KeySetError::NoUsableKey(skipped));
        }
        Ok(Self(Arc::new(Content { keys, skipped })))
    }

    /// The usable keys, in the order of the set.
    pub fn keys(&self) -> &[Arc<Key>] {
        &self.0.keys
    }

    /// The members of the set that are not used, each of them, in its order.
    pub fn skipped(&self) -> &[SkippedKey] {
        &self.0.skipped
    }

    /// The one key for a token with this `kid` and `alg`.
    ///
    /// A `kid` is compared byte for byte, and never with a key that has none. A token without `kid` gets a key
    /// only if exactly one of the whole set, with `kid` or without, fits the algorithm.
    pub fn select(&self, kid: Option<&str>, algorithm: Algorithm) -> Selection<'_> {
        let Some(kid) = kid else {
            let mut fitting = self.keys().iter().filter(|key| fits(key, algorithm));
            return match (fitting.next(), fitting.next()) {
                (Some(key), None) => Selection::Found(key),
                (Some(_), Some(_)) => Selection::Unfit,
                (None, _) => Selection::Missing,
            };
        };
        let mut seen = false;
        for key in self.keys().iter().filter(|key| key.kid() == Some(kid)) {
            if fits(key, algorithm) {
                return Selection::Found(key);
            }
            seen = true;
        }
        if seen {
            Selection::Unfit
        } else {
            Selection::Missing
        }
    }

    /// Whether this very key (not one that looks like it) is in the set.
    pub(crate) fn holds(&self, key: &Arc<Key>) -> bool {
        self.keys().iter().any(|own| Arc::ptr_eq(own, key))
    }

    /// The same set, with the allocations of `older` for the keys that have not changed: identity means trust.
    pub(crate) fn carrying_over(self, older: &Self) -> Self {
        let keys = self
            .keys()
            .iter()
            .map(|key| {
                let same = older.keys().iter().find(|old| old.same(key));
                Arc::clone(same.unwrap_or(key))
            })
            .collect();
        self.with_keys(keys)
    }

    /// Whether it holds exactly the keys of `other`, by identity.
    pub(crate) fn holds_the_keys_of(&self, other: &Self) -> bool {
        self.keys().len() == other.keys().len() && self.keys().iter().all(|key| other.holds(key))
    }

    /// The same set for `allowed` only; `None` if no key is left.
    pub(crate) fn restricted(self, allowed: Algorithms) -> Option<Self> {
        let keys: Vec<_> = self
            .keys()
            .iter()
            .filter_map(|key| {
                if key.algorithms().intersection(allowed) == key.algorithms() {
                    Some(Arc::clone(key))
                } else {
                    key.restricted(allowed).map(Arc::new)
                }
            })
            .collect();
        (!keys.is_empty()).then(|| self.with_keys(keys))
    }

    fn with_keys(&self, keys: Vec<Arc<Key>>) -> Self {
        Self(Arc::new(Content {
            keys,
            skipped: self.skipped().to_vec(),
        }))
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySet")
            .field("keys", &self.0.keys)
            .field("skipped", &self.0.skipped)
            .finish()
    }
}

/// What [`KeySet::select`] found.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Selection<'a> {
    /// The one key that fits.
    Found(&'a Arc<Key>),
    /// The `kid` is there but for no such algorithm, or there is no `kid` and several keys fit.
    Unfit,
    /// No such key.
    Missing,
}

/// A member of a key set that is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SkippedKey {
    /// Its place in `keys`, from 0.
    pub index: usize,
    /// Its `kid`, where one could be read. Text of the issuer's choice: quote it where you print it.
    pub kid: Option<String>,
    /// Why it is not used.
    pub reason: SkipReason,
}

/// The whole set is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeySetError {
    /// More bytes than [`Limits::max_bytes`].
    #[error("the key set is too large")]
    TooLarge,
    /// Not a JSON object (UTF-8, each member once) whose `keys` is an array.
    #[error("not a JSON object with an array of keys")]
    Malformed,
    /// More members than [`Limits::max_keys`].
    #[error("the key set has too many keys")]
    TooManyKeys,
    /// Each of the keys was skipped, or there are none.
    #[error("no usable key{}", Reasons(.0))]
    NoUsableKey(Vec<SkippedKey>),
}

/// Places and fixed words only: an error message carries no text of the network.
struct Reasons<'a>(&'a [SkippedKey]);

impl fmt::Display for Reasons<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (count, skipped) in self.0.iter().enumerate() {
            let separator = if count == 0 { ": " } else { ", " };
            write!(
                f,
                "{separator}#{} {}",
                skipped.index,
                skipped.reason.as_str()
            )?;
        }
        Ok(())
    }
}

fn fits(key: &Key, algorithm: Algorithm) -> bool {
    key.algorithms().contains(algorithm)
}

/// Makes (`kid`, `kty`) unique. Keys without `kid` conflict with nothing; the same one twice is still one, in two places.
fn merge(usable: Vec<(usize, Key)>, skipped: &mut Vec<SkippedKey>) -> Vec<Arc<Key>> {
    let mut merged: Vec<(Vec<usize>, Key)> = Vec::with_capacity(usable.len());
    for (index, key) in usable {
        let twin = merged
            .iter_mut()
            .find(|(_, other)| other.kid() == key.kid() && other.material() == key.material());
        let Some((places, twin)) = twin else {
            merged.push((vec![index], key));
            continue;
        };
        places.push(index);
        let algorithms = twin.algorithms().union(key.algorithms());
        // Both were prepared before, so preparing them together does not fail.
        if let Ok(both) = Key::new(
            key.kid().map(Into::into),
            key.material().clone(),
            algorithms,
        ) {
            *twin = both;
        }
    }
    let is_contested = |key: &Key| {
        let namesakes = merged.iter().filter(|(_, other)| namesakes(key, other));
        namesakes.count() > 1
    };
    let contested: Vec<bool> = merged.iter().map(|(_, key)| is_contested(key)).collect();
    let mut keys = Vec::with_capacity(merged.len());
    for ((places, key), contested) in merged.into_iter().zip(contested) {
        if contested {
            skipped.extend(places.into_iter().map(|index| SkippedKey {
                index,
                kid: key.kid().map(str::to_owned),
                reason: SkipReason::Conflict,
            }));
        } else {
            keys.push(Arc::new(key));
        }
    }
    skipped.sort_by_key(|skipped| skipped.index);
    keys
}

/// Whether they claim one name; a key with a name is its own namesake.
fn namesakes(one: &Key, other: &Key) -> bool {
    one.kid().is_some()
        && one.kid() == other.kid()
        && one.material().kty() == other.material().kty()
}

#[cfg(test)]
mod tests;
