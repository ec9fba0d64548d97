use std::sync::Arc;

use countersign_bearer::{
    Authenticator, AuthenticatorConfig, BuildError, Introspect, IntrospectionFailure,
};
use countersign_jwks::BoxFuture;
use countersign_token::{Claims, Issuer, Refusal};
use serde_json::{Value, json};

fn problems(config: Value) -> Vec<String> {
    match AuthenticatorConfig::from_value(config) {
        Ok(_) => Vec::new(),
        Err(error) => error.problems().iter().map(ToString::to_string).collect(),
    }
}

/// A configuration of one issuer with these settings besides the required ones.
fn issuer_with(settings: &Value) -> Value {
    let mut issuer =
        json!({ "issuer": "https://as.acme.test", "audiences": ["https://api.acme.test"] });
    let settings = settings.as_object().unwrap().clone();
    issuer.as_object_mut().unwrap().extend(settings);
    json!({ "issuers": [issuer] })
}

#[test]
fn every_setting_is_read() {
    let full = json!({
        "resource": "https://api.acme.test",
        "realm": "acme",
        "path_parameters": ["org"],
        "host_suffix": ".api.acme.test",
        "tenant_header": "x-organization",
        "other_tenant_status": 403,
        "token_cache_bytes": 0,
        "dpop": {
            "mode": "allowed",
            "base_url": "https://api.acme.test",
            "algorithms": ["ES256"],
            "nonces": true,
            "max_proofs": 1000,
            "max_proofs_per_key": 100,
        },
        "client_certificates": { "mode": "allowed", "dangerous_header": "client-cert" },
        "issuers": [{
            "issuer": "https://as.acme.test",
            "audiences": ["https://api.acme.test", "acme"],
            "profile": "keycloak",
            "algorithms": ["RS256", "EdDSA"],
            "keys": { "url": "https://as.acme.test/jwks" },
            "same_origin_keys": true,
            "refresh": { "time_to_live_seconds": 120, "stale_grace_seconds": 600 },
            "start": "degraded",
            "token_types": ["JWT", "at+jwt", "absent"],
            "organization_claims": ["org", ["ext", "org"]],
            "organization_form": "identifier",
            "scope_claims": ["scp"],
            "machine_scope_claims": ["roles", ["ext", "roles"]],
            "client_claims": ["cid"],
            "user_claim": "uid",
            "fixed_organization": "org_acme",
            "clients": ["m2m-acme"],
            "microservices": { "claim": "internal", "value": true },
            "required_claims": { "environment": "production", "verified": true },
            "scope_hierarchy": { "admin": ["invoices:write"], "invoices:write": ["invoices:read"] },
            "leeway_seconds": 300,
            "max_age_seconds": 3600,
            "max_lifetime_seconds": 3600,
        }],
    });
    assert_eq!(problems(full), Vec::<String>::new());
    for settings in [
        json!({ "keys": "discovery" }),
        json!({ "keys": { "file": "jwks.json" } }),
        json!({ "microservices": "all" }),
        json!({ "microservices": "none" }),
        json!({ "microservices": { "clients": ["billing"] } }),
        json!({ "organizations": ["org_acme"] }),
        json!({ "dangerous_any_organization": true }),
        json!({ "profile": "scalekit", "clients": ["m2m"] }),
    ] {
        assert_eq!(
            problems(issuer_with(&settings)),
            Vec::<String>::new(),
            "{settings}"
        );
    }
}

#[test]
fn each_problem_is_reported_with_its_path() {
    let cases = [
        (
            json!({ "leeway_seconds": 301 }),
            "issuers[0].leeway_seconds: is more than 300",
        ),
        (
            json!({ "leeway_seconds": -1 }),
            "issuers[0].leeway_seconds: must be a whole number",
        ),
        (
            json!({ "leeway_seconds": "30" }),
            "issuers[0].leeway_seconds: must be a whole number",
        ),
        (
            json!({ "algorithms": [] }),
            "issuers[0].algorithms: must name at least one",
        ),
        (
            json!({ "algorithms": ["RS256", "none"] }),
            "issuers[0].algorithms[1]: \"none\" must be one of",
        ),
        (
            json!({ "algorithms": "RS256" }),
            "issuers[0].algorithms: must be an array",
        ),
        (
            json!({ "profile": "oidc" }),
            "issuers[0].profile: must be one of rfc9068, scalekit",
        ),
        (
            json!({ "profile": "scalekit" }),
            "issuers[0].clients: must be listed",
        ),
        (
            json!({ "token_types": ["dpop+jwt"] }),
            "issuers[0].token_types[0]: \"dpop+jwt\" must be",
        ),
        (
            json!({ "keys": "jwks.json" }),
            "issuers[0].keys: must be \"discovery\"",
        ),
        (
            json!({ "keys": { "url": "http://as.acme.test/jwks" } }),
            "issuers[0].keys: ",
        ),
        (
            json!({ "keys": { "url": "https://x.test", "file": "y" } }),
            "issuers[0].keys: must be",
        ),
        (
            json!({ "refresh": { "time_to_live_seconds": 0 } }),
            "issuers[0].keys: a time to live must be at least 1 s",
        ),
        (
            json!({ "refresh": { "ttl": 1 } }),
            "issuers[0].refresh.ttl: is not a known setting",
        ),
        (json!({ "start": "lazy" }), "issuers[0].start: must be"),
        (
            json!({ "organizations": [] }),
            "issuers[0].organizations: must name at least one",
        ),
        (
            json!({ "organizations": ["a"], "fixed_organization": "b" }),
            "issuers[0].organizations: cannot stand beside",
        ),
        (
            json!({ "fixed_organization": "" }),
            "issuers[0].fixed_organization: must be",
        ),
        (json!({ "clients": [""] }), "issuers[0].clients: must name"),
        (
            json!({ "clients": [1] }),
            "issuers[0].clients[0]: must be a string",
        ),
        (
            json!({ "microservices": "some" }),
            "issuers[0].microservices: must be",
        ),
        (
            json!({ "microservices": { "clients": [] } }),
            "issuers[0].microservices: must name",
        ),
        (
            json!({ "microservices": { "claim": "x", "value": 1 } }),
            "issuers[0].microservices: must be",
        ),
        (
            json!({ "microservices": { "clients": ["a"], "extra": 1 } }),
            "issuers[0].microservices: must be",
        ),
        (
            json!({ "required_claims": { "a": 1 } }),
            "issuers[0].required_claims.a: must be",
        ),
        (
            json!({ "scope_hierarchy": { "admin": ["two words"] } }),
            "issuers[0].scope_hierarchy.admin: ",
        ),
        (
            json!({ "organization_claims": [["a", "b", "c"]] }),
            "issuers[0].organization_claims[0]: must be",
        ),
        (
            json!({ "machine_scope_claims": "roles" }),
            "issuers[0].machine_scope_claims: must be an array",
        ),
        (
            json!({ "machine_scope_claims": ["roles", 1] }),
            "issuers[0].machine_scope_claims[1]: must be",
        ),
        (
            json!({ "client_claims": [], "clients": ["m2m"] }),
            "issuers[0].clients: are listed, but",
        ),
        (
            json!({ "Audience": "x" }),
            "issuers[0].Audience: is not a known setting",
        ),
        (
            json!({ "audiences": [] }),
            "issuers[0].audiences: must name at least one",
        ),
        (
            json!({ "audiences": "x" }),
            "issuers[0].audiences: must be an array",
        ),
        (json!({ "issuer": "" }), "issuers[0].issuer: is empty"),
        (json!({ "issuer": "urn:acme" }), "issuers[0].keys: "),
    ];
    for (settings, expected) in cases {
        let problems = problems(issuer_with(&settings));
        assert!(
            problems.len() == 1 && problems[0].starts_with(expected),
            "{settings}: {problems:?}"
        );
    }
}

#[test]
fn a_list_of_path_parameters_names_at_least_one() {
    for (parameters, expected) in [
        (json!([]), "path_parameters: must name at least one"),
        (json!([""]), "path_parameters: must not have an empty name"),
    ] {
        let mut settings = issuer_with(&json!({}));
        settings["path_parameters"] = parameters;
        let problems = problems(settings);
        assert!(
            problems.len() == 1 && problems[0].starts_with(expected),
            "{problems:?}"
        );
    }
}

#[test]
fn a_secret_of_nonces_is_read_from_a_file_and_has_32_bytes_or_more() {
    let file = format!("{}/secret-of-nonces", env!("CARGO_TARGET_TMPDIR"));
    for (bytes, problem) in [(32, None), (31, Some("must have 32 bytes or more"))] {
        std::fs::write(&file, vec![7; bytes]).unwrap();
        let mut config = issuer_with(&json!({}));
        config["dpop"] = json!({
            "mode": "allowed",
            "base_url": "https://api.acme.test",
            "nonces": { "secret_file": file },
        });
        let expected = problem.map(|problem| format!("dpop.nonces: {file}: {problem}"));
        assert_eq!(problems(config), Vec::from_iter(expected), "{bytes}");
    }
    std::fs::remove_file(file).unwrap();
}

#[test]
fn settings_of_proofs_that_make_no_sense_are_reported_with_their_path() {
    let base_url = "https://api.acme.test";
    let cases = [
        (
            json!({ "dpop": {} }),
            "dpop.mode: is missing\ndpop.base_url: is missing",
        ),
        (
            json!({ "dpop": { "mode": "on", "base_url": base_url } }),
            "dpop.mode: must be \"allowed\" or \"required\"",
        ),
        (
            json!({ "dpop": { "mode": "allowed", "base_url": base_url, "nonces": "x" } }),
            "dpop.nonces: must be true, false or { secret_file = \"…\" }",
        ),
        (
            json!({ "dpop": { "mode": "allowed", "base_url": base_url, "nonces": {
                "secret_file": "/", "secret": "x",
            } } }),
            "dpop.nonces: must be true, false or { secret_file = \"…\" }",
        ),
        (
            json!({ "dpop": { "mode": "allowed", "base_url": base_url, "algorithms": ["HS256"] } }),
            "dpop.algorithms[0]: \"HS256\" must be one of \
             RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA, Ed25519",
        ),
        (
            json!({ "dpop": {
                "mode": "allowed", "base_url": base_url, "max_proofs": 0, "max_proofs_per_key": "1",
            } }),
            "dpop.max_proofs: must be a whole number above 0\n\
             dpop.max_proofs_per_key: must be a whole number above 0",
        ),
        (
            json!({ "dpop": { "mode": "allowed", "base_url": "api.acme.test" } }),
            "dpop: must have the base_url that clients know this service by: \
             an absolute https URL without user, query and fragment",
        ),
        (
            json!({ "client_certificates": { "mode": "allowed", "header": "x" } }),
            "client_certificates.header: is not a known setting",
        ),
        (
            json!({ "client_certificates": {
                "mode": "required", "dangerous_header": "a", "dangerous_pem_header": "b",
            } }),
            "client_certificates.dangerous_pem_header: cannot stand beside dangerous_header",
        ),
        (
            json!({
                "dpop": { "mode": "required", "base_url": base_url },
                "client_certificates": { "mode": "required" },
            }),
            "client_certificates: cannot be required beside dpop: no token is bound to both",
        ),
    ];
    for (settings, expected) in cases {
        let mut config = issuer_with(&json!({}));
        let members = settings.as_object().unwrap().clone();
        config.as_object_mut().unwrap().extend(members);
        assert_eq!(problems(config).join("\n"), expected, "{settings}");
    }
}

#[test]
fn all_problems_are_reported_at_once() {
    let config = json!({
        "resource": "http://api.acme.test",
        "realm": "a\nb",
        "host_suffix": "api.acme.test",
        "tenant_header": "x y",
        "other_tenant_status": 200,
        "colour": "blue",
        "issuers": [
            { "audiences": ["a"], "algorithms": ["HS256"] },
            { "issuer": "https://as.acme.test", "audiences": ["a"] },
            { "issuer": "https://as.acme.test", "audiences": ["a"], "organizations": ["org_acme"] },
            "https://as.other.test",
        ],
    });
    let mut found: Vec<_> = problems(config)
        .into_iter()
        .map(|problem| problem.split_once(": ").unwrap().0.to_owned())
        .collect();
    found.sort();
    assert_eq!(
        found,
        [
            "colour",
            "host_suffix",
            "issuers[0].algorithms[0]",
            "issuers[0].issuer",
            "issuers[0].organizations",
            "issuers[1].organizations",
            "issuers[2].issuer",
            "issuers[3]",
            "other_tenant_status",
            "realm",
            "resource",
            "tenant_header",
        ]
    );
}

#[test]
fn what_is_no_table_or_has_no_issuer_is_a_problem() {
    assert_eq!(problems(json!([])).len(), 2);
    assert_eq!(
        problems(json!({})),
        ["issuers: must name at least one issuer"]
    );
    assert_eq!(
        problems(json!({ "issuers": {} })),
        ["issuers: must be an array"]
    );
}

#[test]
fn a_serde_format_reads_the_same_and_reports_a_line_for_each_problem() {
    let read = |config: &Value| serde_json::from_str::<AuthenticatorConfig>(&config.to_string());
    assert!(read(&issuer_with(&json!({}))).is_ok());
    let bad = json!({ "colour": 1, "issuers": [] });
    assert_eq!(
        read(&bad).unwrap_err().to_string(),
        "colour: is not a known setting\nissuers: must name at least one issuer"
    );
}

#[tokio::test]
async fn settings_in_code_are_checked_the_same_before_anything_is_fetched() {
    let built = Authenticator::builder()
        .issuer(Issuer::new("https://one.invalid", "a"))
        .issuer(Issuer::new("https://two.invalid", ""))
        .build()
        .await;
    let Err(BuildError::Config(error)) = built else {
        panic!("{built:?}");
    };
    let paths: Vec<_> = error
        .problems()
        .iter()
        .map(|one| one.path.as_str())
        .collect();
    assert_eq!(
        paths,
        [
            "issuers[0].organizations",
            "issuers[1].audiences",
            "issuers[1].organizations",
        ]
    );
}

/// Stands for an authorization server that is asked about opaque tokens of this issuer.
#[derive(Debug)]
struct Asked(Issuer);

impl Introspect for Asked {
    fn issuer(&self) -> &Issuer {
        &self.0
    }

    fn introspect(&self, _: &str) -> BoxFuture<Result<Claims, IntrospectionFailure>> {
        Box::pin(std::future::ready(Err(IntrospectionFailure::Refused(
            Refusal::Inactive,
        ))))
    }

    fn introspect_anew(&self, token: &str) -> BoxFuture<Result<Claims, IntrospectionFailure>> {
        self.introspect(token)
    }
}

#[test]
fn an_issuer_that_is_introspected_is_held_to_the_rules_of_any() {
    let asked = || {
        Arc::new(Asked(Issuer::new(
            "https://as.acme.test",
            "https://api.acme.test",
        )))
    };
    let builder = || Authenticator::builder().with_opaque_tokens(asked());
    assert!(builder().check().is_ok());
    let acting = builder().with_acting_issuers(["https://as.acme.test"]);
    let problems = acting.check().unwrap_err().to_string();
    assert!(problems.starts_with("acting_issuers: "), "{problems}");
    let twice = builder().with_introspection(asked());
    let problems = twice.check().unwrap_err().to_string();
    assert!(problems.ends_with("is configured twice"), "{problems}");
}
