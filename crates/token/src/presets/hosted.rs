//! Vendors that run the authorization server themselves.

use crate::machine_rule::MachineRule;
use crate::profile::ClaimsProfile;
use crate::token_type::TokenType::{Absent, AtJwt, Jwt};

impl ClaimsProfile {
    /// Scalekit.
    ///
    /// `typ` is `JWT`; `client_id` is required; scopes in `scopes` (an array) or `scope`, organization in
    /// `oid`; a machine where `sub` equals `client_id`. Such a machine's token may lack `aud`, so that an
    /// issuer with this profile must list its clients or take
    /// [`with_audience_required`](Self::with_audience_required).
    ///
    /// Checked against *Access token claims*, *ID token claims* and *Add OAuth2.0 to your APIs* (docs.scalekit.com).
    /// A user's token and its ID token are meant for the same audience, the application's client id. Not
    /// confirmed: `typ` in prose, and the form of `aud` in a machine's token.
    pub fn scalekit() -> Self {
        let mut profile = Self::new([Jwt]);
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
    ///
    /// Checked against *Access Token Profiles*, *Work with Tokens and Organizations* and *Enable RBAC for APIs*
    /// (auth0.com/docs). Not confirmed: `permissions` of machines (a forum says so), and that an ID token never
    /// has `azp`.
    pub fn auth0() -> Self {
        let mut profile = Self::new([Jwt, AtJwt]);
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

    /// Microsoft Entra ID.
    ///
    /// `typ` is `JWT`; client in `azp` (v2 tokens) or `appid` (v1), required; organization in `tid`. A machine
    /// where `idtyp` is `app`, an optional claim that the API's registration must ask for, with its scopes in
    /// `roles`; a user's token must have `scp`, and the user is `oid`. Anything else is refused.
    ///
    /// Checked against *Access token claims reference*, *ID token claims reference* and *Optional claims
    /// reference* (learn.microsoft.com). Not confirmed: that the `sub` of an app is its `oid`, and which tokens
    /// lack `tid`.
    pub fn entra() -> Self {
        let mut profile = Self::new([Jwt]);
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

    /// Okta, with a custom authorization server: tokens of the org's own one are for Okta only.
    ///
    /// `typ` is absent or `JWT`; client in `cid`, required; scopes in `scp` (an array); no organization. A
    /// machine where `sub` equals `cid` and there is no `uid`; the user is `uid`, since `sub` is the login by
    /// default, which can change. A token with neither is refused.
    ///
    /// Checked against *OpenID Connect & OAuth 2.0 API* and *Authorization Servers* (developer.okta.com): all
    /// claims, and the default of `sub`, which an administrator may map otherwise; machines are then refused.
    /// Not confirmed: a `typ` at all (the documented header has none).
    pub fn okta() -> Self {
        let mut profile = Self::new([Absent, Jwt]);
        profile.client = vec!["cid".into()];
        profile.client_required = true;
        profile.user = "uid".into();
        profile.scopes = vec!["scp".into()];
        profile.machine = MachineRule::SubjectIsClientWithout {
            claim: "uid".into(),
        };
        profile
    }

    /// Amazon Cognito user pools.
    ///
    /// `typ` is absent or `JWT`; `token_use` is `access`; `client_id` is required; scopes in `scope`; no
    /// organization; a machine where `sub` equals `client_id`. Such a machine's token may lack `aud`, so that
    /// an issuer with this profile must list its clients or take
    /// [`with_audience_required`](Self::with_audience_required). A user's token needs `aud`, which it has only
    /// if the app asked for a resource.
    ///
    /// Checked against *Understanding the access token* and *Understanding the identity token* (Amazon Cognito
    /// developer guide). Not confirmed in it: that a machine's `sub` is its client (tokens that others decoded
    /// show it), and the form of `aud`.
    pub fn cognito() -> Self {
        let mut profile =
            Self::new([Absent, Jwt]).with_access_token_mark("token_use", ["access".into()]);
        profile.client_required = true;
        profile.audience_optional = true;
        profile
    }

    /// `WorkOS` Connect: OAuth and M2M applications of an `AuthKit` domain.
    ///
    /// `typ` is absent, `JWT` or `at+jwt`; `client_id` is required; scopes in `scope`, organization in
    /// `org_id`; a machine where `sub` equals `client_id`.
    ///
    /// Checked against *Access token claims*, *M2M Applications* and the API reference *Token* (workos.com/docs),
    /// whose sample has no `typ`. Not confirmed: any `typ`, and that an ID token always has its `nonce` (it has
    /// no `client_id` either way). The session tokens of `AuthKit` have another issuer and
    /// are not these.
    pub fn workos() -> Self {
        let mut profile = Self::new([Absent, Jwt, AtJwt]);
        profile.client_required = true;
        profile.organization = vec!["org_id".into()];
        profile
    }

    /// Kinde.
    ///
    /// `typ` is `JWT`; client in `azp`, required; organization in `org_code`; a machine where `gty` contains
    /// `client_credentials`: it has no `sub`. A machine's scopes in `scope`; a user's in `scp`, or in `scope`
    /// where there is one. A machine's `scp` is what it asked for, and is not read.
    ///
    /// Checked against *Token structure and claims* (M2M), *Access tokens* and *ID tokens* (docs.kinde.com).
    /// Not confirmed: `typ`, which no page shows.
    pub fn kinde() -> Self {
        let mut profile = Self::new([Jwt]);
        profile.client = vec!["azp".into()];
        profile.client_required = true;
        profile.scopes = ["scope", "scp"].map(Into::into).into();
        profile.machine_scopes = vec!["scope".into()];
        profile.organization = vec!["org_code".into()];
        profile.machine = MachineRule::ClaimContains {
            claim: "gty".into(),
            value: "client_credentials".into(),
        };
        profile
    }

    /// Clerk: access tokens of OAuth applications, and M2M tokens, where both are set to be JWTs.
    ///
    /// `typ` is `at+jwt` (OAuth) or `JWT` (M2M); client in `client_id`, and a machine, whose `sub` starts with
    /// `mch_`, is its own client; a user's scopes in `scp` or `scope`, a machine's in `scopes`; organization in
    /// `o.id` or `org_id`. The tokens of sessions are refused: they name no client, for their `azp` is an origin.
    ///
    /// All but the registered claims of an M2M token are written by whoever holds the machine's key: `scopes`,
    /// an organization and `aud`, too. List the machines that may say so.
    ///
    /// Checked against *How Clerk implements OAuth*, *Use OAuth for Single Sign-On*, *Session tokens* and *Using
    /// M2M tokens* (clerk.com/docs) and, for the claims of both JWTs, which no page lists, the published
    /// `@clerk/backend` 3.25.0. Not confirmed: the `typ` of an M2M token and of an ID token.
    pub fn clerk() -> Self {
        let mut profile = Self::new([Jwt, AtJwt]);
        profile.scopes = ["scp", "scope"].map(Into::into).into();
        profile.machine_scopes = vec!["scopes".into()];
        profile.organization = vec![["o", "id"].into(), "org_id".into()];
        profile.machine = MachineRule::SubjectStartsWith {
            prefix: "mch_".into(),
        };
        profile
    }
}
