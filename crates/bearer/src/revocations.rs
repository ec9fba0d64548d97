use std::fmt;

use countersign_token::Claims;

/// What is known of tokens that were withdrawn before they expire: asked about every request whose token is
/// otherwise good, tokens seen before included.
///
/// It is asked on the request path, so it answers from memory, without waiting for anybody; what keeps the memory
/// up to date runs beside it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot tell which tokens are revoked",
    note = "implement `Revocations` for it: one function that answers from memory"
)]
pub trait Revocations: Send + Sync + fmt::Debug + 'static {
    /// Whether the token with these claims still holds.
    fn check(&self, claims: &Claims) -> Validity;
}

/// Whether a token still holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use = "a revoked token must be refused"]
pub enum Validity {
    /// Nobody has revoked it.
    Valid,
    /// It was revoked: 401 `invalid_token`.
    Revoked,
    /// What is known is too old to tell, and the application wants no guess: 503.
    Unknown,
}
