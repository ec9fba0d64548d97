//! Where an issuer publishes its metadata, which URLs are trusted, and what the metadata must say.

use url::{Host, Url};

use crate::fetch::FetchFailure;
use crate::members::Members;

/// A URL that may be fetched: `https`, or `http` to a host that is this machine. One with credentials in it is
/// refused: it would end up in places where no credential should be.
pub fn secure_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    if !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    match url.scheme() {
        "https" => url.host().is_some().then_some(url),
        "http" => is_loopback(&url).then_some(url),
        _ => None,
    }
}

/// `127.0.0.0/8`, `::1` or `localhost`.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// An issuer whose metadata can be discovered: a URL without query and fragment ([RFC 8414 §2]).
///
/// [RFC 8414 §2]: https://www.rfc-editor.org/rfc/rfc8414#section-2
pub fn issuer_url(issuer: &str) -> Option<Url> {
    secure_url(issuer).filter(|url| url.query().is_none() && url.fragment().is_none())
}

/// The two places of the metadata, in the order they are tried: OpenID Connect's, which is appended to the issuer
/// ([Discovery 1.0 §4]), and OAuth's, which is inserted before the path ([RFC 8414 §3.1]).
///
/// [Discovery 1.0 §4]: https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig
/// [RFC 8414 §3.1]: https://www.rfc-editor.org/rfc/rfc8414#section-3.1
pub fn metadata_urls(issuer: &Url) -> [String; 2] {
    let path = issuer.path();
    let path = path.strip_suffix('/').unwrap_or(path);
    let with_path = |path: &str| {
        let mut url = issuer.clone();
        url.set_path(path);
        String::from(url)
    };
    [
        with_path(&format!("{path}/.well-known/openid-configuration")),
        with_path(&format!("/.well-known/oauth-authorization-server{path}")),
    ]
}

/// The URL that a member of the metadata such as `jwks_uri` names, out of metadata that speaks for `issuer` and for nobody else.
///
/// `issuer_url` is the issuer as a URL. Only an issuer on this machine may send us to a plain `http` URL on this
/// machine: a remote one has no business there.
pub fn endpoint(
    member: &str,
    metadata: &[u8],
    issuer: &str,
    issuer_url: &Url,
    same_origin_only: bool,
) -> Result<String, FetchFailure> {
    let metadata = std::str::from_utf8(metadata).map_err(|_| FetchFailure::Malformed)?;
    let members = Members::parse(metadata).map_err(|_| FetchFailure::Malformed)?;
    let text = |name| {
        members
            .string(name)
            .ok()
            .flatten()
            .ok_or(FetchFailure::Malformed)
    };
    if text("issuer")? != issuer {
        return Err(FetchFailure::IssuerMismatch);
    }
    let uri = secure_url(&text(member)?).ok_or(FetchFailure::InsecureUrl)?;
    if uri.scheme() == "http" && !is_loopback(issuer_url) {
        return Err(FetchFailure::InsecureUrl);
    }
    if same_origin_only && uri.origin() != issuer_url.origin() {
        return Err(FetchFailure::OtherOrigin);
    }
    Ok(uri.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_this_machine_are_secure() {
        for (url, secure) in [
            ("https://acme.example/keys", true),
            ("HTTPS://acme.example", true),
            ("http://acme.example/keys", false),
            ("http://localhost:8080/keys", true),
            ("http://127.0.0.1/keys", true),
            ("http://127.8.9.1:1/keys", true),
            ("http://[::1]:8080/keys", true),
            ("http://localhost.acme.example/", false),
            ("http://127.0.0.1.acme.example/", false),
            ("http://localhost@acme.example/", false),
            ("https://user@acme.example/", false),
            ("https://user:password@acme.example/", false),
            ("https://:password@acme.example/", false),
            ("http://10.0.0.1/", false),
            ("http://[::ffff:10.0.0.1]/", false),
            ("ftp://127.0.0.1/keys", false),
            ("file:///keys", false),
            ("acme.example/keys", false),
            ("", false),
        ] {
            assert_eq!(secure_url(url).is_some(), secure, "{url}");
        }
    }

    #[test]
    fn metadata_is_looked_for_where_both_standards_put_it() {
        for (issuer, openid, oauth) in [
            (
                "https://acme.example",
                "https://acme.example/.well-known/openid-configuration",
                "https://acme.example/.well-known/oauth-authorization-server",
            ),
            (
                "https://acme.example/",
                "https://acme.example/.well-known/openid-configuration",
                "https://acme.example/.well-known/oauth-authorization-server",
            ),
            (
                "https://acme.example:8443/realms/one",
                "https://acme.example:8443/realms/one/.well-known/openid-configuration",
                "https://acme.example:8443/.well-known/oauth-authorization-server/realms/one",
            ),
            (
                "https://acme.example/realms/one/",
                "https://acme.example/realms/one/.well-known/openid-configuration",
                "https://acme.example/.well-known/oauth-authorization-server/realms/one",
            ),
        ] {
            let urls = metadata_urls(&issuer_url(issuer).unwrap());
            assert_eq!(urls, [openid, oauth], "{issuer}");
        }
    }

    #[test]
    fn an_issuer_with_query_or_fragment_cannot_be_discovered() {
        for issuer in [
            "https://acme.example/?a",
            "https://acme.example/#a",
            "urn:acme",
        ] {
            assert_eq!(issuer_url(issuer), None, "{issuer}");
        }
    }

    const ACME: &str = "https://acme.example";
    const LOCAL: &str = "http://127.0.0.1:9";

    /// What is found in `metadata` of that issuer, on any origin and on the same one.
    fn both(issuer: &str, metadata: &str) -> [Result<String, FetchFailure>; 2] {
        let url = issuer_url(issuer).unwrap();
        [false, true].map(|same| endpoint("jwks_uri", metadata.as_bytes(), issuer, &url, same))
    }

    #[test]
    fn a_jwks_uri_must_be_secure_and_of_the_same_origin_where_that_is_demanded() {
        use FetchFailure::{InsecureUrl, OtherOrigin};
        for (issuer, uri, anywhere, same_origin) in [
            (ACME, "https://acme.example/keys", None, None),
            (ACME, "https://acme.example:443/keys", None, None),
            (ACME, "https://cdn.example/keys", None, Some(OtherOrigin)),
            (ACME, "https://acme.example:8443/", None, Some(OtherOrigin)),
            (
                ACME,
                "http://acme.example/",
                Some(InsecureUrl),
                Some(InsecureUrl),
            ),
            (
                ACME,
                "http://127.0.0.1/keys",
                Some(InsecureUrl),
                Some(InsecureUrl),
            ),
            (ACME, "/keys", Some(InsecureUrl), Some(InsecureUrl)),
            (LOCAL, "http://127.0.0.1:9/keys", None, None),
            (LOCAL, "http://127.0.0.1:8/keys", None, Some(OtherOrigin)),
        ] {
            let metadata =
                format!(r#"{{"issuer": "{issuer}", "jwks_uri": "{uri}", "more": {{}}}}"#);
            let failures = both(issuer, &metadata).map(Result::err);
            assert_eq!(failures, [anywhere, same_origin], "{metadata}");
        }
    }

    #[test]
    fn metadata_must_speak_for_exactly_this_issuer_and_be_read_in_one_way_only() {
        use FetchFailure::{IssuerMismatch, Malformed};
        let uri = r#""jwks_uri": "https://acme.example/keys""#;
        for (members, expected) in [
            (format!(r#""issuer": "{ACME}/", {uri}"#), IssuerMismatch),
            (
                format!(r#""issuer": "https://ACME.example", {uri}"#),
                IssuerMismatch,
            ),
            (format!(r#""issuer": ["{ACME}"], {uri}"#), Malformed),
            (
                format!(r#""issuer": "https://evil.example", "issuer": "{ACME}", {uri}"#),
                Malformed,
            ),
            (format!(r#""issuer": "{ACME}""#), Malformed),
            (uri.to_owned(), Malformed),
        ] {
            let [found, _] = both(ACME, &format!("{{{members}}}"));
            assert_eq!(found, Err(expected), "{members}");
        }
        assert_eq!(both(ACME, "[]")[0], Err(Malformed));
    }
}
