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

/// What the token's own organization may be called: its identifier, and its aliases where they are known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Own<'t> {
    pub(crate) id: &'t OrganizationId,
    pub(crate) aliases: &'t [String],
}

impl Own<'_> {
    fn is_called(self, name: &str) -> bool {
        name == self.id.as_str() || self.aliases.iter().any(|alias| alias == name)
    }

    /// Host names know no case.
    fn is_host_label(self, label: &str) -> bool {
        let names = self.aliases.iter().map(String::as_str);
        let mut names = names.chain([self.id.as_str()]);
        names.any(|name| name.eq_ignore_ascii_case(label))
    }
}

/// What the matched route's path parameters say of the tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Path {
    /// There is none that names a tenant.
    Silent,
    /// One or more do, by these names.
    Names(Vec<String>),
    /// One of them cannot be read.
    Unreadable,
}

impl Path {
    pub(crate) async fn of(parts: &mut Parts, rules: &TenantRules) -> Self {
        match parts.extract::<RawPathParams>().await {
            Ok(parameters) => {
                let names: Vec<_> = parameters
                    .iter()
                    .filter(|(name, _)| rules.path_parameters.iter().any(|one| one == name))
                    .map(|(_, value)| value.to_owned())
                    .collect();
                if names.is_empty() {
                    Self::Silent
                } else {
                    Self::Names(names)
                }
            }
            // No route was matched, as in a fallback: there are no parameters.
            Err(RawPathParamsRejection::MissingPathParams(_)) => Self::Silent,
            // A parameter that is no UTF-8 hides the others, too.
            Err(_) => Self::Unreadable,
        }
    }

    /// Whether it leaves the tenant be: it names nobody, or the token's own organization each time.
    pub(crate) fn agrees(&self, own: Own<'_>) -> bool {
        match self {
            Self::Silent => true,
            Self::Names(names) => names.iter().all(|name| own.is_called(name)),
            Self::Unreadable => false,
        }
    }
}

/// Whether the host and the configured header leave the tenant be: each occurrence that names one names this.
pub(crate) fn host_and_header_agree(parts: &Parts, rules: &TenantRules, own: Own<'_>) -> bool {
    let header_agrees = rules.header.as_ref().is_none_or(|header| {
        let mut values = parts.headers.get_all(header).iter();
        values.all(|value| {
            let name = std::str::from_utf8(value.as_bytes());
            name.is_ok_and(|name| own.is_called(name))
        })
    });
    let host_agrees = rules
        .host_suffix
        .as_ref()
        .is_none_or(|suffix| hosts_agree(&parts.uri, &parts.headers, suffix, own));
    header_agrees && host_agrees
}

fn hosts_agree(uri: &Uri, headers: &HeaderMap, suffix: &str, own: Own<'_>) -> bool {
    let of_uri = uri.host().map(Some);
    let of_header = headers
        .get_all(HOST)
        .iter()
        .map(|value| value.to_str().ok());
    of_uri.into_iter().chain(of_header).all(|host| {
        // A host that cannot be read might name anybody, to whoever stands in front.
        host.and_then(name_of)
            .is_some_and(|name| label(name, suffix).is_none_or(|label| own.is_host_label(label)))
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
