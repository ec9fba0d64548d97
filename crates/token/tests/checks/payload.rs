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

#[test]
fn a_payload_that_is_not_one_strict_json_object_is_malformed_though_signed_by_the_issuer() {
    let world = World::new();
    let good = members(&world);
    let with = |more: &str| format!("{{{good},{more}}}").into_bytes();
    let deep = |levels: usize| format!(r#""x":{}{}"#, "[".repeat(levels), "]".repeat(levels));
    let crowd: Vec<_> = (0..40).map(|n| format!(r#""m{n}":0,"#)).collect();
    let crowd = crowd.concat();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("text", b"sub=admin".to_vec()),
        ("array", format!("[{{{good}}}]").into_bytes()),
        (
            "string",
            format!("{:?}", format!("{{{good}}}")).into_bytes(),
        ),
        ("null", b"null".to_vec()),
        ("two objects", format!("{{{good}}}{{}}").into_bytes()),
        (
            "byte order mark",
            format!("\u{feff}{{{good}}}").into_bytes(),
        ),
        (
            "UTF-16",
            format!("{{{good}}}")
                .encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect(),
        ),
        (
            "invalid UTF-8",
            [
                b"{\"x\":\"\xC3\",".to_vec(),
                good.clone().into_bytes(),
                b"}".to_vec(),
            ]
            .concat(),
        ),
        ("lone surrogate", with(r#""x":"\ud800""#)),
        ("iss twice", with(r#""iss":"https://as.acme.test""#)),
        ("exp twice", with(r#""exp":9999999999"#)),
        (
            "sub twice, once by an escape",
            with(r#""s\u0075b":"admin""#),
        ),
        (
            "twice, far apart",
            with(&format!(r#"{crowd}"sub":"admin""#)),
        ),
        ("twice, further in", with(r#""x":{"y":[{"a":1,"a":2}]}"#)),
        ("nested too deep", with(&deep(32))),
        ("a comment", with("/* x */\"x\":1")),
        ("a trailing comma", format!("{{{good},}}").into_bytes()),
        ("not a number", with(r#""x":NaN"#)),
        ("more than a number holds", with(r#""x":1e400"#)),
        ("a control character", with("\"x\":\"\n\"")),
    ];
    for (name, payload) in cases {
        let token = world.token().with_payload(payload).mint();
        assert_eq!(
            world.decide(&token),
            Err(Refusal::MalformedPayload),
            "{name}"
        );
    }
    for more in [
        deep(31),
        format!(r#"{crowd}"x":null"#),
        r#""\u00e9\ud83d\ude00":"\/""#.into(),
    ] {
        let token = world.token().with_payload(with(&more)).mint();
        assert_eq!(world.decide(&token), Ok(()), "{more}");
    }
}
