//! Proofs of possession where time passes, or their makers mean something else.

use std::future::ready;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::http::HeaderMap;
use axum::routing::get;
use countersign_bearer::{
    Authenticator, ClientCertificates, Decision, Denied, Dpop, Introspect, IntrospectionFailure,
    MemoryReplayStore, Principal, ProofId, Remembering, Replay, ReplayStore, Revocations, Validity,
};
use countersign_jwks::{Algorithm, BoxFuture, Clock, KeySet};
use countersign_testing::{DpopKey, TestIssuer};
use countersign_token::{Claims, IntrospectionRules, Issuer, Refusal};
use serde_json::{Value, json};

use crate::sender::{URI, World, outcome, request};
use crate::support::{API, ISSUER, machine, refusal, send, trusting_with};

#[tokio::test]
async fn a_key_that_says_what_it_is_for_is_taken_at_its_word() {
    let world = World::new();
    let app = world
        .app(|builder| builder.with_dpop(Dpop::allowed(API)))
        .await;
    let refused = (
        401,
        Some(("DPoP".to_owned(), "invalid_dpop_proof".to_owned())),
    );
    for (member, value, is_taken) in [
        ("use", json!("sig"), true),
        ("use", json!("enc"), false),
        ("use", json!(["sig"]), false),
        ("use", Value::Null, false),
        ("key_ops", json!(["verify"]), true),
        ("key_ops", json!(["sign", "verify"]), true),
        ("key_ops", json!(["sign"]), false),
        ("key_ops", json!([]), false),
        ("key_ops", json!("verify"), false),
        ("alg", json!("ES256"), true),
        ("alg", json!("ES384"), false),
        ("alg", json!(1), false),
    ] {
        let mut jwk = world.key.jwk();
        jwk[member] = value.clone();
        let proof = world.proof(&world.bound).with_header("jwk", jwk).mint();
        let answer = send(&app, request("DPoP", &world.bound, &[proof])).await;
        let expected = if is_taken {
            (200, None)
        } else {
            refused.clone()
        };
        assert_eq!(outcome(&answer), expected, "{member}: {value}");
    }
}

#[tokio::test]
async fn a_key_of_every_kind_proves_itself_where_its_algorithm_is_accepted() {
    for algorithm in [
        Algorithm::RS256,
        Algorithm::PS256,
        Algorithm::ES256,
        Algorithm::ES384,
        Algorithm::Ed25519,
        Algorithm::EdDSA,
    ] {
        let world = World::with_key(DpopKey::with_algorithm(algorithm));
        for (accepted, status) in [(algorithm, 200), (Algorithm::RS512, 401)] {
            let dpop = Dpop::allowed(API).with_algorithms([accepted]);
            let app = world.app(|builder| builder.with_dpop(dpop)).await;
            let proof = world.proof(&world.bound).mint();
            let answer = send(&app, request("DPoP", &world.bound, &[proof])).await;
            assert_eq!(answer.status, status, "{algorithm}: {}", answer.body);
            let challenges = answer.headers.get_all("www-authenticate");
            let named = format!("algs=\"{accepted}\"");
            let mut challenges = challenges.iter().map(|one| one.to_str().unwrap());
            assert_eq!(challenges.any(|one| one.contains(&named)), status == 401);
        }
    }
}

#[tokio::test]
async fn the_metadata_name_the_algorithms_of_proofs_and_whether_one_is_needed() {
    let issuer = TestIssuer::new(ISSUER);
    let two = [Algorithm::ES256, Algorithm::Ed25519];
    for (dpop, is_required) in [(Dpop::allowed(API), false), (Dpop::required(API), true)] {
        let authenticator = trusting_with(&issuer, |builder| {
            let builder = builder.with_resource(API);
            builder.with_dpop(dpop.with_algorithms(two))
        });
        let metadata = authenticator.await.resource_metadata([]).unwrap();
        let named = metadata.dpop_signing_alg_values_supported;
        assert_eq!(named, ["ES256", "Ed25519"]);
        assert_eq!(metadata.dpop_bound_access_tokens_required, is_required);
    }
}

#[tokio::test]
async fn ids_and_nonces_are_taken_up_to_256_bytes() {
    let world = World::new();
    let app = world
        .app(|builder| builder.with_dpop(Dpop::allowed(API)))
        .await;
    for (claim, length, status) in [
        ("jti", 256, 200),
        ("jti", 257, 401),
        ("nonce", 256, 200),
        ("nonce", 257, 401),
    ] {
        let proof = world.proof(&world.bound);
        let proof = proof.with_claim(claim, "x".repeat(length)).mint();
        let answer = send(&app, request("DPoP", &world.bound, &[proof])).await;
        assert_eq!(answer.status, status, "{claim} of {length} bytes");
    }
}

#[tokio::test]
async fn no_token_is_bound_to_a_key_and_a_certificate_so_both_are_never_required() {
    let issuer = TestIssuer::new(ISSUER);
    for (dpop, certificates, is_sense) in [
        (Dpop::allowed(API), ClientCertificates::required(), true),
        (Dpop::required(API), ClientCertificates::allowed(), true),
        (Dpop::required(API), ClientCertificates::required(), false),
    ] {
        let builder = Authenticator::builder().issuer(issuer.trusted_for(API));
        let builder = builder
            .with_dpop(dpop)
            .with_client_certificates(certificates);
        assert_eq!(builder.build().await.is_ok(), is_sense);
    }
}

#[tokio::test]
async fn an_address_is_short_and_in_ascii() {
    let world = World::new();
    let app = world
        .app(|builder| builder.with_dpop(Dpop::allowed(API)))
        .await;
    let query = |length: usize| format!("{URI}?{}", "x".repeat(length - URI.len() - 1));
    for (case, htu, status) in [
        ("2,048 bytes", query(2048), 200),
        ("2,049 bytes", query(2049), 401),
        (
            "another script's letters in the query",
            format!("{URI}?\u{e9}"),
            401,
        ),
        (
            "a host in its own script",
            "https://api.acme.test\u{ff0f}invoices".to_owned(),
            401,
        ),
        (
            "wide letters that would become ours",
            URI.replace("api", "\u{ff41}pi"),
            401,
        ),
    ] {
        let proof = world.proof(&world.bound).with_claim("htu", htu).mint();
        let answer = send(&app, request("DPoP", &world.bound, &[proof])).await;
        assert_eq!(answer.status, status, "{case}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_clock_that_is_set_back_by_half_a_minute_lets_no_proof_count_twice() {
    let world = World::new();
    let app = world
        .app(|builder| builder.with_dpop(Dpop::allowed(API)))
        .await;
    let made = world.clock.unix_time() + Duration::from_secs(5);
    let proof = [world.key.proof("GET", URI, &world.bound, made).mint()];
    let first = send(&app, request("DPoP", &world.bound, &proof)).await;
    assert_eq!(first.status, 200);
    for seconds in [64, 30] {
        world.clock.advance(Duration::from_secs(seconds)).await;
        let until = made + Duration::from_secs(60);
        world
            .clock
            .set_unix_time(until.min(world.clock.unix_time()));
        let again = send(&app, request("DPoP", &world.bound, &proof)).await;
        assert!(again.body.contains("used before"), "{}", again.body);
    }
}

/// A list, and a store of proofs that takes so long that somebody is put on the list meanwhile.
#[derive(Debug)]
struct Meanwhile {
    then: Validity,
    now: Mutex<Validity>,
}

impl Revocations for Meanwhile {
    fn check(&self, _: &Claims) -> Validity {
        *self.now.lock().unwrap()
    }
}

#[derive(Debug)]
struct Slow(Arc<Meanwhile>);

impl ReplayStore for Slow {
    fn remember(&self, _: ProofId, _: Duration) -> Remembering {
        let list = self.0.clone();
        Remembering::Pending(Box::pin(async move {
            tokio::task::yield_now().await;
            *list.now.lock().unwrap() = list.then;
            Replay::Fresh
        }))
    }
}

#[tokio::test]
async fn who_is_revoked_while_the_store_of_proofs_is_asked_is_not_let_in() {
    let world = World::new();
    for (then, status) in [
        (Validity::Valid, 200),
        (Validity::Revoked, 401),
        (Validity::Unknown, 503),
    ] {
        let list = Arc::new(Meanwhile {
            then,
            now: Mutex::new(Validity::Valid),
        });
        let dpop = Dpop::allowed(API).with_replay_store(Arc::new(Slow(list.clone())));
        let app = world
            .app(|builder| builder.with_dpop(dpop).with_revocations(list))
            .await;
        let proof = world.proof(&world.bound).mint();
        let answer = send(&app, request("DPoP", &world.bound, &[proof])).await;
        assert_eq!(answer.status, status, "{then:?}");
    }
}

#[tokio::test]
async fn a_store_of_proofs_that_is_given_apart_from_their_settings_is_used_or_missed() {
    let world = World::new();
    let store = Arc::new(MemoryReplayStore::with_clock(
        10,
        Arc::new(world.clock.clone()),
    ));
    let app = world
        .app(|builder| {
            let builder = builder.with_replay_store(store.clone());
            builder.with_dpop(Dpop::allowed(API))
        })
        .await;
    let proof = [world.proof(&world.bound).mint()];
    for status in [200, 401] {
        let answer = send(&app, request("DPoP", &world.bound, &proof)).await;
        assert_eq!((answer.status.as_u16(), store.len()), (status, 1));
    }

    let issuer = TestIssuer::new(ISSUER).trusted_for(API);
    let builder = Authenticator::builder().issuer(issuer);
    let error = builder.with_replay_store(store).check().unwrap_err();
    assert!(error.to_string().contains("replay_store: is for proofs"));
}

/// A store of proofs that takes so long that this is done to the authenticator meanwhile.
#[derive(Debug)]
struct Changing {
    authenticator: OnceLock<Authenticator>,
    change: fn(&Authenticator),
}

impl Changing {
    fn new(change: fn(&Authenticator)) -> Arc<Self> {
        Arc::new(Self {
            authenticator: OnceLock::new(),
            change,
        })
    }
}

/// The store as an authenticator has it.
#[derive(Debug)]
struct Shared(Arc<Changing>);

impl ReplayStore for Shared {
    fn remember(&self, _: ProofId, _: Duration) -> Remembering {
        let store = self.0.clone();
        Remembering::Pending(Box::pin(async move {
            tokio::task::yield_now().await;
            (store.change)(store.authenticator.get().unwrap());
            Replay::Fresh
        }))
    }
}

/// What becomes of a token bound to the key of `world` while the store is asked.
async fn decided_with(
    world: &World,
    token: &str,
    store: &Changing,
    authenticator: Authenticator,
) -> Result<Principal, Denied> {
    store.authenticator.set(authenticator.clone()).unwrap();
    let proof = [world.proof(token).mint()];
    match authenticator.decide(&request("DPoP", token, &proof)) {
        Decision::Pending(pending) => pending.await,
        Decision::Ready(ready) => panic!("the store was not asked: {ready:?}"),
    }
}

fn remove_issuer(authenticator: &Authenticator) {
    assert!(authenticator.remove_issuer(ISSUER));
}

fn replace_keys(authenticator: &Authenticator) {
    let others = TestIssuer::new(ISSUER).with_algorithm(Algorithm::RS256);
    let set = KeySet::parse(&others.jwks_json(), Algorithm::RS256.into()).unwrap();
    assert!(authenticator.jwks(ISSUER).unwrap().replace(set));
}

#[tokio::test]
async fn whose_issuer_or_key_goes_while_the_store_of_proofs_is_asked_is_not_let_in() {
    let world = World::new();
    let cases: [(fn(&Authenticator), _); 3] = [
        (|_| (), None),
        (remove_issuer, Some(Refusal::UnknownIssuer)),
        (replace_keys, Some(Refusal::UnknownKey)),
    ];
    for (change, expected) in cases {
        let store = Changing::new(change);
        let dpop = Dpop::allowed(API).with_replay_store(Arc::new(Shared(store.clone())));
        let authenticator = world.authenticator(|builder| builder.with_dpop(dpop)).await;
        let decided = decided_with(&world, &world.bound, &store, authenticator).await;
        let refused = decided.err().map(|denied| refusal::<()>(Err(denied)));
        assert_eq!(refused, expected);
    }
}

/// A server that knows every opaque token as one bound to a key.
#[derive(Debug)]
struct Bound {
    issuer: Issuer,
    answer: String,
    now: Duration,
}

impl Introspect for Bound {
    fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    fn introspect(&self, _: &str) -> BoxFuture<Result<Claims, IntrospectionFailure>> {
        let rules = IntrospectionRules::default();
        let claims = self
            .issuer
            .check_introspection(&self.answer, rules, self.now);
        Box::pin(ready(claims.map_err(IntrospectionFailure::Refused)))
    }

    fn introspect_anew(&self, token: &str) -> BoxFuture<Result<Claims, IntrospectionFailure>> {
        self.introspect(token)
    }
}

#[tokio::test]
async fn an_opaque_tokens_issuer_that_goes_while_the_store_of_proofs_is_asked_is_noticed() {
    let world = World::new();
    let cases: [(fn(&Authenticator), _); 2] = [
        (|_| (), None),
        (remove_issuer, Some(Refusal::UnknownIssuer)),
    ];
    for (change, expected) in cases {
        let now = world.clock.unix_time();
        let server = Bound {
            issuer: TestIssuer::new(ISSUER).trusted_for(API),
            answer: json!({
                "active": true,
                "iss": ISSUER,
                "aud": API,
                "sub": "m2m",
                "client_id": "m2m",
                "jti": "1",
                "iat": now.as_secs(),
                "exp": now.as_secs() + 60,
                "token_type": "DPoP",
                "cnf": { "jkt": world.key.thumbprint() },
            })
            .to_string(),
            now,
        };
        let store = Changing::new(change);
        let authenticator = Authenticator::builder()
            .with_clock(Arc::new(world.clock.clone()))
            .with_opaque_tokens(Arc::new(server))
            .with_dpop(Dpop::allowed(API).with_replay_store(Arc::new(Shared(store.clone()))))
            .build()
            .await
            .unwrap();
        let decided = decided_with(&world, "opaque", &store, authenticator).await;
        let refused = decided.err().map(|denied| refusal::<()>(Err(denied)));
        assert_eq!(refused, expected);
    }
}

#[tokio::test]
async fn a_bound_token_is_refused_before_its_key_is_looked_for_where_no_proof_is_taken() {
    let world = World::new();
    let authenticator = world.authenticator(|builder| builder).await;
    let stranger = TestIssuer::new(ISSUER).with_clock(Arc::new(world.clock.clone()));
    let token = machine(&stranger).bound_to(&world.key).mint();
    let refused = refusal(authenticator.verify(&token).await);
    assert_eq!(refused, Refusal::UnprovenConfirmation);
    let unbound = machine(&stranger).mint();
    let refused = refusal(authenticator.verify(&unbound).await);
    assert_eq!(refused, Refusal::UnknownKey);
}

#[tokio::test]
async fn a_proof_is_kept_out_of_logs_where_proofs_are_taken() {
    let world = World::new();
    for takes_proofs in [true, false] {
        let authenticator = world
            .authenticator(|builder| {
                if takes_proofs {
                    builder.with_dpop(Dpop::allowed(API))
                } else {
                    builder
                }
            })
            .await;
        let is_sensitive = async |headers: HeaderMap| headers["dpop"].is_sensitive().to_string();
        let app = Router::new().route("/invoices", get(is_sensitive));
        let app = app.layer(authenticator.layer().optional());
        let mut request = request("DPoP", &world.bound, &[world.proof(&world.bound).mint()]);
        if !takes_proofs {
            request.headers_mut().remove("authorization");
        }
        let answer = send(&app, request).await;
        assert_eq!(answer.body, takes_proofs.to_string());
    }
}

#[tokio::test]
async fn a_proof_is_read_up_to_8192_bytes() {
    let world = World::new();
    let app = world
        .app(|builder| builder.with_dpop(Dpop::allowed(API)))
        .await;
    let padded = |payload: usize, header: usize| {
        let proof = world.proof(&world.bound);
        let proof = proof.with_claim("pad", "a".repeat(payload));
        proof.with_header("pad", "a".repeat(header)).mint()
    };
    let rest = (8192 - padded(0, 0).len()) * 3 / 4;
    // Of the lengths that base64 has, the three around the limit.
    let mut proofs: Vec<_> = (rest - 4..rest + 4)
        .flat_map(|payload| {
            (0..3)
                .map(|header| padded(payload, header))
                .collect::<Vec<_>>()
        })
        .collect();
    proofs.sort_by_key(String::len);
    proofs.dedup_by_key(|proof| proof.len());
    let status_of = async |length| {
        let proof = proofs.iter().find(|proof| proof.len() == length);
        let proof = proof.expect("one of that length").clone();
        send(&app, request("DPoP", &world.bound, &[proof]))
            .await
            .status
    };
    assert_eq!(status_of(8191).await, 200);
    assert_eq!(status_of(8192).await, 200);
    assert_eq!(status_of(8193).await, 401);
}
