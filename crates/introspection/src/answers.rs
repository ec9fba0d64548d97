use std::fmt;
use std::time::Duration;

use aws_lc_rs::hmac;
use countersign_bearer::IntrospectionFailure;
use countersign_jwks::Clock;
use countersign_token::{Claims, Issuer};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::policy::IntrospectionPolicy;

/// What became of a question.
pub(crate) type Outcome = Result<Claims, IntrospectionFailure>;

/// What a token is remembered by: an HMAC-SHA-256 under a key that this process made for one server and one client
/// of it. Nothing of a token can be read out of it, nor compared with anything outside.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct TokenTag([u8; 32]);

/// Makes the tags.
pub(crate) struct Tagger(hmac::Key);

impl Tagger {
    /// `None` if the system has no random bytes.
    pub(crate) fn new() -> Option<Self> {
        let mut key = [0; 32];
        aws_lc_rs::rand::fill(&mut key).ok()?;
        Some(Self(hmac::Key::new(hmac::HMAC_SHA256, &key)))
    }

    pub(crate) fn tag(&self, token: &str) -> TokenTag {
        let mut tag = [0; 32];
        tag.copy_from_slice(hmac::sign(&self.0, token.as_bytes()).as_ref());
        TokenTag(tag)
    }
}

/// The answers that are remembered. Active and refused ones are apart, so that a flood of made-up tokens pushes
/// no good one out. Times are monotonic.
pub(crate) struct Answers {
    kept: Option<Kept>,
    active_for: Duration,
    refused_for: Duration,
}

struct Kept {
    active: Cache<TokenTag, Active, Weight>,
    refused: Cache<TokenTag, Refused>,
}

#[derive(Clone)]
struct Active {
    claims: Claims,
    until: Duration,
}

#[derive(Clone, Copy)]
struct Refused {
    failure: IntrospectionFailure,
    until: Duration,
}

impl Answers {
    pub(crate) fn new(policy: &IntrospectionPolicy) -> Self {
        let entries = policy.max_entries;
        let kept = policy.has_cache().then(|| {
            let weight = Weight {
                // With this as the least that each weighs, there cannot be more than so many.
                least: policy.max_bytes / u64::try_from(entries).unwrap_or(u64::MAX),
            };
            Kept {
                active: Cache::with_weighter(entries, policy.max_bytes, weight),
                refused: Cache::new(entries),
            }
        });
        Self {
            kept,
            active_for: policy.active_for,
            refused_for: policy.refused_for,
        }
    }

    /// What is known of a token without asking: an active one must be acceptable still.
    pub(crate) fn get(&self, tag: TokenTag, issuer: &Issuer, clock: &dyn Clock) -> Option<Outcome> {
        let kept = self.kept.as_ref()?;
        let now = clock.monotonic();
        if let Some(active) = kept.active.get(&tag)
            && now < active.until
        {
            let accepted = issuer.still_accepts(&active.claims, clock.unix_time());
            return Some(
                accepted
                    .map(|()| active.claims)
                    .map_err(IntrospectionFailure::Refused),
            );
        }
        let refused = kept.refused.get(&tag)?;
        (now < refused.until).then_some(Err(refused.failure))
    }

    /// Whether the server called it active when it was last asked, however long ago that is.
    pub(crate) fn was_active(&self, tag: TokenTag) -> bool {
        let kept = self.kept.as_ref();
        kept.is_some_and(|kept| kept.active.peek(&tag).is_some())
    }

    /// Remembers what the server answered to a question that was put at `started`, instead of what it answered before.
    /// `unix_time` is that of the clock.
    pub(crate) fn keep(
        &self,
        tag: TokenTag,
        outcome: &Outcome,
        started: Duration,
        unix_time: Duration,
    ) {
        let Some(kept) = &self.kept else {
            return;
        };
        if let Ok(claims) = outcome {
            let rest = claims.times().expires_at - unix_time.as_secs_f64();
            // What is no duration is infinite, or over.
            let rest = Duration::try_from_secs_f64(rest).unwrap_or(if rest > 0.0 {
                Duration::MAX
            } else {
                Duration::ZERO
            });
            kept.refused.remove(&tag);
            let claims = claims.clone();
            let until = started + rest.min(self.active_for);
            kept.active.insert(tag, Active { claims, until });
        } else {
            kept.active.remove(&tag);
            self.keep_unsaid(tag, outcome, started);
        }
    }

    /// The same where the server would not say: what it said before stands.
    pub(crate) fn keep_unsaid(&self, tag: TokenTag, outcome: &Outcome, started: Duration) {
        if let (Some(kept), Err(failure)) = (&self.kept, outcome) {
            let (failure, until) = (*failure, started + self.refused_for);
            kept.refused.insert(tag, Refused { failure, until });
        }
    }

    /// How many are remembered, active and refused ones.
    pub(crate) fn count(&self) -> (usize, usize) {
        let kept = self.kept.as_ref();
        kept.map_or((0, 0), |kept| (kept.active.len(), kept.refused.len()))
    }
}

/// Only how many there are.
impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (active, refused) = self.count();
        f.debug_struct("Answers")
            .field("active", &active)
            .field("refused", &refused)
            .finish_non_exhaustive()
    }
}

#[derive(Clone)]
struct Weight {
    least: u64,
}

impl Weighter<TokenTag, Active> for Weight {
    fn weight(&self, _: &TokenTag, active: &Active) -> u64 {
        /// The entry, its place in the table and what the allocator rounds up.
        const OVERHEAD: usize = size_of::<(TokenTag, Active)>() + 21 * 2 + 64;
        let bytes = active.claims.heap_bytes() + OVERHEAD;
        u64::try_from(bytes).unwrap_or(u64::MAX).max(self.least)
    }
}
