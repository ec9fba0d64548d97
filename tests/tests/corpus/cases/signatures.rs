//! Signatures that are not one: of another form, of numbers out of range, of other bytes, of somebody else.

use countersign::{Algorithm, Issuer};

use super::signer::{ED25519, RSA, Signer, kinds};
use super::{AUDIENCE, Case, Draft, Group, ISSUER, base64url, decoded, key_set};

const ZERO: &str = "CVE-2022-21449: r and s are from 1 to n - 1";
const FORM: &str = "RFC 7518 §3.4: r and s in full length, not DER (CVE-2020-28042 and its like)";
const LENGTH: &str = "RFC 8017 §8.1.2, §8.2.2: as long as the modulus";
const RANGE: &str = "RFC 8017 §5.2.2: a representative from 0 to n - 1";
const EDWARDS: &str = "RFC 8032 §5.1.7: S is less than L, and both halves are whole";
const RECEIVED: &str = "RFC 7515 §5.2: over the bytes as received";
const STRANGER: &str = "RFC 7515 §5.2: by the key that is named";

pub(super) fn groups() -> Vec<Group> {
    let keys = key_set(&kinds().map(|(signer, ..)| signer.jwk()));
    let issuer = Issuer::new(ISSUER, AUDIENCE).with_algorithms(Algorithm::ALL);
    let mut cases = Vec::new();
    for (signer, stranger, algorithm) in kinds() {
        cases.extend(of_other_bytes(signer, algorithm));
        cases.extend(of_a_stranger(signer, stranger, algorithm));
    }
    cases.extend(ecdsa(&super::signer::P256, Algorithm::ES256, &P256_ORDER));
    cases.extend(ecdsa(&super::signer::P384, Algorithm::ES384, &P384_ORDER));
    cases.extend(rsa(Algorithm::RS256));
    cases.extend(rsa(Algorithm::PS256));
    cases.extend(ed25519());
    let good = Draft::new(&ED25519, Algorithm::Ed25519);
    vec![Group::new("signatures", issuer, &keys, good).with(cases)]
}

/// The right signature, changed; its twin is the one unchanged.
fn changed(
    signer: &'static Signer,
    algorithm: Algorithm,
    name: &str,
    rule: &'static str,
    change: impl Fn(Vec<u8>) -> Vec<u8> + Send + Sync + 'static,
) -> Case {
    let twin = Draft::new(signer, algorithm);
    let draft = twin.clone().resigned(change);
    Case::bad_signature(format!("{algorithm}: {name}"), rule, draft).with_twin(twin)
}

/// Signed by the right key, and of something else than what is sent.
fn of_other_bytes(signer: &'static Signer, algorithm: Algorithm) -> Vec<Case> {
    type Other = fn(&str, &str) -> Vec<u8>;
    let others: [(&str, Other); 8] = [
        ("of nothing", |_, _| Vec::new()),
        ("of the header alone", |header, _| header.into()),
        ("of the payload alone", |_, payload| payload.into()),
        ("of both without the dot", |header, payload| {
            format!("{header}{payload}").into()
        }),
        ("of both exchanged", |header, payload| {
            format!("{payload}.{header}").into()
        }),
        ("of both decoded", |header, payload| {
            [decoded(header), b".".to_vec(), decoded(payload)].concat()
        }),
        ("with a dot behind", |header, payload| {
            format!("{header}.{payload}.").into()
        }),
        ("with padding", |header, payload| {
            format!("{header}=.{payload}=").into()
        }),
    ];
    let cases = others.into_iter().map(|(name, other)| {
        let draft = Draft::new(signer, algorithm).signed(move |message| {
            let message = std::str::from_utf8(message).unwrap();
            let (header, payload) = message.split_once('.').unwrap();
            signer.sign(algorithm, &other(header, payload))
        });
        Case::bad_signature(format!("{algorithm}: {name}"), RECEIVED, draft)
            .with_twin(Draft::new(signer, algorithm))
    });
    cases.chain(after_signing(signer, algorithm)).collect()
}

/// Changed after signing, in what changes no claim or only little.
fn after_signing(signer: &'static Signer, algorithm: Algorithm) -> Vec<Case> {
    type Change = fn(String) -> String;
    let changes: [(&str, usize, Change); 5] = [
        ("a space behind the header", 0, |text| text + " "),
        ("a space behind the payload", 1, |text| text + " "),
        ("a scope more", 1, |text| {
            text.replace("invoices:read", "invoices:read admin")
        }),
        ("another organization", 1, |text| {
            text.replace("org_acme", "org_evil")
        }),
        ("an hour more", 1, |text| {
            text.replace("1800000600", "1800004200")
        }),
    ];
    let cases = changes.into_iter().map(|(name, place, change)| {
        let draft = Draft::new(signer, algorithm).shaped(move |all| {
            let mut all = all.map(str::to_owned);
            let text = String::from_utf8(decoded(&all[place])).unwrap();
            let other = change(text.clone());
            assert_ne!(text, other);
            all[place] = base64url(other);
            all.join(".")
        });
        Case::bad_signature(
            format!("{algorithm}: {name}, after signing"),
            RECEIVED,
            draft,
        )
        .with_twin(Draft::new(signer, algorithm))
    });
    cases.collect()
}

fn of_a_stranger(
    signer: &'static Signer,
    stranger: &'static Signer,
    algorithm: Algorithm,
) -> Vec<Case> {
    let draft = Draft::new(signer, algorithm).signed_by(stranger, algorithm);
    vec![
        Case::bad_signature(
            format!("{algorithm}: a stranger's, under the kid of a key"),
            STRANGER,
            draft.clone(),
        ),
        Case::unknown_key(
            format!("{algorithm}: a stranger's, under a kid of its own"),
            STRANGER,
            draft.clone().header("kid", stranger.kid),
        ),
        Case::bad_signature(
            format!("{algorithm}: a stranger's, without kid"),
            STRANGER,
            draft.without_header("kid"),
        )
        .with_twin(Draft::new(signer, algorithm).without_header("kid")),
    ]
}

/// A change of `r` and `s`.
type Halves = Box<dyn Fn(&[u8], &[u8]) -> Vec<u8> + Send + Sync>;

fn ecdsa(signer: &'static Signer, algorithm: Algorithm, order: &'static [u8]) -> Vec<Case> {
    let half = order.len();
    let numbers = numbers(order)
        .into_iter()
        .map(|(name, change)| (name, ZERO, change));
    let forms = forms(half)
        .into_iter()
        .map(|(name, change)| (name, FORM, change));
    let cases = numbers.chain(forms).map(|(name, rule, change)| {
        changed(signer, algorithm, name, rule, move |signature| {
            let (r, s) = signature.split_at(half);
            change(r, s)
        })
    });
    cases.collect()
}

/// Numbers of the right length.
fn numbers(order: &'static [u8]) -> Vec<(&'static str, Halves)> {
    let half = order.len();
    let one = move || [vec![0; half - 1], vec![1]].concat();
    let zero = move || vec![0_u8; half];
    vec![
        (
            "r and s are zero",
            Box::new(move |_, _| [zero(), zero()].concat()),
        ),
        ("r is zero", Box::new(move |_, s| [&zero(), s].concat())),
        ("s is zero", Box::new(move |r, _| [r, &zero()].concat())),
        ("r is n", Box::new(move |_, s| [order, s].concat())),
        ("s is n", Box::new(move |r, _| [r, order].concat())),
        (
            "r and s are n",
            Box::new(move |_, _| [order, order].concat()),
        ),
        (
            "r is zero and s is n",
            Box::new(move |_, _| [&zero(), order].concat()),
        ),
        (
            "r is n and s is zero",
            Box::new(move |_, _| [order, &zero()].concat()),
        ),
        (
            "r and s are one",
            Box::new(move |_, _| [one(), one()].concat()),
        ),
        (
            "r and s are as large as can be",
            Box::new(move |_, _| vec![0xff; 2 * half]),
        ),
        ("s and r exchanged", Box::new(|r, s| [s, r].concat())),
    ]
}

/// The right numbers in another form.
fn forms(half: usize) -> Vec<(&'static str, Halves)> {
    let padded = move |r: &[u8], s: &[u8]| {
        let mut der = der(r, s);
        der.resize(2 * half, 0);
        der
    };
    vec![
        ("DER", Box::new(der)),
        ("DER, as long as it should be", Box::new(padded)),
        ("r alone", Box::new(|r, _| r.to_vec())),
        (
            "one byte less",
            Box::new(move |r, s| [r, &s[..half - 1]].concat()),
        ),
        ("one byte more", Box::new(|r, s| [r, s, &[0]].concat())),
        ("a zero in front", Box::new(|r, s| [&[0], r, s].concat())),
        (
            "a zero in front of each",
            Box::new(|r, s| [&[0], r, &[0], s].concat()),
        ),
        ("one byte", Box::new(|_, _| vec![0])),
    ]
}

/// `r` and `s` as X.509 has them (SEC 1 §C.5).
fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let integer = |number: &[u8]| {
        let zeros = number.iter().take_while(|byte| **byte == 0).count();
        let mut content = number[zeros..].to_vec();
        if content[0] >= 0x80 {
            content.insert(0, 0);
        }
        [&[2, u8::try_from(content.len()).unwrap()], &content[..]].concat()
    };
    let content = [integer(r), integer(s)].concat();
    [&[0x30, u8::try_from(content.len()).unwrap()], &content[..]].concat()
}

fn rsa(algorithm: Algorithm) -> Vec<Case> {
    let modulus = || RSA.modulus().to_vec();
    let case = |name: &str, rule, change: fn(Vec<u8>) -> Vec<u8>| {
        changed(&RSA, algorithm, name, rule, change)
    };
    let mut cases = vec![
        case("s is zero", RANGE, |_| vec![0; 256]),
        case("s is one", RANGE, |_| [vec![0; 255], vec![1]].concat()),
        case("s is as large as can be", RANGE, |_| vec![0xff; 256]),
        case("a zero in front", LENGTH, |signature| {
            [vec![0], signature].concat()
        }),
        case("a zero behind", LENGTH, |signature| {
            [signature, vec![0]].concat()
        }),
        case("one byte less", LENGTH, |signature| {
            signature[..255].to_vec()
        }),
        case("the first byte missing", LENGTH, |signature| {
            signature[1..].to_vec()
        }),
        case("one half", LENGTH, |signature| signature[..128].to_vec()),
        case("twice", LENGTH, |signature| {
            [signature.clone(), signature].concat()
        }),
        case("one byte", LENGTH, |_| vec![1]),
        case("the bytes in reverse", RANGE, |mut signature| {
            signature.reverse();
            signature
        }),
    ];
    let exact = [("s is n", modulus()), ("s is n - 1", less_one(modulus()))];
    for (name, signature) in exact {
        cases.push(changed(&RSA, algorithm, name, RANGE, move |_| {
            signature.clone()
        }));
    }
    cases.push(changed(
        &RSA,
        algorithm,
        "s is not reduced, in a byte more",
        RANGE,
        |signature| sum(&signature, RSA.modulus()),
    ));
    cases.push(not_reduced(algorithm));
    cases.push(without_its_zero(algorithm));
    cases
}

/// `s + n` in as many bytes as `s`: it fits where `s` is small enough, which some tokens' is.
fn not_reduced(algorithm: Algorithm) -> Case {
    let twin = found(algorithm, |signature| sum(signature, RSA.modulus())[0] == 0);
    let draft = twin
        .clone()
        .resigned(|signature| sum(&signature, RSA.modulus())[1..].to_vec());
    Case::bad_signature(format!("{algorithm}: s is not reduced"), RANGE, draft).with_twin(twin)
}

/// A signature that begins with a zero, without it.
fn without_its_zero(algorithm: Algorithm) -> Case {
    let twin = found(algorithm, |signature| signature[0] == 0);
    let draft = twin.clone().resigned(|signature| signature[1..].to_vec());
    Case::bad_signature(
        format!("{algorithm}: without the zero in front"),
        LENGTH,
        draft,
    )
    .with_twin(twin)
}

/// A good token with such a signature, which stays the same from then on.
fn found(algorithm: Algorithm, fits: fn(&[u8]) -> bool) -> Draft {
    let drafts =
        (0..20_000).map(|id| Draft::new(&RSA, algorithm).claim("jti", format!("token-{id}")));
    for draft in drafts {
        let text = draft.text();
        let signature = decoded(text.rsplit('.').next().unwrap());
        if fits(&signature) {
            return draft.signed(move |_| signature.clone());
        }
    }
    panic!("no such signature in 20,000")
}

/// The sum of two big-endian numbers of one length, in a byte more.
fn sum(one: &[u8], other: &[u8]) -> Vec<u8> {
    let mut sum = vec![0; one.len() + 1];
    let mut carry = 0_u16;
    for place in (0..one.len()).rev() {
        carry += u16::from(one[place]) + u16::from(other[place]);
        sum[place + 1] = carry.to_be_bytes()[1];
        carry >>= 8;
    }
    sum[0] = carry.to_be_bytes()[1];
    sum
}

/// An odd number less one.
fn less_one(mut number: Vec<u8>) -> Vec<u8> {
    *number.last_mut().unwrap() -= 1;
    number
}

fn ed25519() -> Vec<Case> {
    let case = |name: &str, change: fn(Vec<u8>) -> Vec<u8>| {
        changed(&ED25519, Algorithm::Ed25519, name, EDWARDS, change)
    };
    vec![
        case("S and L together", |signature| {
            let mut big: Vec<u8> = signature[32..].iter().rev().copied().collect();
            big = sum(&big, &ED25519_ORDER)[1..].to_vec();
            big.reverse();
            [&signature[..32], &big].concat()
        }),
        case("S has its highest bit set", |mut signature| {
            signature[63] |= 0x80;
            signature
        }),
        case("S has its next bit set", |mut signature| {
            signature[63] |= 0x40;
            signature
        }),
        case("S is zero", |signature| {
            [&signature[..32], &[0; 32]].concat()
        }),
        case("S is L", |signature| {
            let order: Vec<u8> = ED25519_ORDER.iter().rev().copied().collect();
            [&signature[..32], &order].concat()
        }),
        case("R is zero", |signature| {
            [&[0; 32], &signature[32..]].concat()
        }),
        case("R is the neutral point", |signature| {
            [&[1], &[0; 31][..], &signature[32..]].concat()
        }),
        case("R is the neutral point and S is zero", |_| {
            [&[1], &[0; 63][..]].concat()
        }),
        case("R has another sign", |mut signature| {
            signature[31] ^= 0x80;
            signature
        }),
        case("R is not reduced", |signature| {
            [&[0xee], &[0xff; 30][..], &[0x7f], &signature[32..]].concat()
        }),
        case("all zeros", |_| vec![0; 64]),
        case("all ones", |_| vec![0xff; 64]),
        case("S and R exchanged", |signature| {
            [&signature[32..], &signature[..32]].concat()
        }),
        case("R alone", |signature| signature[..32].to_vec()),
        case("one byte less", |signature| signature[..63].to_vec()),
        case("one byte more", |signature| [&signature[..], &[0]].concat()),
        case("a zero in front", |signature| {
            [&[0], &signature[..]].concat()
        }),
        case("one byte", |_| vec![0]),
        case("as long as one of Ed448", |signature| {
            [&signature[..], &[0; 50]].concat()
        }),
    ]
}

/// The orders of the groups (FIPS 186-5 and SP 800-186; RFC 8032 §5.1), big-endian.
const P256_ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];
const P384_ORDER: [u8; 48] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf,
    0x58, 0x1a, 0x0d, 0xb2, 0x48, 0xb0, 0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73,
];
const ED25519_ORDER: [u8; 32] = [
    0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x14, 0xde, 0xf9, 0xde, 0xa2, 0xf7, 0x9c, 0xd6, 0x58, 0x12, 0x63, 0x1a, 0x5c, 0xf5, 0xd3, 0xed,
];
