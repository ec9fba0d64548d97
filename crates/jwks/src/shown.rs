use std::fmt;

use url::Url;

/// A URL as it may be printed: origin and path. User, password, query and fragment are where secrets are put; they are
/// left out, also of a URL that will be refused on their account.
pub(crate) struct Shown<'a>(pub(crate) &'a str);

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Url::parse(self.0) {
            Ok(url) if url.has_host() && url.origin().is_tuple() => {
                let origin = url.origin().ascii_serialization();
                write!(f, "{:?}", origin + url.path())
            }
            _ => f.write_str("(not a URL of a host)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::FetchRequest;
    use crate::source::KeySource;

    #[test]
    fn origin_and_path_of_a_url_are_shown_and_nothing_else() {
        for (url, shown) in [
            ("https://as.test/jwks", r#""https://as.test/jwks""#),
            ("https://as.test", r#""https://as.test/""#),
            ("http://127.0.0.1:80/a/b", r#""http://127.0.0.1/a/b""#),
            ("https://[::1]:8443/", r#""https://[::1]:8443/""#),
            (
                "https://as.test/jwks?key=hunter2",
                r#""https://as.test/jwks""#,
            ),
            ("https://as.test/#hunter2", r#""https://as.test/""#),
            ("https://user:hunter2@as.test/", r#""https://as.test/""#),
            ("https://hunter2@as.test/", r#""https://as.test/""#),
            ("https://:hunter2@as.test/", r#""https://as.test/""#),
            ("https://user:hunter2@", "(not a URL of a host)"),
            ("https://:hunter2@as.test:99999/", "(not a URL of a host)"),
            ("https:hunter2@as.test", r#""https://as.test/""#),
            ("gopher://user:hunter2@as.test/", "(not a URL of a host)"),
            ("file:///hunter2", "(not a URL of a host)"),
            ("mailto:hunter2@as.test", "(not a URL of a host)"),
            ("hunter2", "(not a URL of a host)"),
            ("", "(not a URL of a host)"),
        ] {
            assert_eq!(format!("{:?}", Shown(url)), shown, "{url}");
        }
    }

    #[test]
    fn sources_and_requests_show_no_secret_of_their_url_and_no_key() {
        let url = "https://user:hunter2@as.test/jwks?key=hunter2";
        let source = KeySource::url(url);
        assert_eq!(format!("{source:?}"), r#"Url("https://as.test/jwks")"#);
        let request = format!("{:?}", FetchRequest::new(url));
        let shown = r#"FetchRequest { url: "https://as.test/jwks", accept: "#;
        assert!(request.starts_with(shown), "{request}");
        // What was put there by mistake may be a private key.
        let source = KeySource::json(*b"{}");
        assert_eq!(format!("{source:?}"), "Json(2 bytes)");
        assert_eq!(format!("{:?}", KeySource::Discovery), "Discovery");
        let source = KeySource::file("/etc/keys.json");
        assert_eq!(format!("{source:?}"), r#"File("/etc/keys.json")"#);
    }
}
