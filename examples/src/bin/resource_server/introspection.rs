use std::path::PathBuf;

use countersign::{
    ClientAuthentication, ConfigError, Introspection, IntrospectionEndpoint, Issuer,
};
use serde::Deserialize;

/// `[introspection]`: an issuer that is asked about its opaque tokens.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The `issuer` of one of the issuers, whose settings the answers are read by.
    pub(crate) issuer: String,
    /// The endpoint, if it is not where the issuer's metadata says.
    endpoint: Option<String>,
    /// Who asks.
    client_id: String,
    /// A file with the secret of whoever asks, since a configuration is read by many.
    client_secret_file: PathBuf,
    /// Whether the issuer's answers leave `iss` out.
    #[serde(default)]
    issuer_optional: bool,
    /// Whether they leave `aud` out.
    #[serde(default)]
    audience_optional: bool,
    /// Whether they leave `token_type` out.
    #[serde(default)]
    token_type_optional: bool,
}

impl Settings {
    pub(crate) fn build(&self, issuer: Issuer) -> Result<Introspection, String> {
        let file = &self.client_secret_file;
        let secret = std::fs::read_to_string(file).map_err(|error| {
            format!(
                "introspection.client_secret_file: {}: {error}",
                file.display()
            )
        })?;
        let endpoint = match &self.endpoint {
            Some(url) => IntrospectionEndpoint::url(url),
            None => IntrospectionEndpoint::Discovery,
        };
        let client = ClientAuthentication::secret_basic(&self.client_id, secret.trim_end());
        let mut builder = Introspection::builder(issuer, endpoint, client);
        if self.issuer_optional {
            builder = builder.with_issuer_optional();
        }
        if self.audience_optional {
            builder = builder.with_audience_optional();
        }
        if self.token_type_optional {
            builder = builder.with_token_type_optional();
        }
        builder.build().map_err(|error: ConfigError| {
            let problems = error.problems().iter();
            let problems = problems.map(|problem| format!("introspection.{problem}"));
            problems.collect::<Vec<_>>().join("\n")
        })
    }
}
