//! The tenant extractor: the organization of a request, and state that no handler can use without it.
//!
//! ```text
//! verified token ─ organization ─┬─ Tenant ──────────── for_tenant ─ TenantScoped<S>
//!                                │                        ▲
//! path, host, header ── must ────┘              Unscoped<S>, the router's state
//!                     agree, or 404
//! ```
//!
//! The organization comes from the token alone. [`Tenant`] hands it over, [`PathTenant`] insists that the path
//! names it, and [`TenantScoped`] opens the application's state for just this tenant. [`Organization`] loads the
//! application's record of it, with its aliases and whether it is suspended. [`CrossTenant`] is for the vendor's
//! own people and services, who act for the organization that the path names.
//!
//! # Example
//!
//! ```
//! use axum::{Router, routing::get};
//! use countersign_bearer::Authenticator;
//! use countersign_tenant::{Tenant, TenantScope, TenantScoped, Unscoped};
//!
//! struct Database;
//!
//! /// A handle that adds the tenant to every query.
//! struct TenantDatabase {
//!     organization: String,
//! }
//!
//! impl TenantScope for Database {
//!     type Scoped = TenantDatabase;
//!
//!     fn for_tenant(&self, tenant: &Tenant) -> TenantDatabase {
//!         TenantDatabase { organization: tenant.id().to_string() }
//!     }
//! }
//!
//! async fn list(database: TenantScoped<Database>) -> String {
//!     format!("invoices of {}", database.organization)
//! }
//!
//! fn app(authenticator: &Authenticator) -> Router {
//!     Router::new()
//!         .route("/orgs/{org_id}/invoices", get(list))
//!         .layer(authenticator.layer())
//!         .with_state(Unscoped::new(Database))
//! }
//! ```

mod cross_tenant;
mod directory;
mod naming;
mod organization;
mod scoped_state;
mod tenant;

pub use cross_tenant::CrossTenant;
pub use directory::{Directory, DirectorySettings, OrganizationDirectory, OrganizationRecord};
pub use organization::Organization;
pub use scoped_state::{TenantScope, TenantScoped, Unscoped};
pub use tenant::{PathTenant, Tenant};
