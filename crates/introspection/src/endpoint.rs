use std::time::Duration;

use countersign_jwks::suite;

/// Where questions go.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IntrospectionEndpoint {
    /// Where the issuer's metadata says, as `introspection_endpoint`
    /// ([RFC 8414 §2](https://www.rfc-editor.org/rfc/rfc8414#section-2)). It is looked up with the first question, and
    /// again after an hour or a failure; where that may be about the one question, a minute after the last time at the
    /// earliest.
    Discovery,
    /// This URL: `https`, or `http` to a loopback host.
    Url(String),
}

impl IntrospectionEndpoint {
    /// This URL.
    pub fn url(url: impl Into<String>) -> Self {
        Self::Url(url.into())
    }

    /// What is wrong with it for an issuer of this name, if anything.
    pub(crate) fn problem(&self, issuer: &str) -> Option<&'static str> {
        match self {
            Self::Discovery if suite::issuer_url(issuer).is_none() => Some(
                "cannot be discovered: the issuer is no https URL without query and fragment; give the endpoint's URL",
            ),
            Self::Url(url) if suite::secure_url(url).is_none() => {
                Some("must be an https URL without user (http on loopback excepted)")
            }
            _ => None,
        }
    }
}

/// A discovered endpoint and when it was discovered, by the monotonic clock.
#[derive(Clone, Debug)]
pub(crate) struct Located {
    pub(crate) url: String,
    at: Duration,
}

impl Located {
    const KEPT: Duration = Duration::from_secs(60 * 60);

    pub(crate) fn new(url: String, at: Duration) -> Self {
        Self { url, at }
    }

    pub(crate) fn is_recent(&self, now: Duration) -> bool {
        self.age(now) <= Self::KEPT
    }

    pub(crate) fn age(&self, now: Duration) -> Duration {
        now.saturating_sub(self.at)
    }
}
