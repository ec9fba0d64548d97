//! What of a request, besides the token, names a tenant.

use std::net::Ipv6Addr;

use axum::RequestPartsExt;
use axum::extract::RawPathParams;
use axum::extract::rejection::RawPathParamsRejection;
use countersign_bearer::TenantRules;
use countersign_token::OrganizationId;
use http::HeaderMap;
use http::Uri;
use http::header::HOST;
use http::request::Parts;

/// What the matched route's path parameters say of the tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Path {
    /// There is none that names a tenant.
    Silent,
    /// Every one of them names this tenant.
    Agrees,
    /// One of them names another, or cannot be read.
    Differs,
}

impl Path {
    pub(crate) async fn of(
        parts: &mut Parts,
        rules: &TenantRules,
        tenant: &OrganizationId,
    ) -> Self {
        match parts.extract::<RawPathParams>().await {
            Ok(parameters) => {
                let mut named = parameters
                    .iter()
                    .filter(|(name, _)| rules.path_parameters.iter().any(|one| one == name))
                    .map(|(_, value)| value == tenant.as_str())
                    .peekable();
                if named.peek().is_none() {
                    Self::Silent
                } else if named.all(|agrees| agrees) {
                    Self::Agrees
                } else {
                    Self::Differs
                }
            }
            // No route was matched, as in a fallback: there are no parameters.
            Err(RawPathParamsRejection::MissingPathParams(_)) => Self::Silent,
            // A parameter that is no UTF-8 hides the others, too.
            Err(_) => Self::Differs,
        }
    }
}

/// Whether the host and the configured header leave the tenant be: each occurrence that names one names this.
pub(crate) fn host_and_header_agree(
    parts: &Parts,
    rules: &TenantRules,
    tenant: &OrganizationId,
) -> bool {
    let header_agrees = rules.header.as_ref().is_none_or(|header| {
        let mut values = parts.headers.get_all(header).iter();
        values.all(|value| value.as_bytes() == tenant.as_str().as_bytes())
    });
    let host_agrees = rules
        .host_suffix
        .as_ref()
        .is_none_or(|suffix| hosts_agree(&parts.uri, &parts.headers, suffix, tenant));
    header_agrees && host_agrees
}

fn hosts_agree(uri: &Uri, headers: &HeaderMap, suffix: &str, tenant: &OrganizationId) -> bool {
    let of_uri = uri.host().map(Some);
    let of_header = headers
        .get_all(HOST)
        .iter()
        .map(|value| value.to_str().ok());
    of_uri.into_iter().chain(of_header).all(|host| {
        // A host that cannot be read might name anybody, to whoever stands in front.
        host.and_then(name_of).is_some_and(|name| {
            label(name, suffix).is_none_or(|label| label.eq_ignore_ascii_case(tenant.as_str()))
        })
    })
}

/// The host without its port, and without a dot at its end, which means nothing. `None` for what is neither a
/// host name nor an address.
fn name_of(host: &str) -> Option<&str> {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, port),
        _ => (host, ""),
    };
    let is_host = match name.strip_prefix('[') {
        Some(address) => address
            .strip_suffix(']')
            .is_some_and(|address| address.parse::<Ipv6Addr>().is_ok()),
        None => name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)),
    };
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_port = port.bytes().all(|byte| byte.is_ascii_digit());
    (is_host && is_port && !name.ends_with('.')).then_some(name)
}

/// What stands before the suffix: `acme` for `acme.api.example.com` and `.api.example.com`. Host names know no
/// case.
fn label<'n>(name: &'n str, suffix: &str) -> Option<&'n str> {
    let split = name.len().checked_sub(suffix.len())?;
    let (label, end) = name.split_at_checked(split)?;
    end.eq_ignore_ascii_case(suffix).then_some(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_names_a_tenant_by_what_stands_before_the_suffix() {
        let cases = [
            ("acme.api.example.com", Some("acme")),
            ("acme.API.example.COM", Some("acme")),
            ("a.b.api.example.com", Some("a.b")),
            (".api.example.com", Some("")),
            ("api.example.com", None),
            ("acme.api.example.org", None),
            ("acmeapi.example.com", None),
            ("127.0.0.1", None),
            ("[::1]", None),
            ("", None),
            // Never split within a character, wherever the names come from.
            ("\u{e9}.api.example.com", Some("\u{e9}")),
            ("\u{e9}api.example.com", None),
        ];
        for (name, expected) in cases {
            assert_eq!(label(name, ".api.example.com"), expected, "{name:?}");
        }
    }

    #[test]
    fn a_host_is_a_name_or_an_address_with_a_port_or_without() {
        let cases = [
            ("example.com", Some("example.com")),
            ("example.com:8443", Some("example.com")),
            ("example.com:", Some("example.com")),
            ("example.com.", Some("example.com")),
            ("example.com.:80", Some("example.com")),
            ("an_internal-name~1", Some("an_internal-name~1")),
            ("127.0.0.1:80", Some("127.0.0.1")),
            ("[::1]", Some("[::1]")),
            ("[::1]:80", Some("[::1]")),
            ("", Some("")),
            (":80", Some("")),
            ("example.com..", None),
            ("example.com:x", None),
            ("example.com:80:80", None),
            ("::1", None),
            ("[::1", None),
            ("[::1]x", None),
            ("[]", None),
            ("[example.com]", None),
            ("user@example.com", None),
            ("example.com/", None),
            ("a b", None),
            ("a,b", None),
            ("%61", None),
            ("\u{e9}.example.com", None),
        ];
        for (host, expected) in cases {
            assert_eq!(name_of(host), expected, "{host:?}");
        }
    }
}
