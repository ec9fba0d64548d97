//! What is counted, where the `metrics` feature is on. The only labels are the issuer, which is configuration, and
//! a fixed word.

use countersign_bearer::IntrospectionFailure;

use crate::answers::Outcome;

/// Nobody had to be asked.
pub(crate) fn remembered(issuer: &str) {
    count(issuer, "remembered");
}

/// Somebody waited for this.
pub(crate) fn answered(issuer: &str, outcome: &Outcome) {
    let word = match outcome {
        Ok(_) => "active",
        Err(IntrospectionFailure::Refused(_)) => "refused",
        Err(_) => "unavailable",
    };
    count(issuer, word);
}

fn count(issuer: &str, outcome: &'static str) {
    #[cfg(feature = "metrics")]
    metrics::counter!(
        "countersign_introspections_total",
        "issuer" => issuer.to_owned(),
        "outcome" => outcome,
    )
    .increment(1);
    #[cfg(not(feature = "metrics"))]
    let _ = (issuer, outcome);
}
