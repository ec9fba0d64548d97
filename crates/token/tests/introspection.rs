//! What an authorization server's answer about a token is worth: each answer, and what it is refused as.

use std::time::Duration;

use countersign_token::{
    CallerKind, Claims, ClaimsProfile, Confirmation, IntrospectionRules, Issuer, MachineRule,
    Organizations, Refusal,
};
use serde_json::{Value, json};

const ISSUER: &str = "https://as.acme.test";
const API: &str = "https://api.acme.test";
const NOW: u64 = 1_800_000_000;

fn issuer() -> Issuer {
    Issuer::new(ISSUER, API)
}

/// What is right in every respect about a machine's token.
fn good() -> Value {
    json!({
        "active": true,
        "iss": ISSUER,
        "aud": API,
        "sub": "m2m-acme",
        "client_id": "m2m-acme",
        "org_id": "org_acme",
        "scope": "invoices:read",
        "token_type": "Bearer",
        "exp": NOW + 600,
        "iat": NOW,
        "jti": "1",
    })
}

/// A good answer with these members instead; `null`: without.
fn with(changes: &Value) -> String {
    let mut answer = good();
    for (name, value) in changes.as_object().into_iter().flatten() {
        match value {
            Value::Null => drop(answer.as_object_mut().and_then(|all| all.remove(name))),
            value => answer[name] = value.clone(),
        }
    }
    answer.to_string()
}

fn rules(issuer_optional: bool, audience_optional: bool) -> IntrospectionRules {
    let mut rules = IntrospectionRules::default();
    rules.issuer_optional = issuer_optional;
    rules.audience_optional = audience_optional;
    rules
}

fn check_by(issuer: &Issuer, answer: &str) -> Result<Claims, Refusal> {
    check_within(issuer, answer, IntrospectionRules::default())
}

fn check_within(
    issuer: &Issuer,
    answer: &str,
    rules: IntrospectionRules,
) -> Result<Claims, Refusal> {
    issuer.check_introspection(answer, rules, Duration::from_secs(NOW))
}

fn check(answer: &str) -> Result<Claims, Refusal> {
    check_by(&issuer(), answer)
}

#[test]
fn a_good_answer_is_read_as_a_tokens_own_payload_is() {
    let claims = check(&with(&json!({}))).unwrap();
    assert_eq!(claims.kind(), CallerKind::ServicePrincipal);
    assert_eq!(claims.issuer(), ISSUER);
    assert_eq!(claims.subject(), Some("m2m-acme"));
    assert_eq!(claims.client(), Some("m2m-acme"));
    assert_eq!(claims.user(), None);
    assert_eq!(claims.token_id(), Some("1"));
    assert_eq!(claims.organizations().as_slice()[0].as_str(), "org_acme");
    assert!(claims.scopes().contains("invoices:read"));
    assert_eq!(
        claims.times().expires_at.to_bits(),
        1_800_000_600_f64.to_bits()
    );
    assert_eq!(claims.confirmation(), None);
    let custom: Value = claims.custom().unwrap();
    assert_eq!(custom, good());

    let user = check(&with(&json!({"sub": "ann", "client_id": "app"}))).unwrap();
    assert_eq!(user.kind(), CallerKind::DelegatedUser);
    assert_eq!((user.user(), user.client()), (Some("ann"), Some("app")));
}

#[test]
fn only_true_is_active_and_only_false_is_inactive() {
    for (text, expected) in [
        (r#"{"active":false}"#, Refusal::Inactive),
        (
            r#"{"active":false,"iss":5,"exp":"never"}"#,
            Refusal::Inactive,
        ),
        ("{}", Refusal::MalformedPayload),
        (r#"{"active":null}"#, Refusal::MalformedPayload),
        (r#"{"active":"true"}"#, Refusal::MalformedPayload),
        (r#"{"active":1}"#, Refusal::MalformedPayload),
        (r#"{"active":[true]}"#, Refusal::MalformedPayload),
        (r#"{"Active":true}"#, Refusal::MalformedPayload),
        (
            r#"{"active":false,"active":true}"#,
            Refusal::MalformedPayload,
        ),
        (
            r#"{"active":true,"active":true}"#,
            Refusal::MalformedPayload,
        ),
        (
            r#"{"active":true,"\u0061ctive":true}"#,
            Refusal::MalformedPayload,
        ),
        (r#"[{"active":true}]"#, Refusal::MalformedPayload),
        (r#"{"active":true} {}"#, Refusal::MalformedPayload),
        (r#"{"active":true"#, Refusal::MalformedPayload),
        (r#""active""#, Refusal::MalformedPayload),
        ("true", Refusal::MalformedPayload),
        ("", Refusal::MalformedPayload),
        ("<!doctype html>", Refusal::MalformedPayload),
    ] {
        assert_eq!(check(text).unwrap_err(), expected, "{text}");
    }
    for active in [json!("true"), json!(1), json!({}), json!([])] {
        let answer = with(&json!({ "active": active }));
        assert_eq!(
            check(&answer).unwrap_err(),
            Refusal::MalformedPayload,
            "{answer}"
        );
    }
    let inactive = with(&json!({"active": false}));
    assert_eq!(check(&inactive).unwrap_err(), Refusal::Inactive);
}

#[test]
fn a_member_that_stands_twice_is_refused_whichever_it_is() {
    let good = with(&json!({}));
    for again in [
        r#""sub":"m2m-acme""#,
        r#""org_id":"org_acme""#,
        r#""anything":1,"anything":1"#,
    ] {
        let twice = format!("{},{again}}}", good.trim_end_matches('}'));
        assert_eq!(
            check(&twice).unwrap_err(),
            Refusal::MalformedPayload,
            "{again}"
        );
    }
}

#[test]
fn each_claim_is_checked_as_in_a_token() {
    for (changes, expected) in [
        (json!({"iss": null}), Refusal::MissingClaim),
        (
            json!({"iss": "https://as.globex.test"}),
            Refusal::UnknownIssuer,
        ),
        (json!({"iss": format!("{ISSUER}/")}), Refusal::UnknownIssuer),
        (json!({"iss": [ISSUER]}), Refusal::MalformedClaim),
        (json!({"iss": ""}), Refusal::MalformedClaim),
        (json!({"aud": null}), Refusal::MissingClaim),
        (
            json!({"aud": "https://billing.acme.test"}),
            Refusal::Audience,
        ),
        (
            json!({"aud": ["https://billing.acme.test"]}),
            Refusal::Audience,
        ),
        (json!({"aud": []}), Refusal::Audience),
        (json!({"aud": [API, 5]}), Refusal::MalformedClaim),
        (json!({"aud": {"is": API}}), Refusal::MalformedClaim),
        (json!({"exp": null}), Refusal::MissingClaim),
        (json!({"exp": NOW - 30}), Refusal::Expired),
        (json!({"exp": "1900000000"}), Refusal::MalformedClaim),
        (json!({"nbf": NOW + 31}), Refusal::NotYetValid),
        (json!({"iat": NOW + 31}), Refusal::IssuedInFuture),
        (json!({"iat": null}), Refusal::MissingClaim),
        (json!({"sub": null}), Refusal::MissingClaim),
        (json!({"sub": 5}), Refusal::MalformedClaim),
        (json!({"sub": ""}), Refusal::MalformedClaim),
        (json!({"client_id": null}), Refusal::MissingClaim),
        (json!({"client_id": ["m2m-acme"]}), Refusal::MalformedClaim),
        (json!({"jti": 1}), Refusal::MalformedClaim),
        (json!({"org_id": ""}), Refusal::MalformedClaim),
        (json!({"org_id": ["org_acme"]}), Refusal::MalformedClaim),
        (json!({"scope": 5}), Refusal::MalformedClaim),
        (json!({"cnf": "x"}), Refusal::MalformedClaim),
        (json!({"cnf": {"kid": "x"}}), Refusal::UnprovenConfirmation),
    ] {
        let answer = with(&changes);
        assert_eq!(check(&answer).unwrap_err(), expected, "{changes}");
    }
    for (changes, name) in [
        (
            json!({"aud": ["https://billing.acme.test", API]}),
            "one of several audiences",
        ),
        (json!({"exp": NOW - 29}), "within the leeway"),
        (json!({"exp": 1_800_000_000.5}), "a fraction"),
        (
            json!({"username": 5, "extension": {"a": [null]}}),
            "what nobody reads",
        ),
    ] {
        assert!(check(&with(&changes)).is_ok(), "{name}");
    }
}

#[test]
fn an_issuer_or_audience_may_be_absent_where_that_was_said_and_never_another() {
    let none = json!({"iss": null, "aud": null});
    let without_issuer = json!({"iss": null});
    let without_audience = json!({"aud": null});
    let other_issuer = json!({"iss": "https://as.globex.test"});
    let other_audience = json!({"aud": "https://billing.acme.test"});
    let missing = Some(Refusal::MissingClaim);
    for (changes, issuer_optional, audience_optional, expected) in [
        (&without_issuer, true, false, None),
        (&without_issuer, false, true, missing),
        (&without_audience, false, true, None),
        (&without_audience, true, false, missing),
        (&none, true, true, None),
        (&none, true, false, missing),
        (&none, false, true, missing),
        (&other_issuer, true, true, Some(Refusal::UnknownIssuer)),
        (&other_audience, true, true, Some(Refusal::Audience)),
    ] {
        let rules = rules(issuer_optional, audience_optional);
        let refusal = check_within(&issuer(), &with(changes), rules).err();
        assert_eq!(refusal, expected, "{changes} {rules:?}");
    }
    let empty = check_within(&issuer(), &with(&json!({"aud": []})), rules(true, true));
    assert_eq!(
        empty.unwrap_err(),
        Refusal::Audience,
        "naming nobody is not silence"
    );
}

#[test]
fn only_an_access_tokens_type_is_accepted() {
    let bound = json!({"jkt": "A".repeat(43)});
    for (changes, expected) in [
        (json!({"token_type": "bearer"}), None),
        (json!({"token_type": "BEARER"}), None),
        (json!({"token_type": null}), Some(Refusal::NotAccessToken)),
        (json!({"token_use": "access_token"}), None),
        (
            json!({"token_use": "refresh_token"}),
            Some(Refusal::NotAccessToken),
        ),
        (json!({"token_type": "DPoP", "cnf": bound}), None),
        (json!({"token_type": "dpop", "cnf": bound}), None),
        // A server that binds a token says so in both places, or its answer cannot be relied on.
        (
            json!({"token_type": "DPoP"}),
            Some(Refusal::UnprovenConfirmation),
        ),
        (
            json!({"token_type": "refresh_token"}),
            Some(Refusal::NotAccessToken),
        ),
        (json!({"token_type": "N_A"}), Some(Refusal::NotAccessToken)),
        (json!({"token_type": "mac"}), Some(Refusal::NotAccessToken)),
        (json!({"token_type": ""}), Some(Refusal::MalformedClaim)),
        (
            json!({"token_type": ["Bearer"]}),
            Some(Refusal::MalformedClaim),
        ),
    ] {
        let refusal = check(&with(&changes)).err();
        assert_eq!(refusal, expected, "{changes}");
    }
}

#[test]
fn an_answer_without_a_type_must_not_look_like_an_id_token() {
    let issuer = issuer().with_profile(ClaimsProfile::rfc9068().with_required_claims([]));
    for (changes, expected) in [
        (
            json!({"token_type": null, "nonce": "n"}),
            Some(Refusal::NotAccessToken),
        ),
        (
            json!({"token_type": null, "at_hash": "h"}),
            Some(Refusal::NotAccessToken),
        ),
        (
            json!({"token_type": null, "client_id": null}),
            Some(Refusal::MissingClaim),
        ),
        (json!({"token_type": "Bearer", "nonce": "n"}), None),
    ] {
        let mut rules = IntrospectionRules::default();
        rules.token_type_optional = true;
        let refusal = check_within(&issuer, &with(&changes), rules).err();
        assert_eq!(refusal, expected, "{changes}");
    }
}

#[test]
fn what_a_token_is_bound_to_is_handed_on_to_be_proven() {
    let answer = with(&json!({"cnf": {"x5t#S256": "A".repeat(43)}}));
    let confirmation = check(&answer).unwrap().confirmation();
    assert_eq!(
        confirmation,
        Some(Confirmation::CertificateThumbprint([0; 32]))
    );
}

#[test]
fn the_issuers_own_rules_hold() {
    let no_organization = with(&json!({"org_id": null}));
    let claims = check(&no_organization).unwrap();
    assert_eq!(claims.organizations(), &Organizations::None);
    for (issuer, expected) in [
        (issuer().with_clients(["m2m-globex"]), Refusal::Client),
        (
            issuer().with_organizations(["org_globex"]),
            Refusal::Organization,
        ),
        (
            issuer().with_required_claim("env", "live"),
            Refusal::RequiredClaim,
        ),
        (issuer().with_check(|_| false), Refusal::Check),
        (
            issuer().with_max_lifetime(Duration::from_secs(60)),
            Refusal::LifetimeTooLong,
        ),
    ] {
        let refusal = check_by(&issuer, &with(&json!({}))).unwrap_err();
        assert_eq!(refusal, expected);
    }
}

#[test]
fn a_machine_without_subject_is_one_only_by_the_rule_for_it() {
    let absent = with(&json!({"sub": null}));
    let profile = ClaimsProfile::rfc9068().with_required_claims(["iat".into()]);
    let by_rule = profile
        .clone()
        .with_machine_rule(MachineRule::SubjectAbsent);
    let machine = check_by(&issuer().with_profile(by_rule.clone()), &absent).unwrap();
    assert_eq!(machine.kind(), CallerKind::ServicePrincipal);
    assert_eq!(
        (machine.subject(), machine.client()),
        (None, Some("m2m-acme"))
    );

    // Without the rule it would have to be a user's, and names none.
    let refusal = check_by(&issuer().with_profile(profile), &absent).unwrap_err();
    assert_eq!(refusal, Refusal::MissingClaim);
    // By the rule, whoever has a subject is a user; nobody without a client is a machine.
    let by_rule = issuer().with_profile(by_rule);
    let user = check_by(&by_rule, &with(&json!({"sub": "m2m-acme"}))).unwrap();
    assert_eq!(user.kind(), CallerKind::DelegatedUser);
    let nobody = with(&json!({"sub": null, "client_id": null}));
    assert_eq!(
        check_by(&by_rule, &nobody).unwrap_err(),
        Refusal::MissingClaim
    );
}

#[test]
fn an_answer_is_read_as_received_and_bounded_in_depth() {
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    let answer = format!(
        "{},\"deep\":{deep}}}",
        with(&json!({})).trim_end_matches('}')
    );
    assert_eq!(check(&answer).unwrap_err(), Refusal::MalformedPayload);
    let spaced = format!(" \n{}\t", with(&json!({})));
    assert!(check(&spaced).is_ok());
}
