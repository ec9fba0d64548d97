use std::sync::Arc;
use std::time::Duration;

use countersign_bearer::{Decisions, DenialKind, NeededScopes, Principal};
use countersign_token::{Claims, OrganizationId, Scope};
use http::{Method, StatusCode};
use proptest::option;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::event::{Answer, AuditDecision, AuditEvent, Facts, RequestFacts};

/// The names of the members, in their order. They are promised.
const NAMES: [&str; 21] = [
    "time",
    "decision",
    "denial",
    "principal_kind",
    "subject",
    "client",
    "user",
    "organization",
    "organizations",
    "token_id",
    "issuer",
    "scopes_needed",
    "scopes_granted",
    "acting_for",
    "method",
    "matched_path",
    "status",
    "grpc_status",
    "latency_us",
    "request_id",
    "peer",
];

/// Texts with whatever may be hard to put into a line.
fn texts() -> impl Strategy<Value = String> {
    let hard = "[\u{0}-\u{1f}\"\\\\/\u{7f}-\u{9f}\u{2028}\u{2029}\u{202e}\u{feff}]{0,8}";
    prop_oneof![".{1,40}", "(?s).{1,40}", hard.prop_map(|text| text + "x")]
}

fn event(principal: Option<Principal>, request_id: Option<String>, micros: u64) -> AuditEvent {
    let mut decisions = Decisions::default();
    decisions.principal = principal;
    decisions.denial = Some(DenialKind::InsufficientScope);
    decisions.needed = vec![NeededScopes::Static(&[&["a", "b"], &["c"]])];
    AuditEvent::new(Arc::new(Facts {
        request: RequestFacts {
            time: Duration::from_micros(micros),
            method: Method::PUT,
            request_id: request_id.map(Into::into),
            ..RequestFacts::default()
        },
        decisions,
        answer: Some(Answer {
            status: StatusCode::FORBIDDEN,
            grpc_status: Some(7),
            denial: None,
        }),
        decision: AuditDecision::Denied,
        latency: Duration::from_micros(micros),
    }))
}

proptest! {
    #[test]
    fn a_line_is_one_line_and_says_again_what_the_event_says(
        client in texts(),
        user in texts(),
        organization in option::of(texts()),
        issuer in texts(),
        scopes in proptest::collection::btree_set("[!#-\\[\\]-~]{1,12}", 0..6),
        request_id in option::of(texts()),
        micros in any::<u64>(),
    ) {
        let granted: Vec<_> = scopes.iter().map(|one| Scope::new(one.clone()).unwrap()).collect();
        let mut claims = Claims::delegated_user(issuer.as_str(), &client, &user).with_scopes(&granted);
        let organization = organization.and_then(|text| OrganizationId::new(&text));
        if let Some(organization) = &organization {
            claims = claims.with_organization(organization.clone());
        }
        let event = event(Some(Principal::assertion(claims)), request_id.clone(), micros);
        let line = serde_json::to_string(&event).unwrap();
        prop_assert!(!line.chars().any(|one| u32::from(one) < 0x20), "{line:?}");
        let read: Value = serde_json::from_str(&line).unwrap();
        let organization = organization.as_ref().map(OrganizationId::as_str);
        for (name, expected) in [
            ("client", json!(client)),
            ("user", json!(user)),
            ("issuer", json!(issuer)),
            ("organization", json!(organization)),
            ("organizations", json!(organization.into_iter().collect::<Vec<_>>())),
            ("scopes_granted", json!(scopes)),
            ("scopes_needed", json!(["a b | c"])),
            ("request_id", json!(request_id)),
            ("latency_us", json!(micros)),
            ("denial", json!("insufficient_scope")),
            ("grpc_status", json!(7)),
        ] {
            prop_assert_eq!(&read[name], &expected, "{}", name);
        }
    }
}

#[test]
fn every_member_is_there_in_order_also_where_nothing_is_known() {
    let claims = Claims::service_principal("https://as.acme.test", "m2m-acme");
    for principal in [None, Some(Principal::assertion(claims))] {
        let line = serde_json::to_string(&event(principal, None, 0)).unwrap();
        let places = NAMES.map(|name| line.find(&format!("\"{name}\":")));
        assert!(
            places.iter().all(Option::is_some) && places.is_sorted(),
            "{line}"
        );
        let read: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read.as_object().unwrap().len(), NAMES.len());
    }
}
