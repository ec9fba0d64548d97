use std::time::Duration;

use countersign_jwks::suite;

/// Where questions go.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IntrospectionEndpoint {
    /// Where the issuer's metadata says, as `introspection_endpoint`
    /// ([RFC 8414 §2](https://www.rfc-editor.org/rfc/rfc8414#section-2)). It is looked up with the first question, and
    /// again after one that brought no answer, or when an hour is over, but a minute after the last time at the earliest.
    /// Nobody waits for that: questions go to the place that is known meanwhile, and if it cannot be looked up, for as
    /// long as a day after it was found there (fixed). After that it must be found before anything is asked.
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

/// A discovered endpoint. Times are monotonic.
#[derive(Clone, Debug)]
pub(crate) struct Located {
    url: String,
    /// When it was last found there.
    found: Duration,
    /// When it was last looked for.
    looked: Duration,
}

impl Located {
    /// It is looked up again after this long, whether or not there is a reason.
    const RECENT: Duration = Duration::from_secs(60 * 60);
    /// This long after the last time at the earliest, whatever the reason: no caller has it looked for all the time.
    const APART: Duration = Duration::from_secs(60);
    /// It is asked for this long without having been found again. Metadata may be away for hours while the endpoint works.
    const USABLE: Duration = Duration::from_secs(24 * 60 * 60);

    pub(crate) fn new(url: String, found: Duration) -> Self {
        Self {
            url,
            found,
            looked: found,
        }
    }

    /// Where to ask, if that is not too long ago to tell.
    pub(crate) fn url(&self, now: Duration) -> Option<&str> {
        (now.saturating_sub(self.found) <= Self::USABLE).then_some(&self.url)
    }

    /// Whether whoever asks this is to look it up again.
    pub(crate) fn begin_look(&mut self, now: Duration, may_have_moved: bool) -> bool {
        let is_recent = now.saturating_sub(self.found) <= Self::RECENT;
        let is_due = self.url(now).is_some()
            && (may_have_moved || !is_recent)
            && now.saturating_sub(self.looked) >= Self::APART;
        if is_due {
            self.looked = now;
        }
        is_due
    }
}
