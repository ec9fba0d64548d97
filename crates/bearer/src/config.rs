//! The authenticator's settings as a file has them.

mod issuer;
mod sender;
mod table;

use countersign_token::Issuer;
use serde::de::{Deserialize, Deserializer, Error};
use serde_json::Value;

use self::table::Table;
use crate::authenticator::Authenticator;
use crate::builder::AuthenticatorBuilder;
use crate::cache::TokenCache;
use crate::error::{ConfigError, Problem};

/// The settings of an [`AuthenticatorBuilder`], read from TOML, JSON or any other format of `serde`.
///
/// Reading checks everything: unknown settings, wrong types and what
/// [`AuthenticatorBuilder::check`] checks. All problems are reported at once, each with its path.
///
/// | setting | meaning | default |
/// |---|---|---|
/// | `resource` | which protected resource this is, for challenges and metadata | none |
/// | `realm` | the realm that challenges name | the resource, or `api` |
/// | `path_parameters` | path parameters that name a tenant | `org_id`, `organization_id`, `tenant_id` |
/// | `host_suffix` | hosts with it name a tenant by what stands before it | none |
/// | `tenant_header` | a header that names a tenant | none |
/// | `other_tenant_status` | 404, or 403 | 404 |
/// | `dpop` | tokens bound to a key, see below | off |
/// | `client_certificates` | tokens bound to a client certificate, see below | off |
/// | `token_cache_bytes` | memory for verified tokens; 0 for none | 33554432 |
/// | `issuers` | one table for each issuer, see below | required |
///
/// | of `dpop` | meaning | default |
/// |---|---|---|
/// | `mode` | `"allowed"` or `"required"` | required |
/// | `base_url` | the address that clients know this service by | required |
/// | `algorithms` | those of accepted proofs | all |
/// | `max_proofs` | how many are remembered in memory, each for 95 s | 100000 |
/// | `max_proofs_per_key` | how many of these one key may have | a quarter |
/// | `nonces` | `true`, or `{ secret_file = "…" }` with 32 bytes or more that all machines share | none |
///
/// | of `client_certificates` | meaning | default |
/// |---|---|---|
/// | `mode` | `"allowed"` or `"required"` | required |
/// | `dangerous_header` | a header that a trusted proxy sets, in the form of RFC 9440, instead of the connection | none |
/// | `dangerous_pem_header` | the same, in percent-encoded PEM | none |
///
/// | of an issuer | meaning | default |
/// |---|---|---|
/// | `issuer` | the exact `iss` | required |
/// | `audiences` | a token must name one of them | required |
/// | `profile` | a preset of [`ClaimsProfile`](countersign_token::ClaimsProfile) | `rfc9068` |
/// | `algorithms` | accepted signatures | `["RS256"]` |
/// | `keys` | `"discovery"`, `{ url = "…" }` or `{ file = "…" }` | `"discovery"` |
/// | `same_origin_keys` | whether a discovered key set must be of the issuer's origin | `false` |
/// | `refresh` | `time_to_live_seconds`, `min_time_to_live_seconds`, `max_time_to_live_seconds`, `stale_grace_seconds`, `max_backoff_seconds`, `start_wait_seconds` | those of [`RefreshPolicy`](countersign_jwks::RefreshPolicy) |
/// | `start` | `"required"` or `"degraded"` | `"required"` |
/// | `token_types` | `absent`, `JWT`, `at+jwt` | the profile's |
/// | `organization_claims`, `scope_claims`, `client_claims`, `user_claim` | claims, each a name or `[outer, inner]` | the profile's |
/// | `machine_scope_claims` | claims with a machine's scopes, where they are not those of a user's; `[]` for the same ones | the profile's |
/// | `organization_form` | `identifier`, `membership_alias` or `membership_id` | the profile's |
/// | `organizations`, `fixed_organization` or `dangerous_any_organization` | whose organizations; needed with several issuers | any |
/// | `clients` | accept only these | all |
/// | `microservices` | `"all"`, `{ clients = ["…"] }` or `{ claim = "…", value = "…" }` | none |
/// | `required_claims` | claims with the exact values they must have | none |
/// | `scope_hierarchy` | scopes with the scopes that they imply | none |
/// | `leeway_seconds` | how far clocks may be apart, up to 300 | 30 |
/// | `max_age_seconds`, `max_lifetime_seconds` | how old a token may be, how long valid | no limit |
///
/// ```
/// use countersign_bearer::AuthenticatorConfig;
///
/// let config = serde_json::json!({
///     "resource": "https://api.acme.test",
///     "issuers": [{ "issuer": "https://as.acme.test", "audiences": [], "algorithms": ["HS256"], "leeway": 5 }],
/// });
/// let problems = AuthenticatorConfig::from_value(config).unwrap_err();
/// assert_eq!(
///     problems.to_string(),
///     "issuers[0].algorithms[0]: \"HS256\" must be one of \
///      RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA, Ed25519\n\
///      issuers[0].leeway: is not a known setting\n\
///      issuers[0].audiences: must name at least one audience, and none may be empty",
/// );
/// ```
#[derive(Clone, Debug)]
pub struct AuthenticatorConfig {
    builder: AuthenticatorBuilder,
}

impl AuthenticatorConfig {
    /// Reads and checks the settings, for programs that keep them beside others in one file: take out what is
    /// yours, and give the rest.
    pub fn from_value(value: Value) -> Result<Self, ConfigError> {
        let mut problems = Vec::new();
        let builder = read(value, &mut problems);
        for problem in builder.problems() {
            // A setting that could not be read stands at its default, about which there is nothing to say: one
            // that was noted, or that is in a table that was.
            let already_noted = |noted: &Problem| {
                let inner = problem.path.strip_prefix(&noted.path);
                noted.path.starts_with(&problem.path)
                    || inner.is_some_and(|one| one.starts_with('.'))
            };
            if !problems.iter().any(already_noted) {
                problems.push(problem);
            }
        }
        ConfigError::of(problems)?;
        Ok(Self { builder })
    }

    /// The settings of the issuer of that exact name, such as for an introspection of its tokens.
    pub fn issuer(&self, name: &str) -> Option<&Issuer> {
        let mut issuers = self.builder.issuers().iter();
        issuers.find(|issuer| **issuer.name() == *name)
    }

    /// The builder with these settings, to add what no file can say and build.
    pub fn into_builder(self) -> AuthenticatorBuilder {
        self.builder
    }
}

/// The message of an error has one line for each problem.
impl<'de> Deserialize<'de> for AuthenticatorConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_value(Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

fn read(value: Value, problems: &mut Vec<Problem>) -> AuthenticatorBuilder {
    let mut issuers = Vec::new();
    let mut table = Table::new(String::new(), value, problems);
    let elements = table.elements("issuers").unwrap_or_default();
    let mut builder = general(Authenticator::builder(), &mut table);
    table.finish();
    for (path, value) in elements {
        issuers.push(issuer::issuer(path, value, problems));
    }
    for issuer in issuers {
        builder = builder.issuer(issuer);
    }
    builder
}

fn general(mut builder: AuthenticatorBuilder, table: &mut Table<'_>) -> AuthenticatorBuilder {
    if let Some(resource) = table.string("resource") {
        builder = builder.with_resource(resource);
    }
    if let Some(realm) = table.string("realm") {
        builder = builder.with_realm(realm);
    }
    if let Some(parameters) = table.strings("path_parameters") {
        builder = builder.with_path_parameters(parameters);
    }
    if let Some(suffix) = table.string("host_suffix") {
        builder = builder.with_host_suffix(suffix);
    }
    if let Some(header) = table.parsed("tenant_header", sender::header) {
        builder = builder.with_header(header);
    }
    match table.number("other_tenant_status") {
        None | Some(404) => {}
        Some(403) => builder = builder.with_other_tenants_forbidden(),
        Some(_) => {
            table.note("other_tenant_status", "must be 404 or 403");
        }
    }
    if let Some(dpop) = sender::dpop(table) {
        builder = builder.with_dpop(dpop);
    }
    if let Some(certificates) = sender::client_certificates(table) {
        builder = builder.with_client_certificates(certificates);
    }
    if let Some(bytes) = table.number("token_cache_bytes") {
        builder = builder.with_token_cache(TokenCache::new(bytes));
    }
    builder
}
