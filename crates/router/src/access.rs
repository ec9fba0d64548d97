use std::fmt;

/// Who may come, as a table says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RouteAccess {
    /// Everybody, with or without a credential, which is not looked at.
    Public,
    /// Everybody with a good token or with no credential at all.
    Optional,
    /// Everybody with a good token, whatever it grants.
    Authenticated,
    /// Whoever was granted all scopes of one of these alternatives.
    Scopes(&'static [&'static [&'static str]]),
}

impl RouteAccess {
    /// Every scope that is named, as often as it is.
    pub fn scopes(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.alternatives().iter().copied().flatten().copied()
    }

    fn alternatives(self) -> &'static [&'static [&'static str]] {
        match self {
            Self::Public | Self::Optional | Self::Authenticated => &[],
            Self::Scopes(alternatives) => alternatives,
        }
    }
}

/// `public`, `optional`, `authenticated`, or the scopes as `scopes!` has them: `export || (audit:read && admin)`.
impl fmt::Display for RouteAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let alternatives = match self {
            Self::Public => return f.write_str("public"),
            Self::Optional => return f.write_str("optional"),
            Self::Authenticated => return f.write_str("authenticated"),
            Self::Scopes([]) => return f.write_str("nobody"),
            Self::Scopes(alternatives) => *alternatives,
        };
        for (index, all) in alternatives.iter().enumerate() {
            if index > 0 {
                f.write_str(" || ")?;
            }
            let text = all.join(" && ");
            if alternatives.len() > 1 && all.len() > 1 {
                write!(f, "({text})")?;
            } else {
                f.write_str(&text)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn access_reads_as_it_was_declared() {
        let cases = [
            (RouteAccess::Public, "public"),
            (RouteAccess::Optional, "optional"),
            (RouteAccess::Authenticated, "authenticated"),
            (RouteAccess::Scopes(&[&["a"]]), "a"),
            (RouteAccess::Scopes(&[&["a", "b"]]), "a && b"),
            (RouteAccess::Scopes(&[&["a"], &["b"]]), "a || b"),
            (RouteAccess::Scopes(&[&["a"], &["b", "c"]]), "a || (b && c)"),
            (RouteAccess::Scopes(&[]), "nobody"),
        ];
        for (access, expected) in cases {
            assert_eq!(access.to_string(), expected);
        }
    }
}
