//! What is sent, and what a system that works answers to it.

use std::fmt;

use http::StatusCode;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One kind of request. Each carries one bearer token, but for what its name says a right one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Case {
    /// A good token that the system has not seen: each request has another.
    ValidFirst,
    /// A good token that the system has seen before.
    ValidAgain,
    /// A good token whose payload was changed after it was signed.
    BadSignature,
    /// Expired ten minutes ago.
    Expired,
    /// Meant for another API.
    WrongAudience,
    /// Of an issuer that nobody told the system about, with a key of that issuer's.
    UnknownIssuer,
    /// As long as a token, of the same characters, but none.
    Garbage,
}

impl Case {
    /// Every case, in the order of the tables.
    pub const ALL: [Self; 7] = [
        Self::ValidFirst,
        Self::ValidAgain,
        Self::BadSignature,
        Self::Expired,
        Self::WrongAudience,
        Self::UnknownIssuer,
        Self::Garbage,
    ];

    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ValidFirst => "valid_first",
            Self::ValidAgain => "valid_again",
            Self::BadSignature => "bad_signature",
            Self::Expired => "expired",
            Self::WrongAudience => "wrong_audience",
            Self::UnknownIssuer => "unknown_issuer",
            Self::Garbage => "garbage",
        }
    }

    /// The case of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|case| case.name() == name)
    }

    /// What a system that looks at tokens answers.
    pub const fn expected(self) -> StatusCode {
        match self {
            Self::ValidFirst | Self::ValidAgain => StatusCode::OK,
            _ => StatusCode::UNAUTHORIZED,
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for Case {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Case {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::named(&name).ok_or_else(|| D::Error::custom(format!("there is no case {name}")))
    }
}
