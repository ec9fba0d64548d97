//! What must not compile.

#[test]
fn a_malformed_scope_or_a_missing_policy_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
