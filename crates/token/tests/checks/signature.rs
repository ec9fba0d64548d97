use std::sync::Arc;

use countersign_jwks::{Algorithm, Key};
use countersign_token::Refusal::{self, BadSignature, KeyMismatch};
use countersign_token::{CompactToken, Issuer, UnverifiedToken};
use serde_json::Value;

use crate::support::{ISSUER, NOW, World, base64url, decoded, key_set, seconds, segments};

#[test]
fn a_token_that_was_changed_after_it_was_signed_is_refused() {
    let world = World::new();
    let good = world.token().mint();
    let [h, p, s] = segments(&good);
    let bytes = decoded(s);
    let other = world.token().with_claim("sub", "m2m-other").mint();
    let [_, other_payload, other_signature] = segments(&other);
    let spaced = format!("{} ", String::from_utf8(decoded(h)).unwrap());
    let richer = String::from_utf8(decoded(p))
        .unwrap()
        .replace('}', r#","scope":"admin"}"#);
    let cases = [
        (
            "white space in the payload",
            world.token().tampered().mint(),
        ),
        ("a scope more", format!("{h}.{}.{s}", base64url(richer))),
        (
            "white space in the header",
            format!("{}.{p}.{s}", base64url(spaced)),
        ),
        (
            "payload of another token",
            format!("{h}.{other_payload}.{s}"),
        ),
        (
            "signature of another token",
            format!("{h}.{p}.{other_signature}"),
        ),
        (
            "a stranger's signature",
            world.token().signed_by(&World::new().server).mint(),
        ),
        (
            "a byte less",
            format!("{h}.{p}.{}", base64url(&bytes[..63])),
        ),
        (
            "a byte more",
            format!("{h}.{p}.{}", base64url([&bytes[..], &[0]].concat())),
        ),
        ("one byte", format!("{h}.{p}.AA")),
        ("zeros", format!("{h}.{p}.{}", base64url([0; 64]))),
        (
            "twice",
            format!("{h}.{p}.{}", base64url([&bytes[..], &bytes[..]].concat())),
        ),
    ];
    for (name, token) in cases {
        assert_eq!(world.decide(&token), Err(BadSignature), "{name}");
    }
    assert_eq!(world.decide(&good), Ok(()));
}

#[test]
fn no_single_character_can_be_changed() {
    let world = World::new();
    let trusted = world.trusted();
    let good = world.token().with_scopes(["invoices:read"]).mint();
    for place in 0..good.len() {
        for letter in ["A", "B", "z", "-", ".", "="] {
            let mut token = good.clone();
            token.replace_range(place..=place, letter);
            if token != good {
                let decided = world.decide_by(&trusted, &token);
                assert!(decided.is_err(), "{letter} at {place} of {good}");
            }
        }
        let shorter = format!("{}{}", &good[..place], &good[place + 1..]);
        assert!(
            world.decide_by(&trusted, &shorter).is_err(),
            "without {place} of {good}"
        );
    }
}

fn every_algorithm() -> impl Iterator<Item = Algorithm> {
    Algorithm::ALL.into_iter()
}

#[test]
fn a_token_of_every_algorithm_is_accepted_where_its_issuer_uses_it_and_only_there() {
    for algorithm in every_algorithm() {
        let world = World::signing(ISSUER, algorithm);
        let token = world.token().mint();
        assert_eq!(world.decide(&token), Ok(()), "{algorithm}");
        assert_eq!(
            world.decide(&world.token().tampered().mint()),
            Err(BadSignature),
            "{algorithm}"
        );

        let others = every_algorithm().filter(|other| *other != algorithm);
        let others = world.trusted().with_algorithms(others);
        assert_eq!(
            world.decide_by(&others, &token),
            Err(Refusal::Algorithm),
            "{algorithm}"
        );
    }
}

/// What this very key says to a token, whatever its `kid`.
fn decide_by_key(trusted: &Issuer, key: &Arc<Key>, token: &str) -> Result<(), Refusal> {
    let compact = CompactToken::decode(token)?;
    let checked = trusted.check(UnverifiedToken::read(&compact)?, seconds(NOW))?;
    checked.verify(key).map(|_| ())
}

#[test]
fn the_algorithm_that_a_token_names_does_not_decide_how_a_key_is_used() {
    let worlds: Vec<_> = every_algorithm()
        .map(|algorithm| (algorithm, World::signing(ISSUER, algorithm)))
        .collect();
    for (own, world) in &worlds {
        let trusted = world.trusted().with_algorithms(every_algorithm());
        for named in every_algorithm().filter(|named| named != own) {
            let token = world.token().with_algorithm_name(named.name()).mint();
            assert_eq!(
                world.decide_by(&trusted, &token),
                Err(KeyMismatch),
                "{own} as {named}"
            );
            let decided = decide_by_key(&trusted, &world.keys.keys()[0], &token);
            assert_eq!(decided, Err(BadSignature), "{own} as {named}");
        }
        let token = world.token().mint();
        for (other, stranger) in &worlds {
            let decided = decide_by_key(&trusted, &stranger.keys.keys()[0], &token);
            let expected = if own == other {
                Ok(())
            } else {
                Err(BadSignature)
            };
            assert_eq!(decided, expected, "{own} by the key for {other}");
        }
    }
}

/// The issuer's keys as they would be had they been published without `alg`.
fn without_algorithm(world: &World) -> World {
    let mut keys: Value = serde_json::from_slice(&world.server.jwks_json()).unwrap();
    for key in keys["keys"].as_array_mut().unwrap() {
        key.as_object_mut().unwrap().remove("alg");
    }
    World {
        server: world.server.clone(),
        keys: key_set(keys.to_string().as_bytes()),
    }
}

#[test]
fn a_key_for_several_algorithms_still_verifies_only_what_was_signed_by_the_one_named() {
    let kinds: [&[Algorithm]; 3] = [
        &Algorithm::ALL[..6],
        &[Algorithm::ES256],
        &[Algorithm::ES384],
    ];
    for kind in kinds {
        for own in kind {
            let world = without_algorithm(&World::signing(ISSUER, *own));
            let trusted = world.trusted().with_algorithms(every_algorithm());
            for named in every_algorithm() {
                let token = world.token().with_algorithm_name(named.name()).mint();
                let expected = match named {
                    named if named == *own => Ok(()),
                    named if kind.contains(&named) => Err(BadSignature),
                    _ => Err(KeyMismatch),
                };
                assert_eq!(
                    world.decide_by(&trusted, &token),
                    expected,
                    "{own} as {named}"
                );
            }
        }
    }
}

#[test]
fn both_names_of_ed25519_are_one_signature_under_a_key_that_names_neither() {
    let world = without_algorithm(&World::new());
    let trusted = world
        .trusted()
        .with_algorithms([Algorithm::EdDSA, Algorithm::Ed25519]);
    for name in ["EdDSA", "Ed25519"] {
        let token = world.token().with_algorithm_name(name).mint();
        assert_eq!(world.decide_by(&trusted, &token), Ok(()), "{name}");
    }
    for name in ["Ed448", "X25519", "ES256"] {
        let token = world.token().with_algorithm_name(name).mint();
        assert_eq!(
            world.decide_by(&trusted, &token),
            Err(Refusal::Algorithm),
            "{name}"
        );
    }
}

/// `r || s` as the two INTEGERs that X.509 has (SEC 1 §C.5).
fn der(signature: &[u8]) -> Vec<u8> {
    let integer = |number: &[u8]| {
        let zeros = number.iter().take_while(|byte| **byte == 0).count();
        let mut content = number[zeros..].to_vec();
        if content[0] >= 0x80 {
            content.insert(0, 0);
        }
        [&[2, u8::try_from(content.len()).unwrap()], &content[..]].concat()
    };
    let (r, s) = signature.split_at(signature.len() / 2);
    let content = [integer(r), integer(s)].concat();
    [&[0x30, u8::try_from(content.len()).unwrap()], &content[..]].concat()
}

#[test]
fn an_ecdsa_signature_has_the_one_form_that_rfc_7518_gives_it() {
    for algorithm in [Algorithm::ES256, Algorithm::ES384] {
        let world = World::signing(ISSUER, algorithm);
        let good = world.token().mint();
        let [h, p, s] = segments(&good);
        let bytes = decoded(s);
        let half = bytes.len() / 2;
        let cases = [
            ("DER", der(&bytes)),
            ("zeros", vec![0; bytes.len()]),
            ("r is zero", [&vec![0; half][..], &bytes[half..]].concat()),
            ("s is zero", [&bytes[..half], &vec![0; half][..]].concat()),
            ("the largest numbers", vec![0xFF; bytes.len()]),
            ("a zero in front", [&[0], &bytes[..]].concat()),
            (
                "r and s exchanged",
                [&bytes[half..], &bytes[..half]].concat(),
            ),
            ("r alone", bytes[..half].to_vec()),
        ];
        for (name, signature) in cases {
            let token = format!("{h}.{p}.{}", base64url(signature));
            assert_eq!(
                world.decide(&token),
                Err(BadSignature),
                "{algorithm}, {name}"
            );
        }
        assert_eq!(world.decide(&good), Ok(()));
    }
}

#[test]
fn a_token_without_kid_is_tried_only_if_one_key_fits() {
    let world = World::new();
    let token = world.token().without_header("kid").mint();
    assert_eq!(world.decide(&token), Ok(()));

    // A second key for another algorithm leaves no doubt, one for the same does.
    let other_kind = world.server.clone().with_algorithm(Algorithm::ES256);
    let keys = key_set(&other_kind.jwks_json());
    let world = World {
        server: world.server.with_algorithm(Algorithm::Ed25519),
        keys,
    };
    assert_eq!(
        world.decide(&world.token().without_header("kid").mint()),
        Ok(())
    );

    world.server.publish_next();
    let keys = key_set(&world.server.jwks_json());
    let world = World {
        server: world.server,
        keys,
    };
    let token = world.token();
    assert_eq!(world.decide(&token.mint()), Ok(()));
    assert_eq!(
        world.decide(&token.without_header("kid").mint()),
        Err(KeyMismatch)
    );
}

#[test]
fn a_kid_of_a_key_for_another_algorithm_is_a_mismatch_and_no_search() {
    let world = World::new();
    let own = world.server.key_id();
    let both = world.server.clone().with_algorithm(Algorithm::ES256);
    let world = World {
        keys: key_set(&both.jwks_json()),
        server: both,
    };
    let token = world.token();
    assert_eq!(world.decide(&token.mint()), Ok(()));
    assert_eq!(
        world.decide(&token.with_key_id(&own).mint()),
        Err(KeyMismatch)
    );
}
