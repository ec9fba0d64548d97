//! What must not compile, and what is said about it.

#[test]
fn a_route_without_a_guard_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
