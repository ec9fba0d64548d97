//! What becomes of each vendor's tokens: those of machines and of users, and those that are no access tokens.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, which may panic as tests may"
)]

mod auth0;
mod clerk;
mod cognito;
mod entra;
mod every;
mod hydra;
mod keycloak;
mod kinde;
mod okta;
mod own;
mod rfc9068;
mod said;
mod scalekit;
#[allow(
    dead_code,
    reason = "shared with other test binaries, which use other parts"
)]
#[path = "../support/mod.rs"]
mod support;
mod workos;
mod zitadel;
