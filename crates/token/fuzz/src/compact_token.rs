use std::sync::LazyLock;

use countersign_token::{
    ClaimsProfile, CompactToken, Issuer, MAX_TOKEN_BYTES, Refusal, UnverifiedToken,
};

use super::strict_json::{Verdict, judge};
use super::world::{KEYS, NOW, lenient};

static ISSUER: LazyLock<Issuer> = LazyLock::new(|| lenient(ClaimsProfile::rfc9068()));

/// The input is a token as it came, of an issuer whose keys nobody has: it is read exactly if it is canonical,
/// and never verified.
pub fn compact_token(input: &[u8]) {
    let Ok(token) = std::str::from_utf8(input) else {
        return;
    };
    let segments = segments(token);
    let compact = match CompactToken::decode(token) {
        Ok(compact) => compact,
        Err(refusal) => {
            assert_eq!(refusal, Refusal::Malformed);
            assert!(segments.is_none(), "a canonical token is refused");
            return;
        }
    };
    let [header, payload, _] = segments.expect("a token that is not canonical is accepted");
    let read = UnverifiedToken::read(&compact);
    let again = UnverifiedToken::read(&compact);
    assert_eq!(read.as_ref().err(), again.as_ref().err());
    let refused = match &read {
        Ok(token) => {
            assert_ne!(judge(&header), Verdict::NotStrict, "the header");
            assert_ne!(judge(&payload), Verdict::NotStrict, "the payload");
            token.issuer().err()
        }
        Err(Refusal::MalformedPayload) => {
            assert_ne!(judge(&payload), Verdict::Strict, "the payload");
            return;
        }
        Err(_) => return,
    };
    check_is_never_verified(read, again, refused);
}

fn check_is_never_verified(
    read: Result<UnverifiedToken<'_>, Refusal>,
    again: Result<UnverifiedToken<'_>, Refusal>,
    refused: Option<Refusal>,
) {
    let checked = read.and_then(|token| ISSUER.check(token, NOW));
    let checked_again = again.and_then(|token| ISSUER.check(token, NOW));
    assert_eq!(
        checked.as_ref().err(),
        checked_again.as_ref().err(),
        "one token, two answers"
    );
    let (Ok(checked), Ok(again)) = (checked, checked_again) else {
        return;
    };
    assert_eq!(refused, None, "a token without an issuer passes");
    assert!(ISSUER.algorithms().contains(checked.algorithm()));
    for keys in KEYS.iter() {
        if keys.keys()[0].algorithms().contains(checked.algorithm()) {
            let outcome = checked.verify(&keys.keys()[0]);
            assert_eq!(outcome.err(), Some(Refusal::BadSignature));
            break;
        }
    }
    for keys in KEYS.iter() {
        if !keys.keys()[0].algorithms().contains(again.algorithm()) {
            let of_another_kind = again.verify(&keys.keys()[0]);
            assert_eq!(of_another_kind.err(), Some(Refusal::BadSignature));
            break;
        }
    }
}

/// Header, payload and signature of a token that is canonical and not too long.
fn segments(token: &str) -> Option<[Vec<u8>; 3]> {
    if token.len() > MAX_TOKEN_BYTES {
        return None;
    }
    let decoded: Vec<_> = token.split('.').map(base64url).collect::<Option<_>>()?;
    decoded.try_into().ok()
}

/// RFC 4648 §5 without padding, bit by bit; nothing at all is no segment.
fn base64url(segment: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0_u32);
    for character in segment.bytes() {
        let sextet = match character {
            b'A'..=b'Z' => character - b'A',
            b'a'..=b'z' => character - b'a' + 26,
            b'0'..=b'9' => character - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(sextet);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count).ok()?);
            bits &= (1 << count) - 1;
        }
    }
    // What is left over must be zeros, and less than a character.
    (!bytes.is_empty() && count < 6 && bits == 0).then_some(bytes)
}
