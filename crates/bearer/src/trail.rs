use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use countersign_token::{OrganizationId, Scope};
use http::Extensions;

use crate::denied::{DenialKind, Denied};
use crate::principal::Principal;

/// What was decided about one request, for a layer further out that wants to know: it puts an empty one into the
/// request's extensions and keeps a clone; whoever decides writes into it.
///
/// It tells what the response cannot: who was let through, and a denial that the handler caught and answered
/// otherwise. Without one in the request, nothing is written anywhere.
#[derive(Clone, Debug, Default)]
pub struct Trail(Arc<Mutex<Decisions>>);

/// The decisions on a [`Trail`].
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Decisions {
    /// Who was authenticated. Nothing of a token that was refused is ever here.
    pub principal: Option<Principal>,
    /// Whether an optional layer let the request through without a credential.
    pub is_anonymous: bool,
    /// The last denial, also one that the handler caught.
    pub denial: Option<DenialKind>,
    /// The scopes that guards asked for, in the order in which they did.
    pub needed: Vec<NeededScopes>,
    /// For whom somebody acted who may act across tenants.
    pub acting_for: Option<OrganizationId>,
}

/// Alternatives of scopes, one of which a guard asked for.
#[derive(Clone)]
pub enum NeededScopes {
    /// Known when it compiled.
    Static(&'static [&'static [&'static str]]),
    /// Known only at run time.
    Owned(Arc<[Vec<Scope>]>),
}

/// As one writes a policy: `a b | c` for "a and b, or c".
impl fmt::Display for NeededScopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut is_first = true;
        let mut alternative = |all: String| {
            let separator = if is_first { "" } else { " | " };
            is_first = false;
            write!(f, "{separator}{all}")
        };
        match self {
            Self::Static(any) => any.iter().try_for_each(|all| alternative(all.join(" "))),
            Self::Owned(any) => any.iter().try_for_each(|all| {
                let all: Vec<_> = all.iter().map(Scope::as_str).collect();
                alternative(all.join(" "))
            }),
        }
    }
}

impl fmt::Debug for NeededScopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Trail {
    /// The trail of the request with these extensions, if anybody wants one.
    pub fn of(extensions: &Extensions) -> Option<&Self> {
        extensions.get()
    }

    /// What has been decided so far.
    pub fn decisions(&self) -> Decisions {
        self.lock().clone()
    }

    /// Takes what has been decided so far.
    pub fn take(&self) -> Decisions {
        std::mem::take(&mut self.lock())
    }

    /// A guard asked for these scopes.
    pub fn needs(&self, scopes: NeededScopes) {
        self.lock().needed.push(scopes);
    }

    /// Somebody acts for this organization, across tenants.
    pub fn acts_for(&self, organization: OrganizationId) {
        self.lock().acting_for = Some(organization);
    }

    pub(crate) fn authenticated(&self, principal: &Principal) {
        self.lock().principal = Some(principal.clone());
    }

    pub(crate) fn authenticated_nobody(&self) {
        self.lock().is_anonymous = true;
    }

    pub(crate) fn denied(&self, denied: &Denied) {
        self.lock().denial = Some(denied.kind());
    }

    /// Nothing is left half done by a panic: each change is one assignment.
    fn lock(&self) -> MutexGuard<'_, Decisions> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
