//! Signatures as Project Wycheproof has them, which were made to get past careless verifiers.
//!
//! The vectors are not part of this repository. Where they are not beside it, the test says so and checks nothing.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign::{Algorithm, KeySet};
use serde_json::{Value, json};

/// Cases whose verdict is disputed: the key says PS256 and the header PS384 (346, 350), a key with the `alg`
/// "ES521", which no registry has (347, 351), two that are byte for byte a valid one (367, 370), and two that
/// are called valid with a `?` inside of base64url (372, 373).
const DISPUTED: [u64; 8] = [346, 347, 350, 351, 367, 370, 372, 373];

/// Whether the signature is accepted the way a token's is: the algorithm by its name, the key by its `kid`, over
/// the received bytes. The payloads are no claims, so that nothing else can be checked.
fn is_accepted(key: &Value, jws: &str) -> Option<()> {
    let mut segments = jws.split('.');
    let (header, payload, signature) = (segments.next()?, segments.next()?, segments.next()?);
    if segments.next().is_some() {
        return None;
    }
    let decoded = |segment: &str| URL_SAFE_NO_PAD.decode(segment).ok();
    let signature = decoded(signature)?;
    decoded(payload)?;
    let header: Value = serde_json::from_slice(&decoded(header)?).ok()?;
    if header.get("crit").is_some() {
        return None;
    }
    let algorithm = Algorithm::from_name(header["alg"].as_str()?)?;
    let set = json!({ "keys": [key] }).to_string();
    let set = KeySet::parse(set.as_bytes(), Algorithm::ALL.into_iter().collect()).ok()?;
    let found = set
        .keys()
        .iter()
        .find(|key| key.algorithms().contains(algorithm))?;
    let (signed, _) = jws.rsplit_once('.')?;
    found.verify(algorithm, signed.as_bytes(), &signature).ok()
}

#[test]
fn every_undisputed_vector_is_judged_as_wycheproof_judges_it() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/vectors/wycheproof_json_web_signature_test.json");
    let Ok(text) = std::fs::read_to_string(&file) else {
        println!("not run: the Wycheproof vectors are not beside this repository");
        return;
    };
    let vectors: Value = serde_json::from_str(&text).unwrap();
    let mut judged = 0;
    let mut wrong = Vec::new();
    for group in vectors["testGroups"].as_array().unwrap() {
        // Where there is no public key it is a shared secret, with which nothing may be accepted.
        let is_shared = group.get("public").is_none();
        let key = group.get("public").unwrap_or(&group["private"]);
        for case in group["tests"].as_array().unwrap() {
            let id = case["tcId"].as_u64().unwrap();
            if DISPUTED.contains(&id) {
                continue;
            }
            judged += 1;
            let expected = case["result"] == "valid" && !is_shared;
            if is_accepted(key, case["jws"].as_str().unwrap()).is_some() != expected {
                wrong.push((id, case["comment"].to_string(), expected));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(judged, 393);
}
