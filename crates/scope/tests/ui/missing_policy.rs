use axum::Router;
use axum::routing::get;
use countersign_scope::Scoped;

struct Invoices;

async fn list(_: Scoped<Invoices>) {}

fn main() {
    let _: countersign_scope::RequireScopes = countersign_scope::require::<Invoices>();
    let _: Router = Router::new().route("/", get(list));
}
