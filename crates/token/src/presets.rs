//! What the vendors' access tokens look like, as data.

use crate::profile::{ClaimsProfile, MachineRule, OrganizationForm};
use crate::token_type::TokenType::{AtJwt, Jwt};

impl ClaimsProfile {
    /// The names that [`by_name`](Self::by_name) knows.
    pub const NAMES: [&'static str; 5] = ["rfc9068", "scalekit", "auth0", "keycloak", "entra"];

    /// The preset of that name, as a configuration file has it.
    pub fn by_name(name: &str) -> Option<Self> {
        Some(match name {
            "rfc9068" => Self::rfc9068(),
            "scalekit" => Self::scalekit(),
            "auth0" => Self::auth0(),
            "keycloak" => Self::keycloak(),
            "entra" => Self::entra(),
            _ => return None,
        })
    }

    /// The JWT profile for access tokens
    /// ([RFC 9068 §2.2](https://www.rfc-editor.org/rfc/rfc9068#section-2.2)), the default.
    ///
    /// `typ` is `at+jwt`; `sub`, `client_id`, `iat` and `jti` are required; scopes in `scope`, organization
    /// in `org_id`; a machine where `sub` equals `client_id`.
    pub fn rfc9068() -> Self {
        let mut profile = Self::base([AtJwt]);
        profile.required = ["sub", "client_id", "iat", "jti"].map(Into::into).into();
        profile.organization = vec!["org_id".into()];
        profile
    }

    /// Scalekit.
    ///
    /// `typ` is `JWT`; `client_id` is required; scopes in `scopes` (an array) or `scope`, organization in
    /// `oid`; a machine where `sub` equals `client_id`. Such a machine's token may lack `aud`, so that an
    /// issuer with this profile must list its clients or take
    /// [`with_audience_required`](Self::with_audience_required).
    pub fn scalekit() -> Self {
        let mut profile = Self::base([Jwt]);
        profile.client_required = true;
        profile.scopes = ["scopes", "scope"].map(Into::into).into();
        profile.organization = vec!["oid".into()];
        profile.audience_optional = true;
        profile
    }

    /// Auth0.
    ///
    /// `typ` is `JWT`, or `at+jwt` where the API is set to the RFC 9068 profile; client in `azp` or
    /// `client_id`, organization in `org_id`; a machine where `sub` is the client with `@clients` behind it.
    /// Scopes in `scope`; only a machine's may come from `permissions` instead: in a user's token that lists
    /// all that the user holds, which is more than was consented to. The issuer ends with a slash.
    pub fn auth0() -> Self {
        let mut profile = Self::base([Jwt, AtJwt]);
        profile.required = vec!["sub".into()];
        profile.client = ["client_id", "azp"].map(Into::into).into();
        profile.client_required = true;
        profile.machine_scopes = ["scope", "permissions"].map(Into::into).into();
        profile.organization = vec!["org_id".into()];
        profile.machine = MachineRule::SubjectIsClientWith {
            suffix: "@clients".into(),
        };
        profile
    }

    /// Keycloak.
    ///
    /// `typ` of the header is `JWT` or `at+jwt`, `typ` of the payload `Bearer` (an ID token's is `ID`, and
    /// `DPoP` is a bound token's, which is no bearer token, with `cnf` or without);
    /// `sub` is required, and `azp`, the client; scopes in `scope`; organizations in `organization`, by alias
    /// (or by id, see [`OrganizationForm::MembershipId`]); a machine where `client_id` is present (`clientId`
    /// for clients made before 21.1), which must then equal `azp`. Do not add a mapper that puts `client_id`
    /// into users' tokens.
    pub fn keycloak() -> Self {
        let mut profile = Self::base([Jwt, AtJwt]).with_access_token_mark("typ", ["Bearer".into()]);
        profile.client = vec!["azp".into()];
        profile.client_required = true;
        profile.organization = vec!["organization".into()];
        profile.organization_form = OrganizationForm::MembershipAlias;
        profile.required = vec!["sub".into()];
        profile.machine = MachineRule::RepeatsClient {
            claims: ["client_id", "clientId"].map(Into::into).into(),
        };
        profile
    }

    /// Microsoft Entra ID.
    ///
    /// `typ` is `JWT`; client in `azp` (v2 tokens) or `appid` (v1), required; organization in `tid`. A machine
    /// where `idtyp` is `app`, an optional claim that the API's registration must ask for, with its scopes in
    /// `roles`; a user's token must have `scp`, and the user is `oid`. Anything else is refused.
    pub fn entra() -> Self {
        let mut profile = Self::base([Jwt]);
        profile.client = ["azp", "appid"].map(Into::into).into();
        profile.client_required = true;
        profile.user = "oid".into();
        profile.user_required = vec!["scp".into()];
        profile.scopes = vec!["scp".into()];
        profile.machine_scopes = vec!["roles".into()];
        profile.organization = vec!["tid".into()];
        profile.machine = MachineRule::ClaimIs {
            claim: "idtyp".into(),
            value: "app".into(),
        };
        profile
    }
}
