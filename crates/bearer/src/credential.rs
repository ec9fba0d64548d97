use countersign_token::MAX_TOKEN_BYTES;
use http::HeaderMap;
use http::header::AUTHORIZATION;

/// What a request brings to authenticate itself with: the four things that are answered differently.
///
/// Only the `Authorization` header is read, never the query, a form or a cookie
/// ([RFC 6750 §2](https://www.rfc-editor.org/rfc/rfc6750#section-2)).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Credential<'r> {
    /// No credential, or one of a scheme that is somebody else's.
    Missing,
    /// What stands behind the scheme `DPoP`, which must be neither accepted as a plain bearer nor taken for no
    /// credential at all.
    Dpop(&'r [u8]),
    /// Two headers, an empty one, or a bearer that is no `b64token`.
    Malformed,
    /// What stands behind the scheme `Bearer`. See [`is_b64token`] for whether it is a token.
    Bearer(&'r [u8]),
}

impl<'r> Credential<'r> {
    pub(crate) fn read(headers: &'r HeaderMap) -> Self {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let value = match (values.next(), values.next()) {
            (None, _) => return Self::Missing,
            (Some(_), Some(_)) => return Self::Malformed,
            (Some(value), None) => value.as_bytes(),
        };
        // As nearly all are; the rest is for the others.
        if let Some((b"Bearer ", token @ [first, ..])) = value.split_at_checked(7)
            && *first != b' '
        {
            return Self::Bearer(token);
        }
        let scheme_end = value.iter().position(|byte| *byte == b' ');
        let (scheme, rest) = value.split_at(scheme_end.unwrap_or(value.len()));
        let behind = || {
            let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
            &rest[spaces..]
        };
        if scheme.eq_ignore_ascii_case(b"bearer") {
            Self::Bearer(behind())
        } else if scheme.eq_ignore_ascii_case(b"dpop") {
            Self::Dpop(behind())
        } else if is_token(scheme) {
            Self::Missing
        } else {
            // Not the scheme of anybody: it might be a credential that somebody spoilt, and is no lack of one.
            Self::Malformed
        }
    }
}

/// A token as HTTP has them ([RFC 9110 §5.6.2](https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2)), which a
/// scheme is.
fn is_token(scheme: &[u8]) -> bool {
    let is_token_character =
        |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !scheme.is_empty() && scheme.iter().all(is_token_character)
}

/// `b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`, of a length that is looked at.
pub(crate) fn is_b64token(bytes: &[u8]) -> bool {
    // Without a way out of the loop, it is done sixteen bytes at a time.
    let is_character = |byte: &u8| {
        let is_letter = (byte | 0x20).wrapping_sub(b'a') < 26;
        // `-`, `.`, `/` and the digits stand side by side.
        let is_digit_or_such = byte.wrapping_sub(b'-') < 13;
        is_letter || is_digit_or_such || matches!(byte, b'_' | b'~' | b'+')
    };
    let are_characters = |bytes: &[u8]| bytes.iter().fold(true, |all, one| all & is_character(one));
    let padding = bytes.iter().rev().take_while(|byte| **byte == b'=').count();
    let characters = &bytes[..bytes.len() - padding];
    !characters.is_empty() && bytes.len() <= MAX_TOKEN_BYTES && are_characters(characters)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(values: &[&[u8]]) -> HeaderMap {
        values
            .iter()
            .map(|value| (AUTHORIZATION, HeaderValue::from_bytes(value).unwrap()))
            .collect()
    }

    #[test]
    fn absent_malformed_unsupported_and_bearer_are_told_apart() {
        use Credential::{Bearer, Dpop, Malformed, Missing};
        let long = [b"Bearer ".as_slice(), &[b'a'; 8192]].concat();
        let too_long = [b"Bearer ".as_slice(), &[b'a'; 8193]].concat();
        let longest = "a".repeat(8192);
        let cases: &[(&[&[u8]], Credential<'_>)] = &[
            (&[], Missing),
            (&[b"Basic dTpw"], Missing),
            (&[b"Bearerx abc"], Missing),
            (&[b"Digest"], Missing),
            (&[b"DPoP abc"], Dpop(b"abc")),
            (&[b"dpop"], Dpop(b"")),
            (&[b""], Malformed),
            (&[b"DPoP\tabc"], Malformed),
            (&[b"Bearer\tabc"], Malformed),
            (&[b"Bearer,abc"], Malformed),
            (&[b"DPoP,Bearer abc"], Malformed),
            (&[b"\xff abc"], Malformed),
            (&[b" Bearer abc"], Malformed),
            (&[b"Bearer"], Malformed),
            (&[b"Bearer "], Malformed),
            (&[b"Bearer ="], Malformed),
            (&[b"Bearer abc def"], Malformed),
            (&[b"Bearer abc, Bearer def"], Malformed),
            (&[b"Bearer abc,def"], Malformed),
            (&[b"Bearer abc "], Malformed),
            (&[b"Bearer \tabc"], Malformed),
            (&[b"Bearer a=b"], Malformed),
            (&[b"Bearer \"abc\""], Malformed),
            (&[b"Bearer ab\xffc"], Malformed),
            (&[b"Bearer \xc3\xa9"], Malformed),
            (&[b"Bearer abc", b"Bearer abc"], Malformed),
            (&[b"Bearer abc", b"Basic dTpw"], Malformed),
            (&[b"Bearer abc"], Bearer(b"abc")),
            (&[b"bEARER abc"], Bearer(b"abc")),
            (&[b"Bearer   abc"], Bearer(b"abc")),
            (&[b"Bearer aZ0-._~+/=="], Bearer(b"aZ0-._~+/==")),
            (&[&long], Bearer(longest.as_bytes())),
            (&[&too_long], Malformed),
        ];
        for (values, expected) in cases {
            let headers = headers(values);
            let read = match Credential::read(&headers) {
                Bearer(bytes) if !is_b64token(bytes) => Malformed,
                read => read,
            };
            assert!(
                read == *expected,
                "{:?}",
                values
                    .iter()
                    .map(|value| value.escape_ascii().to_string())
                    .collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn a_token_has_the_characters_of_a_b64token_and_no_others() {
        for byte in 0..=u8::MAX {
            let is_one = byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
            assert_eq!(is_b64token(&[b'a', byte, b'a']), is_one, "{byte}");
        }
    }

    #[test]
    fn a_token_anywhere_else_is_no_credential() {
        let mut headers = HeaderMap::new();
        headers.insert("cookie", HeaderValue::from_static("access_token=abc"));
        headers.insert("x-authorization", HeaderValue::from_static("Bearer abc"));
        headers.insert(
            "proxy-authorization",
            HeaderValue::from_static("Bearer abc"),
        );
        assert!(Credential::read(&headers) == Credential::Missing);
    }
}
