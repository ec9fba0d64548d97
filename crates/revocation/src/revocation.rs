use std::sync::Arc;
use std::time::Duration;

use countersign_token::Claims;
use serde::{Deserialize, Serialize};

/// The longest issuer and id, in bytes. Names in tokens are far shorter; a feed must not fill the memory with longer.
const MAX_NAME: usize = 512;

/// The last second of the year 9999, as for the times in a token.
const LATEST: u64 = 253_402_300_799;

/// One withdrawal: a token by its id, or every token that somebody was issued before some moment.
///
/// Times are whole seconds since the Unix epoch, rounded up: a token issued within the second of the withdrawal
/// counts as issued before it.
///
/// As JSON, which is what feeds carry:
///
/// ```
/// use countersign_revocation::{InvalidRevocation, Revocation};
///
/// let good = [
///     r#"{"kind":"token","issuer":"https://acme.example","id":"the jti","until":1800000000}"#,
///     r#"{"kind":"client","issuer":"https://acme.example","id":"m2m-acme","not_before":1800000000}"#,
///     r#"{"kind":"organization","issuer":"https://acme.example","id":"org_acme","not_before":1800000000}"#,
///     r#"{"kind":"user","issuer":"https://acme.example","id":"ann","not_before":1800000000}"#,
///     r#"{"kind":"issuer","issuer":"https://acme.example","not_before":1800000000}"#,
/// ];
/// for text in good {
///     let revocation = Revocation::from_json(text.as_bytes()).unwrap();
///     assert_eq!(serde_json::to_string(&revocation).unwrap(), text);
/// }
/// let unknown = br#"{"kind":"galaxy","issuer":"https://acme.example","id":"m31","not_before":1}"#;
/// assert_eq!(Revocation::from_json(unknown), Err(InvalidRevocation::UnknownKind));
/// ```
///
/// Members that are not known are ignored: whatever a later version adds to narrow a withdrawal, one that is taken
/// for broader refuses too much rather than too little.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "Wire", try_from = "Wire")]
pub struct Revocation {
    pub(crate) kind: RevocationKind,
    pub(crate) issuer: Arc<str>,
    /// Empty for an issuer.
    pub(crate) id: Arc<str>,
    /// When the token expires, or the moment before which tokens are withdrawn.
    pub(crate) seconds: u64,
}

/// What a [`Revocation`] withdraws.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RevocationKind {
    /// One token, by its `jti`.
    Token,
    /// The tokens of an OAuth client.
    Client,
    /// The tokens that name an organization, alone or among others.
    Organization,
    /// The tokens of apps that act for a user.
    User,
    /// All tokens of an issuer.
    Issuer,
}

impl RevocationKind {
    /// The kind as one word, such as `organization`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Client => "client",
            Self::Organization => "organization",
            Self::User => "user",
            Self::Issuer => "issuer",
        }
    }
}

/// Why something is no [`Revocation`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidRevocation {
    /// It is no JSON object with members of the right types, or one that is needed is absent.
    #[error("not a revocation")]
    Malformed,
    /// What it withdraws is none of the known kinds.
    #[error("an unknown kind of revocation")]
    UnknownKind,
    /// The issuer or the id is empty, or longer than 512 bytes.
    #[error("an empty or overlong issuer or id")]
    Name,
    /// The time is after the year 9999.
    #[error("a time out of range")]
    Time,
}

impl Revocation {
    /// Withdraws one token: the one with this `jti`. `until` is when it expires, since the Unix epoch; where that is
    /// not known, now and the longest lifetime that the issuer gives.
    pub fn token(issuer: &str, id: &str, until: Duration) -> Result<Self, InvalidRevocation> {
        Self::new(RevocationKind::Token, issuer, id, round_up(until))
    }

    /// Withdraws the token with these claims; `None` if it has no `jti` to know it by.
    pub fn of_token(claims: &Claims) -> Option<Self> {
        // A token of claims that never expire is a test's.
        let until = Duration::try_from_secs_f64(claims.times().expires_at.min(253_402_300_799.0));
        Self::token(claims.issuer(), claims.token_id()?, until.ok()?).ok()
    }

    /// Withdraws the tokens that this client was issued before this moment, since the Unix epoch.
    ///
    /// The moment is compared with the issuer's clock: add what yours may be behind.
    pub fn client(issuer: &str, id: &str, moment: Duration) -> Result<Self, InvalidRevocation> {
        Self::new(RevocationKind::Client, issuer, id, round_up(moment))
    }

    /// The same for the tokens that name this organization.
    pub fn organization(
        issuer: &str,
        id: &str,
        moment: Duration,
    ) -> Result<Self, InvalidRevocation> {
        Self::new(RevocationKind::Organization, issuer, id, round_up(moment))
    }

    /// The same for the tokens of apps that act for this user.
    pub fn user(issuer: &str, id: &str, moment: Duration) -> Result<Self, InvalidRevocation> {
        Self::new(RevocationKind::User, issuer, id, round_up(moment))
    }

    /// The same for all tokens of this issuer.
    pub fn issuer(issuer: &str, moment: Duration) -> Result<Self, InvalidRevocation> {
        Self::new(RevocationKind::Issuer, issuer, "", round_up(moment))
    }

    /// Reads one from JSON that may be anything.
    pub fn from_json(json: &[u8]) -> Result<Self, InvalidRevocation> {
        let wire: Wire = serde_json::from_slice(json).map_err(|_| InvalidRevocation::Malformed)?;
        wire.try_into()
    }

    /// As JSON, on one line.
    pub fn to_json(&self) -> String {
        // Texts and numbers under names that are texts: nothing of it can fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What is withdrawn.
    pub fn kind(&self) -> RevocationKind {
        self.kind
    }

    /// The issuer whose tokens it is about.
    pub fn issuer_name(&self) -> &str {
        &self.issuer
    }

    /// The token's `jti`, or the id of the client, organization or user; `None` for an issuer.
    pub fn id(&self) -> Option<&str> {
        (self.kind != RevocationKind::Issuer).then_some(&self.id)
    }

    /// When the token expires, or the moment before which tokens are withdrawn, since the Unix epoch.
    pub fn moment(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    /// Whether nothing is left to do for `other` where this one is known.
    pub fn covers(&self, other: &Self) -> bool {
        self.is_about(other.kind, &other.issuer, &other.id) && self.seconds >= other.seconds
    }

    pub(crate) fn is_about(&self, kind: RevocationKind, issuer: &str, id: &str) -> bool {
        self.kind == kind && *self.id == *id && *self.issuer == *issuer
    }

    /// What it is found by: the id, or the issuer that stands for itself. The issuer of an id is compared when it is
    /// found: hashing it with each id would cost a request more than it saves.
    pub(crate) fn named(&self) -> &str {
        match self.kind {
            RevocationKind::Issuer => &self.issuer,
            _ => &self.id,
        }
    }

    fn new(
        kind: RevocationKind,
        issuer: &str,
        id: &str,
        seconds: u64,
    ) -> Result<Self, InvalidRevocation> {
        let is_name = |text: &str| (1..=MAX_NAME).contains(&text.len());
        if !is_name(issuer) || !(is_name(id) || kind == RevocationKind::Issuer) {
            return Err(InvalidRevocation::Name);
        }
        if seconds > LATEST {
            return Err(InvalidRevocation::Time);
        }
        Ok(Self {
            kind,
            issuer: issuer.into(),
            id: id.into(),
            seconds,
        })
    }
}

/// What goes over the wire.
#[derive(Serialize, Deserialize)]
struct Wire {
    kind: String,
    issuer: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    not_before: Option<u64>,
}

impl From<Revocation> for Wire {
    fn from(revocation: Revocation) -> Self {
        let is_token = revocation.kind == RevocationKind::Token;
        Self {
            kind: revocation.kind.as_str().to_owned(),
            issuer: revocation.issuer.as_ref().to_owned(),
            id: revocation.id().map(str::to_owned),
            until: is_token.then_some(revocation.seconds),
            not_before: (!is_token).then_some(revocation.seconds),
        }
    }
}

impl TryFrom<Wire> for Revocation {
    type Error = InvalidRevocation;

    fn try_from(wire: Wire) -> Result<Self, InvalidRevocation> {
        let kind = [
            RevocationKind::Token,
            RevocationKind::Client,
            RevocationKind::Organization,
            RevocationKind::User,
            RevocationKind::Issuer,
        ];
        let kind = kind.into_iter().find(|kind| kind.as_str() == wire.kind);
        let kind = kind.ok_or(InvalidRevocation::UnknownKind)?;
        // A member that belongs to another kind tells that the sender meant something else.
        let (id, seconds) = match (kind, &wire.id, wire.until, wire.not_before) {
            (RevocationKind::Token, Some(id), Some(until), None) => (id.as_str(), until),
            (RevocationKind::Issuer, None, None, Some(moment)) => ("", moment),
            (RevocationKind::Token | RevocationKind::Issuer, ..) => {
                return Err(InvalidRevocation::Malformed);
            }
            (_, Some(id), None, Some(moment)) => (id.as_str(), moment),
            _ => return Err(InvalidRevocation::Malformed),
        };
        Self::new(kind, &wire.issuer, id, seconds)
    }
}

fn round_up(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_quite_a_revocation_is_refused_for_its_reason() {
        use InvalidRevocation::{Malformed, Name, Time, UnknownKind};
        let long = "x".repeat(513);
        let cases = [
            (String::new(), Malformed),
            ("[]".into(), Malformed),
            ("null".into(), Malformed),
            (
                r#"{"kind":"token","issuer":"i","id":"j"}"#.into(),
                Malformed,
            ),
            (
                r#"{"kind":"token","issuer":"i","until":1}"#.into(),
                Malformed,
            ),
            (r#"{"kind":"token","id":"j","until":1}"#.into(), Malformed),
            (
                r#"{"kind":"token","issuer":"i","id":7,"until":1}"#.into(),
                Malformed,
            ),
            (
                r#"{"kind":"token","issuer":"i","id":"j","until":"1"}"#.into(),
                Malformed,
            ),
            (
                r#"{"kind":"token","issuer":"i","id":"j","until":1.5}"#.into(),
                Malformed,
            ),
            (
                r#"{"kind":"token","issuer":"i","id":"j","until":-1}"#.into(),
                Malformed,
            ),
            (
                r#"{"kind":"token","issuer":"i","id":"j","until":1,"until":2}"#.into(),
                Malformed,
            ),
            (
                r#"{"kind":"token","issuer":"i","id":"j","not_before":1}"#.into(),
                Malformed,
            ),
            (
                r#"{"kind":"user","issuer":"i","id":"j","until":1}"#.into(),
                Malformed,
            ),
            (
                r#"{"kind":"user","issuer":"i","id":"j","until":1,"not_before":1}"#.into(),
                Malformed,
            ),
            (
                r#"{"kind":"issuer","issuer":"i","id":"j","not_before":1}"#.into(),
                Malformed,
            ),
            (
                r#"{"kind":"Token","issuer":"i","id":"j","until":1}"#.into(),
                UnknownKind,
            ),
            (
                r#"{"kind":"","issuer":"i","id":"j","until":1}"#.into(),
                UnknownKind,
            ),
            (
                r#"{"kind":"token","issuer":"","id":"j","until":1}"#.into(),
                Name,
            ),
            (
                r#"{"kind":"token","issuer":"i","id":"","until":1}"#.into(),
                Name,
            ),
            (
                format!(r#"{{"kind":"token","issuer":"i","id":"{long}","until":1}}"#),
                Name,
            ),
            (
                format!(r#"{{"kind":"issuer","issuer":"{long}","not_before":1}}"#),
                Name,
            ),
            (
                r#"{"kind":"token","issuer":"i","id":"j","until":253402300800}"#.into(),
                Time,
            ),
        ];
        for (text, reason) in cases {
            assert_eq!(
                Revocation::from_json(text.as_bytes()),
                Err(reason),
                "{text}"
            );
        }
    }

    #[test]
    fn a_part_of_a_second_counts_as_the_whole() {
        for (milliseconds, seconds) in [(0, 0), (1, 1), (999, 1), (1000, 1), (1001, 2)] {
            let moment = Duration::from_millis(milliseconds);
            let revocation = Revocation::issuer("i", moment).unwrap();
            assert_eq!(revocation.moment(), Duration::from_secs(seconds));
        }
    }

    #[test]
    fn claims_name_their_token_by_issuer_id_and_expiry_or_not_at_all() {
        assert_eq!(Revocation::of_token(&Claims::microservice("i", "c")), None);
    }
}
