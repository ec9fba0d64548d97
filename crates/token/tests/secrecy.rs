//! Nothing that is printed shows the token, its signature or its payload.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, which may panic as tests may"
)]

#[allow(
    dead_code,
    reason = "shared with other test binaries, which use other parts"
)]
mod support;

use std::error::Error;
use std::fmt::{Debug, Display};

use countersign_token::{Claims, CompactToken, Refusal, UnverifiedToken};

use support::{NOW, World, decoded, seconds, segments};

/// Of every text that is printed of something: none of these may be in it.
struct Secrets(Vec<String>);

impl Secrets {
    fn of(token: &str) -> Self {
        let mut secrets = vec!["s3cr3t".to_owned(), token.to_owned()];
        for segment in segments(token) {
            secrets.push(segment[..16].to_owned());
            secrets.push(segment[segment.len() - 16..].to_owned());
            let bytes = format!("{:?}", &decoded(segment)[..4]);
            secrets.push(bytes.trim_matches(['[', ']']).to_owned());
        }
        Self(secrets)
    }

    fn check(&self, what: &str, printed: &str) {
        let printed = printed.replace(['\n', ' '], "");
        for secret in &self.0 {
            let secret = secret.replace(' ', "");
            assert!(
                !printed.contains(&secret),
                "{what} shows {secret}: {printed}"
            );
        }
    }

    fn check_debug(&self, what: &str, value: &impl Debug) {
        self.check(what, &format!("{value:?}"));
        self.check(what, &format!("{value:#?}"));
    }

    fn check_display(&self, what: &str, value: &impl Display) {
        self.check(what, &format!("{value}"));
        self.check(what, &format!("{value:#}"));
    }
}

#[test]
fn no_step_of_a_token_prints_anything_of_it() {
    let world = World::new();
    let token = world
        .token()
        .with_claim("card", "s3cr3t")
        .with_header("note", "s3cr3t")
        .mint();
    let mut secrets = Secrets::of(&token);
    let trusted = world.trusted();
    secrets.check_debug("Issuer", &trusted);

    let compact = CompactToken::decode(&token).unwrap();
    let unverified = UnverifiedToken::read(&compact).unwrap();
    // Not even who it says it is from, until that is known to be true.
    let visible_later = secrets.0.len();
    secrets
        .0
        .extend(["m2m-acme".to_owned(), world.server.key_id()]);
    secrets.check_debug("CompactToken", &compact);
    secrets.check_debug("UnverifiedToken", &unverified);
    let checked = trusted.check(unverified, seconds(NOW)).unwrap();
    secrets.check_debug("CheckedToken", &checked);
    let verified = checked.verify(&world.keys.keys()[0]).unwrap();
    secrets.check_debug("VerifiedToken", &verified);

    secrets.0.truncate(visible_later);
    let claims = verified.claims().unwrap();
    secrets.check_debug("Claims", &claims);
    secrets.check_debug("Times", claims.times());
    secrets.check_debug("ScopeSet", claims.scopes());
    secrets.check_debug("Organizations", claims.organizations());
}

#[test]
fn claims_that_do_not_fit_the_applications_type_are_not_quoted() {
    #[derive(Debug, serde::Deserialize)]
    struct Custom {
        #[expect(dead_code, reason = "it is never read, since reading it fails")]
        card: u64,
    }
    let world = World::new();
    let token = world.token().with_claim("card", "s3cr3t").mint();
    let secrets = Secrets::of(&token);
    let of_token = world.claims_by(&world.trusted(), &token).unwrap();
    let made_up = Claims::service_principal("i", "c").with_custom(r#"{"card":"s3cr3t"}"#);
    secrets.check_debug("Claims", &made_up);
    for claims in [of_token, made_up] {
        let error = claims.custom::<Custom>().unwrap_err();
        secrets.check_debug("CustomClaimsError", &error);
        secrets.check_display("CustomClaimsError", &error);
        assert!(error.source().is_none());
    }
}

const REFUSALS: [Refusal; 25] = [
    Refusal::Malformed,
    Refusal::MalformedHeader,
    Refusal::MalformedPayload,
    Refusal::Algorithm,
    Refusal::CriticalHeader,
    Refusal::Type,
    Refusal::UnknownIssuer,
    Refusal::Audience,
    Refusal::Expired,
    Refusal::NotYetValid,
    Refusal::IssuedInFuture,
    Refusal::TooOld,
    Refusal::LifetimeTooLong,
    Refusal::MalformedClaim,
    Refusal::MissingClaim,
    Refusal::UnprovenConfirmation,
    Refusal::UnknownKey,
    Refusal::KeyMismatch,
    Refusal::BadSignature,
    Refusal::NotAccessToken,
    Refusal::UnknownKind,
    Refusal::Client,
    Refusal::Organization,
    Refusal::RequiredClaim,
    Refusal::Check,
];

#[test]
fn each_refusal_has_a_word_of_its_own_and_a_sentence_that_fits_a_challenge() {
    let mut words: Vec<_> = REFUSALS.iter().map(|refusal| refusal.as_str()).collect();
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), REFUSALS.len());
    for refusal in REFUSALS {
        let word = refusal.as_str();
        let is_word = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        assert!(word.bytes().all(is_word), "{word}");
        // RFC 6750 §3: %x20-21 / %x23-5B / %x5D-7E.
        let sentence = refusal.description();
        let fits = |byte: u8| matches!(byte, 0x20..=0x21 | 0x23..=0x5B | 0x5D..=0x7E);
        assert!(
            !sentence.is_empty() && sentence.bytes().all(fits),
            "{sentence}"
        );
        assert_eq!(refusal.to_string(), sentence);
        assert!(refusal.source().is_none());
    }
}
