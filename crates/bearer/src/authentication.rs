use std::sync::Arc;

use http::Extensions;

use crate::context::Context;
use crate::denied::{DenialKind, Denied};
use crate::principal::Principal;
use crate::trail::Trail;

/// The mark that the authentication layer leaves in a request's extensions: who was let through, if anybody,
/// and how denials are worded. Guards and extractors start from it.
///
/// It is cloned, never removed, so that any number of guards find it. Without it a guard answers 500: a
/// forgotten layer is never a pass.
#[derive(Clone, Debug)]
pub struct Authentication(Caller);

#[derive(Clone, Debug)]
enum Caller {
    Authenticated(Principal),
    /// Behind an optional layer.
    Nobody(Arc<Context>),
}

impl Authentication {
    pub(crate) fn of_nobody(context: Arc<Context>) -> Self {
        Self(Caller::Nobody(context))
    }

    /// The mark of a caller who was authenticated by other means, or of none; for tests of handlers.
    pub fn assertion(principal: Option<Principal>) -> Self {
        principal.map_or_else(|| Self::of_nobody(Arc::default()), Self::from)
    }

    /// Leaves the mark in a request's extensions and tells its [`Trail`], if somebody wants one: what the layer does, for
    /// those who stand in for it.
    pub fn leave_in(self, extensions: &mut Extensions) {
        if let Some(trail) = Trail::of(extensions) {
            match &self.0 {
                Caller::Authenticated(principal) => trail.authenticated(principal),
                Caller::Nobody(_) => trail.authenticated_nobody(),
            }
        }
        extensions.insert(self);
    }

    /// The mark in these extensions. Without one: [`DenialKind::MissingLayer`].
    pub fn of(extensions: &Extensions) -> Result<&Self, Denied> {
        extensions
            .get()
            .ok_or_else(|| Denied::new(DenialKind::MissingLayer, None))
    }

    /// Who was authenticated. Nobody, behind an optional layer: [`DenialKind::MissingCredential`].
    pub fn principal(&self) -> Result<&Principal, Denied> {
        self.optional_principal()
            .ok_or_else(|| self.deny(DenialKind::MissingCredential))
    }

    /// Who was authenticated, or `None` behind an optional layer and without a credential.
    pub fn optional_principal(&self) -> Option<&Principal> {
        match &self.0 {
            Caller::Authenticated(principal) => Some(principal),
            Caller::Nobody(_) => None,
        }
    }

    /// How the authenticator words denials, and what may name a tenant.
    pub fn context(&self) -> &Context {
        self.shared_context()
    }

    /// A denial of this request.
    pub fn deny(&self, kind: DenialKind) -> Denied {
        match &self.0 {
            Caller::Authenticated(principal) => principal.deny(kind),
            Caller::Nobody(context) => Denied::new(kind, context.clone()),
        }
    }

    fn shared_context(&self) -> &Arc<Context> {
        match &self.0 {
            Caller::Authenticated(principal) => principal.context(),
            Caller::Nobody(context) => context,
        }
    }
}

impl From<Principal> for Authentication {
    fn from(principal: Principal) -> Self {
        Self(Caller::Authenticated(principal))
    }
}
