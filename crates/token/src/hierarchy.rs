use std::collections::{BTreeMap, BTreeSet};

use crate::scope::{InvalidScope, Scope, ScopeSet};

/// Which scopes imply which others at one issuer.
///
/// Opt-in and explicit: nothing implies anything unless it is said here, and there are no wildcards.
/// Implication is transitive, and cycles are harmless.
///
/// ```
/// use countersign_token::ScopeHierarchy;
///
/// let hierarchy = ScopeHierarchy::new()
///     .implies("admin", ["invoices:write"])?
///     .implies("invoices:write", ["invoices:read"])?;
/// # Ok::<(), countersign_token::InvalidScope>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScopeHierarchy {
    /// Each scope with everything it implies, directly or not.
    implied: BTreeMap<Scope, BTreeSet<Scope>>,
}

impl ScopeHierarchy {
    /// A hierarchy in which nothing implies anything.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says that whoever has `scope` has `implied` as well.
    pub fn implies<'a>(
        mut self,
        scope: &str,
        implied: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, InvalidScope> {
        let scope = Scope::new(scope)?;
        for implied in implied {
            let implied = Scope::new(implied)?;
            self.implied
                .entry(scope.clone())
                .or_default()
                .insert(implied);
        }
        self.close();
        Ok(self)
    }

    /// Adds what is implied by what is implied, until nothing new comes.
    fn close(&mut self) {
        loop {
            let before = self.implied.clone();
            for implied in self.implied.values_mut() {
                let further: Vec<Scope> = implied
                    .iter()
                    .filter_map(|scope| before.get(scope))
                    .flatten()
                    .cloned()
                    .collect();
                implied.extend(further);
            }
            if self.implied == before {
                return;
            }
        }
    }

    /// What was granted together with everything that it implies.
    pub(crate) fn expand(&self, granted: ScopeSet) -> ScopeSet {
        let implied: Vec<&Scope> = granted
            .iter()
            .filter_map(|scope| self.implied.get(scope))
            .flatten()
            .collect();
        if implied.is_empty() {
            return granted;
        }
        let all = granted
            .iter()
            .chain(implied.iter().map(|scope| scope.as_str()));
        // Both sides are valid scopes already, so nothing can fail; granting nothing is the safe answer.
        ScopeSet::collect(all).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn implication_is_transitive_in_whichever_order_it_is_said_and_survives_cycles() {
        let orders: [&[(&str, &str)]; 2] = [
            &[
                ("admin", "write"),
                ("write", "read"),
                ("read", "list"),
                ("list", "read"),
            ],
            &[
                ("list", "read"),
                ("read", "list"),
                ("write", "read"),
                ("admin", "write"),
            ],
        ];
        for order in orders {
            let mut hierarchy = ScopeHierarchy::new();
            for (scope, implied) in order {
                hierarchy = hierarchy.implies(scope, [*implied]).unwrap();
            }
            let cases = [
                ("admin", "admin list read write"),
                ("write other", "list other read write"),
                ("read", "list read"),
                ("other", "other"),
                ("adm", "adm"),
                ("", ""),
            ];
            for (granted, expected) in cases {
                let expanded = hierarchy.expand(ScopeSet::parse(granted).unwrap());
                assert_eq!(expanded.to_string(), expected);
            }
        }
    }

    #[test]
    fn a_scope_that_is_none_cannot_be_part_of_a_hierarchy() {
        assert!(ScopeHierarchy::new().implies("a b", ["c"]).is_err());
        assert!(ScopeHierarchy::new().implies("a", ["*", "c d"]).is_err());
    }
}
