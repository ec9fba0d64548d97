use std::time::Duration;

use countersign_jwks::Algorithm;
use countersign_testing::{TestIssuer, TokenBuilder};
use countersign_token::{CallerKind, Microservices, Refusal};
use jsonwebtoken::{DecodingKey, Validation, jwk::JwkSet};
use serde_json::{Value, json};

use crate::{AUDIENCE, accept, good_token, invalid, refuse, trusting};

#[tokio::test]
async fn each_kind_of_token_is_what_its_name_says_with_fixed_keys_and_with_discovered_ones() {
    for issuer in [
        TestIssuer::new("https://as.acme.test"),
        TestIssuer::serve().await,
    ] {
        let trusted = issuer
            .trusted_for(AUDIENCE)
            .with_microservices(Microservices::All);
        let authenticator = trusting(trusted).await;

        let token = issuer
            .service_principal("m2m-acme")
            .with_audience(AUDIENCE)
            .with_organization("org_acme")
            .with_scopes(["invoices:read", "invoices:write"]);
        let principal = accept(&authenticator, &token.mint()).await;
        assert_eq!(principal.kind(), CallerKind::ServicePrincipal);
        assert_eq!(principal.issuer(), issuer.name());
        assert_eq!(principal.client(), Some("m2m-acme"));
        assert_eq!(principal.user(), None);
        assert_eq!(principal.organization().unwrap().as_str(), "org_acme");
        assert_eq!(
            principal.scopes().to_string(),
            "invoices:read invoices:write"
        );
        assert_eq!(principal.token_id().unwrap().len(), 32);

        let token = issuer
            .delegated_user("app", "ann")
            .with_audiences(["https://other.test", AUDIENCE]);
        let principal = accept(&authenticator, &token.mint()).await;
        assert_eq!(principal.kind(), CallerKind::DelegatedUser);
        assert_eq!(principal.client(), Some("app"));
        assert_eq!(principal.user(), Some("ann"));

        let token = issuer.microservice("billing").with_audience(AUDIENCE);
        let principal = accept(&authenticator, &token.mint()).await;
        assert_eq!(principal.kind(), CallerKind::Microservice);
        assert_eq!(principal.client(), Some("billing"));
    }
}

#[tokio::test]
async fn a_token_of_each_algorithm_is_accepted_by_us_and_by_jsonwebtoken() {
    let issuer = Algorithm::ALL.into_iter().fold(
        TestIssuer::new("https://as.acme.test"),
        TestIssuer::with_algorithm,
    );
    let authenticator = trusting(issuer.trusted_for(AUDIENCE)).await;
    let set: Value = serde_json::from_slice(&issuer.jwks_json()).unwrap();
    assert_eq!(set["keys"].as_array().unwrap().len(), Algorithm::ALL.len());

    for algorithm in Algorithm::ALL {
        let issuer = issuer.clone().with_algorithm(algorithm);
        let token = good_token(&issuer);
        accept(&authenticator, &token).await;

        // It does not know the name that RFC 9864 gave to what it knows as EdDSA.
        if algorithm == Algorithm::Ed25519 {
            continue;
        }
        let keys = set["keys"].as_array().unwrap().iter();
        let keys: Vec<_> = keys.filter(|key| key["kid"] == issuer.key_id()).collect();
        assert_eq!(keys.len(), 1, "{algorithm}");
        assert_eq!(keys[0]["alg"], algorithm.name());
        let set: JwkSet = serde_json::from_value(json!({ "keys": keys })).unwrap();
        let mut rules = Validation::new(algorithm.name().parse().unwrap());
        rules.set_audience(&[AUDIENCE]);
        rules.set_issuer(&[issuer.name()]);
        let key = DecodingKey::from_jwk(&set.keys[0]).unwrap();
        jsonwebtoken::decode::<Value>(&token, &key, &rules)
            .unwrap_or_else(|error| panic!("{algorithm}: {error}"));
    }
}

/// What is done to a right token, and what it is then refused for.
type Case = (fn(TokenBuilder) -> TokenBuilder, Refusal);

/// Whether each token, one change away from a right one, is refused for it.
async fn each_is_refused<const N: usize>(cases: [Case; N]) {
    let issuer = TestIssuer::new("https://as.acme.test")
        .with_algorithm(Algorithm::PS256)
        .with_algorithm(Algorithm::ES256);
    let trusted = issuer
        .trusted_for(AUDIENCE)
        .with_organizations(["org_acme"]);
    let authenticator = trusting(trusted).await;
    let good = issuer
        .service_principal("m2m-acme")
        .with_audience(AUDIENCE)
        .with_organization("org_acme");
    accept(&authenticator, &good.mint()).await;
    for (index, (change, refusal)) in cases.into_iter().enumerate() {
        let found = refuse(&authenticator, &change(good.clone()).mint()).await;
        assert_eq!(found, invalid(refusal), "case {index}");
    }
}

#[tokio::test]
async fn a_wrong_claim_is_what_a_token_is_refused_for() {
    each_is_refused([
        (TokenBuilder::expired, Refusal::Expired),
        (
            |token| token.issued_ago(Duration::from_secs(3660)),
            Refusal::Expired,
        ),
        (
            |token| {
                token
                    .with_lifetime(Duration::from_secs(9))
                    .issued_ago(Duration::from_secs(60))
            },
            Refusal::Expired,
        ),
        (
            |token| token.with_claim("iat", 9_999_999_999_u64),
            Refusal::IssuedInFuture,
        ),
        (
            |token| token.with_claim("nbf", 9_999_999_999_u64),
            Refusal::NotYetValid,
        ),
        (
            |token| token.with_audience("https://other.test"),
            Refusal::Audience,
        ),
        (|token| token.with_audiences(["a", "b"]), Refusal::Audience),
        (|token| token.without_claim("aud"), Refusal::MissingClaim),
        (|token| token.without_claim("jti"), Refusal::MissingClaim),
        (|token| token.with_claim("sub", 1), Refusal::MalformedClaim),
        (
            |token| token.with_organization("org_other"),
            Refusal::Organization,
        ),
        (
            |token| token.with_claim("iss", "https://other.test"),
            Refusal::UnknownIssuer,
        ),
        (
            |token| token.with_claim("cnf", json!({"jkt": "x"})),
            Refusal::UnprovenConfirmation,
        ),
        (|token| token.with_payload("[]"), Refusal::MalformedPayload),
        (
            |token| token.with_payload([0xff]),
            Refusal::MalformedPayload,
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_wrong_header_is_what_a_token_is_refused_for() {
    each_is_refused([
        (|token| token.with_header("typ", "JWT"), Refusal::Type),
        (
            |token| token.with_header("crit", json!(["exp"])),
            Refusal::CriticalHeader,
        ),
        (
            |token| token.without_header("alg"),
            Refusal::MalformedHeader,
        ),
        (
            |token| token.with_algorithm_name("HS256"),
            Refusal::Algorithm,
        ),
        (
            |token| token.with_algorithm_name("RS256"),
            Refusal::Algorithm,
        ),
        (
            |token| token.with_algorithm_name("PS256"),
            Refusal::KeyMismatch,
        ),
        (|token| token.with_key_id("other"), Refusal::UnknownKey),
    ])
    .await;
}

#[tokio::test]
async fn a_wrong_signature_is_what_a_token_is_refused_for() {
    each_is_refused([
        (TokenBuilder::tampered, Refusal::BadSignature),
        (TokenBuilder::unsigned, Refusal::Malformed),
        (
            |token| {
                let stranger = TestIssuer::new("https://as.acme.test");
                token.signed_by(&stranger.with_algorithm(Algorithm::ES256))
            },
            Refusal::BadSignature,
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_bare_token_lacks_what_the_profile_requires_and_can_be_given_it() {
    let issuer = TestIssuer::new("https://as.acme.test").with_algorithm(Algorithm::ES256);
    let authenticator = trusting(issuer.trusted_for(AUDIENCE)).await;
    let token = issuer.token().with_audience(AUDIENCE);
    let kind = refuse(&authenticator, &token.mint()).await;
    assert_eq!(kind, invalid(Refusal::MissingClaim));
    let token = token
        .with_claim("sub", "ann")
        .with_claim("client_id", "app");
    // With a single key in the set none needs to be named.
    let token = token.without_header("kid");
    let principal = accept(&authenticator, &token.mint()).await;
    assert_eq!(principal.user(), Some("ann"));
}

#[tokio::test]
async fn two_issuers_of_one_name_have_nothing_in_common() {
    let one = TestIssuer::new("https://as.acme.test").with_algorithm(Algorithm::ES256);
    let other = TestIssuer::new("https://as.acme.test").with_algorithm(Algorithm::ES256);
    assert_ne!(one.key_id(), other.key_id());
    let authenticator = trusting(one.trusted_for(AUDIENCE)).await;
    assert_eq!(
        refuse(&authenticator, &good_token(&other)).await,
        invalid(Refusal::UnknownKey)
    );
}

#[test]
fn an_issuer_has_one_rs256_key_unless_another_was_chosen() {
    for (issuer, algorithm) in [
        (TestIssuer::new("a"), Algorithm::RS256),
        (
            TestIssuer::new("a").with_algorithm(Algorithm::EdDSA),
            Algorithm::EdDSA,
        ),
    ] {
        let trusted = issuer.trusted_for(AUDIENCE);
        assert_eq!(trusted.algorithms(), algorithm.into());
        let set: Value = serde_json::from_slice(&issuer.jwks_json()).unwrap();
        assert_eq!(set["keys"].as_array().unwrap().len(), 1);
        assert_eq!(set["keys"][0]["kid"], issuer.key_id());
    }
}

#[test]
fn no_two_tokens_are_the_same() {
    let issuer = TestIssuer::new("a").with_algorithm(Algorithm::EdDSA);
    let token = issuer.token();
    assert_ne!(token.mint(), token.mint());
}

#[test]
fn debug_output_tells_nothing_of_a_token_or_key() {
    let issuer = TestIssuer::new("a").with_client("m2m", "hush", None, &[]);
    let token = issuer
        .service_principal("m2m-acme")
        .with_claim("secret", "hush");
    assert_eq!(format!("{token:?}"), r#"TokenBuilder { issuer: "a", .. }"#);
    assert_eq!(
        format!("{issuer:?}"),
        r#"TestIssuer { name: "a", served: false, .. }"#
    );
}
