//! The checks of one token against one issuer, in their order: [`Issuer::check`] does everything that needs
//! neither keys nor cryptography, [`CheckedToken::verify`] the signature, [`VerifiedToken::claims`] what only
//! a verified token may decide.

use std::fmt;
use std::time::Duration;

use countersign_jwks::{Algorithm, Key};

use crate::claim::{self, ClaimPath, identifier, registered};
use crate::claims::{CallerKind, Claims, Texts};
use crate::confirmation::Confirmation;
use crate::issuer::{Issuer, Microservices, OrganizationRule};
use crate::json::{Json, Object};
use crate::organization::{OrganizationId, Organizations};
use crate::profile::{ClaimsProfile, OrganizationForm};
use crate::refusal::Refusal;
use crate::scope::{self, ScopeSet};
use crate::times::Times;
use crate::token_type::TokenType;
use crate::unverified::UnverifiedToken;

type Result<T> = std::result::Result<T, Refusal>;

impl Issuer {
    /// Everything that can refuse a token of this issuer without I/O and cryptography: algorithm, type,
    /// issuer, audience, times, and the types of the registered claims. `now` is the time since the Unix
    /// epoch.
    ///
    /// A token that is bound to a key or certificate is refused, since nobody has proven to hold it. See
    /// [`check_bound`](Self::check_bound).
    pub fn check<'t>(
        &'t self,
        token: UnverifiedToken<'t>,
        now: Duration,
    ) -> Result<CheckedToken<'t>> {
        let checked = self.check_bound(token, now)?;
        match checked.confirmation {
            Some(_) => Err(Refusal::UnprovenConfirmation),
            None => Ok(checked),
        }
    }

    /// The same, but that a bound token passes: whoever calls it must have the token's
    /// [`Claims::confirmation`] proven before its claims count.
    pub fn check_bound<'t>(
        &'t self,
        token: UnverifiedToken<'t>,
        now: Duration,
    ) -> Result<CheckedToken<'t>> {
        if !self.algorithms.contains(token.algorithm) {
            return Err(Refusal::Algorithm);
        }
        let token_type = token
            .token_type
            .filter(|one| self.token_types().contains(*one))
            .ok_or(Refusal::Type)?;
        // Whoever looked the issuer up by this name has compared it already; this is what makes it so.
        if token.issuer()? != &**self.name() {
            return Err(Refusal::UnknownIssuer);
        }
        let has_audience = self.check_audience(&token.payload)?;
        let times = Times::read(&token.payload)?;
        self.times.check(&times, now)?;
        for name in ["sub", "jti"] {
            registered(&token.payload, name)?;
        }
        let confirmation = Confirmation::read(&token.payload)?;
        Ok(CheckedToken {
            issuer: self,
            token,
            token_type,
            has_audience,
            times,
            confirmation,
        })
    }

    /// Whether a token that was verified before is still accepted: what can change without the token, which is
    /// the time and the answer of the issuer's own check. `now` is the time since the Unix epoch.
    pub fn still_accepts(&self, claims: &Claims, now: Duration) -> Result<()> {
        self.times.check(&claims.times, now)?;
        self.ask_own_check(claims)
    }

    pub(crate) fn check_audience(&self, payload: &Object<'_>) -> Result<bool> {
        match payload.get("aud") {
            None if self.profile.audience_optional => Ok(false),
            None => Err(Refusal::MissingClaim),
            Some(audience) => {
                let is_ours = |named: &str| self.audiences.iter().any(|ours| ours == named);
                let named = claim::names_any(audience, is_ours)?;
                named.then_some(true).ok_or(Refusal::Audience)
            }
        }
    }
}

/// A token that passed every cheap check of an issuer. Its signature has not been looked at.
pub struct CheckedToken<'t> {
    issuer: &'t Issuer,
    token: UnverifiedToken<'t>,
    token_type: TokenType,
    has_audience: bool,
    times: Times,
    confirmation: Option<Confirmation>,
}

impl<'t> CheckedToken<'t> {
    /// The algorithm to find a key for, which is one of the issuer's.
    pub fn algorithm(&self) -> Algorithm {
        self.token.algorithm
    }

    /// The `kid` to find a key by.
    pub fn key_id(&self) -> Option<&str> {
        self.token.key_id.as_deref()
    }

    /// Verifies the signature over the bytes as received.
    pub fn verify(self, key: &Key) -> Result<VerifiedToken<'t>> {
        let compact = self.token.compact;
        key.verify(self.token.algorithm, compact.signed(), compact.signature())
            .map_err(|_| Refusal::BadSignature)?;
        Ok(VerifiedToken { checked: self })
    }
}

impl fmt::Debug for CheckedToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckedToken")
            .field("issuer", self.issuer.name())
            .finish_non_exhaustive()
    }
}

/// A token whose signature is the issuer's. Only [`CheckedToken::verify`] makes one.
pub struct VerifiedToken<'t> {
    checked: CheckedToken<'t>,
}

impl VerifiedToken<'_> {
    /// What the token says, by the issuer's profile and rules.
    pub fn claims(&self) -> Result<Claims> {
        let CheckedToken {
            issuer,
            token,
            token_type,
            has_audience,
            times,
            confirmation,
        } = &self.checked;
        let statement = Statement {
            payload: &token.payload,
            text: token.payload_text,
            is_marked: ClaimsProfile::is_marked_by_type(*token_type),
            has_audience: *has_audience,
            times: *times,
            confirmation: *confirmation,
        };
        let caller = issuer.profile.caller(&statement)?;
        issuer.claims(&statement, caller)
    }
}

impl fmt::Debug for VerifiedToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedToken")
            .field("issuer", self.checked.issuer.name())
            .finish_non_exhaustive()
    }
}

/// What an issuer has said of a token, and what has been read of it.
pub(crate) struct Statement<'s, 'p> {
    pub(crate) payload: &'s Object<'p>,
    /// The payload as received.
    pub(crate) text: &'s str,
    /// Whether it is known to be about an access token, whatever the payload says.
    pub(crate) is_marked: bool,
    pub(crate) has_audience: bool,
    pub(crate) times: Times,
    pub(crate) confirmation: Option<Confirmation>,
}

impl Issuer {
    /// The claims of a caller, by the issuer's rules.
    pub(crate) fn claims(
        &self,
        statement: &Statement<'_, '_>,
        caller: Caller<'_>,
    ) -> Result<Claims> {
        let (issuer, profile, payload) = (self, &self.profile, statement.payload);
        let Caller {
            subject,
            client,
            machine,
        } = caller;
        let is_own_client = machine && subject.is_some() && subject == client;
        let may_lack_audience = is_own_client && issuer.clients.is_some();
        if !statement.has_audience && !may_lack_audience {
            return Err(Refusal::MissingClaim);
        }
        if let Some(clients) = &issuer.clients {
            let listed = client.is_some_and(|client| clients.contains(client));
            listed.then_some(()).ok_or(Refusal::Client)?;
        }
        let user = if machine {
            None
        } else {
            Some(identifier(payload, &profile.user)?.ok_or(Refusal::MissingClaim)?)
        };
        let organizations = issuer.organizations(profile.organizations(payload)?)?;
        let claims = Claims {
            kind: match (machine, user) {
                (false, _) => CallerKind::DelegatedUser,
                (true, _) if issuer.is_microservice(payload, client, &organizations)? => {
                    CallerKind::Microservice
                }
                (true, _) => CallerKind::ServicePrincipal,
            },
            issuer: issuer.name().clone(),
            texts: Texts::new(
                [subject, client, user, registered(payload, "jti")?],
                statement.text,
            ),
            organizations,
            scopes: issuer.hierarchy.expand(profile.scopes(payload, machine)?),
            times: statement.times,
            confirmation: statement.confirmation,
        };
        issuer.check_own_rules(payload, &claims)?;
        Ok(claims)
    }

    /// The organizations that the token may act for, out of those that it names.
    fn organizations(&self, named: Organizations) -> Result<Organizations> {
        let all_are = |allowed: &dyn Fn(&OrganizationId) -> bool| {
            let all = named.as_slice().iter().all(allowed);
            all.then_some(()).ok_or(Refusal::Organization)
        };
        match &self.organizations {
            OrganizationRule::Unsaid | OrganizationRule::Any => Ok(named),
            OrganizationRule::Listed(list) => {
                all_are(&|id| list.contains(id.as_str()))?;
                Ok(named)
            }
            OrganizationRule::Fixed(fixed) => {
                all_are(&|id| id == fixed)?;
                Ok(Organizations::One(fixed.clone()))
            }
        }
    }

    fn is_microservice(
        &self,
        payload: &Object<'_>,
        client: Option<&str>,
        organizations: &Organizations,
    ) -> Result<bool> {
        Ok(match &self.microservices {
            Microservices::None => false,
            Microservices::All => *organizations == Organizations::None,
            Microservices::Clients(clients) => client.is_some_and(|one| clients.contains(one)),
            Microservices::Claim(claim, value) => claim.is(payload, value)?,
        })
    }

    fn check_own_rules(&self, payload: &Object<'_>, claims: &Claims) -> Result<()> {
        for (claim, value) in &self.required_claims {
            let met = claim.is(payload, value)?;
            met.then_some(()).ok_or(Refusal::RequiredClaim)?;
        }
        self.ask_own_check(claims)
    }

    fn ask_own_check(&self, claims: &Claims) -> Result<()> {
        match &self.check {
            Some(check) if !check(claims) => Err(Refusal::Check),
            _ => Ok(()),
        }
    }
}

/// Who calls, as a token says.
#[derive(Clone, Copy)]
pub(crate) struct Caller<'p> {
    pub(crate) subject: Option<&'p str>,
    pub(crate) client: Option<&'p str>,
    pub(crate) machine: bool,
}

impl ClaimsProfile {
    /// Tells an access token from an ID token, which has the same issuer, keys and often `typ`. Whether it is
    /// marked as one.
    fn check_is_access_token(&self, statement: &Statement<'_, '_>) -> Result<bool> {
        let payload = statement.payload;
        for (claim, values) in &self.marks {
            let mut marked = claim
                .find(payload)?
                .is_some_and(|json| values.iter().any(|value| value.is(json)));
            // Where a bearer token says `Bearer`, a bound one says `DPoP`, as Keycloak's do.
            if let (false, Some(Confirmation::KeyThumbprint(_))) = (marked, statement.confirmation)
            {
                marked = values.contains(&"Bearer".into()) && claim.is(payload, &"DPoP".into())?;
            }
            marked.then_some(()).ok_or(Refusal::NotAccessToken)?;
        }
        let is_marked = statement.is_marked || !self.marks.is_empty();
        if !is_marked {
            let of_an_id_token = |name| payload.get(name).is_some();
            if ["nonce", "at_hash", "c_hash"]
                .into_iter()
                .any(of_an_id_token)
            {
                return Err(Refusal::NotAccessToken);
            }
        }
        if !has_all(payload, &self.required)? {
            return Err(Refusal::MissingClaim);
        }
        Ok(is_marked)
    }

    pub(crate) fn caller<'p>(&self, statement: &Statement<'p, '_>) -> Result<Caller<'p>> {
        let is_marked = self.check_is_access_token(statement)?;
        let payload = statement.payload;
        let subject = registered(payload, "sub")?;
        let mut client = self.client(payload)?;
        if client.is_none() {
            if self.client_required || self.machine.needs_client() {
                return Err(Refusal::MissingClaim);
            }
            let says_machine =
                self.machine.is_a_mark() && self.machine.is_met(payload, subject, None)?;
            if !is_marked && !says_machine {
                return Err(Refusal::MissingClaim);
            }
        }
        let machine = self.machine.is_met(payload, subject, client)?;
        if !machine && !has_all(payload, &self.user_required)? {
            return Err(Refusal::UnknownKind);
        }
        if machine && self.machine.makes_subject_the_client() {
            // Whoever holds the machine's secret may write any other claim, so that none of them names it.
            if client.is_some() && client != subject {
                return Err(Refusal::Client);
            }
            client = subject;
        }
        Ok(Caller {
            subject,
            client,
            machine,
        })
    }

    fn client<'p>(&self, payload: &'p Object<'_>) -> Result<Option<&'p str>> {
        let mut named = None;
        for claim in &self.client {
            let client = identifier(payload, claim)?;
            match (named, client) {
                (Some(one), Some(other)) if one != other => return Err(Refusal::Client),
                (None, Some(_)) => named = client,
                _ => {}
            }
        }
        Ok(named)
    }

    fn scopes(&self, payload: &Object<'_>, machine: bool) -> Result<ScopeSet> {
        let claims = if machine && !self.machine_scopes.is_empty() {
            &self.machine_scopes
        } else {
            &self.scopes
        };
        let Some(granted) = first(payload, claims)? else {
            return Ok(ScopeSet::default());
        };
        match granted {
            Json::String(text) => ScopeSet::collect(scope::split(text)),
            other => ScopeSet::collect(claim::strings(other)?),
        }
        .map_err(|_| Refusal::MalformedClaim)
    }

    fn organizations(&self, payload: &Object<'_>) -> Result<Organizations> {
        let Some(claim) = first(payload, &self.organization)? else {
            return Ok(Organizations::None);
        };
        let named: Vec<&str> = match (self.organization_form, claim) {
            (_, Json::String(id)) if self.organization_form != OrganizationForm::MembershipId => {
                let id = OrganizationId::new(id).ok_or(Refusal::MalformedClaim)?;
                return Ok(Organizations::One(id));
            }
            (OrganizationForm::MembershipAlias, Json::Array(_)) => claim::strings(claim)?,
            (OrganizationForm::MembershipAlias, Json::Object(memberships)) => {
                memberships.iter().map(|(alias, _)| alias).collect()
            }
            (OrganizationForm::MembershipId, Json::Object(memberships)) => memberships
                .iter()
                .map(|(_, membership)| match membership {
                    Json::Object(membership) => membership.get("id").and_then(Json::as_str),
                    _ => None,
                })
                .collect::<Option<_>>()
                .ok_or(Refusal::MalformedClaim)?,
            _ => return Err(Refusal::MalformedClaim),
        };
        if named.is_empty() {
            // Naming nobody is not the same as saying nothing.
            return Err(Refusal::MalformedClaim);
        }
        let ids = named.into_iter().map(OrganizationId::new);
        let ids: Option<Vec<_>> = ids.collect();
        ids.map(Organizations::of).ok_or(Refusal::MalformedClaim)
    }
}

/// The first of the claims that is there.
fn first<'p, 'a>(payload: &'p Object<'a>, claims: &[ClaimPath]) -> Result<Option<&'p Json<'a>>> {
    claims
        .iter()
        .find_map(|claim| claim.find(payload).transpose())
        .transpose()
}

fn has_all(payload: &Object<'_>, claims: &[ClaimPath]) -> Result<bool> {
    for claim in claims {
        if claim.find(payload)?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}
