//! An independent judge: whatever we accept, `jsonwebtoken`, strictly configured, accepts as well; and of tokens that are
//! right both say the same.
//!
//! It reads the machine's clock, so both do, and all times are minutes from any edge. The other way round nothing is
//! asked: it takes no offence at an unknown `crit`, at `typ: dpop+jwt`, at an `iat` to come and at much else.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, which may panic as tests may"
)]

use std::cell::Cell;

use countersign::{Algorithm, Authenticator, Denied, Principal};
use countersign_testing::{TestIssuer, TokenBuilder};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation, crypto};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

const ISSUER: &str = "https://as.acme.test";
const API: &str = "https://api.acme.test";

/// One of each kind of signature.
const ALGORITHMS: [Algorithm; 5] = [
    Algorithm::EdDSA,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::RS256,
    Algorithm::PS256,
];

/// Both judges of one issuer's tokens.
struct Court {
    issuer: TestIssuer,
    runtime: tokio::runtime::Runtime,
    ours: Authenticator,
    key: DecodingKey,
    rules: Validation,
    /// How many tokens both accepted, and how many we did not.
    accepted: Cell<u32>,
    refused: Cell<u32>,
}

impl Court {
    fn of(algorithm: Algorithm) -> Self {
        // The second test to come finds it installed.
        let _ = crypto::aws_lc::DEFAULT_PROVIDER.install_default();
        let issuer = TestIssuer::new(ISSUER).with_algorithm(algorithm);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let authenticator = Authenticator::builder()
            .issuer(issuer.trusted_for(API))
            .with_token_cache(countersign::TokenCache::disabled());
        let ours = runtime.block_on(authenticator.build()).unwrap();
        let keys: JwkSet = serde_json::from_slice(&issuer.jwks_json()).unwrap();
        let mut rules = Validation::new(algorithm.name().parse().unwrap());
        rules.set_required_spec_claims(&["exp", "iss", "aud"]);
        rules.set_issuer(&[ISSUER]);
        rules.set_audience(&[API]);
        rules.validate_nbf = true;
        rules.leeway = 30;
        Self {
            key: DecodingKey::from_jwk(&keys.keys[0]).unwrap(),
            issuer,
            runtime,
            ours,
            rules,
            accepted: Cell::new(0),
            refused: Cell::new(0),
        }
    }

    fn ours(&self, token: &str) -> Result<Principal, Denied> {
        self.runtime.block_on(self.ours.verify(token))
    }

    fn theirs(&self, token: &str) -> Result<Value, jsonwebtoken::errors::Error> {
        jsonwebtoken::decode(token, &self.key, &self.rules).map(|data| data.claims)
    }

    /// Whatever we accept, they accept, and read the same.
    fn judge(&self, token: &str) -> Result<bool, TestCaseError> {
        let Ok(ours) = self.ours(token) else {
            self.refused.set(self.refused.get() + 1);
            return Ok(false);
        };
        self.accepted.set(self.accepted.get() + 1);
        let theirs = self.theirs(token);
        prop_assert!(theirs.is_ok(), "{token}: {theirs:?}, and we: {ours:?}");
        let theirs = theirs.unwrap();
        prop_assert_eq!(&ours.claims::<Value>().unwrap(), &theirs);
        prop_assert_eq!(ours.issuer(), ISSUER);
        for (name, ours) in [
            ("sub", ours.subject()),
            ("client_id", ours.client()),
            ("jti", ours.token_id()),
        ] {
            prop_assert_eq!(ours, theirs[name].as_str(), "{}", name);
        }
        Ok(true)
    }

    /// Both a token that passed and one that did not must have been seen, or nothing was compared.
    fn adjourn(&self) {
        let (accepted, refused) = (self.accepted.get(), self.refused.get());
        let what = &self.rules.algorithms;
        assert!(
            accepted > 0 && refused > 0,
            "{what:?}: {accepted} accepted, {refused} refused"
        );
    }

    fn good(&self) -> TokenBuilder {
        self.issuer.service_principal("m2m-acme").with_audience(API)
    }
}

fn run<S: Strategy>(cases: u32, strategy: S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config).run(&strategy, test).unwrap();
}

/// Seconds since the epoch, by the clock that both judges read.
fn now() -> u64 {
    jsonwebtoken::get_current_timestamp()
}

/// Claims that are right in any combination.
fn right_claims() -> impl Strategy<Value = Vec<(&'static str, Value)>> {
    let name = "[a-zA-Z0-9|@._ \u{e9}\u{1f600}\"\\\\-]{1,20}";
    let aud = prop_oneof![
        Just(json!(API)),
        Just(json!([API])),
        prop::collection::vec(name, 0..4).prop_map(|mut all| {
            all.push(API.into());
            json!(all)
        }),
    ];
    let seconds = |from: u64, to: u64| {
        let fraction = (0_u32..1000).prop_map(|thousandths| f64::from(thousandths) / 1000.0);
        (from..to, prop::option::of(fraction)).prop_map(|(whole, fraction)| match fraction {
            None => json!(whole),
            #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
            Some(fraction) => json!(whole as f64 + fraction),
        })
    };
    let times = (
        seconds(now() + 600, 253_402_300_000),
        prop::option::of(seconds(0, now() - 600)),
        seconds(0, now() - 600),
    );
    let scope = prop::option::of("([!-\\[\\]-~&&[^\"\\\\]]{1,10} ?){0,5}".prop_map(Value::from));
    let callers = (name, name, name, prop::option::of(name));
    let own = prop::option::of(any_json());
    (aud, times, scope, callers, own).prop_map(
        |(aud, (exp, nbf, iat), scope, (sub, client, jti, org), own)| {
            let mut claims = vec![
                ("aud", aud),
                ("exp", exp),
                ("iat", iat),
                ("sub", json!(sub)),
                ("client_id", json!(client)),
                ("jti", json!(jti)),
            ];
            claims.extend(nbf.map(|nbf| ("nbf", nbf)));
            claims.extend(scope.map(|scope| ("scope", scope)));
            claims.extend(org.map(|org| ("org_id", json!(org))));
            claims.extend(own.map(|own| ("own", own)));
            claims
        },
    )
}

/// JSON of any shape, some levels deep.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e300..1e300).prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("\\PC{0,6}", inner, 0..4).prop_map(|members| json!(members)),
        ]
    })
}

fn with_claims(token: TokenBuilder, claims: &[(&str, Value)]) -> TokenBuilder {
    claims.iter().fold(token, |token, (name, value)| {
        token.with_claim(name, value.clone())
    })
}

#[test]
fn both_accept_every_token_that_is_right_and_read_the_same() {
    for algorithm in ALGORITHMS {
        let court = Court::of(algorithm);
        run(300, right_claims(), |claims| {
            let token = with_claims(court.good(), &claims).mint();
            let ours = court.ours(&token).map_err(|denied| denied.kind());
            prop_assert!(ours.is_ok(), "{:?}: {claims:?}", ours.err());
            prop_assert!(court.theirs(&token).is_ok(), "{:?}", court.theirs(&token));
            court.judge(&token).map(|_| ())
        });
        assert!(court.accepted.get() >= 300);
    }
}

/// What is done to the text of a token.
#[derive(Clone, Debug)]
enum Damage {
    Nothing,
    Bit(Index, u8),
    Letter(Index, char),
    Without(Index),
    Twice(Index),
    /// The end is cut off.
    Until(Index),
    Exchanged(usize, usize),
    /// A segment of another good token of the issuer.
    OfAnother(usize),
    /// A segment of a stranger's token with the same claims.
    OfAStranger(usize),
    Between(Index, &'static str),
}

fn damage() -> impl Strategy<Value = Damage> {
    let letters: Vec<char> = "AQgwZz019-_.=+/ ".chars().collect();
    let texts = vec![
        "=", "==", ".", " ", "\n", "%2e", "A", "AA", "AAAA", "~", "\u{e9}",
    ];
    prop_oneof![
        1 => Just(Damage::Nothing),
        4 => (any::<Index>(), 0..7_u8).prop_map(|(place, bit)| Damage::Bit(place, bit)),
        4 => (any::<Index>(), select(letters)).prop_map(|(place, letter)| Damage::Letter(place, letter)),
        1 => any::<Index>().prop_map(Damage::Without),
        1 => any::<Index>().prop_map(Damage::Twice),
        1 => any::<Index>().prop_map(Damage::Until),
        1 => (0..3_usize, 0..3_usize).prop_map(|(one, other)| Damage::Exchanged(one, other)),
        1 => (0..3_usize).prop_map(Damage::OfAnother),
        1 => (0..3_usize).prop_map(Damage::OfAStranger),
        1 => (any::<Index>(), select(texts)).prop_map(|(place, text)| Damage::Between(place, text)),
    ]
}

impl Damage {
    fn done_to(&self, token: &str, another: &str, stranger: &str) -> String {
        let mut letters: Vec<char> = token.chars().collect();
        let segments: Vec<&str> = token.split('.').collect();
        let with_segment_of = |other: &str, place: usize| {
            let mut segments = segments.clone();
            segments[place] = other.split('.').nth(place).unwrap();
            segments.join(".")
        };
        match self {
            Self::Nothing => {}
            Self::Bit(place, bit) => {
                let letter = place.get_mut(&mut letters);
                *letter = char::from(u8::try_from(*letter).unwrap() ^ (1 << bit));
            }
            Self::Letter(place, other) => *place.get_mut(&mut letters) = *other,
            Self::Without(place) => {
                letters.remove(place.index(letters.len()));
            }
            Self::Twice(place) => {
                let place = place.index(letters.len());
                letters.insert(place, letters[place]);
            }
            Self::Until(place) => letters.truncate(place.index(letters.len())),
            Self::Exchanged(one, other) => {
                let mut segments = segments;
                segments.swap(*one, *other);
                return segments.join(".");
            }
            Self::OfAnother(place) => return with_segment_of(another, *place),
            Self::OfAStranger(place) => return with_segment_of(stranger, *place),
            Self::Between(place, text) => {
                let (before, after) = token.split_at(place.index(token.len()));
                return format!("{before}{text}{after}");
            }
        }
        letters.into_iter().collect()
    }
}

#[test]
fn whatever_we_accept_of_damaged_tokens_is_accepted_by_jsonwebtoken() {
    for algorithm in ALGORITHMS {
        let court = Court::of(algorithm);
        let stranger = TestIssuer::new(ISSUER).with_algorithm(algorithm);
        let (token, another) = (
            court.good().mint(),
            court.good().with_scopes(["admin"]).mint(),
        );
        let strange = court.good().signed_by(&stranger).mint();
        // Twice, so that one damage may mend or hide the other.
        run(
            2_000,
            (damage(), prop_oneof![Just(Damage::Nothing), damage()]),
            |(one, other)| {
                let once = one.done_to(&token, &another, &strange);
                let is_whole = once.is_ascii() && once.split('.').count() == 3 && once.len() > 8;
                let damaged = if is_whole {
                    other.done_to(&once, &another, &strange)
                } else {
                    once
                };
                let accepted = court.judge(&damaged)?;
                // Nobody but the issuer makes another token of it.
                prop_assert!(
                    !accepted || [&token, &another].contains(&&damaged),
                    "{}",
                    damaged
                );
                Ok(())
            },
        );
        court.adjourn();
    }
}

/// Values of a claim, its absence among them.
fn claim(name: &'static str, values: impl IntoIterator<Item = Value>) -> BoxedStrategy<Edit> {
    let values = values.into_iter().map(Some).chain([None]);
    let values: Vec<_> = values.map(|value| (name, value)).collect();
    select(values).boxed()
}

/// A member, or `None` to leave it out.
type Edit = (&'static str, Option<Value>);

/// What the issuer may say instead of what is right, and sign.
fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let (past, future) = (now() - 600, now() + 600);
    let dates = |name, right: u64, wrong: u64| {
        let right = [json!(right), json!(wrong), json!(1.5), json!(0)];
        let wrong = [
            json!("5"),
            json!(null),
            json!(-1),
            json!(1e20),
            json!([future]),
        ];
        claim(name, right.into_iter().chain(wrong))
    };
    let names = |name| {
        let right = [json!("a"), json!("m2m-acme")];
        let wrong = [json!(""), json!(5), json!(["a"]), json!(null), json!({})];
        claim(name, right.into_iter().chain(wrong))
    };
    let issuers = ["https://as.acme.test", "https://as.acme.test/", ""].map(|iss| json!(iss));
    let audiences = [
        json!([API, "x"]),
        json!("x"),
        json!([]),
        json!([5, API]),
        json!({"a": API}),
        json!([[API]]),
    ];
    let scopes = [
        json!("a b"),
        json!(["a", "b"]),
        json!("a\tb"),
        json!({}),
        json!([5]),
    ];
    let edit = prop_oneof![
        claim(
            "iss",
            issuers.into_iter().chain([json!([ISSUER]), json!(null)])
        ),
        claim("aud", audiences),
        dates("exp", future, past),
        dates("nbf", past, future),
        dates("iat", past, future),
        names("sub"),
        names("jti"),
        names("client_id"),
        names("org_id"),
        claim("scope", scopes),
        claim("cnf", [json!({"jkt": "x"}), json!({}), json!(null)]),
        claim("nonce", [json!("n"), json!(5)]),
        any_json().prop_map(|value| ("own", Some(value))),
    ];
    prop::collection::vec(edit, 0..3)
}

/// Members of the header. Those that are never used are of the right type: `jsonwebtoken` reads them.
fn header_edits() -> impl Strategy<Value = Vec<Edit>> {
    let edits = vec![
        ("typ", Some(json!("application/AT+JWT"))),
        ("typ", Some(json!("JWT"))),
        ("typ", None),
        ("kid", Some(json!("another"))),
        ("kid", None),
        ("alg", Some(json!("none"))),
        ("alg", Some(json!("HS256"))),
        ("alg", Some(json!("RS256"))),
        ("alg", Some(json!("ES256"))),
        ("alg", None),
        ("crit", Some(json!(["b64"]))),
        ("b64", Some(json!(false))),
        ("cty", Some(json!("JWT"))),
        ("jku", Some(json!("https://evil.test/jwks.json"))),
        ("x5u", Some(json!("https://evil.test/chain.pem"))),
        ("x5t", Some(json!("AAAA"))),
        ("own", Some(json!({"a": [1]}))),
    ];
    prop::collection::vec(select(edits), 0..2)
}

/// A few payloads that are no claims at all, among many that are edited.
fn payloads() -> impl Strategy<Value = Option<Vec<u8>>> {
    let texts: Vec<Vec<u8>> = ["", "{}", "[]", "null", "{\"exp\":1}", "\u{feff}{}", "x"]
        .map(|text| text.as_bytes().to_vec())
        .into();
    let any = prop::collection::vec(any::<u8>(), 0..40);
    prop_oneof![18 => Just(None), 1 => select(texts).prop_map(Some), 1 => any.prop_map(Some)]
}

#[test]
fn whatever_we_accept_of_what_an_issuer_says_otherwise_is_accepted_by_jsonwebtoken() {
    for algorithm in ALGORITHMS {
        let court = Court::of(algorithm);
        run(
            1_000,
            (edits(), header_edits(), payloads()),
            |(claims, headers, payload)| {
                let mut token = court.good();
                for (name, value) in claims {
                    token = match value {
                        Some(value) => token.with_claim(name, value),
                        None => token.without_claim(name),
                    };
                }
                for (name, value) in headers {
                    token = match value {
                        Some(value) => token.with_header(name, value),
                        None => token.without_header(name),
                    };
                }
                if let Some(payload) = payload {
                    token = token.with_payload(payload);
                }
                court.judge(&token.mint()).map(|_| ())
            },
        );
        court.adjourn();
    }
}
