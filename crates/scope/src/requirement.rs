use std::sync::Arc;

use countersign_bearer::{Authentication, Denied};
use countersign_token::{InvalidScope, Scope, ScopePolicy};

/// Which scopes are needed, whether known when it compiles or only at run time.
#[derive(Clone, Debug)]
pub(crate) enum Requirement {
    Static(&'static [&'static [&'static str]]),
    Owned(Arc<[Vec<Scope>]>),
}

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
        Self::Static(P::ALTERNATIVES)
    }

    pub(crate) fn owned(alternatives: Vec<Vec<Scope>>) -> Result<Self, RequirementError> {
        if alternatives.is_empty() || alternatives.iter().any(Vec::is_empty) {
            return Err(RequirementError::Empty);
        }
        Ok(Self::Owned(alternatives.into()))
    }

    /// Denies callers who have none of the alternatives.
    pub(crate) fn check(&self, authentication: &Authentication) -> Result<(), Denied> {
        let principal = authentication.principal()?;
        match self {
            Self::Static(any) => principal.require_any(any.iter().map(|all| all.iter().copied())),
            Self::Owned(any) => {
                principal.require_any(any.iter().map(|all| all.iter().map(Scope::as_str)))
            }
        }
    }
}

pub(crate) fn scope_of(scope: impl Into<String>) -> Result<Scope, RequirementError> {
    let scope = scope.into();
    Scope::new(scope.clone()).map_err(|error| RequirementError::Invalid { scope, error })
}
