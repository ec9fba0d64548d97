use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

/// The identifier of a customer organization, as its issuer's tokens have it: an opaque, non-empty string.
///
/// It means something only together with the issuer that said it: two issuers may use the same one for
/// different organizations. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrganizationId(Arc<str>);

impl OrganizationId {
    /// An identifier, or `None` for an empty text.
    pub fn new(id: impl AsRef<str>) -> Option<Self> {
        let id = id.as_ref();
        (!id.is_empty()).then(|| Self(id.into()))
    }

    /// The identifier's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OrganizationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// As its text.
impl Serialize for OrganizationId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl fmt::Debug for OrganizationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// How many organizations a token names. One that names several does not act for the first of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Organizations {
    /// The token names no organization.
    None,
    /// The token names exactly one.
    One(OrganizationId),
    /// The token names two or more different ones.
    Several(Arc<[OrganizationId]>),
}

impl Organizations {
    pub(crate) fn of(mut ids: Vec<OrganizationId>) -> Self {
        ids.sort_unstable();
        ids.dedup();
        match (ids.pop(), ids.is_empty()) {
            (None, _) => Self::None,
            (Some(one), true) => Self::One(one),
            (Some(last), false) => {
                ids.push(last);
                Self::Several(ids.into())
            }
        }
    }

    /// All that the token names, in ascending order.
    pub fn as_slice(&self) -> &[OrganizationId] {
        match self {
            Self::None => &[],
            Self::One(one) => std::slice::from_ref(one),
            Self::Several(several) => several,
        }
    }
}
