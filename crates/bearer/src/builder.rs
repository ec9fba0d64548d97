use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use countersign_jwks::{Algorithm, Clock, Fetch, Jwks, JwksBuilder, SystemClock};
#[cfg(feature = "reqwest")]
use countersign_jwks::{HttpFetch, KeySource};
use countersign_token::{Issuer, OrganizationId};
use futures_util::future::try_join_all;
use http::{HeaderName, HeaderValue};

use crate::authenticator::Authenticator;
use crate::cache::TokenCache;
use crate::context::{Context, Resource};
use crate::denied::DenialKind;
use crate::error::{BuildError, ConfigError, Problem};
use crate::introspect::Introspect;
use crate::issuers::TrustedIssuer;
use crate::replay::ReplayStore;
use crate::revocations::Revocations;
use crate::sender::{ClientCertificates, Dpop, SenderConstraint};

/// Settings of an [`Authenticator`]; made by [`Authenticator::builder`].
///
/// ```no_run
/// use countersign_bearer::Authenticator;
/// use countersign_token::Issuer;
///
/// # async fn build() -> Result<(), countersign_bearer::BuildError> {
/// let authenticator = Authenticator::builder()
///     .issuer(Issuer::new("https://as.acme.test", "https://api.acme.test"))
///     .with_resource("https://api.acme.test")
///     .build()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
#[must_use = "nothing is authenticated until the authenticator is built and its layer is used"]
pub struct AuthenticatorBuilder {
    issuers: Vec<Issuer>,
    resource: Option<String>,
    realm: Option<String>,
    token_cache: TokenCache,
    clock: Option<Arc<dyn Clock>>,
    fetch: Option<Arc<dyn Fetch>>,
    context: Context,
    opaque: Option<Arc<dyn Introspect>>,
    revocations: Option<Arc<dyn Revocations>>,
    sender: SenderConstraint,
    replay: Option<Arc<dyn ReplayStore>>,
}

impl AuthenticatorBuilder {
    /// Trusts this issuer as well.
    pub fn issuer(mut self, issuer: Issuer) -> Self {
        self.issuers.push(issuer);
        self
    }

    /// Says which protected resource this is: an `https` URL without query and fragment. Challenges then name
    /// its metadata ([RFC 9728](https://www.rfc-editor.org/rfc/rfc9728)), and it is the default realm.
    pub fn with_resource(mut self, resource: impl Into<String>) -> Self {
        self.resource = Some(resource.into());
        self
    }

    /// The realm that challenges name. Default: the resource, or `api`.
    pub fn with_realm(mut self, realm: impl Into<String>) -> Self {
        self.realm = Some(realm.into());
        self
    }

    /// Which path parameters name a tenant, in whichever route they occur: one at least, since none would compare no path
    /// with the token. Default: `org_id`, `organization_id`, `tenant_id`.
    pub fn with_path_parameters<P: Into<String>>(
        mut self,
        parameters: impl IntoIterator<Item = P>,
    ) -> Self {
        self.context.tenant.path_parameters = parameters.into_iter().map(Into::into).collect();
        self
    }

    /// Says that hosts with this suffix, such as `.api.example.com`, name a tenant by what stands before it.
    /// Default: hosts name no tenant. Only `Host` and the URI are read, so a proxy in front must pass the host on.
    pub fn with_host_suffix(mut self, suffix: impl Into<String>) -> Self {
        self.context.tenant.host_suffix = Some(suffix.into());
        self
    }

    /// Says that this header names a tenant wherever it is present. Default: no header does.
    pub fn with_header(mut self, header: HeaderName) -> Self {
        self.context.tenant.header = Some(header);
        self
    }

    /// Answers 403 instead of 404 where path, host or header name another tenant. Callers then learn that it
    /// exists.
    pub fn with_other_tenants_forbidden(mut self) -> Self {
        self.context.tenant.reveals_existence = true;
        self
    }

    /// Says that users of these issuers are the vendor's own people, who may act for any organization where a
    /// handler takes `CrossTenant`. Name only issuers at which nobody but your staff has accounts.
    ///
    /// Refused: an issuer whose profile reads organizations, since at many vendors a client may leave the
    /// organization out. There, list your own with
    /// [`with_acting_organizations`](Self::with_acting_organizations). Default: none.
    pub fn with_acting_issuers<I: Into<Arc<str>>>(
        mut self,
        issuers: impl IntoIterator<Item = I>,
    ) -> Self {
        self.context.tenant.acting_issuers = issuers.into_iter().map(Into::into).collect();
        self
    }

    /// Says that members of these organizations, each with its issuer, may do the same: your own organization,
    /// whose tokens name it like everybody's. Default: none.
    pub fn with_acting_organizations<I: Into<Arc<str>>>(
        mut self,
        organizations: impl IntoIterator<Item = (I, OrganizationId)>,
    ) -> Self {
        let organizations = organizations.into_iter();
        self.context.tenant.acting_organizations = organizations
            .map(|(issuer, id)| (issuer.into(), id))
            .collect();
        self
    }

    /// Says that those who act for others act for organizations of this issuer. Default: of their own.
    pub fn with_acting_for_issuer(mut self, issuer: impl Into<Arc<str>>) -> Self {
        self.context.tenant.acting_for_issuer = Some(issuer.into());
        self
    }

    /// Asks this server about its issuer's tokens, on routes that need certainty (`require_active`).
    pub fn with_introspection(mut self, introspection: Arc<dyn Introspect>) -> Self {
        self.context.introspection.push(introspection);
        self
    }

    /// Accepts opaque tokens, too: what is no JWT by its form, three segments with dots between, is asked about at
    /// this server, as [`with_introspection`](Self::with_introspection) says. A JWT that is refused is never asked
    /// about. With it, no other issuer is needed.
    pub fn with_opaque_tokens(mut self, introspection: Arc<dyn Introspect>) -> Self {
        self.opaque = Some(introspection.clone());
        self.with_introspection(introspection)
    }

    /// Asks on every request whether the token was revoked, tokens seen before included. Default: nobody is asked.
    pub fn with_revocations(mut self, revocations: Arc<dyn Revocations>) -> Self {
        self.revocations = Some(revocations);
        self
    }

    /// Accepts tokens that are bound to a key, with a proof of it ([RFC 9449](https://www.rfc-editor.org/rfc/rfc9449)),
    /// or none but these. Default: a bound token is refused, and so is the scheme `DPoP`.
    pub fn with_dpop(mut self, dpop: Dpop) -> Self {
        self.sender.dpop = Some(dpop);
        self
    }

    /// Remembers proofs there, like [`Dpop::with_replay_store`]: for where the rest of DPoP's settings came from a
    /// configuration. An error without DPoP.
    pub fn with_replay_store(mut self, store: Arc<dyn ReplayStore>) -> Self {
        self.replay = Some(store);
        self
    }

    /// Accepts tokens that are bound to the client's certificate
    /// ([RFC 8705](https://www.rfc-editor.org/rfc/rfc8705)), or none but these. Default: a bound token is refused.
    pub fn with_client_certificates(mut self, certificates: ClientCertificates) -> Self {
        self.sender.certificates = Some(certificates);
        self
    }

    /// How much memory verified tokens may take.
    pub fn with_token_cache(mut self, cache: TokenCache) -> Self {
        self.token_cache = cache;
        self
    }

    /// The body of denials in a format of your own: a function from the kind to a content type and bytes.
    /// Status and headers stay as they are. Default: `application/problem+json`.
    pub fn with_denial_body(
        mut self,
        format: impl Fn(DenialKind) -> (HeaderValue, Bytes) + Send + Sync + 'static,
    ) -> Self {
        self.context.denial_body = Some(Arc::new(format));
        self
    }

    /// Where time comes from. Default: the machine.
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Fetches key sets and metadata by this client. Default: the one of the feature `reqwest`.
    pub fn with_fetch(mut self, fetch: Arc<dyn Fetch>) -> Self {
        self.fetch = Some(fetch);
        self
    }

    /// Everything that is wrong with the settings, as far as it can be told without asking the issuers.
    pub fn check(&self) -> Result<(), ConfigError> {
        ConfigError::of(self.problems())
    }

    /// Checks the settings, all of them, and waits for the keys of every required issuer: at most 10 s each,
    /// side by side.
    pub async fn build(mut self) -> Result<Authenticator, BuildError> {
        self.check()?;
        self.context.resource = self
            .resource
            .as_deref()
            .map(Resource::new)
            .and_then(Result::ok);
        if let Some(realm) = self.realm.as_ref().or(self.resource.as_ref()) {
            self.context.realm.clone_from(realm);
        }
        let clock = self
            .clock
            .get_or_insert_with(|| Arc::new(SystemClock::new()))
            .clone();
        self.context.clock = clock.clone();
        if let Some(mut dpop) = self.sender.dpop.take() {
            if let Some(store) = self.replay.take() {
                dpop = dpop.with_replay_store(store);
            }
            let algorithms = dpop.algorithms().iter().map(Algorithm::name);
            self.context.dpop_algorithms = Some(algorithms.collect::<Vec<_>>().join(" "));
            self.context.dpop_required = dpop.is_required();
            self.sender.dpop = Some(dpop.with_default_store(clock));
        }
        self.share_one_client();
        let trusted = self.issuers.iter().map(|issuer| self.trust(issuer));
        let trusted = try_join_all(trusted).await?;
        Ok(Authenticator::new(&self, trusted))
    }

    /// One HTTP client for all issuers, instead of one for each: a client holds certificates and connections.
    #[cfg(feature = "reqwest")]
    fn share_one_client(&mut self) {
        let is_remote = |issuer: &Issuer| {
            let source = &issuer.keys().source;
            matches!(source, KeySource::Discovery | KeySource::Url(_))
        };
        if self.fetch.is_none() && self.issuers.iter().any(is_remote) {
            // If there can be none, the first issuer that needs one says why.
            let client = HttpFetch::new().ok();
            self.fetch = client.map(|client| Arc::new(client) as Arc<dyn Fetch>);
        }
    }

    #[cfg(not(feature = "reqwest"))]
    #[expect(clippy::unused_self, reason = "there is no client to share")]
    fn share_one_client(&mut self) {}

    /// Gets the keys of an issuer, if it is a required one.
    pub(crate) async fn trust(&self, issuer: &Issuer) -> Result<TrustedIssuer, BuildError> {
        match self.jwks(issuer).build().await {
            Ok(jwks) => Ok(TrustedIssuer::new(issuer.clone(), jwks)),
            Err(source) => Err(BuildError::Keys {
                issuer: issuer.name().clone(),
                source,
            }),
        }
    }

    /// The same settings for these issuers instead.
    pub(crate) fn for_issuers(&self, issuers: Vec<Issuer>) -> Self {
        Self {
            issuers,
            ..self.clone()
        }
    }

    pub(crate) fn token_cache(&self) -> TokenCache {
        self.token_cache
    }

    pub(crate) fn issuers(&self) -> &[Issuer] {
        &self.issuers
    }

    pub(crate) fn opaque(&self) -> Option<Arc<dyn Introspect>> {
        self.opaque.clone()
    }

    pub(crate) fn revocations(&self) -> Option<Arc<dyn Revocations>> {
        self.revocations.clone()
    }

    pub(crate) fn sender(&self) -> &SenderConstraint {
        &self.sender
    }

    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        self.clock
            .clone()
            .unwrap_or_else(|| Arc::new(SystemClock::new()))
    }

    fn jwks(&self, issuer: &Issuer) -> JwksBuilder {
        let keys = issuer.keys();
        let builder = Jwks::builder(&**issuer.name(), keys.source.clone(), issuer.algorithms())
            .with_policy(keys.policy.clone())
            .with_clock(self.clock())
            .same_origin_only(keys.same_origin_only)
            .start(keys.start);
        match &self.fetch {
            Some(fetch) => builder.with_fetch(fetch.clone()),
            None => builder,
        }
    }

    fn introspected_issuers(&self) -> impl Iterator<Item = &Issuer> {
        self.context.introspection.iter().map(|one| one.issuer())
    }

    fn several_issuers(&self) -> bool {
        let issuers = self.issuers.iter().chain(self.introspected_issuers());
        issuers.map(Issuer::name).collect::<HashSet<_>>().len() > 1
    }

    pub(crate) fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut problem = |found: bool, path: &str, message: &str| {
            if found {
                problems.push(Problem::new(path, message));
            }
        };
        let tenant = &self.context.tenant;
        problem(
            self.issuers.is_empty() && self.opaque.is_none(),
            "issuers",
            "must name at least one issuer",
        );
        if let Some(Err(message)) = self.resource.as_deref().map(Resource::new) {
            problem(true, "resource", message);
        }
        problem(
            self.realm
                .as_ref()
                .is_some_and(|realm| !realm.chars().all(|one| matches!(one, ' '..='~'))),
            "realm",
            "must be printable ASCII",
        );
        problem(
            tenant.path_parameters.iter().any(String::is_empty),
            "path_parameters",
            "must not have an empty name",
        );
        problem(
            tenant.path_parameters.is_empty(),
            "path_parameters",
            "must name at least one: without, no path would be compared with the token's organization",
        );
        problem(
            tenant
                .host_suffix
                .as_ref()
                .is_some_and(|suffix| !is_host_suffix(suffix)),
            "host_suffix",
            "must be a dot with a host name behind it, such as .api.example.com",
        );
        problems.extend(self.problems_of_senders());
        problems.extend(self.problems_of_issuers());
        problems
    }

    fn problems_of_senders(&self) -> Vec<Problem> {
        let SenderConstraint { dpop, certificates } = &self.sender;
        let mut problems = Vec::new();
        if let Some(problem) = dpop.as_ref().and_then(Dpop::problem) {
            problems.push(Problem::new("dpop", problem));
        }
        if self.replay.is_some() && dpop.is_none() {
            let message = "is for proofs, which are not accepted: set dpop as well";
            problems.push(Problem::new("replay_store", message));
        }
        let is_required = dpop.as_ref().is_some_and(Dpop::is_required);
        if is_required
            && certificates
                .as_ref()
                .is_some_and(ClientCertificates::is_required)
        {
            let message = "cannot be required beside dpop: no token is bound to both";
            problems.push(Problem::new("client_certificates", message));
        }
        problems
    }

    fn problems_of_issuers(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let acting_issuers = &self.context.tenant.acting_issuers;
        for issuer in self.issuers.iter().chain(self.introspected_issuers()) {
            let is_acting = acting_issuers.contains(issuer.name());
            if is_acting && issuer.yields_organizations() {
                let message = format!(
                    "{:?} has customers' organizations: list your own with acting_organizations",
                    issuer.name()
                );
                problems.push(Problem::new("acting_issuers", message));
            }
        }
        let several = self.several_issuers();
        let mut asked = HashSet::new();
        for issuer in self.introspected_issuers() {
            if !asked.insert(issuer.name()) {
                let path = format!("introspection.{}", issuer.name());
                problems.push(Problem::new(path, "is configured twice"));
            }
            let own = issuer.problems(several);
            problems.extend(own.into_iter().map(|(setting, message)| {
                Problem::new(
                    format!("introspection.{}.{setting}", issuer.name()),
                    message,
                )
            }));
        }
        let mut names = HashSet::new();
        for (index, issuer) in self.issuers.iter().enumerate() {
            let own = issuer.problems(several);
            problems.extend(own.into_iter().map(|(setting, message)| {
                Problem::new(format!("issuers[{index}].{setting}"), message)
            }));
            // About the keys of an issuer without a name or an algorithm there is nothing more to say.
            if !issuer.name().is_empty() && !issuer.algorithms().is_empty() {
                let keys = self.jwks(issuer).problems();
                problems.extend(
                    keys.into_iter()
                        .map(|message| Problem::new(format!("issuers[{index}].keys"), message)),
                );
            }
            if !names.insert(issuer.name()) {
                let path = format!("issuers[{index}].issuer");
                problems.push(Problem::new(path, "is configured twice"));
            }
        }
        problems
    }
}

fn is_host_suffix(suffix: &str) -> bool {
    suffix.len() > 1
        && suffix.starts_with('.')
        && suffix
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
}

impl fmt::Debug for AuthenticatorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthenticatorBuilder")
            .field("issuers", &self.issuers)
            .field("resource", &self.resource)
            .finish_non_exhaustive()
    }
}
