use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use countersign_jwks::FetchFailure;
use countersign_jwks::suite::Outage;

use crate::server::Failure;

/// This long without one, and questions of a kind are no longer refused (fixed).
const OVER_AFTER: Duration = Duration::from_secs(60);

/// The most kinds that the log is told of at once: a server has few, and one that makes up statuses fills no log.
const MAX_KINDS: usize = 8;

/// What the log was told of one server, so that no caller can fill it. Times are monotonic.
#[derive(Debug, Default)]
pub(crate) struct Told {
    away: Outage,
    /// The ways in which it left questions unanswered lately.
    unsaid: Mutex<Vec<Unsaid>>,
}

/// Questions that were left unanswered in the same way. Others may be answered all the time, so that an answer alone does
/// not end it.
#[derive(Debug)]
struct Unsaid {
    failure: FetchFailure,
    last: Duration,
    questions: u64,
}

impl Told {
    /// A question brought no answer.
    pub(crate) fn failure(&self, issuer: &str, failure: Failure, now: Duration) {
        let is_news = match failure {
            Failure::Unsaid(failure) => self.is_new_kind(failure, now),
            Failure::Network(_) | Failure::Unproven => self.away.is_news(now),
        };
        if !is_news {
            tracing::debug!(issuer, %failure, "introspection failed");
            return;
        }
        match failure {
            Failure::Unsaid(_) => tracing::warn!(
                issuer,
                %failure,
                "the authorization server left a question about a token unanswered, which is held against no other: if it \
                 answers none, check its endpoint and how this resource authenticates; it is told when this is over"
            ),
            Failure::Network(FetchFailure::Status(401)) => tracing::error!(
                issuer,
                %failure,
                "the authorization server lets this resource introspect no token: check how it authenticates"
            ),
            Failure::Network(_) | Failure::Unproven => tracing::warn!(
                issuer,
                %failure,
                "introspection failed; it is told when it works again"
            ),
        }
    }

    /// A question was answered.
    pub(crate) fn answer(&self, issuer: &str, now: Duration) {
        if self.away.is_over() {
            tracing::info!(issuer, "introspection works again");
        }
        let mut unsaid = self.unsaid.lock().unwrap_or_else(PoisonError::into_inner);
        unsaid.retain(|kind| {
            let goes_on = now.saturating_sub(kind.last) < OVER_AFTER;
            if !goes_on {
                tracing::info!(
                    issuer,
                    failure = %kind.failure,
                    questions = kind.questions,
                    "the authorization server left no more questions unanswered in this way for a minute"
                );
            }
            goes_on
        });
    }

    fn is_new_kind(&self, failure: FetchFailure, now: Duration) -> bool {
        let mut unsaid = self.unsaid.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kind) = unsaid.iter_mut().find(|kind| kind.failure == failure) {
            kind.last = now;
            kind.questions += 1;
            return false;
        }
        let has_place = unsaid.len() < MAX_KINDS;
        if has_place {
            unsaid.push(Unsaid {
                failure,
                last: now,
                questions: 1,
            });
        }
        has_place
    }
}
