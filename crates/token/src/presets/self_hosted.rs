//! Authorization servers that one can run oneself.

use crate::machine_rule::MachineRule;
use crate::profile::{ClaimsProfile, OrganizationForm};
use crate::token_type::TokenType::{AtJwt, Jwt};

impl ClaimsProfile {
    /// Keycloak.
    ///
    /// `typ` of the header is `JWT` or `at+jwt`, `typ` of the payload `Bearer`, or `DPoP` where `cnf` binds the
    /// token to a key, which must then be proven (an ID token's is `ID`);
    /// `sub` is required, and `azp`, the client; scopes in `scope`; organizations in `organization`, by alias
    /// (or by id, see [`OrganizationForm::MembershipId`]); a machine where `client_id` is present (`clientId`
    /// for clients made before 21.1), which must then equal `azp`. Do not add a mapper that puts `client_id`
    /// into users' tokens.
    ///
    /// Checked against the upgrading guides for 21.1, 24, 25 and 26.1, *Mapping organization claims*
    /// (keycloak.org) and the sources of the mappers. Not confirmed: since which release `at+jwt` can be set,
    /// and what a lightweight token of a service account holds.
    pub fn keycloak() -> Self {
        let mut profile = Self::new([Jwt, AtJwt]).with_access_token_mark("typ", ["Bearer".into()]);
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

    /// Zitadel, where the application or the service user is set to JWT.
    ///
    /// `typ` is `JWT` or `at+jwt`; client in `client_id` or `azp`, required, and so is `jti`, which an ID token
    /// lacks: it shares audience and client with the access token. Scopes in `scope`; organization in
    /// `urn:zitadel:iam:user:resourceowner:id`, which must be asked for.
    ///
    /// Nothing marks a machine: a service user is a user here, until an action adds a claim that
    /// [`with_machine_rule`](Self::with_machine_rule) can tell it by.
    ///
    /// Checked against *Claims in ZITADEL* and *Client credentials* (zitadel.com/docs) and the server's sources,
    /// which put no `scope` into an access token (zitadel/zitadel#12180 is to add it; an action can), and no
    /// client before zitadel/oidc#650 of September 2024. Not confirmed: `at+jwt`; the sources write `JWT`.
    pub fn zitadel() -> Self {
        let mut profile = Self::new([Jwt, AtJwt]);
        profile.required = vec!["jti".into()];
        profile.client = ["client_id", "azp"].map(Into::into).into();
        profile.client_required = true;
        profile.organization = vec!["urn:zitadel:iam:user:resourceowner:id".into()];
        profile.machine = MachineRule::Never;
        profile
    }

    /// Ory Hydra and Ory Network, where the strategy for access tokens is `jwt`.
    ///
    /// `typ` is `JWT`; `client_id` is required; scopes in `scp` (an array) or `scope`, as the server is set;
    /// organization in `ext.org_id`, where a consent or a token hook puts it; a machine where `sub` equals
    /// `client_id`.
    ///
    /// Checked against *Opaque and JWT access tokens* (ory.sh/docs) and the sources of Hydra and Fosite: claims,
    /// `typ`, an `aud` that is an empty array unless an audience was asked for. Not confirmed: what `ext` is
    /// where a consent gave nothing. `org_id` is a convention; the server defines none.
    pub fn hydra() -> Self {
        let mut profile = Self::new([Jwt]);
        profile.client_required = true;
        profile.scopes = ["scp", "scope"].map(Into::into).into();
        profile.organization = vec![["ext", "org_id"].into()];
        profile
    }
}
