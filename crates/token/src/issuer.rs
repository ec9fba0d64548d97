use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use countersign_jwks::{Algorithm, Algorithms, KeySource, RefreshPolicy, Start};

use crate::claim::{ClaimPath, ClaimValue};
use crate::claims::Claims;
use crate::hierarchy::ScopeHierarchy;
use crate::organization::OrganizationId;
use crate::profile::ClaimsProfile;
use crate::times::TimeRules;
use crate::token_type::TokenTypes;

/// The most that clocks may be apart (fixed).
const MAX_LEEWAY: Duration = Duration::from_secs(5 * 60);

/// Whom we trust, and for what: one authorization server as this resource sees it.
///
/// What is required is an argument of [`new`](Self::new); everything else has a safe default:
///
/// | setting | default |
/// |---|---|
/// | profile | [`ClaimsProfile::rfc9068`] |
/// | algorithms | RS256 |
/// | keys | discovered from the issuer's metadata |
/// | start | required: building the authenticator waits for the keys |
/// | leeway | 30 s |
/// | clients | all |
/// | microservices | none |
/// | organizations | any, with a single issuer; with several it must be said |
///
/// ```
/// use countersign_jwks::Algorithm;
/// use countersign_token::{ClaimsProfile, Issuer};
///
/// let issuer = Issuer::new("https://acme.eu.auth0.com/", "https://api.acme.test")
///     .with_profile(ClaimsProfile::auth0())
///     .with_algorithms([Algorithm::RS256, Algorithm::ES256])
///     .with_organizations(["org_acme"]);
/// ```
#[derive(Clone)]
#[must_use = "an issuer is trusted only once it is given to an authenticator"]
pub struct Issuer {
    pub(crate) name: Arc<str>,
    pub(crate) audiences: Vec<String>,
    pub(crate) algorithms: Algorithms,
    pub(crate) profile: ClaimsProfile,
    /// Instead of the profile's.
    token_types: Option<TokenTypes>,
    pub(crate) times: TimeRules,
    pub(crate) clients: Option<BTreeSet<String>>,
    pub(crate) organizations: OrganizationRule,
    pub(crate) microservices: Microservices,
    pub(crate) required_claims: Vec<(ClaimPath, ClaimValue)>,
    pub(crate) hierarchy: ScopeHierarchy,
    pub(crate) check: Option<Check>,
    pub(crate) keys: KeySettings,
}

/// Whether there is one, the setting, and what is wrong with it.
type Problem = (bool, &'static str, &'static str);

type Check = Arc<dyn Fn(&Claims) -> bool + Send + Sync>;

/// Where an issuer's keys come from and how they are kept.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct KeySettings {
    /// Where the keys come from.
    pub source: KeySource,
    /// Whether building waits for them.
    pub start: Start,
    /// When they are refreshed and how long they are trusted.
    pub policy: RefreshPolicy,
    /// Whether a discovered `jwks_uri` must be of the issuer's own origin.
    pub same_origin_only: bool,
}

/// Whose organizations an issuer may speak for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OrganizationRule {
    /// Nothing was said: any, which is an error as soon as there is a second issuer.
    Unsaid,
    /// Any, and somebody said so.
    Any,
    Listed(BTreeSet<String>),
    /// The issuer is the tenant.
    Fixed(OrganizationId),
}

/// Which machines of an issuer are the vendor's own services.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Microservices {
    /// None: every machine is a customer's.
    #[default]
    None,
    /// Every machine whose token names no organization.
    All,
    /// The machines with these clients.
    Clients(BTreeSet<String>),
    /// The machines whose token has this claim with exactly this value.
    Claim(ClaimPath, ClaimValue),
}

impl Microservices {
    /// The machines with these clients.
    pub fn clients<C: Into<String>>(clients: impl IntoIterator<Item = C>) -> Self {
        Self::Clients(clients.into_iter().map(Into::into).collect())
    }

    /// The machines whose token has this claim with exactly this value.
    pub fn claim(claim: impl Into<ClaimPath>, value: impl Into<ClaimValue>) -> Self {
        Self::Claim(claim.into(), value.into())
    }
}

impl Issuer {
    /// Trusts tokens whose `iss` is exactly `issuer` and whose `aud` names `audience`.
    pub fn new(issuer: impl Into<Arc<str>>, audience: impl Into<String>) -> Self {
        Self {
            name: issuer.into(),
            audiences: vec![audience.into()],
            algorithms: Algorithm::RS256.into(),
            profile: ClaimsProfile::rfc9068(),
            token_types: None,
            times: TimeRules {
                leeway: Duration::from_secs(30),
                max_age: None,
                max_lifetime: None,
            },
            clients: None,
            organizations: OrganizationRule::Unsaid,
            microservices: Microservices::None,
            required_claims: Vec::new(),
            hierarchy: ScopeHierarchy::new(),
            check: None,
            keys: KeySettings {
                source: KeySource::Discovery,
                start: Start::Required,
                policy: RefreshPolicy::default(),
                same_origin_only: false,
            },
        }
    }

    /// Accepts these audiences: a token must name at least one.
    pub fn with_audiences<A: Into<String>>(
        mut self,
        audiences: impl IntoIterator<Item = A>,
    ) -> Self {
        self.audiences = audiences.into_iter().map(Into::into).collect();
        self
    }

    /// Accepts signatures of these algorithms only.
    pub fn with_algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// Reads claims by this profile.
    pub fn with_profile(mut self, profile: ClaimsProfile) -> Self {
        self.profile = profile;
        self
    }

    /// Accepts these `typ` values instead of the profile's, whichever is given first.
    pub fn with_token_types(mut self, types: impl Into<TokenTypes>) -> Self {
        self.token_types = Some(types.into());
        self
    }

    /// Takes the keys from there instead of the issuer's metadata.
    pub fn with_keys(mut self, source: KeySource) -> Self {
        self.keys.source = source;
        self
    }

    /// Whether building the authenticator waits for the keys.
    pub fn with_start(mut self, start: Start) -> Self {
        self.keys.start = start;
        self
    }

    /// When keys are refreshed and how long they are trusted.
    pub fn with_refresh_policy(mut self, policy: RefreshPolicy) -> Self {
        self.keys.policy = policy;
        self
    }

    /// Refuses metadata whose `jwks_uri` is of another origin than the issuer.
    pub fn with_same_origin_keys(mut self) -> Self {
        self.keys.same_origin_only = true;
        self
    }

    /// Forgives clocks that are this far apart: at most 5 min.
    pub fn with_leeway(mut self, leeway: Duration) -> Self {
        self.times.leeway = leeway;
        self
    }

    /// Refuses tokens issued longer ago than this; `iat` is then required.
    pub fn with_max_age(mut self, age: Duration) -> Self {
        self.times.max_age = Some(age);
        self
    }

    /// Refuses tokens that are valid for longer than this; `iat` is then required.
    pub fn with_max_lifetime(mut self, lifetime: Duration) -> Self {
        self.times.max_lifetime = Some(lifetime);
        self
    }

    /// Accepts only these clients.
    pub fn with_clients<C: Into<String>>(mut self, clients: impl IntoIterator<Item = C>) -> Self {
        self.clients = Some(clients.into_iter().map(Into::into).collect());
        self
    }

    /// Lets the issuer speak for these organizations only. A token that names another is refused.
    ///
    /// Two issuers may list the same id: it then stands for two tenants, one of each issuer, unless your own code looks
    /// at ids without their issuer.
    pub fn with_organizations<O: Into<String>>(
        mut self,
        organizations: impl IntoIterator<Item = O>,
    ) -> Self {
        self.organizations =
            OrganizationRule::Listed(organizations.into_iter().map(Into::into).collect());
        self
    }

    /// Says that the issuer *is* this tenant: every token of it acts for this organization, and one that
    /// names another is refused.
    pub fn with_fixed_organization(mut self, organization: OrganizationId) -> Self {
        self.organizations = OrganizationRule::Fixed(organization);
        self
    }

    /// Lets one of several issuers speak for any organization.
    ///
    /// Dangerous: whoever controls this issuer can then mint tokens for the organizations of all others, and
    /// tenants are told apart by issuer and id only where the application does so, too.
    pub fn dangerous_any_organization(mut self) -> Self {
        self.organizations = OrganizationRule::Any;
        self
    }

    /// Says which machines are the vendor's own services. A missing organization alone never makes a
    /// stranger one of ours.
    pub fn with_microservices(mut self, microservices: Microservices) -> Self {
        self.microservices = microservices;
        self
    }

    /// Refuses tokens in which this claim does not have exactly this value.
    pub fn with_required_claim(
        mut self,
        claim: impl Into<ClaimPath>,
        value: impl Into<ClaimValue>,
    ) -> Self {
        self.required_claims.push((claim.into(), value.into()));
        self
    }

    /// Lets scopes imply others.
    pub fn with_scope_hierarchy(mut self, hierarchy: ScopeHierarchy) -> Self {
        self.hierarchy = hierarchy;
        self
    }

    /// Asks this function last, about a token that passed everything else: `false` refuses it. It is asked each
    /// time the token is presented, so it must be quick.
    pub fn with_check(mut self, check: impl Fn(&Claims) -> bool + Send + Sync + 'static) -> Self {
        self.check = Some(Arc::new(check));
        self
    }

    /// The exact `iss`.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The algorithms that tokens may be signed with.
    pub fn algorithms(&self) -> Algorithms {
        self.algorithms
    }

    pub(crate) fn token_types(&self) -> TokenTypes {
        self.token_types.unwrap_or(self.profile.token_types)
    }

    /// Whether its tokens can name an organization.
    pub fn yields_organizations(&self) -> bool {
        self.profile.yields_organizations()
    }

    /// Where the keys come from and how they are kept.
    pub fn keys(&self) -> &KeySettings {
        &self.keys
    }

    /// What is wrong with the settings, each with the name of the setting; `several` when the authenticator
    /// has other issuers as well.
    pub fn problems(&self, several: bool) -> Vec<(&'static str, String)> {
        let mut problems = self.problems_of_tokens().to_vec();
        problems.extend(self.problems_of_callers(several));
        let found = problems.into_iter().filter(|(found, ..)| *found);
        found
            .map(|(_, setting, text)| (setting, text.to_owned()))
            .collect()
    }

    fn problems_of_tokens(&self) -> [Problem; 6] {
        [
            (self.name.is_empty(), "issuer", "is empty"),
            (
                self.audiences.is_empty() || self.audiences.iter().any(String::is_empty),
                "audiences",
                "must name at least one audience, and none may be empty",
            ),
            (
                self.algorithms.is_empty(),
                "algorithms",
                "must name at least one algorithm",
            ),
            (
                self.token_types().is_empty(),
                "token_types",
                "must name at least one type",
            ),
            (
                self.times.leeway > MAX_LEEWAY,
                "leeway_seconds",
                "is more than 300 seconds: set the clocks instead",
            ),
            (
                self.profile.has_mark_without_values(),
                "profile",
                "has a mark of access tokens without values: no token could have it",
            ),
        ]
    }

    fn problems_of_callers(&self, several: bool) -> [Problem; 7] {
        let is_empty = |list: &BTreeSet<String>| list.is_empty() || list.contains("");
        [
            (
                self.clients.as_ref().is_some_and(is_empty),
                "clients",
                "must name at least one client, and none may be empty; leave it out to accept all",
            ),
            (
                self.profile.audience_optional && self.clients.is_none(),
                "clients",
                "must be listed: this profile accepts tokens without an audience, from listed clients only",
            ),
            (
                self.clients.is_some() && !self.profile.yields_clients(),
                "clients",
                "are listed, but the profile has no claim that names a client: no token could be one of theirs",
            ),
            (
                matches!(&self.organizations, OrganizationRule::Listed(list) if is_empty(list)),
                "organizations",
                "must name at least one organization, and none may be empty",
            ),
            (
                several
                    && self.profile.yields_organizations()
                    && self.organizations == OrganizationRule::Unsaid,
                "organizations",
                "must be said, since there are several issuers: list them, or fix the one that this issuer is",
            ),
            (
                self.profile.machine.makes_subject_the_client()
                    && matches!(
                        self.microservices,
                        Microservices::All | Microservices::Claim(..)
                    ),
                "microservices",
                "must list clients: machines of this profile write their other claims themselves",
            ),
            (
                matches!(&self.microservices, Microservices::Clients(list) if is_empty(list)),
                "microservices",
                "must name at least one client, and none may be empty",
            ),
        ]
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer")
            .field("name", &self.name)
            .field("audiences", &self.audiences)
            .field("algorithms", &self.algorithms)
            .field("profile", &self.profile)
            .field("token_types", &self.token_types())
            .field("organizations", &self.organizations)
            .field("microservices", &self.microservices)
            .finish_non_exhaustive()
    }
}
