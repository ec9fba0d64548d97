use countersign_bearer::{ConfigError, Problem};
use redis::{Client, RedisError};

/// A client of the broker at this URL. It does not connect yet.
pub(crate) fn client(url: &str) -> Result<Client, ConfigError> {
    let checked = match url.split_once('#') {
        Some(_) => Err(problem(
            "must have no `#`: what may stand there switches off the check of the broker's certificate".to_owned(),
        )),
        None => {
            Client::open(url).map_err(|error| unusable(url, &error, cfg!(feature = "tls")))
        }
    };
    #[cfg(feature = "tls")]
    if let Ok(client) = &checked
        && let redis::ConnectionAddr::TcpTls { .. } = client.get_connection_info().addr()
    {
        choose_cryptography();
    }
    Ok(checked?)
}

/// Why this URL, which may hold a password, is none.
fn unusable(url: &str, error: &RedisError, has_tls: bool) -> Problem {
    if is_tls(url) && !has_tls {
        return problem(
            "asks for TLS, which this program was built without: enable the feature `tls` of `countersign-redis`, or \
             `redis-tls` of `countersign`"
                .to_owned(),
        );
    }
    problem(format!(
        "is no URL of a broker, such as \"redis://broker.internal:6379\": {error}"
    ))
}

fn is_tls(url: &str) -> bool {
    let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
    ["rediss", "valkeys"]
        .iter()
        .any(|tls| scheme.eq_ignore_ascii_case(tls))
}

pub(crate) fn problem(message: String) -> Problem {
    Problem::new("redis", message)
}

/// A program in which rustls has more than one to choose from, and whose `main` chose none, would panic with the first
/// connection; one that chose keeps what it chose.
#[cfg(feature = "tls")]
fn choose_cryptography() {
    let ours = tokio_rustls::rustls::crypto::aws_lc_rs::default_provider();
    let _ = ours.install_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_is_none_is_refused_with_what_to_do_and_without_its_password() {
        for (url, expected) in [
            ("", "is no URL of a broker"),
            ("broker.internal", "is no URL of a broker"),
            ("http://:secret@broker.internal", "is no URL of a broker"),
            ("redis://:secret@broker.internal/x", "is no URL of a broker"),
            (
                "rediss://:secret@broker.internal/x",
                "TLS|is no URL of a broker",
            ),
            (
                "rediss://:secret@broker.internal/#insecure",
                "must have no `#`",
            ),
        ] {
            let error = client(url).unwrap_err();
            let [problem] = error.problems() else {
                panic!("{url}: {error}");
            };
            assert_eq!(problem.path, "redis", "{url}");
            let is_expected = expected
                .split('|')
                .any(|part| problem.message.contains(part));
            assert!(is_expected, "{url}: {error}");
            assert!(!error.to_string().contains("secret"), "{url}: {error}");
        }
    }

    #[test]
    fn tls_needs_the_feature_and_whoever_lacks_it_is_told_which() {
        for url in ["redis://broker.internal", "valkey://broker.internal:6379/2"] {
            assert!(client(url).is_ok(), "{url}");
        }
        for url in [
            "rediss://:secret@broker.internal",
            "VALKEYS://broker.internal",
        ] {
            let opened = client(url);
            if cfg!(feature = "tls") {
                assert!(opened.is_ok(), "{url}: {opened:?}");
            } else {
                let error = opened.unwrap_err().to_string();
                assert!(error.contains("the feature `tls`"), "{url}: {error}");
                assert!(!error.contains("secret"), "{url}: {error}");
            }
        }
    }
}
