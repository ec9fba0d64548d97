use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use http::{Extensions, HeaderName};
use tower_layer::Layer;

use crate::audit::Shared;
use crate::service::Audited;

/// Where the address of the caller is found.
type PeerOf = Arc<dyn Fn(&Extensions) -> Option<SocketAddr> + Send + Sync>;

/// Makes one [`AuditEvent`](crate::AuditEvent) of each request; made by [`Audit::layer`](crate::Audit::layer).
///
/// It must stand outside of the authentication layer, to learn what that one decides. In axum, give it to the router
/// after everything else: outside of the router, as a service around it, it cannot see which route matched. Given together
/// with the other, `.layer((audit.layer(), authenticator.layer()))`, the two are one layer to axum, which boxes each layer's
/// future.
#[derive(Clone, Debug)]
#[must_use = "a layer records nothing until it wraps a service"]
pub struct AuditLayer(Arc<Settings>);

/// Shared by a layer and all of its services.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) audit: Arc<Shared>,
    pub(crate) request_id: Option<HeaderName>,
    pub(crate) peer: Option<PeerOf>,
}

impl AuditLayer {
    pub(crate) fn new(audit: Arc<Shared>) -> Self {
        Self(Arc::new(Settings {
            audit,
            request_id: Some(HeaderName::from_static("x-request-id")),
            peer: None,
        }))
    }

    /// The header that names the request, if it is not `x-request-id`: of the request, or else of its response.
    ///
    /// An id is 1 to 128 printable ASCII characters without spaces. Any other counts as absent.
    pub fn with_request_id_header(mut self, name: HeaderName) -> Self {
        Arc::make_mut(&mut self.0).request_id = Some(name);
        self
    }

    /// Has no request ids in events.
    pub fn without_request_id(mut self) -> Self {
        Arc::make_mut(&mut self.0).request_id = None;
        self
    }

    /// Where the caller's address is found, if it is not axum's `ConnectInfo<SocketAddr>` (feature `axum`): in an
    /// extension that the server or a layer further out has put into the request, which knows what proxies are in
    /// between.
    pub fn with_peer(
        mut self,
        peer: impl Fn(&Extensions) -> Option<SocketAddr> + Send + Sync + 'static,
    ) -> Self {
        Arc::make_mut(&mut self.0).peer = Some(Arc::new(peer));
        self
    }
}

impl Settings {
    pub(crate) fn peer_of(&self, extensions: &Extensions) -> Option<SocketAddr> {
        if let Some(peer) = &self.peer {
            return peer(extensions);
        }
        #[cfg(feature = "axum")]
        {
            let peer: Option<&axum::extract::ConnectInfo<SocketAddr>> = extensions.get();
            peer.map(|peer| peer.0)
        }
        #[cfg(not(feature = "axum"))]
        None
    }
}

impl<S> Layer<S> for AuditLayer {
    type Service = Audited<S>;

    fn layer(&self, inner: S) -> Audited<S> {
        Audited::new(inner, self.0.clone())
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("request_id", &self.request_id)
            .finish_non_exhaustive()
    }
}
