use countersign_bearer::{Authentication, Denied, NeededScopes, Principal, Trail};
use countersign_token::{InvalidScope, Scope, ScopePolicy};
use http::Extensions;

/// Which scopes are needed, whether known when it compiles or only at run time.
#[derive(Clone, Debug)]
pub(crate) struct Requirement(NeededScopes);

/// Why scopes known only at run time are no requirement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequirementError {
    /// No scope is named, which would let nobody through or everybody.
    #[error("at least one scope must be named")]
    Empty,
    /// This text is not a scope token.
    #[error("{scope:?} is {error}")]
    Invalid {
        /// The text.
        scope: String,
        /// Why not.
        error: InvalidScope,
    },
}

impl Requirement {
    pub(crate) fn of<P: ScopePolicy>() -> Self {
        Self(NeededScopes::Static(P::ALTERNATIVES))
    }

    pub(crate) fn owned(alternatives: Vec<Vec<Scope>>) -> Result<Self, RequirementError> {
        if alternatives.is_empty() || alternatives.iter().any(Vec::is_empty) {
            return Err(RequirementError::Empty);
        }
        Ok(Self(NeededScopes::Owned(alternatives.into())))
    }

    /// The caller of the request with these extensions; denied who has none of the alternatives.
    pub(crate) fn check<'e>(&self, extensions: &'e Extensions) -> Result<&'e Principal, Denied> {
        let principal = Authentication::of(extensions)?.principal()?;
        if let Some(trail) = Trail::of(extensions) {
            trail.needs(self.0.clone());
        }
        match &self.0 {
            NeededScopes::Static(any) => {
                principal.require_any(any.iter().map(|all| all.iter().copied()))?;
            }
            NeededScopes::Owned(any) => {
                principal.require_any(any.iter().map(|all| all.iter().map(Scope::as_str)))?;
            }
        }
        Ok(principal)
    }
}

pub(crate) fn scope_of(scope: impl Into<String>) -> Result<Scope, RequirementError> {
    let scope = scope.into();
    Scope::new(scope.clone()).map_err(|error| RequirementError::Invalid { scope, error })
}
