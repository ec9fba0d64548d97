countersign_scope::scopes! {
    pub Unused = "a" && ("b" || "c");
}

fn main() {}
