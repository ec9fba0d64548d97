//! What is counted, where the `metrics` feature is on. Labels are fixed words and the names of configured issuers:
//! nothing that a caller can make up, and no caller.

use countersign_jwks::Clock;

use crate::denied::{DenialKind, Denied};
use crate::principal::Principal;

/// When a decision was begun.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Started {
    #[cfg(feature = "metrics")]
    at: std::time::Duration,
}

impl Started {
    pub(crate) fn now(clock: &dyn Clock) -> Self {
        #[cfg(not(feature = "metrics"))]
        let _ = clock;
        Self {
            #[cfg(feature = "metrics")]
            at: clock.monotonic(),
        }
    }

    /// The layer has decided.
    pub(crate) fn decided(self, result: &Result<Principal, Denied>) {
        #[cfg(feature = "metrics")]
        {
            let context = match result {
                Ok(principal) => Some(principal.context()),
                Err(denied) => denied.context.as_ref(),
            };
            if let Some(context) = context {
                let took = context.clock().monotonic().saturating_sub(self.at);
                metrics::histogram!("countersign_decision_seconds").record(took.as_secs_f64());
            }
        }
        #[cfg(not(feature = "metrics"))]
        let _ = (self, result);
    }
}

/// The layer has let somebody through, or nobody behind an optional layer.
pub(crate) fn let_through(principal: Option<&Principal>) {
    #[cfg(feature = "metrics")]
    {
        let outcome = principal.map_or("anonymous", |_| "authenticated");
        let issuer = principal.map_or("", |principal| principal.issuer());
        count(outcome, "", issuer);
    }
    #[cfg(not(feature = "metrics"))]
    let _ = principal;
}

/// The layer, a guard or an extractor has denied a request.
pub(crate) fn denied(kind: DenialKind) {
    #[cfg(feature = "metrics")]
    count("denied", kind.as_str(), "");
    #[cfg(not(feature = "metrics"))]
    let _ = kind;
}

#[cfg(feature = "metrics")]
fn count(outcome: &'static str, reason: &'static str, issuer: &str) {
    metrics::counter!(
        "countersign_decisions_total",
        "outcome" => outcome,
        "reason" => reason,
        "issuer" => issuer.to_owned(),
    )
    .increment(1);
}

/// A token was seen before and still holds, or not.
pub(crate) fn looked_up(is_hit: bool) {
    #[cfg(feature = "metrics")]
    {
        let name = if is_hit {
            "countersign_token_cache_hits"
        } else {
            "countersign_token_cache_misses"
        };
        metrics::counter!(name).increment(1);
    }
    #[cfg(not(feature = "metrics"))]
    let _ = is_hit;
}

/// So many bytes of verified tokens are kept.
#[cfg(feature = "metrics")]
pub(crate) fn kept(bytes: u64) {
    // Far below where an f64 becomes inexact.
    #[expect(clippy::cast_precision_loss, reason = "no cache has 2^53 bytes")]
    metrics::gauge!("countersign_token_cache_bytes").set(bytes as f64);
}
