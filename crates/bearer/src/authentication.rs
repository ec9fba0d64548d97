use std::borrow::Cow;
use std::sync::Arc;

use http::Extensions;

use crate::context::Context;
use crate::denied::{DenialKind, Denied};
use crate::principal::Principal;

/// The mark that the authentication layer leaves in a request's extensions: who was let through, if anybody,
/// and how denials are worded. Guards and extractors start from it.
///
/// It is cloned, never removed, so that any number of guards find it. Without it a guard answers 500: a
/// forgotten layer is never a pass.
#[derive(Clone, Debug)]
pub struct Authentication {
    principal: Option<Principal>,
    context: Arc<Context>,
}

impl Authentication {
    pub(crate) fn new(principal: Option<Principal>, context: Arc<Context>) -> Self {
        Self { principal, context }
    }

    /// The mark of a caller who was authenticated by other means, or of none; for tests of handlers.
    pub fn assertion(principal: Option<Principal>) -> Self {
        Self::new(principal, Arc::default())
    }

    /// The mark in these extensions. Without one: [`DenialKind::MissingLayer`].
    pub fn of(extensions: &Extensions) -> Result<&Self, Denied> {
        extensions
            .get()
            .ok_or_else(|| Denied::new(DenialKind::MissingLayer, None))
    }

    /// Who was authenticated. Nobody, behind an optional layer: [`DenialKind::MissingCredential`].
    pub fn principal(&self) -> Result<&Principal, Denied> {
        self.principal
            .as_ref()
            .ok_or_else(|| self.deny(DenialKind::MissingCredential))
    }

    /// Who was authenticated, or `None` behind an optional layer and without a credential.
    pub fn optional_principal(&self) -> Option<&Principal> {
        self.principal.as_ref()
    }

    /// How the authenticator words denials, and what may name a tenant.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// A denial of this request.
    pub fn deny(&self, kind: DenialKind) -> Denied {
        Denied::new(kind, self.context.clone())
    }

    /// A denial for want of scopes, telling the client to ask for `scope`: scope tokens with spaces between.
    pub fn deny_scope(&self, scope: impl Into<Cow<'static, str>>) -> Denied {
        Denied::insufficient_scope(scope.into(), self.context.clone())
    }
}
