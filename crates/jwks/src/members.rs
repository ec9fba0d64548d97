//! A strict reading of one JSON object: each member once, its value left as text until it is asked for.
//!
//! A derive would overlook a member that stands twice under a name it does not know, and would turn one
//! wrong type into a failure that no longer says which member it was.

use std::collections::HashMap;
use std::fmt;

use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

/// The members of a JSON object by (unescaped) name.
pub(crate) struct Members<'a>(HashMap<String, &'a RawValue>);

/// Why a text is not such an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotMembers {
    /// Not JSON, not an object, or something follows it.
    Malformed,
    /// A member stands twice; which one counts would depend on the reader.
    Duplicate,
}

/// The member is there, but is no string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotAString;

impl<'a> Members<'a> {
    pub(crate) fn parse(json: &'a str) -> Result<Self, NotMembers> {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        let (members, unique) = deserializer
            .deserialize_map(MembersVisitor)
            .map_err(|_| NotMembers::Malformed)?;
        deserializer.end().map_err(|_| NotMembers::Malformed)?;
        if unique {
            Ok(Self(members))
        } else {
            Err(NotMembers::Duplicate)
        }
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.get(name).copied()
    }

    /// The member's text; an explicit `null` is a value of another type, not an absent member.
    pub(crate) fn string(&self, name: &str) -> Result<Option<String>, NotAString> {
        self.get(name)
            .map(|value| serde_json::from_str(value.get()).map_err(|_| NotAString))
            .transpose()
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = (HashMap<String, &'de RawValue>, bool);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = HashMap::new();
        let mut unique = true;
        while let Some(name) = map.next_key::<String>()? {
            let value = map.next_value::<&'de RawValue>()?;
            unique &= members.insert(name, value).is_none();
        }
        Ok((members, unique))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_object_with_each_member_once_is_read() {
        let cases = [
            (r#"{"a": 1, "b": {"a": 2}}"#, None),
            ("{}", None),
            (r#"{"a": 1, "a": 1}"#, Some(NotMembers::Duplicate)),
            (r#"{"a": 1, "\u0061": 1}"#, Some(NotMembers::Duplicate)),
            (r#"{"a": 1} x"#, Some(NotMembers::Malformed)),
            (r#"{"a": 1"#, Some(NotMembers::Malformed)),
            (r#"["a"]"#, Some(NotMembers::Malformed)),
            ("\u{feff}{}", Some(NotMembers::Malformed)),
            ("", Some(NotMembers::Malformed)),
        ];
        for (json, expected) in cases {
            assert_eq!(Members::parse(json).err(), expected, "{json}");
        }
    }

    #[test]
    fn absent_and_of_another_type_are_two_things() {
        let members = Members::parse(r#"{"text": "t\u0078", "number": 1, "null": null}"#).unwrap();
        assert_eq!(members.string("text"), Ok(Some("tx".to_owned())));
        assert_eq!(members.string("number"), Err(NotAString));
        assert_eq!(members.string("null"), Err(NotAString));
        assert_eq!(members.string("absent"), Ok(None));
    }
}
