//! Another opinion on what a strict JSON object is, by way of `serde_json`.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

/// How deep a token's JSON may nest.
const MAX_DEPTH: usize = 32;

/// How long one of its numbers may be.
const MAX_NUMBER_LENGTH: usize = 64;

/// What the reader of tokens must say of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Strict,
    NotStrict,
    /// A number with an exponent, of which how large it may be is the reader's own rule.
    Either,
}

/// The members of an object, none of which stands twice.
struct Members<'a>(BTreeMap<String, &'a RawValue>);

pub(super) fn judge(text: &[u8]) -> Verdict {
    let Ok(text) = std::str::from_utf8(text) else {
        return Verdict::NotStrict;
    };
    match serde_json::from_str(text) {
        Ok(members) => judge_members(&members, 1),
        Err(_) => Verdict::NotStrict,
    }
}

fn judge_members(members: &Members<'_>, depth: usize) -> Verdict {
    judge_all(members.0.values(), depth)
}

fn judge_all<'a>(values: impl IntoIterator<Item = &'a &'a RawValue>, depth: usize) -> Verdict {
    if depth > MAX_DEPTH {
        return Verdict::NotStrict;
    }
    let mut verdict = Verdict::Strict;
    for value in values {
        match judge_value(value.get(), depth) {
            Verdict::Strict => {}
            Verdict::NotStrict => return Verdict::NotStrict,
            Verdict::Either => verdict = Verdict::Either,
        }
    }
    verdict
}

fn judge_value(text: &str, depth: usize) -> Verdict {
    match text.as_bytes().first() {
        Some(b'{') => serde_json::from_str(text).map_or(Verdict::NotStrict, |members| {
            judge_members(&members, depth + 1)
        }),
        Some(b'[') => serde_json::from_str::<Vec<&RawValue>>(text)
            .map_or(Verdict::NotStrict, |values| judge_all(&values, depth + 1)),
        // Raw values are not looked into for escapes that stand for no character.
        Some(b'"') => match serde_json::from_str::<String>(text) {
            Ok(_) => Verdict::Strict,
            Err(_) => Verdict::NotStrict,
        },
        Some(b'-' | b'0'..=b'9') => judge_number(text),
        _ => Verdict::Strict,
    }
}

fn judge_number(text: &str) -> Verdict {
    if text.len() > MAX_NUMBER_LENGTH || serde_json::from_str::<f64>(text).is_err() {
        Verdict::NotStrict
    } else if text.contains(['e', 'E']) {
        Verdict::Either
    } else {
        Verdict::Strict
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor).map(Members)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = BTreeMap<String, &'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with each member once")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = BTreeMap::new();
        while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a member stands twice"));
            }
        }
        Ok(members)
    }
}
