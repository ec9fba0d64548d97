use countersign_bearer::Principal;
use countersign_token::{Claims, OrganizationId, Scope};

/// The issuer of the principals made here.
pub const ISSUER: &str = "https://issuer.test";

/// The client of the principals made here.
pub const CLIENT: &str = "test-client";

/// An organization's automation: client [`CLIENT`] of the issuer [`ISSUER`], with these scopes.
///
/// For anything else make the claims yourself: `Principal::assertion(Claims::service_principal(…))`.
///
/// # Panics
///
/// If the organization is empty, or one of the scopes is not a scope token.
pub fn service_principal<S: AsRef<str>>(
    organization: &str,
    scopes: impl IntoIterator<Item = S>,
) -> Principal {
    of_organization(
        Claims::service_principal(ISSUER, CLIENT),
        organization,
        scopes,
    )
}

/// The app [`CLIENT`] acting for this user of the organization, as the issuer [`ISSUER`] says.
///
/// # Panics
///
/// If the organization is empty, or one of the scopes is not a scope token.
pub fn delegated_user<S: AsRef<str>>(
    organization: &str,
    user: &str,
    scopes: impl IntoIterator<Item = S>,
) -> Principal {
    of_organization(
        Claims::delegated_user(ISSUER, CLIENT, user),
        organization,
        scopes,
    )
}

/// The vendor's own service [`CLIENT`] of the issuer [`ISSUER`], without an organization.
///
/// # Panics
///
/// If one of the scopes is not a scope token.
pub fn microservice<S: AsRef<str>>(scopes: impl IntoIterator<Item = S>) -> Principal {
    with_scopes(Claims::microservice(ISSUER, CLIENT), scopes)
}

fn of_organization<S: AsRef<str>>(
    claims: Claims,
    organization: &str,
    scopes: impl IntoIterator<Item = S>,
) -> Principal {
    let organization = OrganizationId::new(organization).expect("an organization is not empty");
    with_scopes(claims.with_organization(organization), scopes)
}

fn with_scopes<S: AsRef<str>>(claims: Claims, scopes: impl IntoIterator<Item = S>) -> Principal {
    let scopes: Vec<Scope> = scopes
        .into_iter()
        .map(|scope| {
            let scope = scope.as_ref();
            Scope::new(scope).unwrap_or_else(|error| panic!("{scope:?} is {error}"))
        })
        .collect();
    Principal::assertion(claims.with_scopes(&scopes))
}
