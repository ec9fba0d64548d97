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
    members: Vec<(Cow<'a, str>, Json<'a>)>,
}

impl<'a> Object<'a> {
    /// Reads a text that is one JSON object and nothing else but white space around it.
    pub(crate) fn parse(text: &'a [u8]) -> Result<Self> {
        // Once, for the whole text: every slice taken below is then valid UTF-8 as well.
        let text = std::str::from_utf8(text).map_err(|_| NotStrictJson)?;
        let mut reader = Reader { text, at: 0 };
        reader.skip_white_space();
        reader.expect(b'{')?;
        let object = reader.object(1)?;
        reader.skip_white_space();
        if reader.at == text.len() {
            Ok(object)
        } else {
            Err(NotStrictJson)
        }
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
                self.object(depth + 1).map(Json::Object)
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
    fn object(&mut self, depth: u32) -> Result<Object<'a>> {
        if depth > MAX_DEPTH {
            return Err(NotStrictJson);
        }
        let mut object = Object {
            members: Vec::new(),
        };
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
        let mut unescaped: Option<String> = None;
        loop {
            let plain = self.plain();
            match self.next().ok_or(NotStrictJson)? {
                b'"' => {
                    return Ok(match unescaped {
                        None => Cow::Borrowed(plain),
                        Some(text) => Cow::Owned(text + plain),
                    });
                }
                b'\\' => {
                    let text = unescaped.get_or_insert_default();
                    text.push_str(plain);
                    text.push(self.escaped()?);
                }
                // Control characters must be escaped (RFC 8259 §7).
                _ => return Err(NotStrictJson),
            }
        }
    }

    /// The longest run of characters that stand for themselves in a string.
    fn plain(&mut self) -> &'a str {
        let start = self.at;
        while self
            .peek()
            .is_some_and(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\')
        {
            self.at += 1;
        }
        // The run ends before an ASCII byte or at the end, so both ends are character boundaries.
        &self.text[start..self.at]
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

#[cfg(test)]
mod tests;
