//! How this resource proves itself: what goes over the wire.

use std::collections::HashSet;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use countersign_introspection::{
    AssertionAudience, ClientAuthentication, PrivateKey, PrivateKeyError,
};
use countersign_jwks::Algorithm;
use countersign_token::Issuer;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use jsonwebtoken::{DecodingKey, Validation};
use serde_json::Value;

use crate::world::{API, ENDPOINT, ISSUER, World, form, s, word};

fn world_of(authentication: ClientAuthentication) -> World {
    World::asking_as(Issuer::new(ISSUER, API), authentication, |builder| builder)
}

#[tokio::test]
async fn a_question_is_a_form_with_the_token_and_its_kind() {
    let world = World::new();
    world.activate("a+b/c=", "m2m", s(60));
    assert_eq!(word(&world.ask("a+b/c=").await), "m2m");
    let request = world.wire.last();
    assert_eq!(request.url, ENDPOINT);
    assert_eq!(
        request.headers[CONTENT_TYPE],
        "application/x-www-form-urlencoded"
    );
    assert_eq!(request.headers[ACCEPT], "application/json");
    assert_eq!((request.max_bytes, request.deadline), (64 << 10, s(5)));
    let body = std::str::from_utf8(&request.body).unwrap();
    assert_eq!(body, "token=a%2Bb%2Fc%3D&token_type_hint=access_token");
}

#[tokio::test]
async fn id_and_secret_are_form_encoded_before_they_are_joined() {
    for (id, secret, expected) in [
        ("api", "secret", "api:secret"),
        ("a:b", "c:d", "a%3Ab:c%3Ad"),
        ("api 1", "p+q&r=s%t", "api+1:p%2Bq%26r%3Ds%25t"),
        (
            "https://api.acme.test",
            "-._*~",
            "https%3A%2F%2Fapi.acme.test:-._*%7E",
        ),
        ("\u{fc}", "\u{20ac}", "%C3%BC:%E2%82%AC"),
    ] {
        let world = world_of(ClientAuthentication::secret_basic(id, secret));
        world.ask("token").await.ok();
        let request = world.wire.last();
        let header = &request.headers[AUTHORIZATION];
        assert!(header.is_sensitive());
        let encoded = header.to_str().unwrap().strip_prefix("Basic ").unwrap();
        let decoded = String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap();
        assert_eq!(decoded, expected);
        assert!(!form(&request).contains_key("client_id"));
    }
}

#[tokio::test]
async fn a_posted_secret_stands_in_the_form_and_nowhere_else() {
    let world = world_of(ClientAuthentication::secret_post("api 1", "p+q&r"));
    world.ask("token").await.ok();
    let request = world.wire.last();
    assert!(!request.headers.contains_key(AUTHORIZATION));
    let form = form(&request);
    assert_eq!(
        (&*form["client_id"], &*form["client_secret"]),
        ("api 1", "p+q&r")
    );
    assert_eq!(form.len(), 4);
}

/// A new key as PEM, and how others verify by it.
fn pair(algorithm: Algorithm) -> (String, DecodingKey) {
    let (der, public) = match algorithm {
        Algorithm::RS256 | Algorithm::PS256 => {
            let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
            let public = DecodingKey::from_rsa_der(pair.public_key().as_ref());
            (pair.as_der().unwrap().as_ref().to_vec(), public)
        }
        Algorithm::ES256 => {
            let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
            let public = DecodingKey::from_ec_der(pair.public_key().as_ref());
            (pair.to_pkcs8v1().unwrap().as_ref().to_vec(), public)
        }
        _ => {
            let pair = Ed25519KeyPair::generate().unwrap();
            let public = DecodingKey::from_ed_der(pair.public_key().as_ref());
            (pair.to_pkcs8v1().unwrap().as_ref().to_vec(), public)
        }
    };
    (pem(&der), public)
}

fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text
        .as_bytes()
        .chunks(64)
        .map(String::from_utf8_lossy)
        .collect();
    let lines = lines.join("\n");
    format!("-----BEGIN PRIVATE KEY-----\n{lines}\n-----END PRIVATE KEY-----\n")
}

#[tokio::test]
async fn an_assertion_is_what_an_independent_judge_accepts_and_used_once() {
    for (algorithm, judged_as) in [
        (Algorithm::RS256, jsonwebtoken::Algorithm::RS256),
        (Algorithm::PS256, jsonwebtoken::Algorithm::PS256),
        (Algorithm::ES256, jsonwebtoken::Algorithm::ES256),
        (Algorithm::EdDSA, jsonwebtoken::Algorithm::EdDSA),
    ] {
        let (pem, public) = pair(algorithm);
        let key = PrivateKey::from_pem(algorithm, &pem)
            .unwrap()
            .with_key_id("2027");
        let world = world_of(ClientAuthentication::private_key_jwt("api", key));
        let mut ids = HashSet::new();
        for token in ["one", "two"] {
            world.ask(token).await.ok();
            let form = form(&world.wire.last());
            assert_eq!(
                form["client_assertion_type"],
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
            );
            assert_eq!(form["client_id"], "api");
            assert!(!form.contains_key("client_secret"));
            let mut validation = Validation::new(judged_as);
            validation.set_audience(&[ISSUER]);
            validation.set_issuer(&["api"]);
            validation.sub = Some("api".to_owned());
            // The clock is a test's.
            validation.validate_exp = false;
            let assertion = &form["client_assertion"];
            let judged = jsonwebtoken::decode::<Value>(assertion, &public, &validation);
            let judged = judged.unwrap_or_else(|error| panic!("{algorithm}: {error}"));
            assert_eq!(judged.header.kid.as_deref(), Some("2027"));
            assert_eq!(judged.header.typ.as_deref(), Some("JWT"));
            assert_eq!(judged.claims["iat"], 1_800_000_000);
            assert_eq!(judged.claims["exp"], 1_800_000_060);
            assert_eq!(judged.claims["aud"], ISSUER);
            let id = judged.claims["jti"].as_str().unwrap().to_owned();
            assert_eq!(id.len(), 22);
            assert!(ids.insert(id));
        }
    }
}

#[tokio::test]
async fn an_assertion_may_be_for_the_endpoint_and_without_a_key_id() {
    let (pem, public) = pair(Algorithm::EdDSA);
    // A name of its own for the same algorithm.
    let key = PrivateKey::from_pem(Algorithm::Ed25519, &pem).unwrap();
    let authentication = ClientAuthentication::private_key_jwt("api", key)
        .with_assertion_audience(AssertionAudience::Endpoint);
    let world = world_of(authentication);
    world.ask("token").await.ok();
    let assertion = &form(&world.wire.last())["client_assertion"];
    let [header, claims, signature] = [0, 1, 2].map(|part| assertion.split('.').nth(part).unwrap());
    let read = |part: &str| -> Value {
        let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
        serde_json::from_slice(&engine.decode(part).unwrap()).unwrap()
    };
    assert_eq!(
        read(header),
        serde_json::json!({"alg": "Ed25519", "typ": "JWT"})
    );
    assert_eq!(read(claims)["aud"], ENDPOINT);
    let signed = format!("{header}.{claims}");
    let verified = jsonwebtoken::crypto::verify(
        signature,
        signed.as_bytes(),
        &public,
        jsonwebtoken::Algorithm::EdDSA,
    );
    assert!(verified.unwrap());
}

/// RFC 8410 §10.3, as `openssl` writes it.
const ED25519: &str = "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC";

#[test]
fn a_key_is_one_pem_block_of_pkcs8_for_the_algorithm() {
    let block = |label: &str| format!("-----BEGIN {label}-----\n{ED25519}\n-----END {label}-----");
    let good = block("PRIVATE KEY");
    let rsa = pair(Algorithm::RS256).0;
    let small = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let small = small.as_der().unwrap();
    for (algorithm, text, expected) in [
        (Algorithm::EdDSA, good.clone(), None),
        (Algorithm::EdDSA, good.replace('\n', "\r\n"), None),
        (Algorithm::EdDSA, format!("Bag Attributes\n{good}\n"), None),
        (Algorithm::RS256, rsa.clone(), None),
        (Algorithm::PS256, rsa.clone(), None),
        (Algorithm::ES256, good.clone(), Some(PrivateKeyError::Key)),
        (Algorithm::RS256, good.clone(), Some(PrivateKeyError::Key)),
        (Algorithm::EdDSA, rsa, Some(PrivateKeyError::Key)),
        (
            Algorithm::RS512,
            good.clone(),
            Some(PrivateKeyError::Algorithm),
        ),
        (
            Algorithm::ES384,
            good.clone(),
            Some(PrivateKeyError::Algorithm),
        ),
        (Algorithm::EdDSA, String::new(), Some(PrivateKeyError::Pem)),
        (
            Algorithm::EdDSA,
            ED25519.to_owned(),
            Some(PrivateKeyError::Pem),
        ),
        (
            Algorithm::EdDSA,
            format!("{good}\n{good}"),
            Some(PrivateKeyError::Pem),
        ),
        (
            Algorithm::EdDSA,
            good.replace("MC4C", "M!4C"),
            Some(PrivateKeyError::Pem),
        ),
        (
            Algorithm::EdDSA,
            block("EC PRIVATE KEY"),
            Some(PrivateKeyError::Pem),
        ),
        (
            Algorithm::EdDSA,
            block("ENCRYPTED PRIVATE KEY"),
            Some(PrivateKeyError::Pem),
        ),
        (
            Algorithm::EdDSA,
            block("PUBLIC KEY"),
            Some(PrivateKeyError::Pem),
        ),
        (
            Algorithm::RS256,
            pem(&small.as_ref()[..100]),
            Some(PrivateKeyError::Key),
        ),
    ] {
        let error = PrivateKey::from_pem(algorithm, &text).err();
        assert_eq!(error, expected, "{algorithm} {text}");
        if let Some(error) = error {
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("MC4C"), "{shown}");
        }
    }
}
