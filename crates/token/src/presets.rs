//! What the vendors' access tokens look like, as data.

mod hosted;
mod self_hosted;

use crate::profile::ClaimsProfile;
use crate::token_type::TokenType::AtJwt;

/// The presets. Each says what it was checked against; `docs/vendors.md` in the repository has the settings and
/// the traps of each vendor.
impl ClaimsProfile {
    /// The names that [`by_name`](Self::by_name) knows.
    pub const NAMES: [&'static str; 12] = [
        "rfc9068", "scalekit", "auth0", "okta", "entra", "keycloak", "cognito", "workos", "kinde",
        "clerk", "zitadel", "hydra",
    ];

    /// The preset of that name, as a configuration file has it.
    pub fn by_name(name: &str) -> Option<Self> {
        Some(match name {
            "rfc9068" => Self::rfc9068(),
            "scalekit" => Self::scalekit(),
            "auth0" => Self::auth0(),
            "okta" => Self::okta(),
            "entra" => Self::entra(),
            "keycloak" => Self::keycloak(),
            "cognito" => Self::cognito(),
            "workos" => Self::workos(),
            "kinde" => Self::kinde(),
            "clerk" => Self::clerk(),
            "zitadel" => Self::zitadel(),
            "hydra" => Self::hydra(),
            _ => return None,
        })
    }

    /// The JWT profile for access tokens
    /// ([RFC 9068 §2.2](https://www.rfc-editor.org/rfc/rfc9068#section-2.2)), the default.
    ///
    /// `typ` is `at+jwt`; `sub`, `client_id`, `iat` and `jti` are required; scopes in `scope`, organization
    /// in `org_id`; a machine where `sub` equals `client_id`.
    ///
    /// The RFC has no claim for an organization: `org_id` is a habit of several vendors. Nor does it promise
    /// that the `sub` of a machine is its `client_id`, only that it names the client.
    pub fn rfc9068() -> Self {
        let mut profile = Self::new([AtJwt]);
        profile.required = ["sub", "client_id", "iat", "jti"].map(Into::into).into();
        profile.organization = vec!["org_id".into()];
        profile
    }
}
