countersign_scope::scopes! {
    pub Unused = "";
}

fn main() {}
