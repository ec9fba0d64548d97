use countersign_bearer::Authenticator;
use countersign_scope::{RequireScopes, ScopePolicy, require};
use tower_layer::Stack;

use crate::access::RouteAccess;
use crate::endpoint::Endpoint;

/// Lets everybody through: the credential is not looked at, whatever it is.
///
/// A handler behind it finds no principal: extractors of one answer 500, `Option<Principal>` included. For that
/// one there is [`Optional`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Public;

/// Lets everybody through who brings a good token or no credential at all; a bad one is refused. Handlers take
/// `Option<Principal>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Optional;

/// Lets everybody with a good token through, whatever scopes it grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authenticated;

/// What a route of a [`GuardedRouter`](crate::GuardedRouter) is guarded by: [`Public`], [`Optional`],
/// [`Authenticated`], or a policy that `scopes!` declares. Nothing else can be.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say who may call a route",
    label = "not a guard",
    note = "pass one guard first: a type that `scopes! {{ pub Name = \"a:read\" && \"b:write\"; }}` declares, \
            `Authenticated`, `Optional`, or `Public`"
)]
pub trait RouteGuard: sealed::Sealed {}

impl RouteGuard for Public {}

impl RouteGuard for Optional {}

impl RouteGuard for Authenticated {}

// A type that is no guard is told of all three, not of this one alone.
#[diagnostic::do_not_recommend]
impl<P: ScopePolicy> RouteGuard for P {}

/// A guard as a value.
#[derive(Clone, Debug)]
pub enum Guard {
    Public,
    Optional,
    Authenticated,
    Scopes {
        alternatives: &'static [&'static [&'static str]],
        require: RequireScopes,
    },
}

impl Guard {
    pub(crate) fn access(&self) -> RouteAccess {
        match self {
            Self::Public => RouteAccess::Public,
            Self::Optional => RouteAccess::Optional,
            Self::Authenticated => RouteAccess::Authenticated,
            Self::Scopes { alternatives, .. } => RouteAccess::Scopes(alternatives),
        }
    }

    /// Puts the guard around an endpoint.
    pub(crate) fn apply(self, endpoint: Endpoint, authenticator: &Authenticator) -> Endpoint {
        match self {
            Self::Public => endpoint,
            Self::Optional => endpoint.layer(authenticator.layer().optional()),
            Self::Authenticated => endpoint.layer(authenticator.layer()),
            Self::Scopes { require, .. } => {
                endpoint.layer(Stack::new(require, authenticator.layer()))
            }
        }
    }
}

pub(crate) mod sealed {
    use super::{Authenticated, Guard, Optional, Public, ScopePolicy, require};

    pub trait Sealed: Sized {
        fn guard(self) -> Guard;
    }

    impl Sealed for Public {
        fn guard(self) -> Guard {
            Guard::Public
        }
    }

    impl Sealed for Optional {
        fn guard(self) -> Guard {
            Guard::Optional
        }
    }

    impl Sealed for Authenticated {
        fn guard(self) -> Guard {
            Guard::Authenticated
        }
    }

    #[diagnostic::do_not_recommend]
    impl<P: ScopePolicy> Sealed for P {
        fn guard(self) -> Guard {
            Guard::Scopes {
                alternatives: P::ALTERNATIVES,
                require: require::<P>(),
            }
        }
    }
}
