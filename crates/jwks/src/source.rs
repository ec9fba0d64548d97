use std::fmt;
use std::path::PathBuf;

use url::Url;

use crate::algorithm::Algorithms;
use crate::discovery;
use crate::set::{KeySet, Limits};
use crate::shown::Shown;

/// Where an issuer's keys come from.
#[derive(Clone)]
#[non_exhaustive]
pub enum KeySource {
    /// The `jwks_uri` of the issuer's metadata: OpenID Connect Discovery 1.0 first, then [RFC 8414]. The issuer must
    /// then be a URL.
    ///
    /// [RFC 8414]: https://www.rfc-editor.org/rfc/rfc8414
    Discovery,
    /// A key set at a URL: `https`, or `http` to a loopback host, and without credentials. Where the server wants some,
    /// bring a [`Fetch`](crate::Fetch) that sends them.
    Url(String),
    /// A key set in a file, read again at the end of its time to live. It must be replaced as a whole (written
    /// beside and renamed), or half of it may be read.
    File(PathBuf),
    /// These keys, narrowed to the algorithms allowed. They never age; no task is started.
    Fixed(KeySet),
    /// The same out of JSON, read when the issuer is built.
    Json(Vec<u8>),
}

impl KeySource {
    /// [`KeySource::Url`].
    pub fn url(url: impl Into<String>) -> Self {
        Self::Url(url.into())
    }

    /// [`KeySource::File`].
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::File(path.into())
    }

    /// [`KeySource::Json`].
    pub fn json(json: impl Into<Vec<u8>>) -> Self {
        Self::Json(json.into())
    }
}

impl fmt::Debug for KeySource {
    /// Of a URL, origin and path; of JSON, the length.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Discovery => f.write_str("Discovery"),
            Self::Url(url) => f.debug_tuple("Url").field(&Shown(url)).finish(),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Fixed(set) => f.debug_tuple("Fixed").field(set).finish(),
            Self::Json(json) => write!(f, "Json({} bytes)", json.len()),
        }
    }
}

/// A source that can be read again.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    Discovery(Url),
    Url(String),
    File(PathBuf),
}

/// A source that has been checked.
#[derive(Debug)]
pub(crate) enum Checked {
    Fixed(KeySet),
    Changing(Origin),
}

impl KeySource {
    /// Whether it needs a [`Fetch`](crate::Fetch).
    pub(crate) const fn is_remote(&self) -> bool {
        matches!(self, Self::Discovery | Self::Url(_))
    }

    /// Everything that can be known without I/O. The error is a sentence for whoever configured it.
    pub(crate) fn check(
        &self,
        issuer: &str,
        allowed: Algorithms,
        limits: Limits,
    ) -> Result<Checked, String> {
        match self {
            Self::Discovery => discovery::issuer_url(issuer)
                .map(|url| Checked::Changing(Origin::Discovery(url)))
                .ok_or_else(|| {
                    "an issuer whose keys are discovered must be an https URL without query and \
                     fragment (http to a loopback host)"
                        .to_owned()
                }),
            Self::Url(url) => discovery::secure_url(url)
                .map(|url| Checked::Changing(Origin::Url(url.into())))
                .ok_or_else(|| {
                    "a key set's URL must be https (http to a loopback host), without credentials"
                        .to_owned()
                }),
            Self::File(path) => Ok(Checked::Changing(Origin::File(path.clone()))),
            Self::Fixed(set) => set
                .clone()
                .restricted(allowed)
                .map(Checked::Fixed)
                .ok_or_else(|| "none of the fixed keys fits an allowed algorithm".to_owned()),
            Self::Json(json) => KeySet::parse_within(json, allowed, limits)
                .map(Checked::Fixed)
                .map_err(|error| format!("the fixed keys cannot be used: {error}")),
        }
    }
}
