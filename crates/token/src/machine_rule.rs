use crate::claim::{self, ClaimPath, ClaimValue, identifier};
use crate::json::Object;
use crate::refusal::Refusal;

/// What tells a machine's token from a user's.
///
/// A claim that a rule looks at and that is there with another type than its own is refused as
/// [`Refusal::MalformedClaim`], never taken for absent.
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
    /// `sub` equals the client, both present, and this claim is absent.
    SubjectIsClientWithout {
        /// The claim that only users' tokens have.
        claim: ClaimPath,
    },
    /// `sub` is absent and the client is named, as in what some servers answer to introspection about tokens of
    /// client credentials.
    SubjectAbsent,
    /// `sub` starts with this text, and something stands behind it. Where no claim names the client, such a
    /// machine is its own client.
    SubjectStartsWith {
        /// What subjects of machines start with, such as `mch_`.
        prefix: String,
    },
    /// A claim has exactly this value. One of another type is refused.
    ClaimIs {
        /// The claim.
        claim: ClaimPath,
        /// The value that marks a machine.
        value: ClaimValue,
    },
    /// A claim that is an array of strings contains this one; a single string counts as an array of it.
    ClaimContains {
        /// The claim.
        claim: ClaimPath,
        /// The element that marks a machine.
        value: String,
    },
    /// One of these claims is present. Each that is must equal the client: another value is refused.
    RepeatsClient {
        /// The claims.
        claims: Vec<ClaimPath>,
    },
}

impl MachineRule {
    /// Whether the token is a machine's.
    pub(crate) fn is_met(
        &self,
        payload: &Object<'_>,
        subject: Option<&str>,
        client: Option<&str>,
    ) -> Result<bool, Refusal> {
        Ok(match self {
            Self::Never => false,
            Self::SubjectIsClient => client.is_some() && subject == client,
            Self::SubjectIsClientWith { suffix } => {
                client.is_some()
                    && subject.and_then(|sub| sub.strip_suffix(suffix.as_str())) == client
            }
            Self::SubjectIsClientWithout { claim } => {
                identifier(payload, claim)?.is_none() && client.is_some() && subject == client
            }
            Self::SubjectAbsent => client.is_some() && subject.is_none(),
            Self::SubjectStartsWith { prefix } => subject
                .and_then(|sub| sub.strip_prefix(prefix.as_str()))
                .is_some_and(|name| !name.is_empty()),
            Self::ClaimIs { claim, value } => match claim.find(payload)? {
                None => false,
                Some(json) if value.is_of_type_of(json) => value.is(json),
                Some(_) => return Err(Refusal::MalformedClaim),
            },
            Self::ClaimContains { claim, value } => match claim.find(payload)? {
                None => false,
                Some(json) => claim::names_any(json, |name| name == value)?,
            },
            Self::RepeatsClient { claims } => {
                let mut repeated = false;
                for claim in claims {
                    match identifier(payload, claim)? {
                        None => {}
                        // Neither a machine's nor a user's: two claims that name different clients.
                        named if named != client => return Err(Refusal::Client),
                        _ => repeated = true,
                    }
                }
                repeated
            }
        })
    }

    /// Whether the rule compares something with the client. A token that does not name its client could then
    /// never be told for a machine's, so that it is refused instead.
    pub(crate) fn needs_client(&self) -> bool {
        matches!(
            self,
            Self::SubjectIsClient
                | Self::SubjectIsClientWith { .. }
                | Self::SubjectIsClientWithout { .. }
                | Self::SubjectAbsent
                | Self::RepeatsClient { .. }
        )
    }

    /// Whether the rule looks at something that says "machine" by itself. A token that meets it need not name
    /// its client to be told from an ID token.
    pub(crate) fn is_a_mark(&self) -> bool {
        matches!(
            self,
            Self::SubjectStartsWith { .. } | Self::ClaimIs { .. } | Self::ClaimContains { .. }
        )
    }

    /// Whether a machine is its own client, whatever its other claims say: it may have written them itself.
    pub(crate) fn makes_subject_the_client(&self) -> bool {
        matches!(self, Self::SubjectStartsWith { .. })
    }
}
