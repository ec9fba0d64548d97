use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use countersign_jwks::FetchFailure;
use countersign_jwks::suite::Outage;

use crate::server::{Failed, Failure};

/// This long without one, and questions of a kind are no longer refused; this long without an answer to any, and that is
/// told whatever was told before (fixed).
const OVER_AFTER: Duration = Duration::from_secs(60);

/// The most kinds that the log is told of at once: a server has few, and one that makes up statuses fills no log.
const MAX_KINDS: usize = 8;

/// What the log was told of one server, so that no caller can fill it. Times are monotonic.
#[derive(Debug, Default)]
pub(crate) struct Told {
    away: Outage,
    /// Whether where it is cannot be looked up again.
    metadata: Outage,
    /// Whether it answers no question at all, though it is there.
    silent: Outage,
    lately: Mutex<Lately>,
}

#[derive(Debug, Default)]
struct Lately {
    /// The ways in which it left questions unanswered.
    kinds: Vec<Unsaid>,
    /// When it first left one unanswered since its last answer.
    silent_since: Option<Duration>,
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
            Failure::Unsaid(kind) => {
                let (is_new, silent_since) = self.lately().left_unanswered(kind, now);
                // A kind goes on for as long as somebody makes up tokens that bring it on, and would hide this.
                if now.saturating_sub(silent_since) >= OVER_AFTER && self.silent.is_news(now) {
                    tracing::warn!(
                        issuer,
                        %failure,
                        "the authorization server has answered no question about a token for a minute: check its endpoint \
                         and how this resource authenticates; it is told when it works again"
                    );
                    return;
                }
                is_new
            }
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
        let (was_away, was_silent) = (self.away.is_over(), self.silent.is_over());
        if was_away || was_silent {
            tracing::info!(issuer, "introspection works again");
        }
        // Nobody waits for the log to be written.
        let over = self.lately().answered(now);
        for kind in over {
            tracing::info!(
                issuer,
                failure = %kind.failure,
                questions = kind.questions,
                "the authorization server left no more questions unanswered in this way for a minute"
            );
        }
    }

    /// Where it is was looked up again, while another place is known.
    pub(crate) fn look(&self, issuer: &str, found: Result<(), Failed>, now: Duration) {
        match found {
            Ok(()) if self.metadata.is_over() => {
                tracing::info!(issuer, "the introspection endpoint was found again");
            }
            Err(Failed { failure, .. }) if self.metadata.is_news(now) => tracing::warn!(
                issuer,
                %failure,
                "the introspection endpoint was not found again; the one known is asked for up to a day, and it is told when \
                 it was found"
            ),
            Err(Failed { failure, .. }) => {
                tracing::debug!(issuer, %failure, "the introspection endpoint was not found again");
            }
            Ok(()) => {}
        }
    }

    fn lately(&self) -> MutexGuard<'_, Lately> {
        self.lately.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lately {
    /// Whether the log was not told of this kind yet, and since when no question was answered.
    fn left_unanswered(&mut self, failure: FetchFailure, now: Duration) -> (bool, Duration) {
        let silent_since = *self.silent_since.get_or_insert(now);
        let mut kinds = self.kinds.iter_mut();
        if let Some(kind) = kinds.find(|kind| kind.failure == failure) {
            kind.last = now;
            kind.questions += 1;
            return (false, silent_since);
        }
        let has_place = self.kinds.len() < MAX_KINDS;
        if has_place {
            self.kinds.push(Unsaid {
                failure,
                last: now,
                questions: 1,
            });
        }
        (has_place, silent_since)
    }

    /// A question was answered: the kinds that are over.
    fn answered(&mut self, now: Duration) -> Vec<Unsaid> {
        self.silent_since = None;
        let is_over = |kind: &mut Unsaid| now.saturating_sub(kind.last) >= OVER_AFTER;
        self.kinds.extract_if(.., is_over).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn nobody_waits_for_the_log_to_be_written() {
        let told = Arc::new(Told::default());
        let lines = Arc::new(AtomicU32::new(0));
        let (writing, written) = (Arc::clone(&told), Arc::clone(&lines));
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || {
                assert!(writing.lately.try_lock().is_ok(), "held by who writes");
                written.fetch_add(1, Ordering::Relaxed);
                io::sink()
            })
            .finish();
        let _listening = tracing::subscriber::set_default(subscriber);
        let unsaid = Failure::Unsaid(FetchFailure::Redirect);
        for second in [0, 60] {
            told.failure("issuer", unsaid, Duration::from_secs(second));
        }
        told.answer("issuer", Duration::from_secs(120));
        assert_eq!(lines.load(Ordering::Relaxed), 4);
    }
}
