use std::sync::LazyLock;
use std::time::Duration;

use countersign_token::{
    CallerKind, Claims, ClaimsProfile, CompactToken, Issuer, MAX_TOKEN_BYTES, Microservices,
    OrganizationId, Refusal, ScopeHierarchy, UnverifiedToken, is_scope_token,
};
use serde_json::{Map, Value};

use super::strict_json::{Verdict, judge};
use super::world::{AUDIENCE, CLIENT, ISSUER, KEYS, NOW, SIGNER, lenient};

/// The longest time that a token may have expired before and still be accepted.
const LEEWAY: f64 = 30.0;

/// How old a token of the strict issuer may be, and how long valid.
const MAX_LIFETIME: Duration = Duration::from_secs(200_000_000);

/// An issuer for each preset, and one with rules of its own.
static ISSUERS: LazyLock<Vec<Issuer>> = LazyLock::new(|| {
    let presets = ClaimsProfile::NAMES.iter().map(|name| {
        let profile = ClaimsProfile::by_name(name).expect("it is one of the names");
        lenient(profile)
    });
    presets.chain([strict()]).collect()
});

fn strict() -> Issuer {
    let hierarchy = ScopeHierarchy::new().implies("admin", ["invoices:read"]);
    lenient(ClaimsProfile::rfc9068())
        .with_fixed_organization(OrganizationId::new("org_acme").expect("it is not empty"))
        .with_microservices(Microservices::clients(["billing"]))
        .with_scope_hierarchy(hierarchy.expect("it has no circle"))
        .with_max_age(MAX_LIFETIME)
        .with_max_lifetime(MAX_LIFETIME)
        .with_required_claim("env", "production")
}

/// The input is the payload of a token that is signed as it must be, once as a marked access token and once
/// as a plain JWT; an issuer of each profile reads it.
pub fn claims(input: &[u8]) {
    let signed = SIGNER.token().with_payload(input);
    for typ in ["at+jwt", "JWT"] {
        let token = signed.clone().with_header("typ", typ).mint();
        let Ok(compact) = CompactToken::decode(&token) else {
            assert!(input.is_empty() || token.len() > MAX_TOKEN_BYTES);
            return;
        };
        match (UnverifiedToken::read(&compact), judge(input)) {
            (Ok(_), Verdict::Strict | Verdict::Either) => {}
            (Err(Refusal::MalformedPayload), Verdict::NotStrict | Verdict::Either) => return,
            (read, verdict) => panic!("{verdict:?} is read as {:?}", read.err()),
        }
        let Ok(payload) = serde_json::from_slice(input) else {
            panic!("it was judged to be JSON");
        };
        for issuer in ISSUERS.iter() {
            read_by(issuer, &compact, &payload);
        }
    }
}

fn read_by(issuer: &Issuer, compact: &CompactToken<'_>, payload: &Map<String, Value>) {
    let check = || issuer.check(UnverifiedToken::read(compact)?, NOW);
    let Ok(checked) = check() else {
        assert_eq!(check().err(), check().err(), "one token, two answers");
        return;
    };
    assert_eq!(payload["iss"], ISSUER);
    assert!(!payload.contains_key("cnf"), "its key was not proven");
    assert!(payload["exp"].as_f64().expect("exp") + LEEWAY > NOW.as_secs_f64());

    // By anybody's keys but the signer's it is refused.
    let [signer, strangers @ ..] = &**KEYS else {
        panic!("there are keys");
    };
    let stranger = check().map(|checked| checked.verify(&strangers[0].keys()[0]));
    assert_eq!(
        stranger.map(Result::err).ok().flatten(),
        Some(Refusal::BadSignature)
    );

    let verified = checked.verify(&signer.keys()[0]).expect("its signature");
    let (claims, again) = (verified.claims(), verified.claims());
    assert_eq!(
        format!("{claims:?}"),
        format!("{again:?}"),
        "one token, two answers"
    );
    if let Ok(claims) = claims {
        check_claims(issuer, &claims, payload);
    }
}

/// What a token that was accepted must have said.
fn check_claims(issuer: &Issuer, claims: &Claims, payload: &Map<String, Value>) {
    let is_nonempty = |text: Option<&str>| text != Some("");
    let says = |name: &str| payload.get(name).map(|value| value.as_str().expect(name));
    assert_eq!(claims.issuer(), ISSUER);
    assert_eq!(claims.custom().ok().as_ref(), Some(payload));
    assert_eq!(claims.token_id(), says("jti"));
    assert!(is_nonempty(claims.client()) && is_nonempty(claims.subject()));
    assert!(claims.subject().is_none() || claims.subject() == says("sub"));
    let is_ours = |audience: &Value| *audience == AUDIENCE;
    match payload.get("aud") {
        Some(Value::Array(audiences)) => assert!(audiences.iter().any(is_ours)),
        Some(audience) => assert!(is_ours(audience)),
        None => assert_eq!(claims.client(), Some(CLIENT)),
    }
    match claims.kind() {
        CallerKind::DelegatedUser => assert!(claims.user().is_some_and(|user| !user.is_empty())),
        _ => assert_eq!(claims.user(), None),
    }
    assert!(claims.scopes().iter().all(is_scope_token));
    assert!(claims.heap_bytes() >= claims.subject().map_or(0, str::len));
    if std::ptr::eq(issuer, ISSUERS.last().expect("there are issuers")) {
        check_own_rules(claims, payload);
    } else {
        assert_ne!(claims.kind(), CallerKind::Microservice, "nobody said so");
    }
}

/// What [`strict`] asks for.
fn check_own_rules(claims: &Claims, payload: &Map<String, Value>) {
    assert_eq!(payload["env"], "production");
    let organizations = claims.organizations().as_slice();
    assert!(matches!(organizations, [only] if only.as_str() == "org_acme"));
    assert!(payload.get("org_id").is_none_or(|id| id == "org_acme"));
    let is_a_service = claims.kind() == CallerKind::Microservice;
    assert!(!is_a_service || claims.client() == Some("billing"));
    let scopes = claims.scopes();
    assert!(!scopes.contains("admin") || scopes.contains("invoices:read"));
    let issued = payload["iat"].as_f64().expect("iat");
    let expires = payload["exp"].as_f64().expect("exp");
    assert!(expires - issued <= MAX_LIFETIME.as_secs_f64());
    assert!(NOW.as_secs_f64() <= issued + MAX_LIFETIME.as_secs_f64() + LEEWAY);
}
