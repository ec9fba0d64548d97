//! What must be refused: tokens, headers and key sets, each with the very denial it must meet and the rule it breaks.
//!
//! Cases stand in groups. A group has one issuer with one key set and a good token, which is accepted; each of its
//! cases deviates from that token, or from one of its own, in one thing.

mod algorithms;
mod claims;
mod credential;
mod draft;
mod headers;
mod json;
mod key_numbers;
mod key_sets;
mod keys;
mod numbers;
mod organizations;
mod parties;
mod profiles;
mod scopes;
mod signatures;
mod signer;
mod structure;
mod times;
mod vendor_rules;
mod vendors;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign::{Algorithm, DenialKind, Denied, Issuer, Principal, Refusal};
use serde_json::{Value, json};

pub(crate) use draft::Draft;

pub(crate) const ISSUER: &str = "https://as.acme.test";
pub(crate) const AUDIENCE: &str = "https://api.acme.test";

/// The only place where keys may be fetched from.
pub(crate) const KEYS_URL: &str = "https://as.acme.test/jwks";

/// When everything happens: where a `FakeClock` starts.
pub(crate) const NOW: u64 = 1_800_000_000;

/// Every case there is.
pub(crate) fn groups() -> Vec<Group> {
    [
        credential::groups(),
        structure::groups(),
        json::groups(),
        headers::groups(),
        parties::groups(),
        claims::groups(),
        times::groups(),
        algorithms::groups(),
        signatures::groups(),
        keys::groups(),
        profiles::groups(),
        vendor_rules::groups(),
        organizations::groups(),
        scopes::groups(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What is asked of a caller whose token was accepted.
pub(crate) type Guard = fn(&Principal) -> Result<(), Denied>;

/// Cases of one issuer.
pub(crate) struct Group {
    pub(crate) section: &'static str,
    pub(crate) issuer: Issuer,
    /// More issuers, with the same keys.
    pub(crate) others: Vec<Issuer>,
    /// The key set that the issuers publish.
    pub(crate) keys: Vec<u8>,
    /// Accepted, unless no token can be.
    pub(crate) good: Option<Draft>,
    pub(crate) guard: Option<Guard>,
    /// Keys that the set has besides usable ones, and why they are none.
    pub(crate) skipped: Vec<(usize, &'static str)>,
    /// Why there are no keys at all.
    pub(crate) failure: Option<&'static str>,
    pub(crate) cases: Vec<Case>,
}

/// One thing that must be refused.
pub(crate) struct Case {
    pub(crate) name: String,
    /// The paragraph or the CVE that it comes from.
    pub(crate) rule: &'static str,
    pub(crate) sent: Sent,
    pub(crate) expected: DenialKind,
    pub(crate) stage: Stage,
    /// Accepted, and nearer to the case than the group's good token.
    pub(crate) twin: Option<Draft>,
}

pub(crate) enum Sent {
    Token(Draft),
    /// Headers by name; a token may be anywhere in them.
    Headers(Vec<(&'static str, Vec<u8>)>),
}

/// When the refusal comes, and so what must not have been done before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Before keys are looked at: whatever the signature and the `kid`, and without a fetch.
    Cheap,
    /// A key was looked for in the set at hand, and a fetch would not help.
    KeyMismatch,
    /// The key is asked for once; then it is known that there is none.
    UnknownKey,
    /// There is no key set to look in: one fetch more is tried.
    NoKeys,
    /// By the signature, without a fetch.
    Signature,
    /// Only after the signature: with a bad one, that is the reason.
    Claims,
}

impl Group {
    pub(crate) fn new(section: &'static str, issuer: Issuer, keys: &Value, good: Draft) -> Self {
        Self {
            section,
            issuer,
            others: Vec::new(),
            keys: keys.to_string().into_bytes(),
            good: Some(good),
            guard: None,
            skipped: Vec::new(),
            failure: None,
            cases: Vec::new(),
        }
    }

    /// The plainest: one Ed25519 key, and a good token of the default profile.
    pub(crate) fn plain(section: &'static str) -> Self {
        Self::new(
            section,
            issuer(),
            &key_set(&[signer::ED25519.jwk()]),
            good(),
        )
    }

    pub(crate) fn with(mut self, cases: impl IntoIterator<Item = Case>) -> Self {
        self.cases.extend(cases);
        self
    }
}

impl Case {
    fn new(
        name: impl Into<String>,
        rule: &'static str,
        draft: Draft,
        stage: Stage,
        refusal: Refusal,
    ) -> Self {
        Self {
            name: name.into(),
            rule,
            sent: Sent::Token(draft),
            expected: DenialKind::InvalidToken(refusal),
            stage,
            twin: None,
        }
    }

    pub(crate) fn cheap(
        name: impl Into<String>,
        rule: &'static str,
        draft: Draft,
        refusal: Refusal,
    ) -> Self {
        Self::new(name, rule, draft, Stage::Cheap, refusal)
    }

    pub(crate) fn claims(
        name: impl Into<String>,
        rule: &'static str,
        draft: Draft,
        refusal: Refusal,
    ) -> Self {
        Self::new(name, rule, draft, Stage::Claims, refusal)
    }

    pub(crate) fn bad_signature(name: impl Into<String>, rule: &'static str, draft: Draft) -> Self {
        Self::new(name, rule, draft, Stage::Signature, Refusal::BadSignature)
    }

    pub(crate) fn unknown_key(name: impl Into<String>, rule: &'static str, draft: Draft) -> Self {
        Self::new(name, rule, draft, Stage::UnknownKey, Refusal::UnknownKey)
    }

    pub(crate) fn key_mismatch(name: impl Into<String>, rule: &'static str, draft: Draft) -> Self {
        Self::new(name, rule, draft, Stage::KeyMismatch, Refusal::KeyMismatch)
    }

    /// Denied as this, which is no refusal of the token.
    pub(crate) fn denied_as(mut self, expected: DenialKind) -> Self {
        self.expected = expected;
        self
    }

    pub(crate) fn with_twin(mut self, twin: Draft) -> Self {
        self.twin = Some(twin);
        self
    }
}

/// The default profile for the audience, with Ed25519 only.
pub(crate) fn issuer() -> Issuer {
    Issuer::new(ISSUER, AUDIENCE).with_algorithms([Algorithm::Ed25519])
}

/// Accepted by [`issuer`].
pub(crate) fn good() -> Draft {
    Draft::new(&signer::ED25519, Algorithm::Ed25519)
}

pub(crate) fn key_set(keys: &[Value]) -> Value {
    json!({ "keys": keys })
}

pub(crate) fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn decoded(segment: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(segment).unwrap()
}

/// Values of every JSON type, to be had by claims that are of another.
pub(crate) fn of_every_type() -> [Value; 7] {
    [
        json!(null),
        json!(true),
        json!(5),
        json!("x"),
        json!([]),
        json!(["x"]),
        json!({}),
    ]
}
