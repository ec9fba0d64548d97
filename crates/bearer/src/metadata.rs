use std::sync::Arc;

use countersign_jwks::Algorithm;
use serde::Serialize;

use crate::context::Resource;
use crate::sender::{Dpop, SenderConstraint};

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
    /// The algorithms of DPoP proofs that are accepted ([RFC 9449](https://www.rfc-editor.org/rfc/rfc9449)).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dpop_signing_alg_values_supported: Vec<&'static str>,
    /// Whether tokens must be bound to a key.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dpop_bound_access_tokens_required: bool,
    /// Whether tokens bound to a client certificate are accepted
    /// ([RFC 8705](https://www.rfc-editor.org/rfc/rfc8705)).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub tls_client_certificate_bound_access_tokens: bool,
    #[serde(skip)]
    path: String,
}

impl ProtectedResourceMetadata {
    pub(crate) fn new<'i, 's>(
        resource: &Resource,
        issuers: impl Iterator<Item = &'i Arc<str>>,
        scopes: impl IntoIterator<Item = &'s str>,
        sender: &SenderConstraint,
    ) -> Self {
        let proofs = sender.dpop.as_ref().map(|dpop| dpop.algorithms().iter());
        let authorization_servers = issuers.map(ToString::to_string).collect();
        let mut scopes_supported: Vec<_> = scopes.into_iter().map(String::from).collect();
        scopes_supported.sort();
        scopes_supported.dedup();
        Self {
            resource: resource.identifier.clone(),
            authorization_servers,
            scopes_supported,
            bearer_methods_supported: ["header"],
            dpop_signing_alg_values_supported: proofs
                .into_iter()
                .flatten()
                .map(Algorithm::name)
                .collect(),
            dpop_bound_access_tokens_required: sender.dpop.as_ref().is_some_and(Dpop::is_required),
            tls_client_certificate_bound_access_tokens: sender.certificates.is_some(),
            path: resource.metadata_path.clone(),
        }
    }

    /// The path to serve it under, on the resource's own host: the well-known path with the resource's own
    /// path behind it ([RFC 9728 §3.1](https://www.rfc-editor.org/rfc/rfc9728#section-3.1)).
    pub fn path(&self) -> &str {
        &self.path
    }
}
