use std::fmt::{self, Write};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64_simd::URL_SAFE_NO_PAD;
use countersign_jwks::{Algorithm, Algorithms, Key, PRIVATE_MEMBERS};

use crate::json::{Json, Object};
use crate::unverified::CompactToken;

type Result<T> = std::result::Result<T, ProofRefusal>;

/// The longest `jti` and nonce that are taken, in bytes (fixed).
const MAX_NAME_BYTES: usize = 256;

/// The longest address that is taken, in bytes (fixed). What has to be brought into its normal form by whoever sends it
/// must not cost much.
const MAX_URI_BYTES: usize = 2048;

/// A DPoP proof ([RFC 9449 §4.2](https://www.rfc-editor.org/rfc/rfc9449#section-4.2)): its sender holds a key and means
/// one request. It carries the key with it, so that it says nothing by itself: what counts is whether an access token
/// is bound to that key.
pub struct DpopProof<'p> {
    compact: &'p CompactToken<'p>,
    algorithm: Algorithm,
    /// The members of the public key that RFC 7638 counts, in its order and form.
    jwk: String,
    id: String,
    method: String,
    uri: String,
    issued_at: f64,
    token_hash: Option<[u8; 32]>,
    nonce: Option<String>,
}

/// Why a DPoP proof was refused. To the client every one of these is RFC 9449's `invalid_dpop_proof`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProofRefusal {
    /// There is none.
    Missing,
    /// There are several.
    Several,
    /// Not a compact JWS of strict JSON, or a claim is missing or of another type than its own.
    Malformed,
    /// `typ` is not `dpop+jwt`.
    Type,
    /// `alg` is not one that is accepted.
    Algorithm,
    /// `jwk` is not one sound public key for the algorithm, or a private one, or says of itself that it is for something
    /// else than verifying by that algorithm.
    Key,
    /// `htm` is not the request's method.
    Method,
    /// `htu` is not the request's address, or is none: longer than 2,048 bytes, or not in ASCII.
    Uri,
    /// `ath` is not the hash of the access token.
    TokenHash,
    /// `iat` is too long ago or too far ahead.
    Time,
    /// The signature is not the key's.
    BadSignature,
    /// It was presented before.
    Replayed,
}

impl ProofRefusal {
    /// Every one of them.
    pub const ALL: &[Self] = &[
        Self::Missing,
        Self::Several,
        Self::Malformed,
        Self::Type,
        Self::Algorithm,
        Self::Key,
        Self::Method,
        Self::Uri,
        Self::TokenHash,
        Self::Time,
        Self::BadSignature,
        Self::Replayed,
    ];

    /// The reason as one word for logs, events and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "proof_missing",
            Self::Several => "proof_several",
            Self::Malformed => "proof_malformed",
            Self::Type => "proof_type",
            Self::Algorithm => "proof_algorithm",
            Self::Key => "proof_key",
            Self::Method => "proof_method",
            Self::Uri => "proof_uri",
            Self::TokenHash => "proof_token_hash",
            Self::Time => "proof_time",
            Self::BadSignature => "proof_bad_signature",
            Self::Replayed => "proof_replayed",
        }
    }

    /// The fixed sentence that the client is told.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Missing => "A DPoP proof is needed",
            Self::Several => "There is more than one DPoP proof",
            Self::Malformed => "The DPoP proof is malformed",
            Self::Type => "The DPoP proof's type is not dpop+jwt",
            Self::Algorithm => "The DPoP proof is signed with an algorithm that is not accepted",
            Self::Key => "The DPoP proof's key is not accepted",
            Self::Method => "The DPoP proof is for another method",
            Self::Uri => "The DPoP proof is for another address",
            Self::TokenHash => "The DPoP proof is for another token",
            Self::Time => "The DPoP proof is too old, or from the future",
            Self::BadSignature => "The DPoP proof's signature is not valid",
            Self::Replayed => "The DPoP proof was used before",
        }
    }
}

impl fmt::Display for ProofRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.description())
    }
}

impl std::error::Error for ProofRefusal {}

impl<'p> DpopProof<'p> {
    /// Reads a proof without any cryptography: what RFC 9449 §4.3 wants of its form. `crit` is refused, and so is what
    /// would make two readers see two proofs.
    pub fn read(compact: &'p CompactToken<'p>, accepted: Algorithms) -> Result<Self> {
        let header = object(compact.header())?;
        let payload = object(compact.payload())?;
        let is_dpop = header.get("typ").and_then(Json::as_str);
        if !is_dpop.is_some_and(|typ| typ.eq_ignore_ascii_case("dpop+jwt")) {
            return Err(ProofRefusal::Type);
        }
        if header.get("crit").is_some() {
            return Err(ProofRefusal::Malformed);
        }
        let name = text(&header, "alg")?;
        let algorithm = Algorithm::from_name(name)
            .filter(|one| accepted.contains(*one))
            .ok_or(ProofRefusal::Algorithm)?;
        let jwk = match header.get("jwk") {
            Some(Json::Object(jwk)) if is_to_verify(jwk, name) => {
                canonical(jwk).ok_or(ProofRefusal::Key)?
            }
            _ => return Err(ProofRefusal::Key),
        };
        let token_hash = match payload.get("ath") {
            None => None,
            Some(Json::String(hash)) => Some(sha256_of_text(hash).ok_or(ProofRefusal::TokenHash)?),
            Some(_) => return Err(ProofRefusal::Malformed),
        };
        let nonce = match payload.get("nonce") {
            None => None,
            Some(Json::String(nonce)) if nonce.len() <= MAX_NAME_BYTES => Some(nonce.to_string()),
            Some(_) => return Err(ProofRefusal::Malformed),
        };
        let id = text(&payload, "jti")?;
        if id.is_empty() || id.len() > MAX_NAME_BYTES {
            return Err(ProofRefusal::Malformed);
        }
        let uri = text(&payload, "htu")?;
        if uri.len() > MAX_URI_BYTES || !uri.is_ascii() {
            return Err(ProofRefusal::Uri);
        }
        Ok(Self {
            compact,
            algorithm,
            jwk,
            id: id.into(),
            method: text(&payload, "htm")?.into(),
            uri: uri.into(),
            issued_at: date(&payload, "iat")?,
            token_hash,
            nonce,
        })
    }

    /// Verifies the signature with the proof's own key: its sender holds the private one. To be done after every
    /// other check, since anybody can make us do it.
    pub fn verify(&self) -> Result<()> {
        let key = Key::parse(&self.jwk, self.algorithm.into()).map_err(|_| ProofRefusal::Key)?;
        key.verify(
            self.algorithm,
            self.compact.signed(),
            self.compact.signature(),
        )
        .map_err(|_| ProofRefusal::BadSignature)
    }

    /// The key's thumbprint ([RFC 7638](https://www.rfc-editor.org/rfc/rfc7638)), which access tokens are bound to.
    pub fn thumbprint(&self) -> [u8; 32] {
        sha256(self.jwk.as_bytes())
    }

    /// The `jti`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The `htm`.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The `htu`.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// The nonce of ours that it repeats.
    pub fn nonce(&self) -> Option<&str> {
        self.nonce.as_deref()
    }

    /// Whether `ath` is there and is the hash of this token.
    pub fn is_for_token(&self, token: &[u8]) -> bool {
        self.token_hash == Some(sha256(token))
    }

    /// Whether it was made at most `past` ago, and at most `future` ahead of `now`, the time since the Unix epoch.
    pub fn is_of_now(&self, now: Duration, past: Duration, future: Duration) -> bool {
        let age = now.as_secs_f64() - self.issued_at;
        (-future.as_secs_f64()..=past.as_secs_f64()).contains(&age)
    }
}

/// Nothing of it but its algorithm: it comes from a stranger.
impl fmt::Debug for DpopProof<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DpopProof")
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

fn object(bytes: &[u8]) -> Result<Object<'_>> {
    let text = str::from_utf8(bytes).map_err(|_| ProofRefusal::Malformed)?;
    Object::parse(text, Vec::new()).map_err(|_| ProofRefusal::Malformed)
}

fn text<'o>(object: &'o Object<'_>, name: &str) -> Result<&'o str> {
    let value = object.get(name).and_then(Json::as_str);
    value.ok_or(ProofRefusal::Malformed)
}

fn date(payload: &Object<'_>, name: &str) -> Result<f64> {
    match payload.get(name) {
        Some(Json::Number(number)) => number.parse().map_err(|_| ProofRefusal::Malformed),
        _ => Err(ProofRefusal::Malformed),
    }
}

/// Whether a key is for verifying signatures of this algorithm, as far as it says what it is for
/// ([RFC 7517 §4](https://www.rfc-editor.org/rfc/rfc7517#section-4)).
fn is_to_verify(jwk: &Object<'_>, algorithm: &str) -> bool {
    let says = |name, expected| {
        jwk.get(name)
            .is_none_or(|value| value.as_str() == Some(expected))
    };
    let verifies = match jwk.get("key_ops") {
        None => true,
        Some(Json::Array(operations)) => {
            let mut operations = operations.iter();
            operations.any(|one| one.as_str() == Some("verify"))
        }
        Some(_) => false,
    };
    says("use", "sig") && says("alg", algorithm) && verifies
}

/// The members of a public key that RFC 7638 §3.2 counts, as JSON in the order of their names. `None` for a private
/// key, and for what cannot be one at all; whether it is a sound one is found when it is used.
fn canonical(jwk: &Object<'_>) -> Option<String> {
    if PRIVATE_MEMBERS.iter().any(|name| jwk.get(name).is_some()) {
        return None;
    }
    let member = |name| jwk.get(name).and_then(Json::as_str);
    let names: &[&str] = match member("kty")? {
        "EC" => &["crv", "kty", "x", "y"],
        "OKP" => &["crv", "kty", "x"],
        "RSA" => &["e", "kty", "n"],
        _ => return None,
    };
    let mut text = String::from("{");
    for name in names {
        let value = member(name)?;
        // Nothing that needs an escape is in any of them.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if !value.bytes().all(is_plain) {
            return None;
        }
        let separator = if text.len() > 1 { "," } else { "" };
        // Writing to a string cannot fail.
        let _ = write!(text, r#"{separator}"{name}":"{value}""#);
    }
    text.push('}');
    Some(text)
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}

/// The bytes of a SHA-256 in canonical base64url.
pub(crate) fn sha256_of_text(text: &str) -> Option<[u8; 32]> {
    // 43 characters are 32 bytes.
    if text.len() != 43 {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode_to_vec(text).ok()?;
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_thumbprint_is_that_of_rfc_7638() {
        // Section 3.1 of the RFC.
        let jwk = r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#;
        let jwk = Object::parse(jwk, Vec::new()).unwrap();
        let text = canonical(&jwk).unwrap();
        let thumbprint = URL_SAFE_NO_PAD.encode_to_string(sha256(text.as_bytes()));
        assert_eq!(thumbprint, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    #[test]
    fn private_and_strange_keys_have_no_thumbprint() {
        for jwk in [
            r#"{"kty":"OKP","crv":"Ed25519","x":"AA","d":"AA"}"#,
            r#"{"kty":"oct","k":"AA"}"#,
            r#"{"kty":"OKP","crv":"Ed25519"}"#,
            r#"{"kty":"OKP","crv":"Ed25519","x":1}"#,
            r#"{"kty":"OKP","crv":"Ed25519\"","x":"AA"}"#,
            r#"{"crv":"Ed25519","x":"AA"}"#,
        ] {
            let jwk = Object::parse(jwk, Vec::new()).unwrap();
            assert_eq!(canonical(&jwk), None);
        }
    }

    #[test]
    fn each_refusal_has_a_word_and_a_sentence_of_its_own() {
        let all = ProofRefusal::ALL;
        let words: BTreeSet<_> = all.iter().map(|one| one.as_str()).collect();
        let sentences: BTreeSet<_> = all.iter().map(|one| one.description()).collect();
        assert_eq!((words.len(), sentences.len()), (all.len(), all.len()));
        assert!(words.iter().all(|word| word.starts_with("proof_")));
        assert!(sentences.iter().all(|one| one.contains("DPoP proof")));
        assert_eq!(
            ProofRefusal::Replayed.to_string(),
            "The DPoP proof was used before"
        );
    }

    #[test]
    fn all_refusals_are_listed_in_their_order() {
        let places = ProofRefusal::ALL.iter().map(|refusal| *refusal as usize);
        assert!(places.eq(0..=ProofRefusal::Replayed as usize));
    }
}
