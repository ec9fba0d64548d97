//! One JSON Web Key: text in, [`Key`] or the reason why not out.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::algorithm::{Algorithm, Algorithms, KeyKind};
use crate::edwards;
use crate::key::{Key, Material};
use crate::members::{Members, NotMembers};

/// Why a member of a key set is not used. The rest of the set is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SkipReason {
    /// Not a JSON object, or a member the key needs is absent, of another type or not base64url without padding.
    Malformed,
    /// A member stands twice.
    DuplicateMember,
    /// `kid` is not a string.
    Kid,
    /// `kty` is none of `RSA`, `EC` and `OKP`.
    KeyType,
    /// A symmetric key (`oct`): whoever could verify with it could sign with it.
    Symmetric,
    /// A private key has been published; the issuer should be told.
    Private,
    /// `crv` is none of `P-256`, `P-384` and `Ed25519`, or belongs to another `kty`.
    Curve,
    /// The point is not on the curve, or its coordinates have the wrong length.
    Point,
    /// An Ed25519 point of small order, under which forged signatures verify.
    SmallOrder,
    /// An RSA modulus of less than 2048 or more than 8192 bits.
    ModulusSize,
    /// An even RSA modulus.
    ModulusEven,
    /// An RSA exponent that is even, less than 3 or longer than 33 bits.
    Exponent,
    /// `use` is there and is not `sig`.
    Use,
    /// `key_ops` is there without `verify` in it.
    KeyOps,
    /// `alg` is unknown, or is not one of this type of key.
    Algorithm,
    /// Sound, but for no algorithm that the issuer is allowed.
    NotAllowed,
    /// Another usable key has the same `kid` and `kty` and is not the same key; neither is used.
    Conflict,
}

impl SkipReason {
    /// A fixed word for logs and status pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::DuplicateMember => "duplicate_member",
            Self::Kid => "kid",
            Self::KeyType => "key_type",
            Self::Symmetric => "symmetric",
            Self::Private => "private",
            Self::Curve => "curve",
            Self::Point => "point",
            Self::SmallOrder => "small_order",
            Self::ModulusSize => "modulus_size",
            Self::ModulusEven => "modulus_even",
            Self::Exponent => "exponent",
            Self::Use => "use",
            Self::KeyOps => "key_ops",
            Self::Algorithm => "algorithm",
            Self::NotAllowed => "not_allowed",
            Self::Conflict => "conflict",
        }
    }
}

/// Members that only a private or symmetric key has (RFC 7518 §6.2.2, §6.3.2, §6.4; RFC 8037 §2).
pub const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Longer exponents are refused by the cryptographic library at each verification; better once, at load.
const MAX_EXPONENT_BITS: usize = 33;

/// The `kid` of a skipped key is reported as far as it could be read.
pub(crate) type Skipped = (Option<String>, SkipReason);

pub(crate) fn parse(json: &str, allowed: Algorithms) -> Result<Key, Skipped> {
    let members = Members::parse(json).map_err(|error| match error {
        NotMembers::Malformed => (None, SkipReason::Malformed),
        NotMembers::Duplicate => (None, SkipReason::DuplicateMember),
    })?;
    let kid = members
        .string("kid")
        .map_err(|_| (None, SkipReason::Kid))?
        .map(String::into_boxed_str);
    read(&members, kid.clone(), allowed).map_err(|reason| (kid.map(String::from), reason))
}

fn read(
    members: &Members<'_>,
    kid: Option<Box<str>>,
    allowed: Algorithms,
) -> Result<Key, SkipReason> {
    let key_type = text(members, "kty")?;
    if key_type == "oct" {
        return Err(SkipReason::Symmetric);
    }
    if PRIVATE_MEMBERS.iter().any(|name| members.contains(name)) {
        return Err(SkipReason::Private);
    }
    let key_kind = kind_of(members, &key_type)?;
    check_purpose(members)?;
    let algorithms = algorithms(members, key_kind)?.intersection(allowed);
    if algorithms.is_empty() {
        return Err(SkipReason::NotAllowed);
    }
    let material = match key_kind {
        KeyKind::Rsa => rsa(members)?,
        KeyKind::P256 => Material::P256(point(members, 32)?),
        KeyKind::P384 => Material::P384(point(members, 48)?),
        KeyKind::Ed25519 => ed25519(members)?,
    };
    // What is left for the library to find: a point that is not on its curve.
    Key::new(kid, material, algorithms).map_err(|_| match key_kind {
        KeyKind::Rsa => SkipReason::Malformed,
        _ => SkipReason::Point,
    })
}

fn kind_of(members: &Members<'_>, key_type: &str) -> Result<KeyKind, SkipReason> {
    match key_type {
        "RSA" => Ok(KeyKind::Rsa),
        "EC" => match text(members, "crv")?.as_str() {
            "P-256" => Ok(KeyKind::P256),
            "P-384" => Ok(KeyKind::P384),
            _ => Err(SkipReason::Curve),
        },
        "OKP" => match text(members, "crv")?.as_str() {
            "Ed25519" => Ok(KeyKind::Ed25519),
            _ => Err(SkipReason::Curve),
        },
        _ => Err(SkipReason::KeyType),
    }
}

fn check_purpose(members: &Members<'_>) -> Result<(), SkipReason> {
    match members.string("use") {
        Ok(None) => {}
        Ok(Some(purpose)) if purpose == "sig" => {}
        _ => return Err(SkipReason::Use),
    }
    if let Some(operations) = members.get("key_ops") {
        let operations: Vec<String> =
            serde_json::from_str(operations.get()).map_err(|_| SkipReason::KeyOps)?;
        if !operations.iter().any(|operation| operation == "verify") {
            return Err(SkipReason::KeyOps);
        }
    }
    Ok(())
}

fn algorithms(members: &Members<'_>, kind: KeyKind) -> Result<Algorithms, SkipReason> {
    let Some(name) = members.string("alg").map_err(|_| SkipReason::Algorithm)? else {
        return Ok(Algorithm::of_kind(kind));
    };
    Algorithm::from_name(&name)
        .filter(|algorithm| algorithm.key_kind() == kind)
        .map(Algorithms::from)
        .ok_or(SkipReason::Algorithm)
}

fn rsa(members: &Members<'_>) -> Result<Material, SkipReason> {
    let n = without_leading_zeros(bytes(members, "n")?);
    let e = without_leading_zeros(bytes(members, "e")?);
    if !(2048..=8192).contains(&bit_length(&n)) {
        return Err(SkipReason::ModulusSize);
    }
    if is_even(&n) {
        return Err(SkipReason::ModulusEven);
    }
    if is_even(&e) || e == [1] || bit_length(&e) > MAX_EXPONENT_BITS {
        return Err(SkipReason::Exponent);
    }
    Ok(Material::Rsa { n, e })
}

/// RFC 7518 §6.2.1: both coordinates in full length, however many zeros they start with.
fn point(members: &Members<'_>, length: usize) -> Result<Vec<u8>, SkipReason> {
    let (x, y) = (bytes(members, "x")?, bytes(members, "y")?);
    if x.len() != length || y.len() != length {
        return Err(SkipReason::Point);
    }
    Ok([&[4], x.as_slice(), y.as_slice()].concat())
}

fn ed25519(members: &Members<'_>) -> Result<Material, SkipReason> {
    let point: [u8; 32] = bytes(members, "x")?
        .try_into()
        .map_err(|_| SkipReason::Point)?;
    if edwards::is_small_order(&point) {
        return Err(SkipReason::SmallOrder);
    }
    if !edwards::is_point(&point) {
        return Err(SkipReason::Point);
    }
    Ok(Material::Ed25519(point))
}

fn text(members: &Members<'_>, name: &str) -> Result<String, SkipReason> {
    members
        .string(name)
        .ok()
        .flatten()
        .ok_or(SkipReason::Malformed)
}

fn bytes(members: &Members<'_>, name: &str) -> Result<Vec<u8>, SkipReason> {
    URL_SAFE_NO_PAD
        .decode(text(members, name)?)
        .map_err(|_| SkipReason::Malformed)
}

/// Some issuers encode integers with a leading zero, as DER does; RFC 7518 §2 says not to.
fn without_leading_zeros(mut integer: Vec<u8>) -> Vec<u8> {
    let zeros = integer.iter().take_while(|byte| **byte == 0).count();
    integer.drain(..zeros);
    integer
}

fn bit_length(integer: &[u8]) -> usize {
    integer.first().map_or(0, |first| {
        integer.len() * 8 - first.leading_zeros() as usize
    })
}

/// Nothing at all is zero, and zero is even.
fn is_even(integer: &[u8]) -> bool {
    integer.last().is_none_or(|byte| byte & 1 == 0)
}

#[cfg(test)]
mod tests;
