//! Keys made on the spot, as JWK and for signing.

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384,
    RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use crate::algorithm::{Algorithm, Algorithms};
use crate::set::KeySet;

/// Every algorithm there is.
pub(crate) fn all() -> Algorithms {
    Algorithm::ALL.into_iter().collect()
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A new Ed25519 key under that name.
pub(crate) fn jwk(kid: &str) -> Value {
    let pair = Ed25519KeyPair::generate().unwrap();
    with(ed25519(&pair), json!({"kid": kid}))
}

pub(crate) fn ed25519(pair: &Ed25519KeyPair) -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "x": base64(pair.public_key().as_ref())})
}

pub(crate) fn p256() -> (EcdsaKeyPair, Value) {
    ec(&ECDSA_P256_SHA256_FIXED_SIGNING, "P-256")
}

pub(crate) fn p384() -> (EcdsaKeyPair, Value) {
    ec(&ECDSA_P384_SHA384_FIXED_SIGNING, "P-384")
}

fn ec(algorithm: &'static EcdsaSigningAlgorithm, crv: &str) -> (EcdsaKeyPair, Value) {
    let pair = EcdsaKeyPair::generate(algorithm).unwrap();
    let (x, y) = {
        let coordinates = &pair.public_key().as_ref()[1..];
        coordinates.split_at(coordinates.len() / 2)
    };
    let jwk = json!({"kty": "EC", "crv": crv, "x": base64(x), "y": base64(y)});
    (pair, jwk)
}

/// One RSA key for all tests, since making one takes its time.
pub(crate) static RSA: LazyLock<RsaKeyPair> =
    LazyLock::new(|| RsaKeyPair::generate(KeySize::Rsa2048).unwrap());

/// Modulus and exponent of [`RSA`].
pub(crate) fn rsa_numbers() -> (Vec<u8>, Vec<u8>) {
    // SEQUENCE { INTEGER n, INTEGER e }, with the lengths of a 2048-bit key.
    let der = RSA.public_key().as_ref();
    assert_eq!(&der[..9], [0x30, 0x82, 1, 10, 2, 0x82, 1, 1, 0]);
    assert_eq!(&der[265..], [2, 3, 1, 0, 1]);
    (der[9..265].to_vec(), vec![1, 0, 1])
}

pub(crate) fn rsa() -> Value {
    let (n, e) = rsa_numbers();
    json!({"kty": "RSA", "n": base64(&n), "e": base64(&e)})
}

pub(crate) fn rsa_sign(algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
    let encoding: &'static dyn RsaEncoding = match algorithm {
        Algorithm::RS256 => &RSA_PKCS1_SHA256,
        Algorithm::RS384 => &RSA_PKCS1_SHA384,
        Algorithm::RS512 => &RSA_PKCS1_SHA512,
        Algorithm::PS256 => &RSA_PSS_SHA256,
        Algorithm::PS384 => &RSA_PSS_SHA384,
        Algorithm::PS512 => &RSA_PSS_SHA512,
        other => panic!("{other} is not of RSA"),
    };
    let mut signature = vec![0; RSA.public_modulus_len()];
    RSA.sign(encoding, &SystemRandom::new(), message, &mut signature)
        .unwrap();
    signature
}

/// `jwk` with the members of `more` added or, where they are there, replaced.
pub(crate) fn with(mut jwk: Value, more: Value) -> Value {
    let Value::Object(more) = more else {
        panic!("not an object")
    };
    jwk.as_object_mut().unwrap().extend(more);
    jwk
}

pub(crate) fn without(mut jwk: Value, member: &str) -> Value {
    let members: &mut Map<_, _> = jwk.as_object_mut().unwrap();
    members.remove(member).unwrap();
    jwk
}

pub(crate) fn jwks(keys: &[Value]) -> Vec<u8> {
    json!({"keys": keys}).to_string().into_bytes()
}

pub(crate) fn set(keys: &[Value]) -> KeySet {
    KeySet::parse(&jwks(keys), all()).unwrap()
}
