//! A strict reader for the two JSON objects of a token.
//!
//! Why not a general parser: a token's JSON is read before its signature is checked, so what is accepted
//! must not depend on a feature that some other crate of the program switches on, and a duplicate member,
//! deep nesting or invalid UTF-8 must end the reading. One pass does all of that and leaves a tree that
//! borrows from the text, so that the claims a profile names can be looked up later without a second pass.

use std::borrow::Cow;
use std::collections::HashSet;

/// How deep objects and arrays may nest, the outermost object counted (fixed).
const MAX_DEPTH: u32 = 32;

/// The longest number that is read, in characters (fixed): far more than any date or count needs, and little
/// enough that one costs nothing.
const MAX_NUMBER_LENGTH: usize = 64;

/// Numbers from 10^308 on are refused, since the largest are no doubles any more.
const MAX_MAGNITUDE: usize = 308;

/// Up to this many members, comparing each name with each is cheaper than hashing them all.
const COMPARED_MEMBERS: usize = 16;

/// The text is not one strict JSON object. Nothing more is said: the text is an attacker's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotStrictJson;

type Result<T> = std::result::Result<T, NotStrictJson>;

/// A JSON value that borrows its strings where they hold no escapes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json<'a> {
    Null,
    Bool(bool),
    /// Its text. It is turned into a double only where it is asked for: that is slow for numbers chosen for it,
    /// of which an unverified token may hold hundreds.
    Number(&'a str),
    String(Cow<'a, str>),
    Array(Vec<Json<'a>>),
    Object(Object<'a>),
}

impl Json<'_> {
    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }
}

/// A JSON object, its members in the order of the text and no name twice.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Object<'a> {
    members: Members<'a>,
}

pub(crate) type Members<'a> = Vec<(Cow<'a, str>, Json<'a>)>;

impl<'a> Object<'a> {
    /// Reads a text that is one JSON object and nothing else but white space around it. `storage` is where its
    /// members go, so that two objects that are read one after the other share an allocation.
    pub(crate) fn parse(text: &'a str, storage: Members<'a>) -> Result<Self> {
        let mut reader = Reader { text, at: 0 };
        reader.skip_white_space();
        reader.expect(b'{')?;
        let object = reader.object(1, storage)?;
        reader.skip_white_space();
        if reader.at == text.len() {
            Ok(object)
        } else {
            Err(NotStrictJson)
        }
    }

    /// The storage of an object that is not needed any more, empty.
    pub(crate) fn into_storage(self) -> Members<'a> {
        let mut storage = self.members;
        storage.clear();
        storage
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Json<'a>> {
        self.iter()
            .find_map(|(member, value)| (member == name).then_some(value))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Json<'a>)> {
        self.members
            .iter()
            .map(|(name, value)| (name.as_ref(), value))
    }

    fn has_duplicates(&self) -> bool {
        if self.members.len() > COMPARED_MEMBERS {
            let mut names = HashSet::with_capacity(self.members.len());
            return !self.members.iter().all(|(name, _)| names.insert(name));
        }
        let mut rest = self.members.as_slice();
        while let [(name, _), others @ ..] = rest {
            if others.iter().any(|(other, _)| other == name) {
                return true;
            }
            rest = others;
        }
        false
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self, depth: u32) -> Result<Json<'a>> {
        match self.peek().ok_or(NotStrictJson)? {
            b'"' => self.string().map(Json::String),
            b'{' => {
                self.at += 1;
                self.object(depth + 1, Vec::new()).map(Json::Object)
            }
            b'[' => {
                self.at += 1;
                self.array(depth + 1).map(Json::Array)
            }
            b't' => self.literal("true", Json::Bool(true)),
            b'f' => self.literal("false", Json::Bool(false)),
            b'n' => self.literal("null", Json::Null),
            _ => self.number().map(Json::Number),
        }
    }

    /// The rest of an object whose opening brace has been read.
    fn object(&mut self, depth: u32, storage: Members<'a>) -> Result<Object<'a>> {
        if depth > MAX_DEPTH {
            return Err(NotStrictJson);
        }
        let mut object = Object { members: storage };
        self.skip_white_space();
        if self.take(b'}') {
            return Ok(object);
        }
        if depth == 1 {
            // For the outermost only: a hostile token may nest hundreds of small ones.
            object.members.reserve(COMPARED_MEMBERS);
        }
        loop {
            self.skip_white_space();
            let name = self.string()?;
            self.skip_white_space();
            self.expect(b':')?;
            self.skip_white_space();
            let value = self.value(depth)?;
            object.members.push((name, value));
            self.skip_white_space();
            if self.take(b',') {
                continue;
            }
            self.expect(b'}')?;
            return if object.has_duplicates() {
                Err(NotStrictJson)
            } else {
                Ok(object)
            };
        }
    }

    /// The rest of an array whose opening bracket has been read.
    fn array(&mut self, depth: u32) -> Result<Vec<Json<'a>>> {
        if depth > MAX_DEPTH {
            return Err(NotStrictJson);
        }
        let mut elements = Vec::new();
        self.skip_white_space();
        if self.take(b']') {
            return Ok(elements);
        }
        loop {
            self.skip_white_space();
            elements.push(self.value(depth)?);
            self.skip_white_space();
            if self.take(b',') {
                continue;
            }
            self.expect(b']')?;
            return Ok(elements);
        }
    }

    fn string(&mut self) -> Result<Cow<'a, str>> {
        self.expect(b'"')?;
        let plain = self.plain();
        if self.take(b'"') {
            return Ok(Cow::Borrowed(plain));
        }
        let mut text = plain.to_owned();
        loop {
            match self.next().ok_or(NotStrictJson)? {
                b'"' => return Ok(Cow::Owned(text)),
                b'\\' => text.push(self.escaped()?),
                // Control characters must be escaped (RFC 8259 §7).
                _ => return Err(NotStrictJson),
            }
            text.push_str(self.plain());
        }
    }

    /// The longest run of characters that stand for themselves in a string.
    fn plain(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        // The run ends before an ASCII byte or at the end, so both ends are character boundaries.
        let plain = &rest[..plain_length(rest.as_bytes())];
        self.at += plain.len();
        plain
    }

    /// What the escape after a backslash stands for.
    fn escaped(&mut self) -> Result<char> {
        Ok(match self.next().ok_or(NotStrictJson)? {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = self.hex4()?;
                if !(0xD800..0xDC00).contains(&unit) {
                    // A lone low surrogate is no character and fails here.
                    return char::from_u32(unit).ok_or(NotStrictJson);
                }
                self.expect(b'\\')?;
                self.expect(b'u')?;
                let low = self.hex4()?;
                if !(0xDC00..0xE000).contains(&low) {
                    return Err(NotStrictJson);
                }
                char::from_u32(0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00))
                    .ok_or(NotStrictJson)?
            }
            _ => return Err(NotStrictJson),
        })
    }

    fn hex4(&mut self) -> Result<u32> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = char::from(self.next().ok_or(NotStrictJson)?)
                .to_digit(16)
                .ok_or(NotStrictJson)?;
            unit = unit * 16 + digit;
        }
        Ok(unit)
    }

    fn number(&mut self) -> Result<&'a str> {
        let start = self.at;
        self.take(b'-');
        // No leading zeros: a zero is the whole integer part.
        let mut magnitude = 1;
        if !self.take(b'0') {
            magnitude = self.digits()?.len();
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let is_negative = !self.take(b'+') && self.take(b'-');
            let exponent = self.digits()?.parse().unwrap_or(usize::MAX);
            if !is_negative {
                magnitude = exponent.saturating_add(magnitude);
            }
        }
        let number = &self.text[start..self.at];
        if number.len() > MAX_NUMBER_LENGTH || magnitude > MAX_MAGNITUDE {
            return Err(NotStrictJson);
        }
        Ok(number)
    }

    /// One or more decimal digits.
    fn digits(&mut self) -> Result<&'a str> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at > start {
            Ok(&self.text[start..self.at])
        } else {
            Err(NotStrictJson)
        }
    }

    fn literal(&mut self, word: &str, value: Json<'a>) -> Result<Json<'a>> {
        if self.text[self.at..].starts_with(word) {
            self.at += word.len();
            Ok(value)
        } else {
            Err(NotStrictJson)
        }
    }

    fn skip_white_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn take(&mut self, byte: u8) -> bool {
        let taken = self.peek() == Some(byte);
        self.at += usize::from(taken);
        taken
    }

    fn expect(&mut self, byte: u8) -> Result<()> {
        if self.take(byte) {
            Ok(())
        } else {
            Err(NotStrictJson)
        }
    }
}

/// How many of these bytes, from the first on, stand for themselves in a string.
///
/// Eight at a time, since strings are most of a token: in `special`, the lowest bit that is set belongs to the first
/// byte that ends the run. (Bits above it may be wrong, by borrowing.)
fn plain_length(bytes: &[u8]) -> usize {
    const EACH: u64 = u64::from_le_bytes([1; 8]);
    const HIGH: u64 = EACH << 7;
    let below = |word: u64, limit: u8| word.wrapping_sub(EACH * u64::from(limit)) & !word & HIGH;
    let equal = |word: u64, byte: u8| below(word ^ (EACH * u64::from(byte)), 1);
    let mut length = 0;
    while let Some(eight) = bytes[length..].first_chunk() {
        let word = u64::from_le_bytes(*eight);
        let special = below(word, 0x20) | equal(word, b'"') | equal(word, b'\\');
        if special != 0 {
            return length + special.trailing_zeros() as usize / 8;
        }
        length += 8;
    }
    let is_plain = |byte: &&u8| **byte >= 0x20 && **byte != b'"' && **byte != b'\\';
    length + bytes[length..].iter().take_while(is_plain).count()
}

#[cfg(test)]
mod tests;
