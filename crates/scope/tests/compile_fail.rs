//! What must not compile, and what is said about it.

#![cfg(feature = "axum")]

#[test]
fn a_malformed_scope_or_a_missing_policy_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
