const READ: &str = "invoices:read";

countersign_scope::scopes! {
    pub Unused = READ;
}

fn main() {}
