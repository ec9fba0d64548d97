use crate::claim::{ClaimPath, ClaimValue};
use crate::machine_rule::MachineRule;
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

impl ClaimsProfile {
    /// A profile of your own, for access tokens of these types: the ground that presets are built on, too.
    ///
    /// The client is in `client_id`, the user in `sub`, scopes are in `scope`; there is no organization; a
    /// machine is told by `sub` and client that are equal. Nothing else is required that every profile does
    /// not require.
    ///
    /// ```
    /// use countersign_token::{ClaimsProfile, MachineRule, TokenType};
    ///
    /// let profile = ClaimsProfile::new([TokenType::Jwt])
    ///     .with_access_token_mark("token_type", ["access".into()])
    ///     .with_client_claims(["app_id".into()])
    ///     .with_organization_claims([["tenant", "id"].into()])
    ///     .with_machine_rule(MachineRule::ClaimIs {
    ///         claim: "kind".into(),
    ///         value: "service".into(),
    ///     });
    /// ```
    pub fn new(token_types: impl Into<TokenTypes>) -> Self {
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
    /// another value is refused as [`Refusal::NotAccessToken`](crate::Refusal::NotAccessToken). Several must
    /// all be met.
    ///
    /// Without any such mark (and without `typ: at+jwt`) a token must not have `nonce`, `at_hash` or `c_hash`,
    /// since ID tokens share issuer, keys and `typ`, and it must name its client or say by itself that it is a
    /// machine's ([`MachineRule::SubjectStartsWith`], [`ClaimIs`](MachineRule::ClaimIs) and
    /// [`ClaimContains`](MachineRule::ClaimContains)).
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

    /// The marks of access tokens instead of those so far; with none, tokens are told from ID tokens as
    /// [`with_access_token_mark`](Self::with_access_token_mark) says.
    #[must_use]
    pub fn with_access_token_marks(
        mut self,
        marks: impl IntoIterator<Item = (ClaimPath, Vec<ClaimValue>)>,
    ) -> Self {
        self.marks = marks.into_iter().collect();
        self
    }

    /// The claims that name the client. If several are present, they must agree.
    #[must_use]
    pub fn with_client_claims(mut self, claims: impl IntoIterator<Item = ClaimPath>) -> Self {
        self.client = claims.into_iter().collect();
        self
    }

    /// Refuses tokens that do not name their client.
    #[must_use]
    pub fn with_client_required(mut self) -> Self {
        self.client_required = true;
        self
    }

    /// Accepts tokens that do not name their client, where nothing else needs it: the rule for machines, or
    /// telling an access token that has no mark from an ID token. If the issuer lists its clients, such a
    /// token is refused all the same.
    #[must_use]
    pub fn with_client_optional(mut self) -> Self {
        self.client_required = false;
        self
    }

    /// The claim that names the user in a user's token.
    #[must_use]
    pub fn with_user_claim(mut self, claim: impl Into<ClaimPath>) -> Self {
        self.user = claim.into();
        self
    }

    /// Claims that a user's token must have, whatever their value. One that is neither a machine's nor has
    /// them is refused as [`Refusal::UnknownKind`](crate::Refusal::UnknownKind).
    #[must_use]
    pub fn with_user_required_claims(
        mut self,
        claims: impl IntoIterator<Item = ClaimPath>,
    ) -> Self {
        self.user_required = claims.into_iter().collect();
        self
    }

    /// The claims with the scopes: a space-separated string or an array of strings. Those of a preset that has
    /// others for machines (`auth0`, `clerk`, `entra`, `kinde`) are a user's only: set
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

    /// Accepts tokens without `aud` from a machine (`sub` equals the client) among the issuer's listed clients.
    /// An issuer that lists none is then a configuration error.
    #[must_use]
    pub fn with_audience_optional(mut self) -> Self {
        self.audience_optional = true;
        self
    }

    /// Whether tokens of this profile can name an organization.
    pub fn yields_organizations(&self) -> bool {
        !self.organization.is_empty()
    }

    /// Whether tokens of this profile can name a client.
    pub(crate) fn yields_clients(&self) -> bool {
        !self.client.is_empty() || self.machine.makes_subject_the_client()
    }

    /// Whether there is a mark that no token can have.
    pub(crate) fn has_mark_without_values(&self) -> bool {
        self.marks.iter().any(|(_, values)| values.is_empty())
    }

    /// Whether the `typ` alone marks a token as an access token.
    pub(crate) fn is_marked_by_type(token_type: TokenType) -> bool {
        token_type == TokenType::AtJwt
    }
}
