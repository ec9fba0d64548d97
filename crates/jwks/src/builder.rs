use std::sync::Arc;
use std::time::Duration;

use crate::algorithm::Algorithms;
use crate::clock::{Clock, SystemClock};
use crate::fetch::{Fetch, FetchFailure};
use crate::jwks::Jwks;
use crate::load::Plan;
use crate::policy::RefreshPolicy;
use crate::race::{First, race};
use crate::refresher;
use crate::set::Limits;
use crate::shared::Shared;
use crate::source::{Checked, KeySource};

const NO_FETCH: &str = "keys come from the network, but there is no `Fetch`: enable the feature `reqwest` or bring one";

/// What [`JwksBuilder::build`] does until there are keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Start {
    /// Waits for the first set, 10 s at most, and fails without.
    #[default]
    Required,
    /// Returns at once, with the first fetch under way; until it succeeds, now or later, look-ups are
    /// [`Unavailable`](crate::Lookup::Unavailable).
    Degraded,
}

/// Builds a [`Jwks`].
#[derive(Clone, Debug)]
#[must_use = "nothing is fetched until it is built"]
pub struct JwksBuilder {
    issuer: String,
    source: KeySource,
    allowed: Algorithms,
    policy: RefreshPolicy,
    limits: Limits,
    clock: Option<Arc<dyn Clock>>,
    fetch: Option<Arc<dyn Fetch>>,
    same_origin_only: bool,
    start: Start,
}

impl JwksBuilder {
    pub(crate) fn new(issuer: String, source: KeySource, allowed: Algorithms) -> Self {
        Self {
            issuer,
            source,
            allowed,
            policy: RefreshPolicy::default(),
            limits: Limits::default(),
            clock: None,
            fetch: None,
            same_origin_only: false,
            start: Start::default(),
        }
    }

    /// How often to fetch, and how long to trust what was fetched.
    pub fn with_policy(mut self, policy: RefreshPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// How large a key set, or the metadata that leads to it, may be.
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Where time comes from; [`SystemClock`] by default.
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// What makes requests. With the feature `reqwest` there is a default, an `HttpFetch` of its own for each
    /// issuer; give one to many to share its connections.
    pub fn with_fetch(mut self, fetch: Arc<dyn Fetch>) -> Self {
        self.fetch = Some(fetch);
        self
    }

    /// Whether a discovered `jwks_uri` must have the issuer's origin (scheme, host, port). `false` by default, since
    /// some vendors keep their keys on another host.
    pub fn same_origin_only(mut self, same_origin_only: bool) -> Self {
        self.same_origin_only = same_origin_only;
        self
    }

    /// Whether [`build`](Self::build) waits for the first set; [`Start::Required`] by default.
    pub fn start(mut self, start: Start) -> Self {
        self.start = start;
        self
    }

    /// Everything that is wrong and can be known without I/O, one sentence each. [`build`](Self::build) fails on
    /// any of it; this is for reporting the problems of many issuers at once.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.allowed.is_empty() {
            problems.push("no algorithm is allowed".to_owned());
        } else if let Err(problem) = self.source.check(&self.issuer, self.allowed, self.limits) {
            problems.push(problem);
        }
        if self.source.is_remote() && self.fetch.is_none() && !cfg!(feature = "reqwest") {
            problems.push(NO_FETCH.to_owned());
        }
        problems.extend(self.policy.problems().map(str::to_owned));
        problems
    }

    /// Checks the configuration, starts the background refresh (unless the keys are fixed) and waits as
    /// [`Start`] says. Must be called within a tokio runtime, which the background refresh then lives in.
    pub async fn build(self) -> Result<Jwks, JwksError> {
        let problems = self.problems();
        if !problems.is_empty() {
            return Err(self.invalid(problems));
        }
        let checked = self
            .source
            .check(&self.issuer, self.allowed, self.limits)
            .map_err(|problem| self.invalid(vec![problem]))?;
        let fetch = match &self.fetch {
            None if self.source.is_remote() => {
                Some(default_fetch().map_err(|problem| self.invalid(vec![problem]))?)
            }
            fetch => fetch.clone(),
        };
        let (fixed, origin) = match checked {
            Checked::Fixed(set) => (Some(set), None),
            Checked::Changing(origin) => (None, Some(origin)),
        };
        let shared = Arc::new(Shared::new(Plan {
            issuer: self.issuer,
            origin,
            allowed: self.allowed,
            same_origin_only: self.same_origin_only,
            limits: self.limits,
            policy: self.policy,
            clock: self.clock.unwrap_or_else(|| Arc::new(SystemClock::new())),
            fetch,
        }));
        if let Some(set) = fixed {
            shared.replace(set);
            return Ok(Jwks::new(shared));
        }
        // Listening first, or a fast fetch would be missed.
        let mut swaps = shared.swaps.subscribe();
        shared.fetch();
        refresher::start(&shared);
        if self.start == Start::Required {
            let patience = shared.plan.policy.start_wait;
            let timeout = shared.plan.clock.sleep(patience);
            if let First::Right(()) = race(swaps.changed(), timeout).await {
                return Err(JwksError::NotReady {
                    issuer: shared.plan.issuer.clone(),
                    waited: patience,
                    failure: shared.lock().last_error,
                });
            }
        }
        Ok(Jwks::new(shared))
    }

    fn invalid(&self, problems: Vec<String>) -> JwksError {
        JwksError::Invalid {
            issuer: self.issuer.clone(),
            problems,
        }
    }
}

#[cfg(feature = "reqwest")]
fn default_fetch() -> Result<Arc<dyn Fetch>, String> {
    crate::http::HttpFetch::new()
        .map(|fetch| Arc::new(fetch) as Arc<dyn Fetch>)
        .map_err(|error| error.to_string())
}

#[cfg(not(feature = "reqwest"))]
fn default_fetch() -> Result<Arc<dyn Fetch>, String> {
    Err(NO_FETCH.to_owned())
}

/// A [`Jwks`] could not be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwksError {
    /// The configuration cannot work.
    #[error("keys of {issuer}: {}", .problems.join("; "))]
    Invalid {
        /// The issuer, as configured.
        issuer: String,
        /// What is wrong, one sentence each.
        problems: Vec<String>,
    },
    /// The issuer is [required](Start::Required), and no set came in time.
    #[error(
        "keys of {issuer}: none after {} s ({})",
        .waited.as_secs_f64(),
        .failure.map_or_else(|| "no answer yet".to_owned(), |failure| failure.to_string())
    )]
    NotReady {
        /// The issuer, as configured.
        issuer: String,
        /// How long was waited.
        waited: Duration,
        /// Why the last fetch failed, if one has.
        failure: Option<FetchFailure>,
    },
}
