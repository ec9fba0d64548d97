use countersign_scope::Scoped;

struct Invoices;

async fn list(_: Scoped<Invoices>) {}

fn main() {
    let _ = list;
    let _: countersign_scope::RequireScopes = countersign_scope::require::<Invoices>();
}
