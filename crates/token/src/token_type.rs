use std::fmt;

/// The type of a token by its header's `typ`: the only three that any profile can accept
/// ([RFC 8725 §3.11](https://www.rfc-editor.org/rfc/rfc8725#section-3.11)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenType {
    /// No `typ` at all.
    Absent,
    /// `JWT`, which says nothing of what the token is for.
    Jwt,
    /// `at+jwt`, an access token ([RFC 9068 §2.1](https://www.rfc-editor.org/rfc/rfc9068#section-2.1)).
    AtJwt,
}

impl TokenType {
    /// Reads a `typ`: an `application/` in front is dropped and case ignored, as media types have it.
    /// `None` for any other type, `dpop+jwt` and `logout+jwt` among them.
    pub fn from_typ(typ: &str) -> Option<Self> {
        const PREFIX: &str = "application/";
        let typ = match typ.get(..PREFIX.len()) {
            Some(prefix) if prefix.eq_ignore_ascii_case(PREFIX) => &typ[PREFIX.len()..],
            _ => typ,
        };
        if typ.eq_ignore_ascii_case("jwt") {
            Some(Self::Jwt)
        } else if typ.eq_ignore_ascii_case("at+jwt") {
            Some(Self::AtJwt)
        } else {
            None
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Which types an issuer's access tokens may have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TokenTypes(u8);

impl TokenTypes {
    /// No type at all.
    pub const NONE: Self = Self(0);

    /// The set with `token_type` in it.
    #[must_use]
    pub const fn with(self, token_type: TokenType) -> Self {
        Self(self.0 | token_type.bit())
    }

    /// Whether `token_type` is in the set.
    pub const fn contains(self, token_type: TokenType) -> bool {
        self.0 & token_type.bit() != 0
    }

    /// Whether the set is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl<const N: usize> From<[TokenType; N]> for TokenTypes {
    fn from(types: [TokenType; N]) -> Self {
        types.into_iter().collect()
    }
}

impl FromIterator<TokenType> for TokenTypes {
    fn from_iter<I: IntoIterator<Item = TokenType>>(types: I) -> Self {
        types.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Debug for TokenTypes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = [TokenType::Absent, TokenType::Jwt, TokenType::AtJwt];
        f.debug_set()
            .entries(all.into_iter().filter(|one| self.contains(*one)))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typ_is_read_as_a_media_type_and_every_unknown_one_is_refused() {
        let cases = [
            ("JWT", Some(TokenType::Jwt)),
            ("jwt", Some(TokenType::Jwt)),
            ("application/jwt", Some(TokenType::Jwt)),
            ("at+jwt", Some(TokenType::AtJwt)),
            ("AT+JWT", Some(TokenType::AtJwt)),
            ("Application/AT+jwt", Some(TokenType::AtJwt)),
            ("", None),
            ("application/", None),
            ("application/application/jwt", None),
            ("imagination/jwt", None),
            ("at+jwt ", None),
            ("dpop+jwt", None),
            ("logout+jwt", None),
            ("JOSE", None),
            ("JWT\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}", None),
        ];
        for (typ, expected) in cases {
            assert_eq!(TokenType::from_typ(typ), expected, "{typ:?}");
        }
    }

    #[test]
    fn a_set_holds_what_was_put_in_however_often() {
        let set = TokenTypes::NONE.with(TokenType::Jwt).with(TokenType::Jwt);
        assert!(set.contains(TokenType::Jwt) && !set.contains(TokenType::AtJwt));
    }
}
