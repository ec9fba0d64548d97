use std::time::Duration;

use crate::check::Statement;
use crate::claim::registered;
use crate::claims::Claims;
use crate::confirmation::Confirmation;
use crate::issuer::Issuer;
use crate::json::{Json, Object};
use crate::refusal::Refusal;
use crate::times::Times;

/// What an answer to introspection may leave out. By default nothing that says whose token it is and for whom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct IntrospectionRules {
    /// `iss` may be absent: the endpoint that answers is the issuer's own.
    pub issuer_optional: bool,
    /// `aud` may be absent: the endpoint answers `active` to a resource only about tokens meant for it.
    pub audience_optional: bool,
    /// `token_type` may be absent: the endpoint answers about no refresh tokens, or the profile has a mark of access
    /// tokens. Servers leave it out about refresh tokens above all.
    pub token_type_optional: bool,
}

impl Issuer {
    /// What an authorization server's answer about a token says
    /// ([RFC 7662 §2.2](https://www.rfc-editor.org/rfc/rfc7662#section-2.2)), by the same profile and rules as a
    /// token's own payload. `now` is the time since the Unix epoch.
    ///
    /// `active` must be `true`: `false` is [`Refusal::Inactive`], anything else
    /// [`Refusal::MalformedPayload`]. `exp` is required, and so is `token_type`, which must be `Bearer` or `DPoP`: servers answer about
    /// refresh tokens, too. Present claims of another type than their own are refused, as in a token.
    ///
    /// The claims may be [bound](Claims::confirmation), which must then be proven.
    pub fn check_introspection(
        &self,
        answer: &str,
        rules: IntrospectionRules,
        now: Duration,
    ) -> Result<Claims, Refusal> {
        let payload = Object::parse(answer, Vec::new()).map_err(|_| Refusal::MalformedPayload)?;
        match payload.get("active") {
            Some(Json::Bool(true)) => {}
            Some(Json::Bool(false)) => return Err(Refusal::Inactive),
            _ => return Err(Refusal::MalformedPayload),
        }
        match registered(&payload, "iss")? {
            Some(issuer) if issuer != &**self.name() => return Err(Refusal::UnknownIssuer),
            None if !rules.issuer_optional => return Err(Refusal::MissingClaim),
            _ => {}
        }
        let has_audience = match payload.get("aud") {
            None if rules.audience_optional => true,
            _ => self.check_audience(&payload)?,
        };
        let times = Times::read(&payload)?;
        self.times.check(&times, now)?;
        for name in ["sub", "jti"] {
            registered(&payload, name)?;
        }
        let confirmation = Confirmation::read(&payload)?;
        let statement = Statement {
            payload: &payload,
            text: answer,
            is_marked: is_access_token(&payload, rules, confirmation)?,
            has_audience,
            times,
            confirmation,
        };
        let caller = self.profile.caller(&statement)?;
        self.claims(&statement, caller)
    }
}

/// Whether the answer says that it is about an access token; refused if it says otherwise.
fn is_access_token(
    payload: &Object<'_>,
    rules: IntrospectionRules,
    confirmation: Option<Confirmation>,
) -> Result<bool, Refusal> {
    let is_of_access = |used: &str| matches!(used, "access" | "access_token");
    if registered(payload, "token_use")?.is_some_and(|used| !is_of_access(used)) {
        return Err(Refusal::NotAccessToken);
    }
    let is_key_bound = matches!(confirmation, Some(Confirmation::KeyThumbprint(_)));
    match registered(payload, "token_type")? {
        None if rules.token_type_optional => Ok(false),
        Some(bearer) if bearer.eq_ignore_ascii_case("Bearer") => Ok(true),
        Some(dpop) if dpop.eq_ignore_ascii_case("DPoP") => is_key_bound
            .then_some(true)
            .ok_or(Refusal::UnprovenConfirmation),
        _ => Err(Refusal::NotAccessToken),
    }
}
