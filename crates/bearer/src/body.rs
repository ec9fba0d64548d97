use bytes::Bytes;
use http_body_util::Full;
use http_body_util::combinators::{BoxBody, UnsyncBoxBody};
use http_body_util::{BodyExt, Empty};

/// A response body that a denial can be put into.
///
/// The layer passes the inner service's responses through untouched, so that it fits any service whose body
/// has this.
#[diagnostic::on_unimplemented(
    message = "a denial cannot be put into a response body of type `{Self}`",
    note = "implement `RefusalBody` for it: one function that makes a body of bytes"
)]
pub trait RefusalBody {
    /// A body of exactly these bytes.
    fn refusal(bytes: Bytes) -> Self;
}

impl RefusalBody for Full<Bytes> {
    fn refusal(bytes: Bytes) -> Self {
        Self::new(bytes)
    }
}

/// The body stays empty; the denial is in status and headers alone.
impl RefusalBody for Empty<Bytes> {
    fn refusal(_: Bytes) -> Self {
        Self::new()
    }
}

impl<E: 'static> RefusalBody for BoxBody<Bytes, E> {
    fn refusal(bytes: Bytes) -> Self {
        Self::new(Full::new(bytes).map_err(|never| match never {}))
    }
}

impl<E: 'static> RefusalBody for UnsyncBoxBody<Bytes, E> {
    fn refusal(bytes: Bytes) -> Self {
        Self::new(Full::new(bytes).map_err(|never| match never {}))
    }
}

#[cfg(feature = "axum")]
impl RefusalBody for axum_core::body::Body {
    fn refusal(bytes: Bytes) -> Self {
        bytes.into()
    }
}
