use std::fmt;
use std::time::Duration;

use countersign_jwks::BoxFuture;
use countersign_token::{Claims, Issuer, Refusal};

/// Asks an authorization server whether a token is active
/// ([RFC 7662](https://www.rfc-editor.org/rfc/rfc7662)).
pub trait Introspect: Send + Sync + fmt::Debug + 'static {
    /// Whose tokens it knows, and by which settings their claims are read.
    fn issuer(&self) -> &Issuer;

    /// What the server says of the token, which has the characters of a bearer token and at most 8 KiB. The future
    /// is polled within a tokio runtime and may be dropped at any time.
    fn introspect(&self, token: &str) -> BoxFuture<Result<Claims, IntrospectionFailure>>;

    /// The same, by an answer to a question that was put after this was called: nothing remembered counts.
    fn introspect_anew(&self, token: &str) -> BoxFuture<Result<Claims, IntrospectionFailure>>;
}

/// Why there are no claims of an introspected token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IntrospectionFailure {
    /// The token is not active, or not one that is accepted here.
    Refused(Refusal),
    /// The server could not be asked, so the token is neither good nor bad.
    Unavailable {
        /// When to try again.
        retry_after: Duration,
    },
}
