//! Scopes that are none, and scopes that are not the one that is needed.

use countersign::Refusal::MalformedClaim;
use countersign::{DenialKind, Denied, Issuer, Principal, ScopeHierarchy, ScopePolicy, scopes};
use serde_json::{Value, json};

use super::signer::ED25519;
use super::{Case, Group, Guard, good, issuer, key_set};

const TOKEN: &str = "RFC 6749 §3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E )";
const TYPE: &str = "CVE-2026-25537: a claim of another type is refused, never ignored";
const EXACT: &str = "RFC 6749 §3.3: scopes are case-sensitive and compared as a whole";
const ALL: &str = "a policy that needs several scopes needs them all";
const IMPLIED: &str = "a scope implies what the hierarchy says, and not the other way round";

scopes! {
    Read = "invoices:read";
    Both = "invoices:read" && "invoices:write";
    Either = "audit:read" || ("admin" && "audit:list");
}

pub(super) fn groups() -> Vec<Group> {
    vec![
        Group::plain("scopes").with(malformed()),
        guarded(issuer(), needs::<Read>, json!("x invoices:read"), exact()),
        guarded(
            issuer(),
            needs::<Both>,
            json!("invoices:write invoices:read"),
            several(
                "reading and writing are needed",
                &[
                    "invoices:read",
                    "invoices:write",
                    "invoices:read+invoices:write",
                    "invoices:read&&invoices:write",
                    "admin",
                ],
            ),
        ),
        guarded(
            issuer(),
            needs::<Either>,
            json!("audit:read"),
            several(
                "one of two alternatives is needed",
                &["admin", "audit:list", "audit", "audit:write"],
            ),
        ),
        guarded(
            issuer().with_scope_hierarchy(hierarchy()),
            needs::<Both>,
            json!("admin"),
            implied(),
        ),
    ]
}

fn needs<P: ScopePolicy>(principal: &Principal) -> Result<(), Denied> {
    principal.require::<P>()
}

fn malformed() -> Vec<Case> {
    let mut values: Vec<Value> = vec![
        json!(null),
        json!(true),
        json!(5),
        json!({}),
        json!({"invoices:read": true}),
        json!([null]),
        json!([5]),
        json!([["invoices:read"]]),
        json!(["invoices:read", 5]),
        json!([""]),
        json!(["invoices:read", ""]),
        json!(["invoices:read admin"]),
        json!([" invoices:read"]),
    ];
    let types = values
        .drain(..)
        .map(|value| (TYPE, value))
        .collect::<Vec<_>>();
    let characters = [
        '"',
        '\\',
        '\0',
        '\t',
        '\n',
        '\r',
        '\u{7f}',
        '\u{a0}',
        '\u{e9}',
        '\u{200b}',
        '\u{ff1a}',
        '\u{1f600}',
    ];
    let texts = characters.map(|one| (TOKEN, json!(format!("invoices:read{one}"))));
    let between = ['\t', '\n', '\u{a0}', '\u{2003}'];
    let between = between.map(|one| (TOKEN, json!(format!("invoices:read{one}admin"))));
    let arrays = characters.map(|one| (TOKEN, json!([format!("invoices:read{one}")])));
    let all = types.into_iter().chain(texts).chain(between).chain(arrays);
    all.map(|(rule, value)| {
        let draft = good().claim("scope", value.clone());
        Case::claims(format!("scope: {value}"), rule, draft, MalformedClaim)
    })
    .collect()
}

/// A group whose handler needs scopes; the twin of its cases has them.
fn guarded(issuer: Issuer, guard: Guard, granted: Value, cases: Vec<Case>) -> Group {
    let good = good().claim("scope", granted);
    let mut group = Group::new("scopes", issuer, &key_set(&[ED25519.jwk()]), good).with(cases);
    group.guard = Some(guard);
    group
}

fn insufficient(name: String, rule: &'static str, scope: Value) -> Case {
    let draft = good().claim("scope", scope);
    Case::claims(name, rule, draft, MalformedClaim).denied_as(DenialKind::InsufficientScope)
}

fn exact() -> Vec<Case> {
    let values = [
        json!(""),
        json!(" "),
        json!([]),
        json!("INVOICES:READ"),
        json!("Invoices:read"),
        json!("invoices:read:all"),
        json!("invoices:rea"),
        json!("nvoices:read"),
        json!("invoices"),
        json!("invoices:"),
        json!("read"),
        json!("invoices:*"),
        json!("*"),
        json!("**"),
        json!("invoices:write"),
        json!("invoices.read"),
        json!("invoices/read"),
        json!("invoices%3Aread"),
        json!("invoices:read,admin"),
        json!("invoices:read;"),
        json!("-invoices:read"),
        json!("!invoices:read"),
        json!("https://api.acme.test/invoices:read"),
        json!("admin root superuser"),
        json!(["invoices:write", "read"]),
        json!("invoices: read"),
    ];
    let cases = values.map(|value| {
        insufficient(
            format!("invoices:read is needed, granted is {value}"),
            EXACT,
            value,
        )
    });
    let elsewhere = good()
        .without_claim("scope")
        .claim("scp", "invoices:read")
        .claim("scopes", json!(["invoices:read"]));
    let elsewhere = Case::claims(
        "the scope in other vendors' claims",
        EXACT,
        elsewhere,
        MalformedClaim,
    );
    let missing = Case::claims(
        "no scope at all",
        EXACT,
        good().without_claim("scope"),
        MalformedClaim,
    );
    let both = [elsewhere, missing].map(|case| case.denied_as(DenialKind::InsufficientScope));
    cases.into_iter().chain(both).collect()
}

fn several(needed: &str, values: &[&str]) -> Vec<Case> {
    let cases = values.iter().map(|value| {
        let name = format!("{needed}, granted is {value}");
        insufficient(name, ALL, json!(value))
    });
    cases.collect()
}

/// `admin` is all there is; writing is no reading.
fn hierarchy() -> ScopeHierarchy {
    ScopeHierarchy::new()
        .implies("admin", ["invoices:manage"])
        .and_then(|one| one.implies("invoices:manage", ["invoices:read", "invoices:write"]))
        .and_then(|one| one.implies("invoices:write", ["invoices:list"]))
        .unwrap()
}

fn implied() -> Vec<Case> {
    let values = [
        "invoices:write",
        "invoices:read",
        "invoices:list",
        "Admin",
        "administrator",
        "invoices:manage:own",
        "invoices:write invoices:list",
    ];
    let cases = values.map(|value| {
        let name = format!("implied by nothing, granted is {value}");
        insufficient(name, IMPLIED, json!(value))
    });
    cases.into()
}
