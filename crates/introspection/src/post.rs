use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use countersign_jwks::{BoxFuture, FetchFailure};
use http::{HeaderMap, Response};

/// How a question reaches the authorization server.
///
/// [`HttpFetch`](https://docs.rs/countersign-jwks/latest/countersign_jwks/struct.HttpFetch.html) (feature `reqwest`) is
/// the usual one. An implementation makes one POST request and hands back what came: it must not follow redirects,
/// must not log what it sends, and should stop reading the body beyond [`max_bytes`](PostRequest::max_bytes). Status,
/// content type, size and content are judged by this crate, and the deadline is enforced from outside.
///
/// ```
/// use bytes::Bytes;
/// use countersign_introspection::{Post, PostRequest};
/// use countersign_jwks::{BoxFuture, FetchFailure};
/// use http::{Response, header::CONTENT_TYPE};
///
/// /// Knows no token.
/// #[derive(Debug)]
/// struct Strict;
///
/// impl Post for Strict {
///     fn post(&self, _: PostRequest) -> BoxFuture<Result<Response<Bytes>, FetchFailure>> {
///         let response = Response::builder()
///             .header(CONTENT_TYPE, "application/json")
///             .body(Bytes::from(r#"{"active":false}"#));
///         Box::pin(async { response.map_err(|_| FetchFailure::Malformed) })
///     }
/// }
/// ```
pub trait Post: fmt::Debug + Send + Sync + 'static {
    /// Makes the request. The future may be dropped at any time.
    fn post(&self, request: PostRequest) -> BoxFuture<Result<Response<Bytes>, FetchFailure>>;
}

/// One POST request. It holds a token, and often a secret: its `Debug` shows neither.
#[derive(Clone)]
#[non_exhaustive]
pub struct PostRequest {
    /// The absolute URL. Checked: `https`, or `http` to a loopback host.
    pub url: String,
    /// What to send besides what every request has; `Content-Type` and `Accept` are among them.
    pub headers: HeaderMap,
    /// A form.
    pub body: Bytes,
    /// The most bytes of body that are wanted, after any decompression. More is [`FetchFailure::TooLarge`].
    pub max_bytes: usize,
    /// How long the answer is waited for, body included. After that the future is dropped.
    pub deadline: Duration,
}

impl fmt::Debug for PostRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostRequest")
            .field("url", &self.url)
            .field("max_bytes", &self.max_bytes)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "reqwest")]
impl Post for countersign_jwks::HttpFetch {
    fn post(&self, request: PostRequest) -> BoxFuture<Result<Response<Bytes>, FetchFailure>> {
        let PostRequest {
            url,
            headers,
            body,
            max_bytes,
            deadline,
        } = request;
        Self::post(self, &url, headers, body, max_bytes, deadline)
    }
}
