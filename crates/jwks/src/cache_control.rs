//! How long a response may be kept, as far as `Cache-Control` says ([RFC 9111 §5.2.2]).
//!
//! [RFC 9111 §5.2.2]: https://www.rfc-editor.org/rfc/rfc9111#section-5.2.2

use std::time::Duration;

use http::HeaderMap;
use http::header::{CACHE_CONTROL, RETRY_AFTER};

/// The lifetime that the response names: that of `max-age`, or zero for `no-store` and `no-cache`.
///
/// The shortest of several counts. A `max-age` that is no number counts as zero, since the RFC wants it to be
/// read as stale; the caller's lower bound keeps that from becoming a fetch per request. `s-maxage` is for shared
/// caches, which this is not.
pub(crate) fn max_age(headers: &HeaderMap) -> Option<Duration> {
    headers
        .get_all(CACHE_CONTROL)
        .into_iter()
        .flat_map(|value| directives(value.as_bytes()))
        .filter_map(lifetime)
        .min()
}

/// `Retry-After` in seconds ([RFC 9110 §10.2.3]). The form with a date is not read: back-off does as well.
///
/// [RFC 9110 §10.2.3]: https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    seconds(headers.get(RETRY_AFTER)?.as_bytes().trim_ascii())
}

/// Splits at the commas outside quoted strings.
fn directives(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut quoted = false;
    let mut escaped = false;
    value.split(move |byte| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b',' if !quoted => return true,
            _ => {}
        }
        false
    })
}

fn lifetime(directive: &[u8]) -> Option<Duration> {
    let mut parts = directive.splitn(2, |byte| *byte == b'=');
    let name = parts.next()?.trim_ascii();
    let argument = parts.next().map(<[u8]>::trim_ascii);
    if name.eq_ignore_ascii_case(b"no-store") {
        return Some(Duration::ZERO);
    }
    if name.eq_ignore_ascii_case(b"no-cache") {
        // With an argument it speaks of single header fields, not of the response.
        return argument.is_none().then_some(Duration::ZERO);
    }
    if name.eq_ignore_ascii_case(b"max-age") {
        let argument = argument.unwrap_or_default();
        let unquoted = argument
            .strip_prefix(b"\"")
            .and_then(|rest| rest.strip_suffix(b"\""))
            .unwrap_or(argument);
        return Some(seconds(unquoted).unwrap_or(Duration::ZERO));
    }
    None
}

/// `1*DIGIT`; what exceeds 2^31 seconds counts as that (RFC 9111 §1.2.2).
fn seconds(digits: &[u8]) -> Option<Duration> {
    const MOST: u64 = 1 << 31;
    if digits.is_empty() {
        return None;
    }
    digits
        .iter()
        .try_fold(0, |value: u64, digit| {
            let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
            Some((value * 10 + digit).min(MOST))
        })
        .map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn headers(name: &http::HeaderName, values: &[&str]) -> HeaderMap {
        values
            .iter()
            .map(|value| (name.clone(), HeaderValue::from_str(value).unwrap()))
            .collect()
    }

    #[test]
    fn a_lifetime_is_read_from_where_the_rfc_puts_it_and_nowhere_else() {
        let cases: [(&[&str], Option<u64>); 21] = [
            (&[], None),
            (&["max-age=300"], Some(300)),
            (&["public, max-age=300, must-revalidate"], Some(300)),
            (&["Max-Age=300"], Some(300)),
            (&["max-age=\"300\""], Some(300)),
            (&["max-age = 300"], Some(300)),
            (&["max-age=300", "max-age=20"], Some(20)),
            (&["max-age=300, max-age=20"], Some(20)),
            (&["no-store"], Some(0)),
            (&["no-cache, max-age=300"], Some(0)),
            (&["no-cache=\"set-cookie\", max-age=300"], Some(300)),
            (&["s-maxage=300"], None),
            (&["x-max-age=300"], None),
            (&["extension=\"max-age=300\""], None),
            (&["extension=\"a, max-age=300, b\""], None),
            (&["extension=\"\\\", max-age=7\", max-age=300"], Some(300)),
            // A backslash is one in quotes only.
            (&["extension=\\, max-age=300"], Some(300)),
            (&["max-age=-1"], Some(0)),
            (&["max-age"], Some(0)),
            (&["max-age=1.5"], Some(0)),
            (&["max-age=99999999999999999999999999"], Some(1 << 31)),
        ];
        for (values, expected) in cases {
            let headers = headers(&CACHE_CONTROL, values);
            assert_eq!(
                max_age(&headers),
                expected.map(Duration::from_secs),
                "{values:?}"
            );
        }
    }

    #[test]
    fn retry_after_is_read_in_seconds_only() {
        for (value, expected) in [
            ("30", Some(30)),
            (" 30 ", Some(30)),
            ("0", Some(0)),
            ("Fri, 31 Dec 1999 23:59:59 GMT", None),
            ("-1", None),
            ("", None),
        ] {
            let headers = headers(&RETRY_AFTER, &[value]);
            assert_eq!(
                retry_after(&headers),
                expected.map(Duration::from_secs),
                "{value:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn whatever_a_server_sends_is_read_without_panic_and_is_bounded(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                let headers: HeaderMap = [(CACHE_CONTROL, value.clone()), (RETRY_AFTER, value)].into_iter().collect();
                let most = Duration::from_secs(1 << 31);
                prop_assert!(max_age(&headers).is_none_or(|age| age <= most));
                prop_assert!(retry_after(&headers).is_none_or(|age| age <= most));
            }
        }

        #[test]
        fn a_max_age_is_found_among_any_other_directives(
            before in "([a-z]{1,8}(=([a-z0-9]{1,4}|\"[ -!#-\\[\\]-~]{0,9}\"))?, ?){0,3}",
            age in 0_u64..=1 << 31,
            after in "(, ?[a-z]{1,8}(=\"[ -!#-\\[\\]-~]{0,9}\")?){0,3}",
        ) {
            let value = format!("{before}max-age={age}{after}");
            let headers = headers(&CACHE_CONTROL, &[&value]);
            prop_assert_eq!(max_age(&headers), Some(Duration::from_secs(age)));
        }
    }
}
