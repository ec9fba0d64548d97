use std::sync::Arc;

use serde::Serialize;

use crate::context::Resource;

/// The metadata of a protected resource, to be served as JSON under [`path`](Self::path)
/// ([RFC 9728 §2](https://www.rfc-editor.org/rfc/rfc9728#section-2)).
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ProtectedResourceMetadata {
    /// The resource's identifier, as configured.
    pub resource: String,
    /// The issuers that it trusts, in ascending order.
    pub authorization_servers: Vec<String>,
    /// The scopes that its routes ask for, in ascending order.
    pub scopes_supported: Vec<String>,
    /// How a token may be sent: in the header, and no other way.
    pub bearer_methods_supported: [&'static str; 1],
    #[serde(skip)]
    path: String,
}

impl ProtectedResourceMetadata {
    pub(crate) fn new<'i, 's>(
        resource: &Resource,
        issuers: impl Iterator<Item = &'i Arc<str>>,
        scopes: impl IntoIterator<Item = &'s str>,
    ) -> Self {
        let authorization_servers = issuers.map(ToString::to_string).collect();
        let mut scopes_supported: Vec<_> = scopes.into_iter().map(String::from).collect();
        scopes_supported.sort();
        scopes_supported.dedup();
        Self {
            resource: resource.identifier.clone(),
            authorization_servers,
            scopes_supported,
            bearer_methods_supported: ["header"],
            path: resource.metadata_path.clone(),
        }
    }

    /// The path to serve it under, on the resource's own host: the well-known path with the resource's own
    /// path behind it ([RFC 9728 §3.1](https://www.rfc-editor.org/rfc/rfc9728#section-3.1)).
    pub fn path(&self) -> &str {
        &self.path
    }
}
