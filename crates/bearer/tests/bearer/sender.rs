//! Who may present a token that is bound to a key or certificate, and how.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Request};
use axum::routing::get;
use base64_simd::URL_SAFE_NO_PAD;
use countersign_bearer::{
    Authenticator, AuthenticatorBuilder, CertificateSource, ClientCertificate, ClientCertificates,
    ConfigError, Dpop, DpopNonces, MemoryReplayStore, Principal, ProofId, Remembering, Replay,
    ReplayStore,
};
use countersign_jwks::{Algorithm, Clock};
use countersign_testing::{DpopKey, FakeClock, ProofBuilder, TestIssuer};
use serde_json::json;

use crate::support::{API, Answer, ISSUER, machine, send, trusting_with};

const PATH: &str = "/invoices";
pub(crate) const URI: &str = "https://api.acme.test/invoices";

/// An issuer, a client with a key, and the time of both.
pub(crate) struct World {
    pub(crate) clock: FakeClock,
    issuer: TestIssuer,
    pub(crate) key: DpopKey,
    pub(crate) bound: String,
    unbound: String,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with_key(DpopKey::new())
    }

    pub(crate) fn with_key(key: DpopKey) -> Self {
        let clock = FakeClock::new();
        let issuer = TestIssuer::new(ISSUER).with_clock(Arc::new(clock.clone()));
        Self {
            bound: machine(&issuer).bound_to(&key).mint(),
            unbound: machine(&issuer).mint(),
            clock,
            issuer,
            key,
        }
    }

    pub(crate) async fn authenticator(
        &self,
        configure: impl FnOnce(AuthenticatorBuilder) -> AuthenticatorBuilder,
    ) -> Authenticator {
        let clock = Arc::new(self.clock.clone());
        trusting_with(&self.issuer, |builder| configure(builder.with_clock(clock))).await
    }

    pub(crate) async fn app(
        &self,
        configure: impl FnOnce(AuthenticatorBuilder) -> AuthenticatorBuilder,
    ) -> Router {
        let authenticator = self.authenticator(configure).await;
        let whoami = |principal: Principal| async move { principal.client().unwrap().to_owned() };
        Router::new()
            .route(PATH, get(whoami).post(whoami))
            .layer(authenticator.layer())
    }

    pub(crate) fn proof(&self, token: &str) -> ProofBuilder {
        self.key.proof("GET", URI, token, self.clock.unix_time())
    }
}

pub(crate) fn request(scheme: &str, token: &str, proofs: &[String]) -> Request<Body> {
    let mut request = Request::get(PATH).header("authorization", format!("{scheme} {token}"));
    for proof in proofs {
        request = request.header("dpop", proof);
    }
    request.body(Body::empty()).unwrap()
}

/// Status and the error that the challenges name, with the scheme that names it.
pub(crate) fn outcome(answer: &Answer) -> (u16, Option<(String, String)>) {
    let challenges = answer.headers.get_all("www-authenticate").iter();
    let error = challenges
        .map(|challenge| challenge.to_str().unwrap())
        .find_map(|challenge| {
            let (scheme, parameters) = challenge.split_once(' ')?;
            let (_, rest) = parameters.split_once("error=\"")?;
            Some((scheme.to_owned(), rest.split('"').next()?.to_owned()))
        });
    (answer.status.as_u16(), error)
}

fn schemes(answer: &Answer) -> Vec<String> {
    let challenges = answer.headers.get_all("www-authenticate").iter();
    let scheme = |challenge: &HeaderValue| {
        let text = challenge.to_str().unwrap();
        text.split(' ').next().unwrap().to_owned()
    };
    challenges.map(scheme).collect()
}

#[tokio::test]
async fn every_scheme_token_and_proof_in_every_mode_is_answered_as_the_rfc_wants() {
    let world = World::new();
    // What is accepted, and the schemes that are challenged for.
    let modes: [(&str, &[&str]); 3] = [
        ("off", &["Bearer"]),
        ("allowed", &["Bearer", "DPoP"]),
        ("required", &["DPoP"]),
    ];
    let ok = (200, None);
    let refused = |scheme: &str, error: &str| (401, Some((scheme.to_owned(), error.to_owned())));
    let nobody = (401, None);
    for (mode, challenged) in modes {
        let app = world
            .app(|builder| match mode {
                "allowed" => builder.with_dpop(Dpop::allowed(API)),
                "required" => builder.with_dpop(Dpop::required(API)),
                _ => builder,
            })
            .await;
        for scheme in ["Bearer", "DPoP", "Basic"] {
            for (token, is_bound) in [(&world.bound, true), (&world.unbound, false)] {
                for count in 0..=2 {
                    let proofs: Vec<_> = (0..count).map(|_| world.proof(token).mint()).collect();
                    let expected = match (mode, scheme, is_bound, count) {
                        (_, "Basic", ..) | ("off", "DPoP", ..) => nobody.clone(),
                        ("off" | "allowed", "Bearer", false, _) | (_, "DPoP", true, 1) => {
                            ok.clone()
                        }
                        ("off" | "allowed", "Bearer", true, _) => {
                            refused("Bearer", "invalid_token")
                        }
                        ("required", "Bearer", ..) | (_, "DPoP", false, _) => {
                            refused("DPoP", "invalid_token")
                        }
                        (_, "DPoP", true, _) => refused("DPoP", "invalid_dpop_proof"),
                        other => panic!("{other:?}"),
                    };
                    let case = format!("{mode}, {scheme}, bound {is_bound}, {count} proofs");
                    // A token that was seen before is answered no differently.
                    for _ in 0..2 {
                        let fresh: Vec<_> =
                            proofs.iter().map(|_| world.proof(token).mint()).collect();
                        let answer = send(&app, request(scheme, token, &fresh)).await;
                        assert_eq!(outcome(&answer), expected, "{case}");
                        if answer.status == 401 {
                            assert_eq!(schemes(&answer), challenged, "{case}");
                        }
                    }
                }
            }
        }
        let answer = send(&app, Request::get(PATH).body(Body::empty()).unwrap()).await;
        assert_eq!(outcome(&answer), nobody, "{mode}");
        assert_eq!(schemes(&answer), challenged, "{mode}");
    }
}

#[tokio::test]
async fn a_proof_must_be_what_rfc_9449_says_in_every_part() {
    let world = World::new();
    let app = world
        .app(|builder| builder.with_dpop(Dpop::allowed(API)))
        .await;
    let (key, stranger) = (&world.key, DpopKey::new());
    let rsa = DpopKey::with_algorithm(Algorithm::RS256);
    let good = || world.proof(&world.bound);
    let now = world.clock.unix_time().as_secs();
    let mut private = key.jwk();
    private["d"] = json!("AAAA");
    let mut with_kid = key.jwk();
    with_kid["kid"] = json!("x");
    let accepted = [
        ("as it is", good()),
        (
            "lower-case type is the same",
            good().with_header("typ", "DPoP+JWT"),
        ),
        (
            "a query and a fragment do not count",
            good().with_claim("htu", format!("{URI}?a=1#b")),
        ),
        (
            "the default port does not count",
            good().with_claim("htu", "https://api.acme.test:443/invoices"),
        ),
        ("60 s old", good().with_claim("iat", now - 60)),
        ("5 s ahead", good().with_claim("iat", now + 5)),
        (
            "other members of the key do not count",
            good().with_header("jwk", with_kid),
        ),
        ("a nonce that nobody asked for", good().with_nonce("x")),
    ];
    for (case, proof) in accepted {
        let answer = send(&app, request("DPoP", &world.bound, &[proof.mint()])).await;
        assert_eq!(outcome(&answer), (200, None), "{case}: {}", answer.body);
    }
    let refused = [
        ("type of a token", good().with_header("typ", "at+jwt")),
        ("no type", good().without_header("typ")),
        ("crit", good().with_header("crit", json!(["x"]))),
        ("none", good().with_header("alg", "none")),
        ("HS256", good().with_header("alg", "HS256")),
        (
            "another algorithm than the key's",
            good().with_header("alg", "RS256"),
        ),
        ("no key", good().without_header("jwk")),
        ("a key that is a string", good().with_header("jwk", "x")),
        ("a private key", good().with_header("jwk", private)),
        (
            "a symmetric key",
            good().with_header("jwk", json!({"kty": "oct", "k": "AAAA"})),
        ),
        ("no id", good().without_claim("jti")),
        ("an empty id", good().with_claim("jti", "")),
        ("a long id", good().with_claim("jti", "x".repeat(257))),
        ("an id that is a number", good().with_claim("jti", 1)),
        ("no method", good().without_claim("htm")),
        ("another method", good().with_claim("htm", "POST")),
        ("the method in lower case", good().with_claim("htm", "get")),
        ("no address", good().without_claim("htu")),
        (
            "another path",
            good().with_claim("htu", "https://api.acme.test/other"),
        ),
        (
            "another host",
            good().with_claim("htu", "https://evil.test/invoices"),
        ),
        (
            "another scheme",
            good().with_claim("htu", "http://api.acme.test/invoices"),
        ),
        ("no time", good().without_claim("iat")),
        (
            "a time that is text",
            good().with_claim("iat", now.to_string()),
        ),
        ("61 s old", good().with_claim("iat", now - 61)),
        ("6 s ahead", good().with_claim("iat", now + 6)),
        ("no token hash", good().without_claim("ath")),
        ("hash of another token", world.proof(&world.unbound)),
        ("a hash that is no hash", good().with_claim("ath", "x")),
        ("signed by another key", good().signed_by(&stranger)),
        ("of another kind of key", good().signed_by(&rsa)),
    ];
    for (case, proof) in refused {
        let answer = send(&app, request("DPoP", &world.bound, &[proof.mint()])).await;
        let expected = Some(("DPoP".to_owned(), "invalid_dpop_proof".to_owned()));
        assert_eq!(outcome(&answer), (401, expected), "{case}: {}", answer.body);
    }
    for text in ["", "x", "a.b", "a.b.c", &"a".repeat(9000)] {
        let answer = send(&app, request("DPoP", &world.bound, &[text.into()])).await;
        let expected = Some(("DPoP".to_owned(), "invalid_dpop_proof".to_owned()));
        assert_eq!(outcome(&answer), (401, expected), "{} bytes", text.len());
    }
    // A sound proof of a key that is not the token's: it is the token that is refused.
    let theirs = stranger.proof("GET", URI, &world.bound, world.clock.unix_time());
    let answer = send(&app, request("DPoP", &world.bound, &[theirs.mint()])).await;
    let expected = Some(("DPoP".to_owned(), "invalid_token".to_owned()));
    assert_eq!(outcome(&answer), (401, expected));
}

#[tokio::test]
async fn a_proof_counts_once() {
    let world = World::new();
    let app = world
        .app(|builder| builder.with_dpop(Dpop::allowed(API)))
        .await;
    let proof = [world.proof(&world.bound).mint()];
    let first = send(&app, request("DPoP", &world.bound, &proof)).await;
    assert_eq!(first.status, 200);
    let second = send(&app, request("DPoP", &world.bound, &proof)).await;
    assert_eq!(second.status, 401);
    assert!(second.body.contains("used before"), "{}", second.body);
}

#[tokio::test]
async fn a_proof_is_remembered_as_long_as_it_could_be_used_again() {
    let world = World::new();
    let app = world
        .app(|builder| builder.with_dpop(Dpop::allowed(API)))
        .await;
    // Of a clock that is ahead as far as is borne, and so good for the longest time.
    let made = world.clock.unix_time() + Duration::from_secs(5);
    let proof = world.key.proof("GET", URI, &world.bound, made);
    let proof = [proof.mint()];
    let first = send(&app, request("DPoP", &world.bound, &proof)).await;
    assert_eq!(first.status, 200);
    world.clock.advance(Duration::from_secs(65)).await;
    let again = send(&app, request("DPoP", &world.bound, &proof)).await;
    assert_eq!(again.status, 401);
    assert!(again.body.contains("used before"), "{}", again.body);
}

#[tokio::test]
async fn a_nonce_is_asked_for_and_given_and_refused_when_it_is_old() {
    let world = World::new();
    let nonces = DpopNonces::with_secret(&[7; 32]).unwrap();
    let app = world
        .app(|builder| builder.with_dpop(Dpop::required(API).with_nonces(nonces)))
        .await;
    let without = world.proof(&world.bound);
    let asked = send(&app, request("DPoP", &world.bound, &[without.mint()])).await;
    let wanted = Some(("DPoP".to_owned(), "use_dpop_nonce".to_owned()));
    assert_eq!(outcome(&asked), (401, wanted.clone()));
    let nonce = asked.header("dpop-nonce").unwrap().to_owned();
    let with = world.proof(&world.bound).with_nonce(&nonce);
    let answer = send(&app, request("DPoP", &world.bound, &[with.mint()])).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("dpop-nonce"), None);
    world.clock.advance(Duration::from_secs(301));
    let old = world.proof(&world.bound).with_nonce(&nonce);
    let answer = send(&app, request("DPoP", &world.bound, &[old.mint()])).await;
    assert_eq!(outcome(&answer), (401, wanted));
    assert!(
        answer
            .header("dpop-nonce")
            .is_some_and(|fresh| fresh != nonce)
    );
}

/// A store that is asked and answers later.
#[derive(Debug)]
struct Remote(Replay);

impl ReplayStore for Remote {
    fn remember(&self, _: ProofId, _: Duration) -> Remembering {
        let replay = self.0;
        Remembering::Pending(Box::pin(async move {
            tokio::task::yield_now().await;
            replay
        }))
    }
}

#[tokio::test]
async fn a_store_elsewhere_is_waited_for_and_one_that_cannot_tell_is_503() {
    let world = World::new();
    let full: Arc<dyn ReplayStore> = Arc::new(MemoryReplayStore::new(0));
    let no_share = MemoryReplayStore::new(10).with_max_per_key(0);
    let remote = |replay| Arc::new(Remote(replay)) as Arc<dyn ReplayStore>;
    let cases = [
        (remote(Replay::Fresh), 200),
        (remote(Replay::Seen), 401),
        (remote(Replay::Unavailable), 503),
        (full, 503),
        (Arc::new(no_share), 503),
    ];
    for (store, status) in cases {
        let case = format!("{store:?}");
        let dpop = Dpop::allowed(API).with_replay_store(store);
        let app = world.app(|builder| builder.with_dpop(dpop)).await;
        let proof = world.proof(&world.bound).mint();
        let answer = send(&app, request("DPoP", &world.bound, &[proof])).await;
        assert_eq!(answer.status, status, "{case}");
    }
}

#[tokio::test]
async fn a_token_bound_to_a_certificate_needs_that_certificate() {
    let world = World::new();
    let (ours, theirs) = (&b"our certificate"[..], &b"their certificate"[..]);
    let thumbprint = URL_SAFE_NO_PAD.encode_to_string(digest(&SHA256, ours).as_ref());
    let bound = machine(&world.issuer).with_claim("cnf", json!({"x5t#S256": thumbprint}));
    let bound = bound.mint();
    let allowed = || ClientCertificates::allowed();
    let required = || ClientCertificates::required();
    let with_dpop = |builder: AuthenticatorBuilder| builder.with_dpop(Dpop::allowed(API));
    let cases = [
        ("off, ours", None, &bound, Some(ours), 401),
        ("allowed, ours", Some(allowed()), &bound, Some(ours), 200),
        (
            "allowed, theirs",
            Some(allowed()),
            &bound,
            Some(theirs),
            401,
        ),
        ("allowed, none", Some(allowed()), &bound, None, 401),
        (
            "allowed, unbound, ours",
            Some(allowed()),
            &world.unbound,
            Some(ours),
            200,
        ),
        (
            "allowed, unbound, none",
            Some(allowed()),
            &world.unbound,
            None,
            200,
        ),
        ("required, ours", Some(required()), &bound, Some(ours), 200),
        (
            "required, unbound, ours",
            Some(required()),
            &world.unbound,
            Some(ours),
            401,
        ),
        (
            "required, bound to a key",
            Some(required()),
            &world.bound,
            Some(ours),
            401,
        ),
    ];
    for (case, certificates, token, certificate, status) in cases {
        let app = world
            .app(|builder| {
                let builder = with_dpop(builder);
                match certificates {
                    Some(certificates) => builder.with_client_certificates(certificates),
                    None => builder,
                }
            })
            .await;
        for _ in 0..2 {
            let mut request = request("Bearer", token, &[]);
            if let Some(der) = certificate {
                request.extensions_mut().insert(ClientCertificate::new(der));
            }
            let answer = send(&app, request).await;
            assert_eq!(answer.status, status, "{case}: {}", answer.body);
        }
    }
}

#[tokio::test]
async fn a_certificate_in_a_header_counts_only_where_it_was_said() {
    let world = World::new();
    let thumbprint = URL_SAFE_NO_PAD.encode_to_string(digest(&SHA256, b"hello").as_ref());
    let bound = machine(&world.issuer).with_claim("cnf", json!({"x5t#S256": thumbprint}));
    let bound = bound.mint();
    let name = HeaderName::from_static("client-cert");
    let from_header = ClientCertificates::allowed()
        .dangerous_from_header(CertificateSource::StructuredHeader(name));
    for (certificates, status) in [(ClientCertificates::allowed(), 401), (from_header, 200)] {
        let app = world
            .app(|builder| builder.with_client_certificates(certificates))
            .await;
        let mut request = request("Bearer", &bound, &[]);
        let value = HeaderValue::from_static(":aGVsbG8=:");
        request.headers_mut().insert("client-cert", value);
        assert_eq!(send(&app, request).await.status, status);
    }
}

#[tokio::test]
async fn a_message_with_a_bound_token_is_refused() {
    let world = World::new();
    let clock = Arc::new(world.clock.clone());
    let authenticator = trusting_with(&world.issuer, |builder| {
        builder.with_clock(clock).with_dpop(Dpop::allowed(API))
    })
    .await;
    assert!(authenticator.verify(&world.bound).await.is_err());
    assert!(authenticator.verify(&world.unbound).await.is_ok());
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let problems = |builder: AuthenticatorBuilder| -> ConfigError {
        let issuer = TestIssuer::new(ISSUER);
        builder.issuer(issuer.trusted_for(API)).check().unwrap_err()
    };
    for base_url in [
        "",
        "api.acme.test",
        "https://api.acme.test?x",
        "https://u@api.acme.test",
        "urn:x",
    ] {
        let builder = Authenticator::builder().with_dpop(Dpop::allowed(base_url));
        let problems = problems(builder).to_string();
        assert!(problems.starts_with("dpop: "), "{base_url}: {problems}");
    }
    let no_algorithm = Dpop::allowed(API).with_algorithms([]);
    problems(Authenticator::builder().with_dpop(no_algorithm));
    for no_proof in [
        Dpop::allowed(API).with_max_proofs(0),
        Dpop::allowed(API).with_max_proofs_per_key(0),
    ] {
        problems(Authenticator::builder().with_dpop(no_proof));
    }
    let both = Authenticator::builder()
        .with_dpop(Dpop::required(API))
        .with_client_certificates(ClientCertificates::required());
    problems(both);
}
