//! Which algorithm, by which key: every combination of those supported, and all that are not.

use aws_lc_rs::hmac;
use countersign::{Algorithm, Issuer, Refusal};
use serde_json::Value;

use super::signer::{ED25519, P256, P384, RSA, Signer, kinds};
use super::{AUDIENCE, Case, Draft, Group, ISSUER, base64url, key_set};

const CONFUSION: &str = "RFC 8725 §3.1: a key is used with its algorithm only (CVE-2026-22817)";
const CHOSEN: &str = "RFC 8725 §3.1: the issuer's settings choose the algorithm";
const PINNED: &str = "RFC 7517 §4.4: the alg of a key";
const SYMMETRIC: &str = "CVE-2015-9235, CVE-2016-10555: a public key is no shared secret";
const NONE: &str =
    "RFC 8725 §3.2, CVE-2015-9235: no unsigned tokens, however it is spelt (CVE-2020-15957)";
const UNSUPPORTED: &str = "RFC 8725 §3.2: only what is known and allowed";
const NO_KEY: &str = "RFC 7515 §6: no key of the set fits";

pub(super) fn groups() -> Vec<Group> {
    vec![
        every_key().with(every_combination()),
        every_key().with(without_any_algorithm()),
        every_key().with(symmetric()),
        pinned(),
    ]
    .into_iter()
    .chain(kinds().map(|(signer, _, own)| of_one_key(signer, own)))
    .chain([Algorithm::RS256, Algorithm::ES256, Algorithm::Ed25519].map(of_one_algorithm))
    .collect()
}

fn of_all() -> Issuer {
    Issuer::new(ISSUER, AUDIENCE).with_algorithms(Algorithm::ALL)
}

/// One key of each kind, for every algorithm of its kind, and an issuer that uses them all.
fn every_key() -> Group {
    let keys = key_set(&kinds().map(|(signer, ..)| signer.jwk()));
    let good = Draft::new(&P256, Algorithm::ES256);
    Group::new("algorithms", of_all(), &keys, good)
}

/// Whether both are made and verified alike.
fn is_alike(one: Algorithm, other: Algorithm) -> bool {
    let is_ed25519 = |algorithm: Algorithm| algorithm.name().starts_with("Ed");
    one == other || is_ed25519(one) && is_ed25519(other)
}

fn every_combination() -> Vec<Case> {
    let mut cases = Vec::new();
    for (signer, _, own) in kinds() {
        for named in Algorithm::ALL {
            if !signer.fits(named) {
                let draft = Draft::new(signer, own).header("alg", named.name());
                let name = format!("{named} with {}", signer.kid);
                cases.push(
                    Case::key_mismatch(name, CONFUSION, draft).with_twin(Draft::new(signer, own)),
                );
            }
        }
        let fitting = || Algorithm::ALL.into_iter().filter(|one| signer.fits(*one));
        for made in fitting() {
            for named in fitting().filter(|named| !is_alike(*named, made)) {
                let draft = Draft::new(signer, made).header("alg", named.name());
                let name = format!("{named}, signed as {made} is");
                cases.push(
                    Case::bad_signature(name, CONFUSION, draft).with_twin(Draft::new(signer, made)),
                );
            }
        }
    }
    cases
}

/// Without `kid`, a set of one key, and each algorithm that is not one for it.
fn of_one_key(signer: &'static Signer, own: Algorithm) -> Group {
    let cases = Algorithm::ALL
        .into_iter()
        .filter(|named| !signer.fits(*named))
        .map(|named| {
            let draft = Draft::new(signer, own)
                .without_header("kid")
                .header("alg", named.name());
            let name = format!("{named} without kid, where there is {} alone", signer.kid);
            Case::unknown_key(name, NO_KEY, draft)
                .with_twin(Draft::new(signer, own).without_header("kid"))
        });
    let keys = key_set(&[signer.jwk()]);
    Group::new("algorithms", of_all(), &keys, Draft::new(signer, own)).with(cases)
}

/// An issuer that is allowed one algorithm, whose key could be used with others.
fn of_one_algorithm(allowed: Algorithm) -> Group {
    let (own, ..) = kinds()
        .into_iter()
        .find(|(one, ..)| one.fits(allowed))
        .unwrap();
    let cases = Algorithm::ALL
        .into_iter()
        .filter(|named| *named != allowed)
        .map(|named| {
            let (signer, ..) = kinds()
                .into_iter()
                .find(|(one, ..)| one.fits(named))
                .unwrap();
            let name = format!("{named} at an issuer that uses {allowed}");
            Case::cheap(name, CHOSEN, Draft::new(signer, named), Refusal::Algorithm)
        });
    let keys = key_set(&kinds().map(|(signer, ..)| signer.jwk()));
    let issuer = Issuer::new(ISSUER, AUDIENCE).with_algorithms([allowed]);
    let mut group = Group::new("algorithms", issuer, &keys, Draft::new(own, allowed)).with(cases);
    group.skipped = kinds()
        .iter()
        .enumerate()
        .filter(|(_, (signer, ..))| !signer.fits(allowed))
        .map(|(index, _)| (index, "not_allowed"))
        .collect();
    group
}

/// Keys that say themselves which algorithm they are for.
fn pinned() -> Group {
    let mut keys = Vec::new();
    let mut cases = Vec::new();
    let pins = [
        (&*RSA, "pinned-rs256", Algorithm::RS256),
        (&*RSA, "pinned-ps512", Algorithm::PS512),
        (&*ED25519, "pinned-eddsa", Algorithm::EdDSA),
        (&*ED25519, "pinned-ed25519", Algorithm::Ed25519),
    ];
    for (signer, kid, algorithm) in pins {
        let mut jwk = signer.jwk();
        jwk["kid"] = kid.into();
        jwk["alg"] = algorithm.name().into();
        keys.push(jwk);
        let good = Draft::new(signer, algorithm).header("kid", kid);
        for named in Algorithm::ALL {
            if named != algorithm && signer.fits(named) {
                let draft = Draft::new(signer, named).header("kid", kid);
                let name = format!("{named} with a key for {algorithm}");
                cases.push(Case::key_mismatch(name, PINNED, draft).with_twin(good.clone()));
            }
        }
    }
    // Two RSA keys of one kid would be a conflict; these have one each, and the same material.
    let good = Draft::new(&RSA, Algorithm::RS256).header("kid", "pinned-rs256");
    Group::new("algorithms", of_all(), &key_set(&keys), good).with(cases)
}

fn without_any_algorithm() -> Vec<Case> {
    let good = || Draft::new(&P256, Algorithm::ES256);
    let mut cases = Vec::new();
    for capitals in 0..16_usize {
        let none: String = "none"
            .chars()
            .enumerate()
            .map(|(place, letter)| {
                if capitals >> place & 1 == 1 {
                    letter.to_ascii_uppercase()
                } else {
                    letter
                }
            })
            .collect();
        let named = good().header("alg", none.as_str());
        let unsigned = named.clone().signed(|_| Vec::new());
        cases.push(Case::cheap(
            format!("{none} with a signature"),
            NONE,
            named,
            Refusal::Algorithm,
        ));
        cases.push(Case::cheap(
            format!("{none} without one"),
            NONE,
            unsigned,
            Refusal::Malformed,
        ));
    }
    cases.extend(UNSUPPORTED_NAMES.map(|name| {
        let draft = good().header("alg", name);
        Case::cheap(
            format!("alg: {name:?}"),
            UNSUPPORTED,
            draft,
            Refusal::Algorithm,
        )
    }));
    cases
}

const UNSUPPORTED_NAMES: [&str; 51] = [
    "",
    " ",
    "none ",
    " none",
    "no\u{200b}ne",
    "null",
    "undefined",
    "0",
    "nil",
    "unsecured",
    "es256",
    "Es256",
    "ES256 ",
    " ES256",
    "ES256\0",
    "ES256\n",
    "ES256,none",
    "ES256K",
    "ES256K-R",
    "ES512",
    "ESP256",
    "ESB256",
    "RS1",
    "RS224",
    "rs256",
    "RSA",
    "RSA1_5",
    "RSA-OAEP",
    "PS1",
    "Ed448",
    "ed25519",
    "eddsa",
    "Ed25519ph",
    "X25519",
    "ECDH-ES",
    "A128KW",
    "A256GCMKW",
    "PBES2-HS256+A128KW",
    "dir",
    "HS1",
    "hs256",
    "Hs256",
    "HS512/256",
    "SHA256",
    "ML-DSA-44",
    "ML-DSA-65",
    "SLH-DSA-SHA2-128s",
    "SM2",
    "BLAKE2B",
    "\u{415}S256",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
];

/// What an attacker may take for the secret: all of it is public.
fn secrets() -> Vec<(&'static str, Vec<u8>)> {
    let spki = |prefix: &[u8], key: &[u8]| [prefix, key].concat();
    let rsa = spki(&RSA_SPKI, RSA.public_key());
    let p256 = spki(&P256_SPKI, P256.public_key());
    let p384 = spki(&P384_SPKI, P384.public_key());
    let ed25519 = spki(&ED25519_SPKI, ED25519.public_key());
    let keys: Vec<Value> = kinds().iter().map(|(signer, ..)| signer.jwk()).collect();
    vec![
        ("nothing", Vec::new()),
        ("a zero", vec![0; 32]),
        ("a word", b"secret".to_vec()),
        ("the RSA key in DER", rsa.clone()),
        ("the RSA key in PEM", pem("PUBLIC KEY", &rsa).into()),
        (
            "the RSA key in PEM without its last line feed",
            pem("PUBLIC KEY", &rsa).trim_end().into(),
        ),
        ("the RSA key as PKCS #1 in DER", RSA.public_key().to_vec()),
        (
            "the RSA key as PKCS #1 in PEM",
            pem("RSA PUBLIC KEY", RSA.public_key()).into(),
        ),
        ("the modulus", RSA.modulus().to_vec()),
        ("the modulus in base64url", base64url(RSA.modulus()).into()),
        ("the P-256 key in DER", p256.clone()),
        ("the P-256 key in PEM", pem("PUBLIC KEY", &p256).into()),
        ("the P-256 point", P256.public_key().to_vec()),
        ("the P-384 key in PEM", pem("PUBLIC KEY", &p384).into()),
        ("the P-384 point", P384.public_key().to_vec()),
        ("the Ed25519 key", ED25519.public_key().to_vec()),
        (
            "the Ed25519 key in base64url",
            base64url(ED25519.public_key()).into(),
        ),
        ("the Ed25519 key in PEM", pem("PUBLIC KEY", &ed25519).into()),
        ("a JWK", keys[1].to_string().into()),
        ("the key set", key_set(&keys).to_string().into()),
        ("the kid", P256.kid.into()),
    ]
}

fn symmetric() -> Vec<Case> {
    let families = [
        ("HS256", hmac::HMAC_SHA256),
        ("HS384", hmac::HMAC_SHA384),
        ("HS512", hmac::HMAC_SHA512),
    ];
    let mut cases = Vec::new();
    for (what, secret) in secrets() {
        for (name, family) in families {
            let key = hmac::Key::new(family, &secret);
            let sign = move |message: &[u8]| hmac::sign(&key, message).as_ref().to_vec();
            let draft = Draft::new(&RSA, Algorithm::RS256).signed(sign.clone());
            let title = format!("{name} with {what}");
            cases.push(Case::cheap(
                title,
                SYMMETRIC,
                draft.clone().header("alg", name),
                Refusal::Algorithm,
            ));
            if name == "HS256" {
                let title = format!("RS256 that is {name} with {what}");
                cases.push(Case::bad_signature(title, SYMMETRIC, draft));
                let draft = Draft::new(&P256, Algorithm::ES256).signed(sign);
                let title = format!("ES256 that is {name} with {what}");
                cases.push(Case::bad_signature(title, SYMMETRIC, draft));
            }
        }
    }
    cases
}

fn pem(label: &str, der: &[u8]) -> String {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<_> = text
        .as_bytes()
        .chunks(64)
        .map(String::from_utf8_lossy)
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}

/// What stands before the key in a `SubjectPublicKeyInfo` (RFC 5280 §4.1.2.7), for a modulus of 2048 bits and for
/// points.
const RSA_SPKI: [u8; 24] = [
    0x30, 0x82, 0x01, 0x22, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01,
    0x01, 0x05, 0x00, 0x03, 0x82, 0x01, 0x0f, 0x00,
];
const P256_SPKI: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
const P384_SPKI: [u8; 23] = [
    0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b,
    0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00,
];
const ED25519_SPKI: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];
