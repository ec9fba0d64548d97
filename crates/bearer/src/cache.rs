use std::fmt;
use std::hash::{Hash, Hasher};

use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};

use crate::principal::Principal;
use crate::proof::Proof;

/// How much memory verified tokens may take.
///
/// On by default, with 32 MiB: machines present the same token for its whole life, and a token seen before
/// costs no cryptography. A hit requires the same bytes, a signing key that is trusted still, and a time at
/// which the token is valid. Only successes are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenCache {
    max_bytes: u64,
}

impl TokenCache {
    /// Keeps verified tokens in at most this many bytes.
    pub const fn new(max_bytes: u64) -> Self {
        Self { max_bytes }
    }

    /// Verifies every token anew.
    pub const fn disabled() -> Self {
        Self::new(0)
    }
}

impl Default for TokenCache {
    fn default() -> Self {
        Self::new(32 * 1024 * 1024)
    }
}

/// The verified tokens of one authenticator.
pub(crate) struct VerifiedTokens {
    cache: Option<Cache<CachedToken, Principal, Weight>>,
}

impl VerifiedTokens {
    pub(crate) fn new(settings: TokenCache) -> Self {
        // An entry is about 2 KiB. The estimate only sizes the first tables.
        let items = usize::try_from(settings.max_bytes / 2048).unwrap_or(usize::MAX);
        Self {
            cache: (settings.max_bytes > 0)
                .then(|| Cache::with_weighter(items, settings.max_bytes, Weight)),
        }
    }

    pub(crate) fn get(&self, token: &[u8]) -> Option<Principal> {
        self.cache.as_ref()?.get(&PresentedToken(token))
    }

    pub(crate) fn insert(&self, token: &[u8], principal: Principal) {
        if let Some(cache) = &self.cache {
            cache.insert(CachedToken(token.into()), principal);
            #[cfg(feature = "metrics")]
            crate::meter::kept(cache.weight());
        }
    }

    /// Drops the tokens of issuers that are trusted no longer.
    pub(crate) fn forget_untrusted(&self) {
        if let Some(cache) = &self.cache {
            cache.retain(|_, one| one.proof().is_some_and(Proof::is_of_a_trusted_issuer));
        }
    }

    pub(crate) fn remove(&self, token: &[u8]) {
        if let Some(cache) = &self.cache {
            cache.remove(&PresentedToken(token));
        }
    }
}

/// Only its size: its keys are tokens.
impl fmt::Debug for VerifiedTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedTokens")
            .field("bytes", &self.cache.as_ref().map_or(0, Cache::weight))
            .finish_non_exhaustive()
    }
}

struct CachedToken(Box<[u8]>);

struct PresentedToken<'t>(&'t [u8]);

impl Equivalent<CachedToken> for PresentedToken<'_> {
    fn equivalent(&self, cached: &CachedToken) -> bool {
        *self.0 == *cached.0
    }
}

impl PartialEq for CachedToken {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for CachedToken {}

/// Hashes the end of a token only. It is the end of its signature, which nobody can choose who cannot sign, so
/// that cached tokens spread evenly; equality compares every byte.
fn hash_end<H: Hasher>(token: &[u8], state: &mut H) {
    state.write(&token[token.len().saturating_sub(32)..]);
}

impl Hash for CachedToken {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_end(&self.0, state);
    }
}

impl Hash for PresentedToken<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_end(self.0, state);
    }
}

#[derive(Clone)]
struct Weight;

impl Weighter<CachedToken, Principal> for Weight {
    fn weight(&self, token: &CachedToken, principal: &Principal) -> u64 {
        /// The entry's place in the table and what the allocator rounds up.
        const OVERHEAD: usize = 21 * 2 + 64;
        let bytes = token.0.len() + principal.allocated_bytes() + OVERHEAD;
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_token::Claims;
    use std::hash::{BuildHasher, RandomState};

    #[test]
    fn a_presented_token_finds_the_cached_one_of_the_same_bytes_only() {
        let hasher = RandomState::new();
        let ending = "x".repeat(32);
        let cached = CachedToken(format!("head{ending}").into_bytes().into());
        let same = format!("head{ending}");
        let same_ending = format!("tail{ending}");
        assert_eq!(
            hasher.hash_one(&cached),
            hasher.hash_one(PresentedToken(same.as_bytes()))
        );
        assert!(PresentedToken(same.as_bytes()).equivalent(&cached));
        assert_eq!(
            hasher.hash_one(&cached),
            hasher.hash_one(PresentedToken(same_ending.as_bytes()))
        );
        assert!(!PresentedToken(same_ending.as_bytes()).equivalent(&cached));
        assert!(!PresentedToken(b"").equivalent(&cached));
        // As an entry that is put in finds the one in its place.
        let entry = |token: &str| CachedToken(token.as_bytes().into());
        assert!(cached == entry(&same) && cached != entry(&same_ending));
        let other_ending = format!("head{}", "y".repeat(32));
        assert_ne!(
            hasher.hash_one(&cached),
            hasher.hash_one(entry(&other_ending))
        );
    }

    #[test]
    fn an_entry_weighs_its_token_its_claims_and_a_little_more() {
        for (token, custom) in [(100, 2), (100, 4000), (8000, 2)] {
            let token = CachedToken(vec![b'a'; token].into());
            let claims = Claims::service_principal("https://as.test", "m2m");
            let claims = claims.with_custom(format!("{{{}}}", " ".repeat(custom)));
            let least = token.0.len() + claims.heap_bytes();
            let weight = Weight.weight(&token, &Principal::assertion(claims));
            let beside = usize::try_from(weight).unwrap() - least;
            assert!((200..1024).contains(&beside), "{beside} beside {least}");
        }
    }
}
