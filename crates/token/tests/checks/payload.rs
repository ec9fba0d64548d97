use countersign_token::Refusal;
use serde_json::Value;

use crate::support::{World, decoded, segments};

/// The claims of a good token as JSON text, without the braces.
fn members(world: &World) -> String {
    let token = world.token().mint();
    let claims: Value = serde_json::from_slice(&decoded(segments(&token)[1])).unwrap();
    let text = claims.to_string();
    text[1..text.len() - 1].to_owned()
}

fn decide(world: &World, payload: impl Into<Vec<u8>>) -> Result<(), Refusal> {
    world.decide(&world.token().with_payload(payload).mint())
}

#[test]
fn a_payload_that_is_not_one_json_object_is_malformed_though_signed_by_the_issuer() {
    let world = World::new();
    let good = members(&world);
    let object = format!("{{{good}}}");
    assert_eq!(decide(&world, object.as_str()), Ok(()));
    let utf16: Vec<u8> = object.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let invalid = [b"{\"x\":\"\xC3\",", good.as_bytes(), b"}"].concat();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("text", b"sub=admin".to_vec()),
        ("array", format!("[{object}]").into()),
        ("string", format!("{object:?}").into()),
        ("null", b"null".to_vec()),
        ("two objects", format!("{object}{{}}").into()),
        ("byte order mark", format!("\u{feff}{object}").into()),
        ("UTF-16", utf16),
        ("invalid UTF-8", invalid),
        ("a trailing comma", format!("{{{good},}}").into()),
        ("unclosed", format!("{{{good}").into()),
    ];
    for (name, payload) in cases {
        let decided = decide(&world, payload);
        assert_eq!(decided, Err(Refusal::MalformedPayload), "{name}");
    }
}

#[test]
fn a_payload_with_one_member_that_is_not_strict_json_is_malformed_wherever_it_stands() {
    let world = World::new();
    let good = members(&world);
    let deep = |levels: usize| format!(r#""x":{}{}"#, "[".repeat(levels), "]".repeat(levels));
    let crowd: Vec<_> = (0..40).map(|n| format!(r#""m{n}":0,"#)).collect();
    let crowd = crowd.concat();
    let malformed = [
        r#""x":"\ud800""#.to_owned(),
        r#""iss":"https://as.acme.test""#.to_owned(),
        r#""exp":9999999999"#.to_owned(),
        r#""s\u0075b":"admin""#.to_owned(),
        format!(r#"{crowd}"sub":"admin""#),
        r#""x":{"y":[{"a":1,"a":2}]}"#.to_owned(),
        deep(32),
        "/* x */\"x\":1".to_owned(),
        r#""x":NaN"#.to_owned(),
        r#""x":1e400"#.to_owned(),
        "\"x\":\"\n\"".to_owned(),
    ];
    for member in malformed {
        for payload in [
            format!("{{{good},{member}}}"),
            format!("{{{member},{good}}}"),
        ] {
            let decided = decide(&world, payload);
            assert_eq!(decided, Err(Refusal::MalformedPayload), "{member}");
        }
    }
    let strict = [
        deep(31),
        format!(r#"{crowd}"x":null"#),
        r#""\u00e9\ud83d\ude00":"\/""#.to_owned(),
    ];
    for member in strict {
        let decided = decide(&world, format!("{{{good},{member}}}"));
        assert_eq!(decided, Ok(()), "{member}");
    }
}
