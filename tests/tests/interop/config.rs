//! The configuration file of `resource_server`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::flows::API;
use crate::provider::Provider;

/// One `[[issuers]]` section.
#[derive(Clone)]
pub(crate) struct Issuer(BTreeMap<&'static str, String>);

impl Issuer {
    pub(crate) fn of(provider: &Provider) -> Self {
        Self::named(&provider.issuer)
    }

    /// No leeway, so that a test needs not wait for it.
    pub(crate) fn named(issuer: &str) -> Self {
        Self(BTreeMap::new())
            .with("issuer", &format!("{issuer:?}"))
            .with("audiences", &format!("[{API:?}]"))
            .with("profile", r#""rfc9068""#)
            .with(
                "algorithms",
                r#"["RS256", "PS256", "ES256", "EdDSA", "Ed25519"]"#,
            )
            .with("keys", r#""discovery""#)
            .with("leeway_seconds", "0")
    }

    /// Sets one key to a value in TOML's notation.
    pub(crate) fn with(mut self, key: &'static str, value: &str) -> Self {
        self.0.insert(key, value.to_owned());
        self
    }
}

/// The whole file.
pub(crate) fn file(issuers: &[Issuer]) -> String {
    let mut text = format!("listen = \"127.0.0.1:0\"\nresource = {API:?}\n");
    for issuer in issuers {
        text.push_str("\n[[issuers]]\n");
        for (key, value) in &issuer.0 {
            writeln!(text, "{key} = {value}").unwrap();
        }
    }
    text
}
