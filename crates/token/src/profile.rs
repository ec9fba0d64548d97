use crate::claim::{ClaimPath, ClaimValue};
use crate::token_type::{TokenType, TokenTypes};

/// Which claims say what at one vendor, and what its access tokens look like.
///
/// A profile is data, chosen by configuration and never guessed from a token: `oid` is the organization at
/// one vendor and the person at another. Start from a preset and override what differs:
///
/// ```
/// use countersign_token::{ClaimPath, ClaimsProfile};
///
/// let profile = ClaimsProfile::auth0()
///     .with_organization_claims([ClaimPath::from("https://acme.test/organization")]);
/// ```
///
/// Where several claim names are given, the first one present counts; they are never united.
#[derive(Clone, Debug, PartialEq)]
pub struct ClaimsProfile {
    pub(crate) token_types: TokenTypes,
    pub(crate) marks: Vec<(ClaimPath, Vec<ClaimValue>)>,
    pub(crate) required: Vec<ClaimPath>,
    pub(crate) client: Vec<ClaimPath>,
    pub(crate) client_required: bool,
    pub(crate) user: ClaimPath,
    pub(crate) user_required: Vec<ClaimPath>,
    pub(crate) scopes: Vec<ClaimPath>,
    pub(crate) machine_scopes: Vec<ClaimPath>,
    pub(crate) organization: Vec<ClaimPath>,
    pub(crate) organization_form: OrganizationForm,
    pub(crate) machine: MachineRule,
    pub(crate) audience_optional: bool,
}

/// What the value of an organization claim looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OrganizationForm {
    /// A string: the organization's identifier.
    Identifier,
    /// Memberships, identified by alias: an array of aliases, an object whose member names are the aliases,
    /// or one alias as a string.
    MembershipAlias,
    /// Memberships, identified by the `id` inside each: an object `{"alias": {"id": "…"}}`. An array or a
    /// string has no ids and is refused.
    MembershipId,
}

/// What tells a machine's token from a user's.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MachineRule {
    /// No token is a machine's.
    Never,
    /// `sub` equals the client; both must be present.
    SubjectIsClient,
    /// `sub` equals the client with this text behind it; both must be present.
    SubjectIsClientWith {
        /// What stands behind the client, such as `@clients`.
        suffix: String,
    },
    /// A claim has exactly this value. One of another type is refused.
    ClaimIs {
        /// The claim.
        claim: ClaimPath,
        /// The value that marks a machine.
        value: ClaimValue,
    },
    /// One of these claims is present. Each that is must equal the client: another value is refused.
    RepeatsClient {
        /// The claims.
        claims: Vec<ClaimPath>,
    },
}

impl ClaimsProfile {
    /// A profile in which nothing is read but the client from `client_id`, the user from `sub` and scopes
    /// from `scope`: the ground that presets and profiles of your own are built on.
    pub(crate) fn base(token_types: impl Into<TokenTypes>) -> Self {
        Self {
            token_types: token_types.into(),
            marks: Vec::new(),
            required: Vec::new(),
            client: vec!["client_id".into()],
            client_required: false,
            user: "sub".into(),
            user_required: Vec::new(),
            scopes: vec!["scope".into()],
            machine_scopes: Vec::new(),
            organization: Vec::new(),
            organization_form: OrganizationForm::Identifier,
            machine: MachineRule::SubjectIsClient,
            audience_optional: false,
        }
    }

    /// Which `typ` the access tokens have.
    #[must_use]
    pub fn with_token_types(mut self, types: impl Into<TokenTypes>) -> Self {
        self.token_types = types.into();
        self
    }

    /// Claims that a token must have, whatever their value.
    #[must_use]
    pub fn with_required_claims(mut self, claims: impl IntoIterator<Item = ClaimPath>) -> Self {
        self.required = claims.into_iter().collect();
        self
    }

    /// A claim by whose value access tokens differ from the vendor's other tokens: one that lacks it or has
    /// another value is refused as [`Refusal::NotAccessToken`](crate::Refusal::NotAccessToken).
    ///
    /// Without any such mark (and without `typ: at+jwt`) a token must name its client and must not have
    /// `nonce`, `at_hash` or `c_hash`, since ID tokens share issuer, keys and `typ`.
    #[must_use]
    pub fn with_access_token_mark(
        mut self,
        claim: impl Into<ClaimPath>,
        values: impl IntoIterator<Item = ClaimValue>,
    ) -> Self {
        self.marks
            .push((claim.into(), values.into_iter().collect()));
        self
    }

    /// The claims that name the client. If several are present, they must agree.
    #[must_use]
    pub fn with_client_claims(mut self, claims: impl IntoIterator<Item = ClaimPath>) -> Self {
        self.client = claims.into_iter().collect();
        self
    }

    /// The claim that names the user in a user's token.
    #[must_use]
    pub fn with_user_claim(mut self, claim: impl Into<ClaimPath>) -> Self {
        self.user = claim.into();
        self
    }

    /// The claims with the scopes: a space-separated string or an array of strings. Those of a preset that has
    /// others for machines (`auth0`, `entra`) are a user's only: set
    /// [`with_machine_scope_claims`](Self::with_machine_scope_claims), too.
    #[must_use]
    pub fn with_scope_claims(mut self, claims: impl IntoIterator<Item = ClaimPath>) -> Self {
        self.scopes = claims.into_iter().collect();
        self
    }

    /// The claims with a machine's scopes, where they are not those of a user's. With none given here, a
    /// machine's scopes are read like a user's.
    #[must_use]
    pub fn with_machine_scope_claims(
        mut self,
        claims: impl IntoIterator<Item = ClaimPath>,
    ) -> Self {
        self.machine_scopes = claims.into_iter().collect();
        self
    }

    /// The claims that name the organization; with none, tokens have no organization.
    #[must_use]
    pub fn with_organization_claims(mut self, claims: impl IntoIterator<Item = ClaimPath>) -> Self {
        self.organization = claims.into_iter().collect();
        self
    }

    /// What the organization claim's value looks like.
    #[must_use]
    pub fn with_organization_form(mut self, form: OrganizationForm) -> Self {
        self.organization_form = form;
        self
    }

    /// What tells a machine's token from a user's.
    #[must_use]
    pub fn with_machine_rule(mut self, rule: MachineRule) -> Self {
        self.machine = rule;
        self
    }

    /// Refuses tokens without `aud`, where the preset accepts them from a machine (`sub` equals the client)
    /// among the issuer's listed clients.
    #[must_use]
    pub fn with_audience_required(mut self) -> Self {
        self.audience_optional = false;
        self
    }

    /// Whether tokens of this profile can name an organization.
    pub fn yields_organizations(&self) -> bool {
        !self.organization.is_empty()
    }

    /// Whether the `typ` alone marks a token as an access token.
    pub(crate) fn is_marked_by_type(token_type: TokenType) -> bool {
        token_type == TokenType::AtJwt
    }
}
