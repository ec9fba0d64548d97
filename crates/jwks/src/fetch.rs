use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Response};

use crate::clock::BoxFuture;
use crate::shown::Shown;

/// How documents come from the network.
///
/// `HttpFetch` (feature `reqwest`) is the usual one. An implementation makes one GET request and hands back what came:
/// it must not follow redirects and should stop reading the body beyond [`max_bytes`](FetchRequest::max_bytes). Status,
/// content type, size and content are judged by this crate, and the deadline is enforced from outside.
///
/// ```
/// use bytes::Bytes;
/// use countersign_jwks::{BoxFuture, Fetch, FetchFailure, FetchRequest};
/// use http::{Response, header::CONTENT_TYPE};
///
/// /// Always the same document.
/// #[derive(Debug)]
/// struct Canned(Bytes);
///
/// impl Fetch for Canned {
///     fn fetch(&self, _: FetchRequest) -> BoxFuture<Result<Response<Bytes>, FetchFailure>> {
///         let response = Response::builder()
///             .header(CONTENT_TYPE, "application/json")
///             .body(self.0.clone());
///         Box::pin(async { response.map_err(|_| FetchFailure::Malformed) })
///     }
/// }
/// ```
pub trait Fetch: fmt::Debug + Send + Sync + 'static {
    /// Makes the request. The future may be dropped at any time.
    fn fetch(&self, request: FetchRequest) -> BoxFuture<Result<Response<Bytes>, FetchFailure>>;
}

/// One GET request.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FetchRequest {
    /// The absolute URL. Checked: `https`, or `http` to a loopback host.
    pub url: String,
    /// What to send as `Accept`.
    pub accept: &'static str,
    /// What to send as `If-None-Match`, verbatim. Without it, a 304 is a failure.
    pub etag: Option<HeaderValue>,
    /// The most bytes of body that are wanted, after any decompression. More is [`FetchFailure::TooLarge`].
    pub max_bytes: usize,
    /// How long the answer is waited for, body included. After that the future is dropped.
    pub deadline: Duration,
}

impl FetchRequest {
    /// A request without `ETag`, with the limits of the defaults: 256 KiB and 5 s.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            accept: "application/json",
            etag: None,
            max_bytes: 256 * 1024,
            deadline: Duration::from_secs(5),
        }
    }

    /// What to send as `Accept`.
    #[must_use]
    pub const fn with_accept(mut self, accept: &'static str) -> Self {
        self.accept = accept;
        self
    }

    /// What to send as `If-None-Match`.
    #[must_use]
    pub fn with_etag(mut self, etag: Option<HeaderValue>) -> Self {
        self.etag = etag;
        self
    }

    /// The most bytes of body that are wanted.
    #[must_use]
    pub const fn with_max_bytes(mut self, max_bytes: usize) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// How long the answer is waited for.
    #[must_use]
    pub const fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }
}

impl fmt::Debug for FetchRequest {
    /// Of the URL, origin and path.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FetchRequest")
            .field("url", &Shown(&self.url))
            .field("accept", &self.accept)
            .field("etag", &self.etag)
            .field("max_bytes", &self.max_bytes)
            .field("deadline", &self.deadline)
            .finish()
    }
}

/// Why a fetch brought no usable key set. Never holds text from the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FetchFailure {
    /// No connection: name resolution, TCP, TLS or proxy.
    Connect,
    /// Not done within the deadline.
    Timeout,
    /// The connection broke before the response was complete.
    Interrupted,
    /// A status that is no answer (anything but 200, or 304 to a conditional request).
    Status(u16),
    /// A redirect; none is followed.
    Redirect,
    /// More bytes than the limit.
    TooLarge,
    /// Neither `application/json` nor, for a key set, `application/jwk-set+json`.
    ContentType,
    /// Not a key set or not authorization server metadata.
    Malformed,
    /// More keys than the limit.
    TooManyKeys,
    /// A key set without a single usable key; the old set is kept.
    NoUsableKey,
    /// The metadata names another issuer ([RFC 8414 §3.3](https://www.rfc-editor.org/rfc/rfc8414#section-3.3)).
    IssuerMismatch,
    /// A URL that is not `https` (nor `http` to a loopback host), or is no URL at all.
    InsecureUrl,
    /// A discovered `jwks_uri` of another origin than the issuer's, where the same one is demanded.
    OtherOrigin,
    /// The file cannot be read.
    File,
    /// The fetch panicked.
    Panicked,
    /// The fetch was dropped half-way, as when the runtime shuts down.
    Cancelled,
}

impl FetchFailure {
    /// A fixed word for logs, metrics and status pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Timeout => "timeout",
            Self::Interrupted => "interrupted",
            Self::Status(_) => "status",
            Self::Redirect => "redirect",
            Self::TooLarge => "too_large",
            Self::ContentType => "content_type",
            Self::Malformed => "malformed",
            Self::TooManyKeys => "too_many_keys",
            Self::NoUsableKey => "no_usable_key",
            Self::IssuerMismatch => "issuer_mismatch",
            Self::InsecureUrl => "insecure_url",
            Self::OtherOrigin => "other_origin",
            Self::File => "file",
            Self::Panicked => "panicked",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for FetchFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "status {status}"),
            other => f.write_str(other.as_str()),
        }
    }
}

impl std::error::Error for FetchFailure {}
