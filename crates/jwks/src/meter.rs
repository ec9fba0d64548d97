//! What is counted, where the `metrics` feature is on. The only labels are the issuer, which is configuration, and
//! a fixed word.

use std::time::Duration;

use crate::fetch::FetchFailure;

/// A fetch has ended.
pub(crate) fn refreshed(issuer: &str, failure: Option<FetchFailure>) {
    #[cfg(feature = "metrics")]
    {
        metrics::counter!("countersign_jwks_refreshes", "issuer" => issuer.to_owned()).increment(1);
        if let Some(failure) = failure {
            metrics::counter!(
                "countersign_jwks_failures",
                "issuer" => issuer.to_owned(),
                "reason" => failure.as_str(),
            )
            .increment(1);
        }
    }
    #[cfg(not(feature = "metrics"))]
    let _ = (issuer, failure);
}

/// The set in force has so many keys and is so old.
pub(crate) fn in_force(issuer: &str, keys: usize, age: Duration) {
    #[cfg(feature = "metrics")]
    {
        // The limit on keys is far below where an f64 becomes inexact.
        let keys = u32::try_from(keys).unwrap_or(u32::MAX);
        metrics::gauge!("countersign_jwks_keys", "issuer" => issuer.to_owned()).set(keys);
        metrics::gauge!("countersign_jwks_age_seconds", "issuer" => issuer.to_owned())
            .set(age.as_secs_f64());
    }
    #[cfg(not(feature = "metrics"))]
    let _ = (issuer, keys, age);
}
