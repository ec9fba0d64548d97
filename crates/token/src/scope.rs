use std::borrow::{Borrow, Cow};
use std::fmt;

use serde::{Serialize, Serializer};

/// One scope: an RFC 6749 scope token, `1*( %x21 / %x23-5B / %x5D-7E )`
/// ([§3.3](https://www.rfc-editor.org/rfc/rfc6749#section-3.3)).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope(Cow<'static, str>);

impl Scope {
    /// A scope written into the program.
    ///
    /// # Panics
    ///
    /// If the text is not a scope token: when it compiles, where the result is a `const`.
    pub const fn from_static(scope: &'static str) -> Self {
        assert!(
            is_scope_token(scope),
            "a scope is one or more printable ASCII characters, without space, quote and backslash"
        );
        Self(Cow::Borrowed(scope))
    }

    /// A scope known only at run time.
    pub fn new(scope: impl Into<String>) -> Result<Self, InvalidScope> {
        let scope = scope.into();
        if is_scope_token(&scope) {
            Ok(Self(Cow::Owned(scope)))
        } else {
            Err(InvalidScope)
        }
    }

    /// The scope's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Ordered and compared as its text, so that maps of scopes are searched by text.
impl Borrow<str> for Scope {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for Scope {
    type Error = InvalidScope;

    fn try_from(scope: &str) -> Result<Self, InvalidScope> {
        Self::new(scope)
    }
}

/// The text is not a scope token: empty, or with a space, quote, backslash, control or non-ASCII character.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a scope: one or more printable ASCII characters, without space, quote and backslash")]
pub struct InvalidScope;

/// Whether `text` is an RFC 6749 scope token.
pub const fn is_scope_token(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !matches!(bytes[at], 0x21 | 0x23..=0x5B | 0x5D..=0x7E) {
            return false;
        }
        at += 1;
    }
    !bytes.is_empty()
}

/// The scopes that a token grants: sorted, each once.
///
/// One text and where each scope in it ends, so that a set of any size is two allocations.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ScopeSet {
    text: Box<str>,
    ends: Box<[u32]>,
}

impl ScopeSet {
    /// A set of any scopes.
    pub fn new<'a>(scopes: impl IntoIterator<Item = &'a Scope>) -> Self {
        let mut scopes: Vec<&str> = scopes.into_iter().map(Scope::as_str).collect();
        Self::of_valid(&mut scopes)
    }

    /// Reads the form that a token request and most tokens have: scopes with spaces between.
    pub fn parse(text: &str) -> Result<Self, InvalidScope> {
        Self::collect(split(text))
    }

    pub(crate) fn collect<'a>(
        scopes: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, InvalidScope> {
        // Most tokens grant few scopes, which are then sorted without an allocation.
        let mut few = [""; 16];
        let mut scopes = scopes.into_iter();
        let mut count = 0;
        for (place, scope) in few.iter_mut().zip(scopes.by_ref()) {
            *place = scope;
            count += 1;
        }
        match scopes.next() {
            None => Self::check(&mut few[..count]),
            Some(next) => {
                let mut many = few.to_vec();
                many.push(next);
                many.extend(scopes);
                Self::check(&mut many)
            }
        }
    }

    fn check(scopes: &mut [&str]) -> Result<Self, InvalidScope> {
        if scopes.iter().all(|scope| is_scope_token(scope)) {
            Ok(Self::of_valid(scopes))
        } else {
            Err(InvalidScope)
        }
    }

    fn of_valid(scopes: &mut [&str]) -> Self {
        scopes.sort_unstable();
        let mut different = 0;
        for index in 0..scopes.len() {
            if different == 0 || scopes[index] != scopes[different - 1] {
                scopes[different] = scopes[index];
                different += 1;
            }
        }
        let scopes = &scopes[..different];
        let mut text = String::with_capacity(scopes.iter().map(|scope| scope.len()).sum());
        let ends = scopes
            .iter()
            .map(|scope| {
                text.push_str(scope);
                // Tokens are at most 8 KiB and hierarchies are configuration: never near 4 GiB.
                u32::try_from(text.len()).unwrap_or(u32::MAX)
            })
            .collect();
        Self {
            text: text.into(),
            ends,
        }
    }

    /// Whether exactly this scope is granted: no prefix, no wildcard, no case is forgiven.
    pub fn contains(&self, scope: &str) -> bool {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            match self.at(middle).cmp(scope) {
                std::cmp::Ordering::Equal => return true,
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        false
    }

    /// The scopes in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|index| self.at(index))
    }

    /// How many scopes there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether nothing is granted.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.text.len() + size_of_val(&*self.ends)
    }

    fn at(&self, index: usize) -> &str {
        let start = match index {
            0 => 0,
            _ => self.ends[index - 1] as usize,
        };
        &self.text[start..self.ends[index] as usize]
    }
}

/// As an array of the scopes, in ascending order.
impl Serialize for ScopeSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl fmt::Debug for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// With single spaces between, as a `scope` parameter has them.
impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope)?;
        }
        Ok(())
    }
}

/// The scopes of a space-separated text. A space too many separates nothing and is passed over.
pub(crate) fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(' ').filter(|scope| !scope.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_token_is_what_rfc_6749_says() {
        for good in [
            "a",
            "!",
            "invoices:read",
            "https://acme.test/x?y=[z]",
            "{x}",
            "~",
            "#",
        ] {
            assert!(Scope::new(good).is_ok(), "{good:?}");
        }
        for bad in [
            "", " ", "a b", "a\"b", "a\\b", "a\tb", "\u{7f}", "\u{e9}", "a\0",
        ] {
            assert_eq!(Scope::new(bad), Err(InvalidScope), "{bad:?}");
        }
    }

    #[test]
    fn a_set_is_sorted_without_repetition_and_matches_exactly() {
        let set = ScopeSet::parse("b:write  a:read b:write a ").unwrap();
        assert_eq!(set.iter().collect::<Vec<_>>(), ["a", "a:read", "b:write"]);
        assert_eq!(set.to_string(), "a a:read b:write");
        for granted in ["a", "a:read", "b:write"] {
            assert!(set.contains(granted), "{granted}");
        }
        for not_granted in ["", "A", "a:", "a:rea", "a:read:x", "b", "aa:read", "c", "*"] {
            assert!(!set.contains(not_granted), "{not_granted}");
        }
        assert!(!set.is_empty());
        assert!(ScopeSet::parse("").unwrap().is_empty());
    }

    #[test]
    fn a_set_is_an_array_in_json() {
        let set = ScopeSet::parse("b a").unwrap();
        assert_eq!(serde_json::to_string(&set).unwrap(), r#"["a","b"]"#);
    }

    #[test]
    fn one_bad_scope_spoils_the_set() {
        for text in ["a \"b\"", "a\tb", "a\u{a0}b", "a\nb"] {
            assert_eq!(ScopeSet::parse(text), Err(InvalidScope), "{text:?}");
        }
    }
}
