//! What of a request, besides the token, names a tenant.

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
        // A host that cannot be read might name anybody.
        host.is_some_and(|host| {
            label(host, suffix).is_none_or(|label| label.eq_ignore_ascii_case(tenant.as_str()))
        })
    })
}

/// What stands before the suffix: `acme` for `acme.api.example.com:8443` and `.api.example.com`. Host names
/// know no case, and a dot at their end means nothing.
fn label<'h>(host: &'h str, suffix: &str) -> Option<&'h str> {
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let name = match host.rsplit_once(':') {
        Some((name, port)) if is_port(port) => name,
        _ => host,
    };
    let name = name.strip_suffix('.').unwrap_or(name);
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
            ("acme.API.example.COM:8443", Some("acme")),
            ("acme.api.example.com.", Some("acme")),
            ("a.b.api.example.com", Some("a.b")),
            (".api.example.com", Some("")),
            ("api.example.com", None),
            ("acme.api.example.org", None),
            ("acmeapi.example.com", None),
            ("127.0.0.1:80", None),
            ("[::1]:80", None),
            ("", None),
            ("\u{e9}.api.example.com", Some("\u{e9}")),
        ];
        for (host, expected) in cases {
            assert_eq!(label(host, ".api.example.com"), expected, "{host:?}");
        }
    }
}
