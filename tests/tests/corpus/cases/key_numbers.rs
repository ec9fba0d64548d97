//! Keys whose numbers are none of a key: points, moduli, exponents.

use aws_lc_rs::digest;
use serde_json::{Value, json};

use super::base64url;
use super::keys::{Bad, ENCODING, bad, ed25519, p256, p384, rsa};
use super::signer::{STRANGE_P256, STRANGE_RSA};

const POINT: &str =
    "RFC 7518 §6.2.1.2: a point on its curve, in full length (CVE-2015-6924 and its like)";
const ORDER: &str = "RFC 8032, RFC 7748 §6: a point of small order verifies forgeries";
const MODULUS: &str = "RFC 7518 §3.3: 2048 bits or more, and odd";
const EXPONENT: &str = "RFC 8017 §3.1: an odd exponent from 3 on";
/// All of them.
pub(super) fn all() -> Vec<Bad> {
    let mut bad = points();
    bad.extend(other_points());
    bad.extend(small_orders());
    bad.extend(moduli());
    bad.extend(exponents());
    bad
}

fn points() -> Vec<Bad> {
    let of = STRANGE_P256.public_key();
    let (x, y) = of[1..].split_at(32);
    let mut elsewhere = y.to_vec();
    elsewhere[31] ^= 1;
    let point = |name: &str, x: &[u8], y: &[u8]| {
        let change = json!({"x": base64url(x), "y": base64url(y)});
        bad(p256(), name, POINT, &change, "point")
    };
    let text = |name: &str, change: Value| bad(p256(), name, ENCODING, &change, "malformed");
    vec![
        point("not on the curve", x, &elsewhere),
        point("x and y exchanged", y, x),
        point("zero", &[0; 32], &[0; 32]),
        point("as large as can be", &[0xff; 32], &[0xff; 32]),
        point("x is a byte short", &x[1..], y),
        point("y is a byte short", x, &y[..31]),
        point("x has a zero in front", &[&[0], x].concat(), y),
        point("the whole point for x", of, y),
        point("x is empty", &[], y),
        point("x is one byte", &[1], y),
        text("no y", json!({"y": null})),
        text("no x", json!({"x": null})),
        text("x with padding", json!({"x": format!("{}=", base64url(x))})),
        text("x with a space", json!({"x": format!("{} ", base64url(x))})),
        text("x is a number", json!({"x": 5})),
        text("x is an array", json!({"x": [base64url(x)]})),
    ]
}

fn other_points() -> Vec<Bad> {
    let (x, y) = STRANGE_P256.public_key()[1..].split_at(32);
    let short = json!({"x": base64url(x), "y": base64url(y)});
    let mut keys = vec![bad(
        p384(),
        "a point of the other curve",
        POINT,
        &short,
        "point",
    )];
    let points = [
        ("a byte short", base64url([9; 31])),
        ("a byte long", base64url([9; 33])),
        ("empty", String::new()),
        ("not on the curve", base64url(NO_POINT)),
    ];
    keys.extend(points.map(|(name, x)| bad(ed25519(), name, POINT, &json!({ "x": x }), "point")));
    let texts = [("x is not base64url", json!("+/")), ("no x", json!(null))];
    keys.extend(
        texts.map(|(name, x)| bad(ed25519(), name, ENCODING, &json!({ "x": x }), "malformed")),
    );
    keys
}

fn small_orders() -> Vec<Bad> {
    let encoded = |first: u8, middle: u8, last: u8| {
        let mut point = [middle; 32];
        (point[0], point[31]) = (first, last);
        point
    };
    let with_sign = |mut point: [u8; 32]| {
        point[31] |= 0x80;
        point
    };
    let points = [
        ("of order 1", encoded(1, 0, 0)),
        ("of order 1, with a sign", encoded(1, 0, 0x80)),
        ("of order 1, not reduced", encoded(0xee, 0xff, 0x7f)),
        (
            "of order 1, not reduced, with a sign",
            encoded(0xee, 0xff, 0xff),
        ),
        ("of order 2", encoded(0xec, 0xff, 0x7f)),
        ("of order 2, with a sign", encoded(0xec, 0xff, 0xff)),
        ("of order 4", [0; 32]),
        ("of order 4, the other", encoded(0, 0, 0x80)),
        ("of order 4, not reduced", encoded(0xed, 0xff, 0x7f)),
        (
            "of order 4, not reduced, the other",
            encoded(0xed, 0xff, 0xff),
        ),
        ("of order 8", ORDER_8[0]),
        ("of order 8, the second", with_sign(ORDER_8[0])),
        ("of order 8, the third", ORDER_8[1]),
        ("of order 8, the fourth", with_sign(ORDER_8[1])),
    ];
    let keys = points.map(|(name, point)| {
        let mut one = bad(
            ed25519(),
            name,
            ORDER,
            &json!({"x": base64url(point)}),
            "small_order",
        );
        // R the neutral point and S zero: verifies everything under a key of order 1, and a part under others.
        one.draft = one.draft.signed(|_| [&[1], &[0; 63][..]].concat());
        one
    });
    keys.into()
}

fn moduli() -> Vec<Bad> {
    let modulus = STRANGE_RSA.modulus();
    let n = |name: &str, n: &[u8], reason| {
        bad(rsa(), name, MODULUS, &json!({"n": base64url(n)}), reason)
    };
    let mut even = modulus.to_vec();
    even[255] ^= 1;
    let mut small = modulus.to_vec();
    small[0] &= 0x7f;
    let mut keys = vec![
        n("of 1024 bits", &modulus[..128], "modulus_size"),
        n("of 2047 bits", &small, "modulus_size"),
        n(
            "of 1024 bits with zeros in front",
            &[&[0; 128], &modulus[..128]].concat(),
            "modulus_size",
        ),
        n(
            "of 8193 bits",
            &[&[1], &[0xff; 1024][..]].concat(),
            "modulus_size",
        ),
        n("of 16384 bits", &[0xff; 2048], "modulus_size"),
        n("of no bits", &[], "modulus_size"),
        n("zero", &[0; 256], "modulus_size"),
        n("even", &even, "modulus_even"),
    ];
    let texts = [
        (
            "a modulus with padding",
            json!(format!("{}==", base64url(modulus))),
        ),
        (
            "a modulus with a line feed",
            json!(format!("{}\n", base64url(modulus))),
        ),
        ("a modulus in hexadecimal", json!("0x00c0ffee")),
        ("a modulus that is a number", json!(65537)),
        ("no modulus", json!(null)),
    ];
    keys.extend(texts.map(|(name, n)| bad(rsa(), name, ENCODING, &json!({"n": n}), "malformed")));
    keys
}

/// With 1 for an exponent a signature is the padded digest itself: anybody can make one.
fn forged(message: &[u8]) -> Vec<u8> {
    const SHA256: [u8; 19] = [
        0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01,
        0x05, 0x00, 0x04, 0x20,
    ];
    let digest = digest::digest(&digest::SHA256, message);
    let mut padded = vec![0xff; 256 - 1 - SHA256.len() - 32];
    (padded[0], padded[1]) = (0, 1);
    [&padded, &[0][..], &SHA256, digest.as_ref()].concat()
}

fn exponents() -> Vec<Bad> {
    let exponent = |name: &str, e: &[u8]| {
        bad(
            rsa(),
            name,
            EXPONENT,
            &json!({"e": base64url(e)}),
            "exponent",
        )
    };
    let mut one = exponent("exponent 1", &[1]);
    one.draft = one.draft.signed(forged);
    let mut padded = exponent("exponent 1 with zeros in front", &[0, 0, 1]);
    padded.draft = padded.draft.signed(forged);
    vec![
        one,
        padded,
        exponent("exponent 0", &[0]),
        exponent("exponent of no bits", &[]),
        exponent("exponent 2", &[2]),
        exponent("exponent 65536", &[1, 0, 0]),
        exponent("exponent of 34 bits", &[3, 0, 0, 0, 1]),
        exponent("exponent as large as the modulus", STRANGE_RSA.modulus()),
        bad(
            rsa(),
            "no exponent",
            ENCODING,
            &json!({"e": null}),
            "malformed",
        ),
        bad(
            rsa(),
            "an exponent that is a number",
            ENCODING,
            &json!({"e": 65537}),
            "malformed",
        ),
        bad(
            rsa(),
            "an exponent with padding",
            ENCODING,
            &json!({"e": "AQ=="}),
            "malformed",
        ),
    ]
}

/// No point of Edwards25519 has this for its y.
const NO_POINT: [u8; 32] = [
    2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
];

/// y of the points of order 8, little-endian, as they are listed everywhere.
const ORDER_8: [[u8; 32]; 2] = [
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
];
