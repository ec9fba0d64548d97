//! What `scopes!` makes of a declaration.

use axum::Router;
use axum::routing::get;
use countersign_scope::{ScopePolicy, require, scopes};
use http::StatusCode;

use crate::support::{get as ask, granted};

scopes! {
    Single = "a";
    Both = "a" && "b";
    Three = "a" && "b" && "c";
    Either = "a" || "b";
    AndFirst = "a" && "b" || "c";
    AndLast = "a" || "b" && "c";
    Grouped = "a" || ("b" && "c");
    GroupedFirst = ("a" && "b") || "c";
    GroupedBoth = ("a" && "b") || ("c" && "d");
    Needless = ("a") || ("b");
    Mixed = "a" || ("b" && "c") || "d" && "e" || ("f");
    /// Documented, and with an attribute of its own.
    #[derive(PartialEq)]
    pub Braces = "{x}" && "{}";
    pub(crate) Odd = "!" || "#[derive]" || "https://acme.test/~x?y=z&w" || "a'b";
}

#[test]
fn a_declaration_is_a_list_of_alternatives_of_scopes_that_are_all_needed() {
    type Alternatives = &'static [&'static [&'static str]];
    let cases: &[(Alternatives, Alternatives)] = &[
        (Single::ALTERNATIVES, &[&["a"]]),
        (Both::ALTERNATIVES, &[&["a", "b"]]),
        (Three::ALTERNATIVES, &[&["a", "b", "c"]]),
        (Either::ALTERNATIVES, &[&["a"], &["b"]]),
        (AndFirst::ALTERNATIVES, &[&["a", "b"], &["c"]]),
        (AndLast::ALTERNATIVES, &[&["a"], &["b", "c"]]),
        (Grouped::ALTERNATIVES, &[&["a"], &["b", "c"]]),
        (GroupedFirst::ALTERNATIVES, &[&["a", "b"], &["c"]]),
        (GroupedBoth::ALTERNATIVES, &[&["a", "b"], &["c", "d"]]),
        (Needless::ALTERNATIVES, &[&["a"], &["b"]]),
        (
            Mixed::ALTERNATIVES,
            &[&["a"], &["b", "c"], &["d", "e"], &["f"]],
        ),
        (Braces::ALTERNATIVES, &[&["{x}", "{}"]]),
        (
            Odd::ALTERNATIVES,
            &[
                &["!"],
                &["#[derive]"],
                &["https://acme.test/~x?y=z&w"],
                &["a'b"],
            ],
        ),
    ];
    for (declared, expected) in cases {
        assert_eq!(declared, expected);
    }
}

#[test]
fn a_policy_is_a_unit_type_that_can_be_copied_printed_and_given_further_traits() {
    let copy = Braces;
    assert_eq!(copy, Braces);
    assert_eq!(format!("{Odd:?}"), "Odd");
    assert_eq!(size_of::<Mixed>(), 0);
}

#[test]
fn a_policy_lists_every_scope_that_it_names() {
    let named: Vec<_> = Mixed::scopes().collect();
    assert_eq!(named, ["a", "b", "c", "d", "e", "f"]);
}

#[test]
fn policies_can_be_declared_within_a_function() {
    scopes! {
        Local = "a" || "local";
    }
    assert_eq!(Local::ALTERNATIVES, [["a"], ["local"]]);
}

async fn is_let_through<P: ScopePolicy>(scopes: &str) -> bool {
    let app = Router::new()
        .route("/", get(|| async {}))
        .route_layer(require::<P>())
        .layer(granted(scopes));
    match ask(&app, "/").await.status {
        StatusCode::OK => true,
        StatusCode::FORBIDDEN => false,
        other => panic!("{other}"),
    }
}

/// `&&` binds closer than `||`, with parentheses and without.
#[tokio::test]
async fn an_alternative_is_met_by_all_of_its_scopes_and_a_policy_by_one_of_its_alternatives() {
    // Every subset of what the policy names, by the letters.
    for subset in 0..16_u8 {
        let has = |scope: u8| subset & (1 << scope) != 0;
        let [a, b, c, d] = [has(0), has(1), has(2), has(3)];
        let scopes: Vec<&str> = [(a, "a"), (b, "b"), (c, "c"), (d, "d")]
            .into_iter()
            .filter_map(|(has, scope)| has.then_some(scope))
            .collect();
        let scopes = scopes.join(" ");
        let cases = [
            (is_let_through::<Single>(&scopes).await, a),
            (is_let_through::<Both>(&scopes).await, a && b),
            (is_let_through::<Three>(&scopes).await, a && b && c),
            (is_let_through::<Either>(&scopes).await, a || b),
            (is_let_through::<AndFirst>(&scopes).await, (a && b) || c),
            (is_let_through::<AndLast>(&scopes).await, a || (b && c)),
            (is_let_through::<Grouped>(&scopes).await, a || (b && c)),
            (is_let_through::<GroupedFirst>(&scopes).await, (a && b) || c),
            (
                is_let_through::<GroupedBoth>(&scopes).await,
                (a && b) || (c && d),
            ),
            (is_let_through::<Needless>(&scopes).await, a || b),
        ];
        for (index, (decided, expected)) in cases.into_iter().enumerate() {
            assert_eq!(decided, expected, "policy {index} with {scopes:?}");
        }
    }
}

scopes! {
    Read = "invoices:read";
    Wildcard = "invoices:*";
    Upper = "Invoices:Read";
}

#[tokio::test]
async fn a_scope_is_matched_exactly() {
    for near in [
        "",
        "invoices",
        "invoices:",
        "invoices:rea",
        "invoices:read2",
        "invoices:read:all",
        "invoices:read/all",
        "xinvoices:read",
        "INVOICES:READ",
        "Invoices:read",
        "invoices:*",
        "*",
        "invoices:read,",
        "invoices:read,invoices:write",
        "invoices:write admin",
    ] {
        assert!(!is_let_through::<Read>(near).await, "{near:?}");
    }
    assert!(is_let_through::<Read>("invoices:write invoices:read admin").await);
    // A star is a character like any other, on this side, too.
    assert!(!is_let_through::<Wildcard>("invoices:read").await);
    assert!(is_let_through::<Wildcard>("invoices:*").await);
    assert!(!is_let_through::<Upper>("invoices:read").await);
    assert!(is_let_through::<Braces>("{} {x}").await);
    assert!(!is_let_through::<Braces>("{x}").await);
}

struct Nothing;

impl ScopePolicy for Nothing {
    const ALTERNATIVES: &'static [&'static [&'static str]] = &[];
}

struct EmptyAlternative;

impl ScopePolicy for EmptyAlternative {
    const ALTERNATIVES: &'static [&'static [&'static str]] = &[&[], &["admin"]];
}

#[tokio::test]
async fn a_policy_by_hand_that_names_no_scope_lets_nobody_through() {
    for scopes in ["", "a", "admin"] {
        assert!(!is_let_through::<Nothing>(scopes).await, "{scopes:?}");
    }
    assert!(!is_let_through::<EmptyAlternative>("").await);
    assert!(is_let_through::<EmptyAlternative>("admin").await);
}
