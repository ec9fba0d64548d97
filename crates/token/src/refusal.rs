use std::fmt;

/// Why a token was refused. To the client every one of these is RFC 6750's `invalid_token`.
///
/// The reason tells an operator what to look at; it carries nothing of the token itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// Not a compact JWS: larger than 8 KiB, not three non-empty segments, or not canonical base64url
    /// without padding ([RFC 7515 §3.1](https://www.rfc-editor.org/rfc/rfc7515#section-3.1)).
    Malformed,
    /// The header is not a strict JSON object, or its `alg`, `typ` or `kid` is not a string.
    MalformedHeader,
    /// The payload is not a strict JSON object: invalid UTF-8, a duplicate member, nested too deep.
    MalformedPayload,
    /// `alg` is not an asymmetric signature algorithm, or not one that the issuer may use
    /// ([RFC 8725 §3.1](https://www.rfc-editor.org/rfc/rfc8725#section-3.1)).
    Algorithm,
    /// The header has a `crit` member; no extension is understood, so every one must be refused
    /// ([RFC 7515 §4.1.11](https://www.rfc-editor.org/rfc/rfc7515#section-4.1.11)).
    CriticalHeader,
    /// `typ` is not one that the issuer's access tokens have
    /// ([RFC 8725 §3.11](https://www.rfc-editor.org/rfc/rfc8725#section-3.11)).
    Type,
    /// `iss` is not, byte for byte, a configured issuer.
    UnknownIssuer,
    /// `aud` names none of the configured audiences.
    Audience,
    /// `exp` has passed, leeway included.
    Expired,
    /// `nbf` is still to come, leeway included.
    NotYetValid,
    /// `iat` is still to come, leeway included.
    IssuedInFuture,
    /// `iat` is longer ago than the configured maximum age.
    TooOld,
    /// `exp` is further from `iat` than the configured maximum lifetime.
    LifetimeTooLong,
    /// A claim that is read is there with another type, an empty value or characters it must not have.
    MalformedClaim,
    /// A claim that the profile requires is missing.
    MissingClaim,
    /// The token is bound to a key or certificate (`cnf`) that the caller did not prove
    /// ([RFC 9449 §7.1](https://www.rfc-editor.org/rfc/rfc9449#section-7.1), RFC 8705).
    UnprovenConfirmation,
    /// The issuer has no key of that `kid`, in a key set that is fresh enough to be sure.
    UnknownKey,
    /// The key of that `kid` is not one for that algorithm, or no `kid` is given and several keys fit.
    KeyMismatch,
    /// The signature is not one of the key over the received bytes.
    BadSignature,
    /// An ID token, refresh token or the like: not an access token.
    NotAccessToken,
    /// Neither a user's nor a machine's token by the profile's rules.
    UnknownKind,
    /// Two claims name different clients, or the client is not one that is allowed.
    Client,
    /// The organization is not one that this issuer may speak for.
    Organization,
    /// A claim does not have the value that the issuer's settings require.
    RequiredClaim,
    /// The issuer's own check refused the token.
    Check,
    /// The token is not bound to a key or certificate where it must be, or it was presented with a proof and is
    /// bound to nothing.
    NotBound,
    /// The token was revoked.
    Revoked,
    /// The authorization server says that the token is not active
    /// ([RFC 7662 §2.2](https://www.rfc-editor.org/rfc/rfc7662#section-2.2)).
    Inactive,
}

impl Refusal {
    /// Every one of them, for what is prepared or listed for each.
    pub const ALL: &[Self] = &[
        Self::Malformed,
        Self::MalformedHeader,
        Self::MalformedPayload,
        Self::Algorithm,
        Self::CriticalHeader,
        Self::Type,
        Self::UnknownIssuer,
        Self::Audience,
        Self::Expired,
        Self::NotYetValid,
        Self::IssuedInFuture,
        Self::TooOld,
        Self::LifetimeTooLong,
        Self::MalformedClaim,
        Self::MissingClaim,
        Self::UnprovenConfirmation,
        Self::UnknownKey,
        Self::KeyMismatch,
        Self::BadSignature,
        Self::NotAccessToken,
        Self::UnknownKind,
        Self::Client,
        Self::Organization,
        Self::RequiredClaim,
        Self::Check,
        Self::NotBound,
        Self::Revoked,
        Self::Inactive,
    ];

    /// The reason as one word for logs, events and metrics, such as `expired`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed_token",
            Self::MalformedHeader => "malformed_header",
            Self::MalformedPayload => "malformed_payload",
            Self::Algorithm => "wrong_algorithm",
            Self::CriticalHeader => "critical_header",
            Self::Type => "wrong_type",
            Self::UnknownIssuer => "unknown_issuer",
            Self::Audience => "wrong_audience",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::IssuedInFuture => "issued_in_future",
            Self::TooOld => "too_old",
            Self::LifetimeTooLong => "lifetime_too_long",
            Self::MalformedClaim => "malformed_claim",
            Self::MissingClaim => "missing_claim",
            Self::UnprovenConfirmation => "unproven_confirmation",
            Self::UnknownKey => "unknown_key",
            Self::KeyMismatch => "key_mismatch",
            Self::BadSignature => "bad_signature",
            Self::NotAccessToken => "not_an_access_token",
            Self::UnknownKind => "unknown_kind",
            Self::Client => "wrong_client",
            Self::Organization => "wrong_organization",
            Self::RequiredClaim => "required_claim",
            Self::Check => "check_failed",
            Self::NotBound => "not_bound",
            Self::Revoked => "revoked",
            Self::Inactive => "inactive",
        }
    }

    /// The fixed sentence that the client is told. It echoes nothing of the token.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Malformed => "The token is not a signed JWT",
            Self::MalformedHeader => "The token's header is malformed",
            Self::MalformedPayload => "The token's payload is malformed",
            Self::Algorithm => "The token is signed with an algorithm that is not accepted",
            Self::CriticalHeader => "The token's header has critical extensions",
            Self::Type => "The token's type is not accepted",
            Self::UnknownIssuer => "The token's issuer is not trusted",
            Self::Audience => "The token is not meant for this resource",
            Self::Expired => "The token has expired",
            Self::NotYetValid => "The token is not valid yet",
            Self::IssuedInFuture => "The token was issued in the future",
            Self::TooOld => "The token was issued too long ago",
            Self::LifetimeTooLong => "The token is valid for too long",
            Self::MalformedClaim => "A claim of the token is malformed",
            Self::MissingClaim => "A required claim is missing from the token",
            Self::UnprovenConfirmation => "The token is bound to a key that was not proven",
            Self::UnknownKey => "The token is signed with an unknown key",
            Self::KeyMismatch => "The token's key is not one for its algorithm",
            Self::BadSignature => "The token's signature is not valid",
            Self::NotAccessToken => "The token is not an access token",
            Self::UnknownKind => "The token is neither a user's nor a machine's",
            Self::Client => "The token's client is not accepted",
            Self::Organization => "The token's organization is not accepted",
            Self::RequiredClaim | Self::Check => "The token does not meet this resource's rules",
            Self::NotBound => {
                "The token is not bound to a key or certificate that is accepted here"
            }
            Self::Revoked => "The token has been revoked",
            Self::Inactive => "The token is not active",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.description())
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_them_are_listed_in_their_order() {
        let places = Refusal::ALL.iter().map(|refusal| *refusal as usize);
        assert!(places.eq(0..=Refusal::Inactive as usize));
    }
}
