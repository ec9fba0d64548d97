use std::sync::{Arc, Mutex};

use countersign_bearer::{ConfigError, Problem};
use countersign_jwks::{Clock, Fetch, SystemClock};
use countersign_token::{IntrospectionRules, Issuer};

use crate::answers::Tagger;
use crate::authentication::ClientAuthentication;
use crate::endpoint::IntrospectionEndpoint;
use crate::flight::Shared;
use crate::introspection::Introspection;
use crate::policy::IntrospectionPolicy;
use crate::post::Post;
use crate::server::Server;
use crate::told::Told;

/// Settings of an [`Introspection`]; made by [`Introspection::builder`].
#[derive(Clone, Debug)]
#[must_use = "nobody is asked until it is built"]
pub struct IntrospectionBuilder {
    issuer: Issuer,
    endpoint: IntrospectionEndpoint,
    authentication: ClientAuthentication,
    rules: IntrospectionRules,
    policy: IntrospectionPolicy,
    clock: Option<Arc<dyn Clock>>,
    post: Option<Arc<dyn Post>>,
    fetch: Option<Arc<dyn Fetch>>,
}

impl IntrospectionBuilder {
    pub(crate) fn new(
        issuer: Issuer,
        endpoint: IntrospectionEndpoint,
        authentication: ClientAuthentication,
    ) -> Self {
        Self {
            issuer,
            endpoint,
            authentication,
            rules: IntrospectionRules::default(),
            policy: IntrospectionPolicy::default(),
            clock: None,
            post: None,
            fetch: None,
        }
    }

    /// Accepts answers without `iss`: the endpoint is the issuer's own. One that names another issuer is refused
    /// still. Default: refused.
    pub fn with_issuer_optional(mut self) -> Self {
        self.rules.issuer_optional = true;
        self
    }

    /// Accepts answers without `aud`. Only for a server that calls a token active to no client but the resource that
    /// it is meant for; others answer about tokens for anybody's API. One that names other audiences is refused
    /// still. Default: refused.
    pub fn with_audience_optional(mut self) -> Self {
        self.rules.audience_optional = true;
        self
    }

    /// Accepts answers without `token_type`. Only for a server that answers about no refresh tokens, or with a profile
    /// that has a mark of access tokens: many servers leave it out about refresh tokens. Default: refused.
    pub fn with_token_type_optional(mut self) -> Self {
        self.rules.token_type_optional = true;
        self
    }

    /// How long answers are remembered, and how much is asked of the server.
    pub fn with_policy(mut self, policy: IntrospectionPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Where time comes from. Default: the machine.
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Asks by this client. Default: the one of the feature `reqwest`.
    pub fn with_post(mut self, post: Arc<dyn Post>) -> Self {
        self.post = Some(post);
        self
    }

    /// Discovers the endpoint by this client. Default: the one of the feature `reqwest`.
    pub fn with_fetch(mut self, fetch: Arc<dyn Fetch>) -> Self {
        self.fetch = Some(fetch);
        self
    }

    /// Everything that is wrong with the settings, as far as it can be told without asking the server.
    pub fn check(&self) -> Result<(), ConfigError> {
        let issuer = self.issuer.problems(false);
        let mut problems: Vec<_> = issuer
            .into_iter()
            .map(|(setting, message)| Problem::new(setting, message))
            .collect();
        if let Some(message) = self.endpoint.problem(self.issuer.name()) {
            problems.push(Problem::new("endpoint", message));
        }
        if let Some((setting, message)) = self.authentication.problem() {
            problems.push(Problem::new(setting, message));
        }
        let policy = self.policy.problems();
        problems.extend(policy.map(|message| Problem::new("policy", message)));
        if self.lacks_client() && !cfg!(feature = "reqwest") {
            let message = "there is nobody to ask by: enable the feature `reqwest`, or bring a `Post` (and a `Fetch`, \
                           for discovery)";
            problems.push(Problem::new("post", message));
        }
        ConfigError::of(problems)
    }

    /// Checks the settings, all of them. The server is asked nothing yet: whether it is there does not decide
    /// whether this service starts.
    pub fn build(mut self) -> Result<Introspection, ConfigError> {
        self.check()?;
        self.bring_client().map_err(ConfigError::from)?;
        let Some(post) = self.post else {
            return Err(ConfigError::from(Problem::new("post", "there is none")));
        };
        let random = || ConfigError::from(Problem::new("policy", "the system has no random bytes"));
        let tagger = Tagger::new().ok_or_else(random)?;
        let server = Server {
            issuer: self.issuer,
            rules: self.rules,
            endpoint: self.endpoint,
            authentication: self.authentication,
            post,
            fetch: self.fetch,
            clock: self.clock.unwrap_or_else(|| Arc::new(SystemClock::new())),
            deadline: self.policy.deadline,
            located: Mutex::default(),
            looking: tokio::sync::Mutex::default(),
            told: Told::default(),
        };
        Ok(Introspection::new(Shared::new(server, self.policy, tagger)))
    }

    fn lacks_client(&self) -> bool {
        let is_discovered = self.endpoint == IntrospectionEndpoint::Discovery;
        self.post.is_none() || (is_discovered && self.fetch.is_none())
    }

    #[cfg(feature = "reqwest")]
    fn bring_client(&mut self) -> Result<(), Problem> {
        if self.lacks_client() {
            let client = countersign_jwks::HttpFetch::new()
                .map_err(|error| Problem::new("post", error.to_string()))?;
            let client = Arc::new(client);
            self.post.get_or_insert_with(|| client.clone());
            self.fetch.get_or_insert(client);
        }
        Ok(())
    }

    #[cfg(not(feature = "reqwest"))]
    #[expect(
        clippy::unnecessary_wraps,
        clippy::unused_self,
        reason = "there is no client to bring"
    )]
    fn bring_client(&mut self) -> Result<(), Problem> {
        Ok(())
    }
}
