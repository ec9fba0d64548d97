use countersign_router::GuardedRouter;

struct ReadInvoices;

fn main() {
    let _: GuardedRouter = GuardedRouter::new()
        .get(ReadInvoices, "/invoices", || async { "invoices" })
        .get("invoices:read", "/invoices", || async { "invoices" });
}
