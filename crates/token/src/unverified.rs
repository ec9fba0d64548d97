use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use base64_simd::URL_SAFE_NO_PAD;
use countersign_jwks::Algorithm;

use crate::json::{Json, Object};
use crate::refusal::Refusal;
use crate::token_type::TokenType;

/// The longest token that is looked at, in bytes (fixed).
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// A token taken apart and decoded, but not yet read: a compact JWS
/// ([RFC 7515 §3.1](https://www.rfc-editor.org/rfc/rfc7515#section-3.1)).
///
/// It owns the decoded bytes that an [`UnverifiedToken`] borrows from.
pub struct CompactToken<'t> {
    /// Header and payload as received, with the dot between them: what the signature is over.
    signed: &'t [u8],
    /// Header, payload and signature, decoded one behind the other.
    decoded: Vec<u8>,
    payload: Range<usize>,
}

impl<'t> CompactToken<'t> {
    /// Splits and decodes. Refused as [`Refusal::Malformed`]: more than 8 KiB, not exactly three
    /// segments, an empty segment, and whatever is not canonical base64url without padding.
    pub fn decode(token: &'t (impl AsRef<[u8]> + ?Sized)) -> Result<Self, Refusal> {
        let token = token.as_ref();
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Refusal::Malformed);
        }
        // A third dot would be in the signature, and is no base64url.
        let mut dots = memchr::memchr_iter(b'.', token);
        let first = dots.next().ok_or(Refusal::Malformed)?;
        let second = dots.next().ok_or(Refusal::Malformed)?;
        let (header, payload) = (&token[..first], &token[first + 1..second]);
        let signature = &token[second + 1..];
        let mut decoded = Vec::with_capacity(token.len() / 4 * 3);
        let mut append = |segment: &[u8]| {
            if segment.is_empty() {
                return Err(Refusal::Malformed);
            }
            URL_SAFE_NO_PAD
                .decode_append(segment, &mut decoded)
                .map_err(|_| Refusal::Malformed)?;
            Ok(decoded.len())
        };
        let header_end = append(header)?;
        let payload_end = append(payload)?;
        append(signature)?;
        Ok(Self {
            signed: &token[..header.len() + 1 + payload.len()],
            decoded,
            payload: header_end..payload_end,
        })
    }

    pub(crate) fn header(&self) -> &[u8] {
        &self.decoded[..self.payload.start]
    }

    pub(crate) fn payload(&self) -> &[u8] {
        &self.decoded[self.payload.clone()]
    }

    pub(crate) fn signature(&self) -> &[u8] {
        &self.decoded[self.payload.end..]
    }

    pub(crate) fn signed(&self) -> &[u8] {
        self.signed
    }
}

/// Only its size: a token is never printed.
impl fmt::Debug for CompactToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompactToken")
            .field("bytes", &self.signed.len())
            .finish_non_exhaustive()
    }
}

/// A token that was read but of which nothing is known to be true yet.
///
/// What it says may be used to refuse it and to look up what is configured, for nothing else.
pub struct UnverifiedToken<'t> {
    pub(crate) compact: &'t CompactToken<'t>,
    pub(crate) algorithm: Algorithm,
    pub(crate) token_type: Option<TokenType>,
    pub(crate) key_id: Option<Cow<'t, str>>,
    pub(crate) payload_text: &'t str,
    pub(crate) payload: Object<'t>,
}

impl<'t> UnverifiedToken<'t> {
    /// Reads header and payload.
    ///
    /// The header: a strict JSON object whose `alg` is a supported asymmetric algorithm
    /// ([`Refusal::Algorithm`]), without any `crit` ([`Refusal::CriticalHeader`]), `typ` and `kid` strings
    /// where present. `jku`, `jwk`, `x5u`, `x5c`, `b64` and `zip` are never used: keys come from
    /// configuration, and the signature is over the received bytes.
    ///
    /// The payload: a strict JSON object ([`Refusal::MalformedPayload`]).
    pub fn read(compact: &'t CompactToken<'t>) -> Result<Self, Refusal> {
        let text = str::from_utf8(compact.header()).map_err(|_| Refusal::MalformedHeader)?;
        let header = Object::parse(text, Vec::new()).map_err(|_| Refusal::MalformedHeader)?;
        let algorithm = match header.get("alg") {
            Some(Json::String(name)) => Algorithm::from_name(name).ok_or(Refusal::Algorithm)?,
            _ => return Err(Refusal::MalformedHeader),
        };
        if header.get("crit").is_some() {
            return Err(Refusal::CriticalHeader);
        }
        let token_type = match header.get("typ") {
            None => Some(TokenType::Absent),
            Some(Json::String(typ)) => TokenType::from_typ(typ),
            Some(_) => return Err(Refusal::MalformedHeader),
        };
        let key_id = match header.get("kid") {
            None => None,
            Some(Json::String(kid)) => Some(kid.clone()),
            Some(_) => return Err(Refusal::MalformedHeader),
        };
        let payload_text =
            str::from_utf8(compact.payload()).map_err(|_| Refusal::MalformedPayload)?;
        let payload = Object::parse(payload_text, header.into_storage())
            .map_err(|_| Refusal::MalformedPayload)?;
        Ok(Self {
            compact,
            algorithm,
            token_type,
            key_id,
            payload_text,
            payload,
        })
    }

    /// The `iss` that the token claims to be from, to look up a configured issuer by. It is an opaque
    /// string: no case, slash or prefix is forgiven. Refused as [`Refusal::MissingClaim`] when absent, as
    /// [`Refusal::MalformedClaim`] when not a string.
    pub fn issuer(&self) -> Result<&str, Refusal> {
        match self.payload.get("iss") {
            None => Err(Refusal::MissingClaim),
            Some(Json::String(issuer)) => Ok(issuer),
            Some(_) => Err(Refusal::MalformedClaim),
        }
    }
}

impl fmt::Debug for UnverifiedToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnverifiedToken")
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}
