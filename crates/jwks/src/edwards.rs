//! What the cryptographic library leaves unsaid about an Ed25519 public key: whether it is a point at all, and
//! one of large order.
//!
//! Public values, looked at once when a key set is loaded: neither constant time nor speed matters here.

/// The field's prime, 2^255 - 19, least significant limb first.
const P: [u64; 4] = [
    0xffff_ffff_ffff_ffed,
    0xffff_ffff_ffff_ffff,
    0xffff_ffff_ffff_ffff,
    0x7fff_ffff_ffff_ffff,
];

/// The curve's constant, -121665/121666.
const D: [u64; 4] = [
    0x75eb_4dca_1359_78a3,
    0x0070_0a4d_4141_d8ab,
    0x8cc7_4079_7779_e898,
    0x5203_6cee_2b6f_fe73,
];

const ONE: [u64; 4] = [1, 0, 0, 0];

/// The y coordinates of the two pairs of points of order 8 (the other small orders have y = 0, 1 and -1).
const ORDER_EIGHT: [[u8; 32]; 2] = [
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
];

/// Whether `encoded` names one of the eight points of small order, in whatever encoding: either sign, and y
/// reduced or not. Anybody can make signatures that verify under those.
pub(crate) fn is_small_order(encoded: &[u8; 32]) -> bool {
    let y = reduced(y_of(encoded));
    let minus_one = subtract(P, ONE);
    y == [0; 4] || y == ONE || y == minus_one || ORDER_EIGHT.iter().any(|small| y == y_of(small))
}

/// Whether `encoded` is the canonical encoding of y and there is an x with
/// `x^2 = (y^2 - 1) / (d y^2 + 1)` (RFC 8032 §5.1.3).
pub(crate) fn is_point(encoded: &[u8; 32]) -> bool {
    let y = y_of(encoded);
    if y != reduced(y) {
        return false;
    }
    let square = multiply(y, y);
    let numerator = multiply(add(square, subtract(P, ONE)), ONE);
    let denominator = add(multiply(D, square), ONE);
    // u/v is a square exactly if u*v is, and Euler's criterion tells: (uv)^((p-1)/2) is 1 (or 0, for x = 0).
    let euler = power_of_half_group(multiply(numerator, denominator));
    euler == ONE || euler == [0; 4]
}

/// The encoded y: 255 bits, little endian; the highest bit is the sign of x.
fn y_of(encoded: &[u8; 32]) -> [u64; 4] {
    let mut y = [0; 4];
    for (limb, bytes) in y.iter_mut().zip(encoded.chunks_exact(8)) {
        *limb = bytes
            .iter()
            .rev()
            .fold(0, |value, byte| value << 8 | u64::from(*byte));
    }
    y[3] &= 0x7fff_ffff_ffff_ffff;
    y
}

/// `value^((p-1)/2)`; the exponent is 2^254 - 10.
fn power_of_half_group(value: [u64; 4]) -> [u64; 4] {
    let exponent = [
        0xffff_ffff_ffff_fff6_u64,
        0xffff_ffff_ffff_ffff,
        0xffff_ffff_ffff_ffff,
        0x3fff_ffff_ffff_ffff,
    ];
    let mut result = ONE;
    for bit in (0..254).rev() {
        result = multiply(result, result);
        if exponent[bit / 64] >> (bit % 64) & 1 == 1 {
            result = multiply(result, value);
        }
    }
    result
}

/// The sum modulo p of two reduced numbers.
fn add(a: [u64; 4], b: [u64; 4]) -> [u64; 4] {
    let mut sum = [0; 4];
    let mut carry = 0_u128;
    for i in 0..4 {
        let value = u128::from(a[i]) + u128::from(b[i]) + carry;
        sum[i] = low(value);
        carry = value >> 64;
    }
    // Both are below 2^255, so nothing is carried out of the highest limb.
    reduced(sum)
}

/// The product modulo p.
fn multiply(a: [u64; 4], b: [u64; 4]) -> [u64; 4] {
    let mut wide = [0_u64; 8];
    for i in 0..4 {
        let mut carry = 0_u128;
        for j in 0..4 {
            let value = u128::from(a[i]) * u128::from(b[j]) + u128::from(wide[i + j]) + carry;
            wide[i + j] = low(value);
            carry = value >> 64;
        }
        wide[i + 4] = low(carry);
    }
    // 2^256 is 38 modulo p: fold the upper half down until nothing is left of it.
    let mut folded = [wide[0], wide[1], wide[2], wide[3]];
    let mut carry = 0_u128;
    for i in 0..4 {
        let value = u128::from(folded[i]) + u128::from(wide[i + 4]) * 38 + carry;
        folded[i] = low(value);
        carry = value >> 64;
    }
    while carry > 0 {
        carry *= 38;
        for limb in &mut folded {
            let value = u128::from(*limb) + carry;
            *limb = low(value);
            carry = value >> 64;
        }
    }
    reduced(folded)
}

/// The number below p that is equal modulo p.
fn reduced(mut value: [u64; 4]) -> [u64; 4] {
    while value.iter().rev().ge(P.iter().rev()) {
        value = subtract(value, P);
    }
    value
}

/// `a - b`, which must not be negative.
fn subtract(a: [u64; 4], b: [u64; 4]) -> [u64; 4] {
    let mut difference = [0; 4];
    let mut borrow = false;
    for i in 0..4 {
        let (value, under) = a[i].overflowing_sub(b[i]);
        let (value, under_again) = value.overflowing_sub(u64::from(borrow));
        difference[i] = value;
        borrow = under || under_again;
    }
    difference
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the upper half is the carry, which the caller takes"
)]
const fn low(value: u128) -> u64 {
    value as u64
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};

    use super::*;

    fn encoded(y: [u64; 4], sign: bool) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (chunk, limb) in bytes.chunks_exact_mut(8).zip(y) {
            chunk.copy_from_slice(&limb.to_le_bytes());
        }
        bytes[31] |= u8::from(sign) << 7;
        bytes
    }

    #[test]
    fn each_encoding_of_a_point_of_small_order_is_found() {
        let mut small = vec![
            [0, 0, 0, 0],
            ONE,
            subtract(P, ONE),
            P,
            [P[0] + 1, P[1], P[2], P[3]],
        ];
        small.extend(ORDER_EIGHT.iter().map(y_of));
        for y in small {
            for sign in [false, true] {
                assert!(is_small_order(&encoded(y, sign)), "{y:x?} {sign}");
            }
        }
    }

    #[test]
    fn the_points_of_order_eight_are_those_that_triple_doubling_brings_to_the_neutral_point() {
        // On the curve -x^2 + y^2 = 1 + d x^2 y^2 the y of a doubled point is
        // (y^2 + x^2) / (2 - (y^2 - x^2)); for order 8 it is 0, the y of order 4: so y^2 = -x^2.
        for small in &ORDER_EIGHT {
            let y = y_of(small);
            let square = multiply(y, y);
            // x^2 = (y^2 - 1) / (d y^2 + 1) = -y^2
            let left = add(square, subtract(P, ONE));
            let right = multiply(subtract(P, square), add(multiply(D, square), ONE));
            assert_eq!(left, right);
            assert!(is_point(small));
        }
    }

    #[test]
    fn under_a_point_of_small_order_the_library_accepts_a_signature_that_nobody_made() {
        // With A the neutral point, S B = R + h A holds for S = 0 and R = A, whatever was signed.
        let neutral = encoded(ONE, false);
        let forged = [neutral, [0; 32]].concat();
        let key = UnparsedPublicKey::new(&ED25519, neutral);
        assert!(key.verify(b"anything", &forged).is_ok());
        assert!(is_small_order(&neutral));
    }

    #[test]
    fn generated_keys_are_points_of_large_order() {
        for _ in 0..50 {
            let pair = Ed25519KeyPair::generate().unwrap();
            let point = pair.public_key().as_ref().try_into().unwrap();
            assert!(is_point(&point));
            assert!(!is_small_order(&point));
        }
    }

    #[test]
    fn half_of_all_numbers_are_no_point_and_no_number_above_p_is() {
        let points = (2..1002)
            .filter(|y| is_point(&encoded([*y, 0, 0, 0], false)))
            .count();
        assert!((400..600).contains(&points), "{points}");
        assert!(!is_point(&encoded([2, 0, 0, 0], false)));
        for above in 0..19 {
            let y = [P[0] + above, P[1], P[2], P[3]];
            assert!(!is_point(&encoded(y, false)), "p + {above}");
        }
    }
}
