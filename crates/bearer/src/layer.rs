use tower_layer::Layer;

use crate::authenticator::Authenticator;
use crate::service::Bearer;

/// Authenticates requests before the service that it wraps; made by [`Authenticator::layer`].
///
/// In axum, routes added to a router after `.layer(…)` are not covered: add it last, or use a guard's
/// extractor in every handler, which answers 500 where the layer is missing. Put a CORS layer outside of this
/// one: a preflight request has no credential.
#[derive(Clone, Debug)]
#[must_use = "a layer guards nothing until it wraps a service"]
pub struct BearerLayer {
    authenticator: Authenticator,
    optional: bool,
}

impl BearerLayer {
    pub(crate) fn new(authenticator: Authenticator) -> Self {
        Self {
            authenticator,
            optional: false,
        }
    }

    /// Lets requests without a credential through as well, with nobody authenticated. A credential that is
    /// present and bad is refused as ever, and so is one of the DPoP scheme.
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }
}

impl<S> Layer<S> for BearerLayer {
    type Service = Bearer<S>;

    fn layer(&self, inner: S) -> Bearer<S> {
        Bearer::new(inner, self.authenticator.clone(), self.optional)
    }
}
