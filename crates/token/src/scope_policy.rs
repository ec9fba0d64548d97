use crate::scope::ScopeSet;

/// Which scopes something needs: one of several alternatives, each a list of scopes that must all be granted.
///
/// Implemented by the types that `scopes!` of `countersign-scope` declares. By hand, every scope must be an
/// RFC 6749 scope token, there must be at least one alternative and none of them empty.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a scope policy",
    label = "no scopes are declared for this type",
    note = "declare one with `scopes! {{ pub Name = \"a:read\"; }}`; `&&` and `||` combine scopes: \
            `pub Name = \"a:read\" && \"b:write\";`"
)]
pub trait ScopePolicy: Send + Sync + 'static {
    /// The alternatives, the one that grants least first: a caller who has none is told of the first.
    const ALTERNATIVES: &'static [&'static [&'static str]];

    /// Every scope that is named, as often as it is.
    fn scopes() -> impl Iterator<Item = &'static str> {
        Self::ALTERNATIVES.iter().copied().flatten().copied()
    }
}

/// Whether one of the alternatives is wholly granted.
///
/// An empty list of alternatives and an empty alternative grant nothing: forgetting to name a scope must not
/// open a route.
pub fn is_granted<'a, A>(alternatives: impl IntoIterator<Item = A>, granted: &ScopeSet) -> bool
where
    A: IntoIterator<Item = &'a str>,
{
    alternatives.into_iter().any(|alternative| {
        let mut scopes = alternative.into_iter().peekable();
        scopes.peek().is_some() && scopes.all(|scope| granted.contains(scope))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Audit;

    impl ScopePolicy for Audit {
        const ALTERNATIVES: &'static [&'static [&'static str]] =
            &[&["audit:read", "invoices:read"], &["admin"], &[]];
    }

    #[test]
    fn the_scopes_of_a_policy_are_all_that_it_names() {
        let named: Vec<_> = Audit::scopes().collect();
        assert_eq!(named, ["audit:read", "invoices:read", "admin"]);
    }

    #[test]
    fn an_alternative_is_met_when_all_of_it_is_granted_and_nothing_is_met_by_nothing() {
        let cases: &[(&[&[&str]], &str, bool)] = &[
            (&[&["a"]], "a", true),
            (&[&["a"]], "b", false),
            (&[&["a"]], "", false),
            (&[&["a", "b"]], "a", false),
            (&[&["a", "b"]], "b a", true),
            (&[&["a"], &["b", "c"]], "c b", true),
            (&[&["a"], &["b", "c"]], "b", false),
            (&[], "a", false),
            (&[&[]], "a", false),
            (&[&[], &["a"]], "a", true),
        ];
        for (alternatives, granted, expected) in cases {
            let granted = ScopeSet::parse(granted).unwrap();
            let alternatives = alternatives.iter().map(|all| all.iter().copied());
            assert_eq!(is_granted(alternatives, &granted), *expected, "{granted}");
        }
    }
}
