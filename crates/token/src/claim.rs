//! Where a claim stands in a payload, and how one is read: absent, present and right, or refused.

use std::fmt;

use crate::json::{Json, Object};
use crate::refusal::Refusal;

/// Where a claim stands in the payload: a member of it, or of objects nested in it.
///
/// A name is never split: `https://acme.test/org` and `urn:zitadel:iam:user:resourceowner:id` are single
/// names, however many dots and slashes they hold.
///
/// ```
/// use countersign_token::ClaimPath;
///
/// let top_level = ClaimPath::from("https://acme.test/org");
/// let nested = ClaimPath::from(["ext", "org_id"]);
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ClaimPath {
    first: String,
    rest: Vec<String>,
}

impl ClaimPath {
    /// The claim, if it is there. What it should stand in must be an object: anything else is refused, since
    /// taking it for a missing claim would ignore it.
    pub(crate) fn find<'p, 'a>(
        &self,
        payload: &'p Object<'a>,
    ) -> Result<Option<&'p Json<'a>>, Refusal> {
        let mut found = payload.get(&self.first);
        for name in &self.rest {
            found = match found {
                None => None,
                Some(Json::Object(object)) => object.get(name),
                Some(_) => return Err(Refusal::MalformedClaim),
            };
        }
        Ok(found)
    }

    /// Whether the claim is there with exactly this value.
    pub(crate) fn is(&self, payload: &Object<'_>, value: &ClaimValue) -> Result<bool, Refusal> {
        Ok(self.find(payload)?.is_some_and(|json| value.is(json)))
    }
}

impl From<&str> for ClaimPath {
    fn from(name: &str) -> Self {
        Self {
            first: name.into(),
            rest: Vec::new(),
        }
    }
}

impl From<String> for ClaimPath {
    fn from(name: String) -> Self {
        Self {
            first: name,
            rest: Vec::new(),
        }
    }
}

/// The names from the outermost object inwards.
impl From<[&str; 2]> for ClaimPath {
    fn from([outer, inner]: [&str; 2]) -> Self {
        Self {
            first: outer.into(),
            rest: vec![inner.into()],
        }
    }
}

impl fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.first)?;
        self.rest.iter().try_for_each(|name| write!(f, " > {name}"))
    }
}

impl fmt::Debug for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A value that a claim may be required to have: compared with exactly, type and all.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClaimValue {
    /// A JSON string.
    String(String),
    /// `true` or `false`.
    Bool(bool),
}

impl ClaimValue {
    pub(crate) fn is(&self, json: &Json<'_>) -> bool {
        match (self, json) {
            (Self::String(expected), Json::String(value)) => expected == value,
            (Self::Bool(expected), Json::Bool(value)) => expected == value,
            _ => false,
        }
    }

    pub(crate) fn is_of_type_of(&self, json: &Json<'_>) -> bool {
        matches!(
            (self, json),
            (Self::String(_), Json::String(_)) | (Self::Bool(_), Json::Bool(_))
        )
    }
}

impl From<&str> for ClaimValue {
    fn from(value: &str) -> Self {
        Self::String(value.into())
    }
}

impl From<String> for ClaimValue {
    fn from(value: String) -> Self {
        Self::String(value)
    }
}

impl From<bool> for ClaimValue {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

/// A claim that names somebody: absent, or a string that is not empty.
pub(crate) fn identifier<'p>(
    payload: &'p Object<'_>,
    path: &ClaimPath,
) -> Result<Option<&'p str>, Refusal> {
    name_in(path.find(payload)?)
}

/// The same for a registered claim, whose name needs no path.
pub(crate) fn registered<'p>(
    payload: &'p Object<'_>,
    name: &str,
) -> Result<Option<&'p str>, Refusal> {
    name_in(payload.get(name))
}

fn name_in<'p>(value: Option<&'p Json<'_>>) -> Result<Option<&'p str>, Refusal> {
    match value {
        None => Ok(None),
        Some(Json::String(text)) if !text.is_empty() => Ok(Some(text)),
        Some(_) => Err(Refusal::MalformedClaim),
    }
}

/// Whether a claim that is a string or an array of strings, such as `aud`, holds one that is meant. All are looked at:
/// an element of another type is refused wherever it stands.
pub(crate) fn names_any(
    value: &Json<'_>,
    is_meant: impl Fn(&str) -> bool,
) -> Result<bool, Refusal> {
    match value {
        Json::String(text) => Ok(is_meant(text)),
        Json::Array(elements) => elements.iter().try_fold(false, |found, element| {
            let text = element.as_str().ok_or(Refusal::MalformedClaim)?;
            Ok(found || is_meant(text))
        }),
        _ => Err(Refusal::MalformedClaim),
    }
}

/// A claim that is an array of strings.
pub(crate) fn strings<'p>(value: &'p Json<'_>) -> Result<Vec<&'p str>, Refusal> {
    match value {
        Json::Array(elements) => elements
            .iter()
            .map(|element| element.as_str().ok_or(Refusal::MalformedClaim))
            .collect(),
        _ => Err(Refusal::MalformedClaim),
    }
}
