//! Every test that the pages on security name is there.

use std::path::Path;

/// The `path::function`s that a page names between backticks.
fn references(page: &str) -> impl Iterator<Item = (&str, &str)> {
    let code = page.split('`').skip(1).step_by(2);
    code.filter_map(|code| code.split_once(".rs::"))
}

#[test]
fn every_test_that_the_threat_model_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for (page, at_least) in [("docs/threat-model.md", 60), ("SECURITY.md", 0)] {
        let text = std::fs::read_to_string(root.join(page)).expect(page);
        let mut count = 0;
        for (path, name) in references(&text) {
            count += 1;
            let path = format!("{path}.rs");
            let source = std::fs::read_to_string(root.join(&path));
            let source = source.unwrap_or_else(|_| panic!("{page} names {path}"));
            let is_there = source.contains(&format!("fn {name}("));
            assert!(is_there, "{page} names {path}::{name}");
            let is_test = source.contains("#[test]") || source.contains("#[tokio::test");
            assert!(is_test, "{path} holds no tests");
        }
        assert!(count >= at_least, "{page} names {count} tests");
    }
}
