use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_jwks::Algorithm;
use countersign_token::{
    ClaimsProfile, CompactToken, Issuer, MAX_TOKEN_BYTES, Refusal, TokenType, UnverifiedToken,
};
use serde_json::Value;

use super::strict_json::{Verdict, judge};
use super::world::{AUDIENCE, KEYS, NOW, lenient};

static ISSUER: LazyLock<Issuer> = LazyLock::new(|| lenient(ClaimsProfile::rfc9068()));

/// The input is the header of a token whose payload is right and whose signature is zeros.
pub fn header(input: &[u8]) {
    let payload = format!(
        r#"{{"iss":"{}","aud":"{AUDIENCE}","exp":1900000000}}"#,
        ISSUER.name()
    );
    let token = format!(
        "{}.{}.{}",
        URL_SAFE_NO_PAD.encode(input),
        URL_SAFE_NO_PAD.encode(payload),
        URL_SAFE_NO_PAD.encode([0; 64])
    );
    let compact = match CompactToken::decode(&token) {
        Ok(compact) => compact,
        Err(refusal) => {
            assert_eq!(refusal, Refusal::Malformed);
            assert!(input.is_empty() || token.len() > MAX_TOKEN_BYTES);
            return;
        }
    };
    let read = UnverifiedToken::read(&compact);
    let outcome = read.and_then(|token| ISSUER.check(token, NOW));
    let verdict = judge(input);
    let expected = Expected::of(input);
    match outcome {
        Ok(checked) => {
            assert_ne!(verdict, Verdict::NotStrict);
            let expected = expected.expect("this header is refused");
            assert_eq!(checked.algorithm(), expected.algorithm);
            assert_eq!(checked.key_id(), expected.key_id.as_deref());
            for keys in KEYS.iter() {
                if keys.keys()[0].algorithms().contains(checked.algorithm()) {
                    let verified = checked.verify(&keys.keys()[0]);
                    assert_eq!(verified.err(), Some(Refusal::BadSignature));
                    break;
                }
            }
        }
        // Not strict by the reader of tokens' own rules for numbers.
        Err(Refusal::MalformedHeader) if verdict == Verdict::Either => {}
        Err(refusal) if verdict == Verdict::NotStrict => {
            assert_eq!(refusal, Refusal::MalformedHeader);
        }
        Err(refusal) => assert_eq!(Some(refusal), expected.err()),
    }
}

/// What must be read from a header that is strict JSON.
struct Expected {
    algorithm: Algorithm,
    key_id: Option<String>,
}

impl Expected {
    fn of(header: &[u8]) -> Result<Self, Refusal> {
        let header: Value = serde_json::from_slice(header).map_err(|_| Refusal::MalformedHeader)?;
        let text = |name| match header.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(Refusal::MalformedHeader),
        };
        let name = text("alg")?.ok_or(Refusal::MalformedHeader)?;
        let algorithm = name.parse().map_err(|_| Refusal::Algorithm)?;
        if header.get("crit").is_some() {
            return Err(Refusal::CriticalHeader);
        }
        let typ = text("typ")?;
        let key_id = text("kid")?;
        if typ.is_some_and(|typ| TokenType::from_typ(&typ).is_none()) {
            return Err(Refusal::Type);
        }
        Ok(Self { algorithm, key_id })
    }
}
