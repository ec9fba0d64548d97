countersign_scope::scopes! {
    pub Unused = "invoices:read" || ("admin" && "{two} words");
}

fn main() {}
