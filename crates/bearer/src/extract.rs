//! Extractors for axum handlers.

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use axum_core::response::{IntoResponse, Response};
use countersign_jwks::suite::Seldom;
use countersign_token::{CustomClaimsError, Refusal};
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::authentication::Authentication;
use crate::denied::{DenialKind, Denied};
use crate::principal::{DelegatedUser, Microservice, Principal, ServicePrincipal};

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        self.respond()
    }
}

/// Refuses: no layer, 500; nobody authenticated behind an optional layer, 401.
impl<S: Sync> FromRequestParts<S> for Principal {
    type Rejection = Denied;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Denied> {
        principal_of(parts).map_err(|denied| denied.for_parts(parts))
    }
}

/// `None` only behind an optional layer; without any layer it is a 500 still.
impl<S: Sync> OptionalFromRequestParts<S> for Principal {
    type Rejection = Denied;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Denied> {
        Authentication::of(&parts.extensions)
            .map(|authentication| authentication.optional_principal().cloned())
            .map_err(|denied| denied.for_parts(parts))
    }
}

fn principal_of(parts: &Parts) -> Result<Principal, Denied> {
    Authentication::of(&parts.extensions)?.principal().cloned()
}

macro_rules! kind_extractors {
    ($($kind:ident)*) => {$(
        impl<S: Sync> FromRequestParts<S> for $kind {
            type Rejection = Denied;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Denied> {
                let of_kind = |principal: Principal| {
                    $kind::of(principal.clone())
                        .ok_or_else(|| principal.deny(DenialKind::PrincipalNotAllowed))
                };
                principal_of(parts)
                    .and_then(of_kind)
                    .map_err(|denied| denied.for_parts(parts))
            }
        }
    )*};
}

kind_extractors!(ServicePrincipal DelegatedUser Microservice);

/// Claims of the application's own, in a type that names them.
///
/// A token whose payload does not fit the type is refused as [`Refusal::MalformedClaim`]. The type should
/// name only what the handler needs, and give what may be absent as `Option`.
///
/// ```
/// use countersign_bearer::CustomClaims;
///
/// #[derive(serde::Deserialize)]
/// struct Plan {
///     plan: String,
/// }
///
/// async fn handler(CustomClaims(plan): CustomClaims<Plan>) -> String {
///     plan.plan
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct CustomClaims<T>(pub T);

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for CustomClaims<T> {
    type Rejection = Denied;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Denied> {
        let custom_of = |principal: Principal| {
            principal.claims().map(Self).map_err(|error| {
                report_misfit(&error, std::any::type_name::<T>());
                principal.deny(DenialKind::InvalidToken(Refusal::MalformedClaim))
            })
        };
        principal_of(parts)
            .and_then(custom_of)
            .map_err(|denied| denied.for_parts(parts))
    }
}

/// Tells the log once a minute at most, and at level debug otherwise: whoever has such a token may come as often as he
/// likes.
fn report_misfit(error: &CustomClaimsError, r#type: &str) {
    static TOLD: Seldom = Seldom::new();
    if TOLD.is_due_now() {
        tracing::warn!(%error, r#type, "custom claims do not fit (told once a minute at most)");
    } else {
        tracing::debug!(%error, r#type, "custom claims do not fit");
    }
}
