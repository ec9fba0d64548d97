//! Headers and payloads that are no strict JSON object. Both are read by the same rules.

use countersign::Refusal::{MalformedHeader, MalformedPayload};

use super::{Case, Group, good};

const OBJECT: &str = "RFC 7515 §4, RFC 7519 §3: a JSON object";
const GRAMMAR: &str = "RFC 8259: the grammar of JSON";
const STRING: &str = "RFC 8259 §7: strings and their escapes";
const SURROGATE: &str = "RFC 7493 §2.1: no lone surrogates";
const NUMBER: &str = "RFC 8259 §6, RFC 7493 §2.2: numbers within a double";
const UTF8: &str = "RFC 7519 §7.2: UTF-8 and nothing else";
const BOM: &str = "RFC 8259 §8.1: no byte order mark";
const TWICE: &str = "RFC 7515 §4, RFC 7493 §2.3: each member once";
const DEEP: &str = "nesting of 32 at most (CVE-2020-36843 and its like: exhaustion of the stack)";

/// What becomes of a good text. Both begin with `{"` and end with `"}`.
pub(super) type Change = fn(&str) -> Vec<u8>;

pub(super) fn groups() -> Vec<Group> {
    let tables = [WHOLES, GRAMMATICAL, STRINGS, ENCODINGS, DUPLICATES].concat();
    let mut cases: Vec<Case> = tables
        .into_iter()
        .chain(numbers())
        .flat_map(|(name, rule, change)| both(name, rule, change))
        .collect();
    for (name, open, close) in [
        ("arrays", "[", "]"),
        ("objects", r#"{"x":"#, "}"),
        ("both in turn", r#"[{"x":"#, "}]"),
    ] {
        cases.extend(deep(name, open, close));
    }
    cases.extend(edges());
    cases.extend(claims_twice());
    vec![Group::plain("JSON").with(cases)]
}

fn both(name: &str, rule: &'static str, change: Change) -> [Case; 2] {
    let header = good().header_text(change);
    let payload = good().payload_text(change);
    [
        Case::cheap(format!("header: {name}"), rule, header, MalformedHeader),
        Case::cheap(format!("payload: {name}"), rule, payload, MalformedPayload),
    ]
}

/// A text with one more member at its end.
fn with(text: &str, member: impl AsRef<[u8]>) -> Vec<u8> {
    let open = text.strip_suffix('}').unwrap();
    [open.as_bytes(), b",", member.as_ref(), b"}"].concat()
}

/// Forty members, more than are compared one by one.
fn many() -> String {
    let members = (0..40).map(|place| format!(r#""m{place}":0,"#));
    members.collect::<Vec<_>>().concat()
}

type Row = (&'static str, &'static str, Change);

const WHOLES: &[Row] = &[
    ("an array", OBJECT, |text| format!("[{text}]").into()),
    ("an array of members", OBJECT, |_| {
        br#"["alg","Ed25519"]"#.into()
    }),
    ("a string", OBJECT, |_| br#""x""#.into()),
    ("a string that holds the object", OBJECT, |text| {
        serde_json::Value::from(text).to_string().into()
    }),
    ("a number", OBJECT, |_| b"5".into()),
    ("null", OBJECT, |_| b"null".into()),
    ("true", OBJECT, |_| b"true".into()),
    ("white space alone", OBJECT, |_| b" ".into()),
    ("base64url once more", OBJECT, |text| {
        super::base64url(text).into()
    }),
    ("two objects", OBJECT, |text| format!("{text}{text}").into()),
    ("something behind the object", OBJECT, |text| {
        format!("{text}x").into()
    }),
    ("a brace too many", OBJECT, |text| {
        format!("{text}}}").into()
    }),
    ("a NUL behind the object", OBJECT, |text| {
        format!("{text}\0").into()
    }),
    ("something in front", OBJECT, |text| {
        format!("x{text}").into()
    }),
    ("a brace too few", OBJECT, |text| {
        text[..text.len() - 1].into()
    }),
    ("an end within a string", OBJECT, |text| {
        text[..text.len() - 2].into()
    }),
    ("one half", OBJECT, |text| text[..text.len() / 2].into()),
];

const GRAMMATICAL: &[Row] = &[
    ("a comma at the end", GRAMMAR, |text| {
        text.replace('}', ",}").into()
    }),
    ("a comma at the beginning", GRAMMAR, |text| {
        text.replacen('{', "{,", 1).into()
    }),
    ("two commas", GRAMMAR, |text| with(text, r#","x":1"#)),
    ("a semicolon for a comma", GRAMMAR, |text| {
        text.replacen("\",\"", "\";\"", 1).into()
    }),
    ("no comma", GRAMMAR, |text| {
        text.replacen("\",\"", "\" \"", 1).into()
    }),
    ("no colon", GRAMMAR, |text| {
        text.replacen("\":\"", "\" \"", 1).into()
    }),
    ("an equals sign for a colon", GRAMMAR, |text| {
        text.replacen("\":\"", "\"=\"", 1).into()
    }),
    ("a member without a value", GRAMMAR, |text| {
        with(text, r#""x":"#)
    }),
    ("a value without a name", GRAMMAR, |text| {
        with(text, r#""x""#)
    }),
    ("a name without quotes", GRAMMAR, |text| with(text, "x:1")),
    ("a name that is a number", GRAMMAR, |text| with(text, "5:1")),
    ("single quotes", GRAMMAR, |text| with(text, "'x':'y'")),
    ("a comment", GRAMMAR, |text| with(text, r#"/**/"x":1"#)),
    ("a comment to the end of the line", GRAMMAR, |text| {
        with(text, "//\n\"x\":1")
    }),
    ("a comma at the end of an array", GRAMMAR, |text| {
        with(text, r#""x":[1,]"#)
    }),
    ("a hole in an array", GRAMMAR, |text| {
        with(text, r#""x":[1,,2]"#)
    }),
    ("brackets crossed", GRAMMAR, |text| {
        with(text, r#""x":[{]}"#)
    }),
    ("an open array", GRAMMAR, |text| with(text, r#""x":[1"#)),
    ("a word with a capital", GRAMMAR, |text| {
        with(text, r#""x":True"#)
    }),
    ("half a word", GRAMMAR, |text| with(text, r#""x":nul"#)),
    ("a word too long", GRAMMAR, |text| {
        with(text, r#""x":nulls"#)
    }),
    ("undefined", GRAMMAR, |text| with(text, r#""x":undefined"#)),
    ("a form feed for white space", GRAMMAR, |text| {
        with(text, "\u{c}\"x\":1")
    }),
    ("a vertical tab for white space", GRAMMAR, |text| {
        with(text, "\u{b}\"x\":1")
    }),
    ("a no-break space for white space", GRAMMAR, |text| {
        with(text, "\u{a0}\"x\":1")
    }),
    ("a line separator for white space", GRAMMAR, |text| {
        with(text, "\u{2028}\"x\":1")
    }),
];

const STRINGS: &[Row] = &[
    ("a NUL in a string", STRING, |text| {
        with(text, "\"x\":\"\0\"")
    }),
    ("a tab in a string", STRING, |text| {
        with(text, "\"x\":\"\t\"")
    }),
    ("a line feed in a string", STRING, |text| {
        with(text, "\"x\":\"\n\"")
    }),
    ("a control character in a name", STRING, |text| {
        with(text, "\"x\u{1f}\":1")
    }),
    ("an escape that is none", STRING, |text| {
        with(text, r#""x":"\x41""#)
    }),
    ("an escaped single quote", STRING, |text| {
        with(text, r#""x":"\'""#)
    }),
    ("an octal escape", STRING, |text| {
        with(text, r#""x":"\101""#)
    }),
    ("an escaped line feed", STRING, |text| {
        with(text, "\"x\":\"\\\n\"")
    }),
    ("a short escape", STRING, |text| {
        with(text, r#""x":"\u041""#)
    }),
    ("a capital in an escape", STRING, |text| {
        with(text, r#""x":"\U0041""#)
    }),
    ("braces in an escape", STRING, |text| {
        with(text, r#""x":"\u{41}""#)
    }),
    ("an escape that is not hexadecimal", STRING, |text| {
        with(text, r#""x":"\u00g1""#)
    }),
    ("a sign in an escape", STRING, |text| {
        with(text, r#""x":"\u+041""#)
    }),
    ("a lone high surrogate", SURROGATE, |text| {
        with(text, r#""x":"\ud800""#)
    }),
    ("a lone low surrogate", SURROGATE, |text| {
        with(text, r#""x":"\udc00""#)
    }),
    ("surrogates in the wrong order", SURROGATE, |text| {
        with(text, r#""x":"\udc00\ud800""#)
    }),
    ("two high surrogates", SURROGATE, |text| {
        with(text, r#""x":"\ud800\ud800""#)
    }),
    ("a high surrogate and a letter", SURROGATE, |text| {
        with(text, r#""x":"\ud800A""#)
    }),
    ("a high surrogate and an escape", SURROGATE, |text| {
        with(text, r#""x":"\ud800\n""#)
    }),
    ("a lone surrogate in a name", SURROGATE, |text| {
        with(text, r#""\ud800":1"#)
    }),
];

fn numbers() -> Vec<Row> {
    super::numbers::BAD
        .iter()
        .map(|(name, change)| (*name, NUMBER, *change))
        .collect()
}

const ENCODINGS: &[Row] = &[
    ("a byte order mark", BOM, |text| {
        format!("\u{feff}{text}").into()
    }),
    ("a byte order mark at the end", BOM, |text| {
        format!("{text}\u{feff}").into()
    }),
    ("a byte order mark between", BOM, |text| {
        with(text, "\u{feff}\"x\":1")
    }),
    ("UTF-16, big end first", UTF8, |text| {
        text.encode_utf16().flat_map(u16::to_be_bytes).collect()
    }),
    ("UTF-16, little end first", UTF8, |text| {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }),
    ("UTF-32", UTF8, |text| {
        text.chars()
            .flat_map(|one| u32::from(one).to_le_bytes())
            .collect()
    }),
    ("Latin-1", UTF8, |text| with(text, b"\"x\":\"\xe9\"")),
    ("a byte that is never UTF-8", UTF8, |text| {
        with(text, b"\"x\":\"\xff\"")
    }),
    ("a byte that is never UTF-8 in a name", UTF8, |text| {
        with(text, b"\"\xff\":1")
    }),
    ("a NUL in two bytes", UTF8, |text| {
        with(text, b"\"x\":\"\xc0\x80\"")
    }),
    ("a quote in two bytes", UTF8, |text| {
        with(text, b"\"x\":\"\xc0\xa2\"")
    }),
    ("a slash in three bytes", UTF8, |text| {
        with(text, b"\"x\":\"\xe0\x80\xaf\"")
    }),
    ("a surrogate in three bytes", UTF8, |text| {
        with(text, b"\"x\":\"\xed\xa0\x80\"")
    }),
    ("a surrogate pair in six bytes", UTF8, |text| {
        with(text, b"\"x\":\"\xed\xa0\xbd\xed\xb8\x80\"")
    }),
    ("beyond the last character", UTF8, |text| {
        with(text, b"\"x\":\"\xf4\x90\x80\x80\"")
    }),
    ("half a character", UTF8, |text| {
        with(text, b"\"x\":\"\xe2\x82\"")
    }),
    ("the rest of a character", UTF8, |text| {
        with(text, b"\"x\":\"\x80\"")
    }),
];

const DUPLICATES: &[Row] = &[
    ("a member twice", TWICE, |text| with(text, r#""x":1,"x":1"#)),
    ("a member twice, far apart", TWICE, |text| {
        with(&text.replacen('{', r#"{"x":1,"#, 1), r#""x":1"#)
    }),
    ("a member twice, once escaped", TWICE, |text| {
        with(text, r#""x":1,"\u0078":1"#)
    }),
    ("an empty name twice", TWICE, |text| {
        with(text, r#""":1,"":2"#)
    }),
    ("a name of many bytes twice", TWICE, |text| {
        with(text, "\"\u{1f600}\":1,\"\\ud83d\\ude00\":1")
    }),
    ("a member twice in an object within", TWICE, |text| {
        with(text, r#""x":{"y":1,"y":2}"#)
    }),
    ("a member twice in an object in an array", TWICE, |text| {
        with(text, r#""x":[1,{"y":1,"y":1}]"#)
    }),
    (
        "a member twice at the deepest place there is",
        TWICE,
        |text| {
            let (open, close) = (r#"{"x":"#.repeat(30), "}".repeat(30));
            with(text, format!(r#""x":{open}{{"y":1,"y":1}}{close}"#))
        },
    ),
    ("a member twice among many", TWICE, |text| {
        let many = many();
        with(text, format!(r#"{many}"m7":0"#))
    }),
    ("a member twice among many within", TWICE, |text| {
        let many = many();
        with(text, format!(r#""x":{{{many}"m39":0}}"#))
    }),
];

fn nested(open: &str, close: &str, times: usize) -> String {
    format!(
        r#""x":{}{}{}"#,
        open.repeat(times),
        "0",
        close.repeat(times)
    )
}

/// One level more than there may be, with the deepest that may be for a twin; and very much more.
fn deep(name: &str, open: &str, close: &str) -> Vec<Case> {
    let levels = open.matches(['[', '{']).count();
    // 31 within the outermost object. In pairs there are 30 or 32.
    let (deepest, deeper) = (31 / levels, 31 / levels + 1);
    let hostile = 700;
    let mut cases = Vec::new();
    for (how, times) in [
        ("one level too deep", deeper),
        ("hundreds of levels", hostile),
    ] {
        let member = nested(open, close, times);
        let twin = nested(open, close, deepest);
        let header = good().header_text(|text| with(text, &member));
        let payload = good().payload_text(|text| with(text, &member));
        cases.push(
            Case::cheap(
                format!("header: {how} of {name}"),
                DEEP,
                header,
                MalformedHeader,
            )
            .with_twin(good().header_text(|text| with(text, &twin))),
        );
        cases.push(
            Case::cheap(
                format!("payload: {how} of {name}"),
                DEEP,
                payload,
                MalformedPayload,
            )
            .with_twin(good().payload_text(|text| with(text, &twin))),
        );
    }
    cases
}

/// The last of the good and the first of the bad.
fn edges() -> Vec<Case> {
    let rows = [
        (
            "a number of 65 characters",
            NUMBER,
            format!("0.{}", "1".repeat(62)),
            format!("0.{}", "1".repeat(63)),
        ),
        (
            "ten to the 308th",
            NUMBER,
            "1e307".to_owned(),
            "1e308".to_owned(),
        ),
        (
            "a negative number of that size",
            NUMBER,
            "-1e307".to_owned(),
            "-1e308".to_owned(),
        ),
        (
            "a surrogate pair without its second half",
            SURROGATE,
            r#""\ud83d\ude00""#.to_owned(),
            r#""\ud83d""#.to_owned(),
        ),
    ];
    let mut cases = Vec::new();
    for (name, rule, good_value, bad_value) in rows {
        let member = |value: &str| format!(r#""x":{value}"#);
        let in_header = |value: &str| good().header_text(|text| with(text, member(value)));
        let in_payload = |value: &str| good().payload_text(|text| with(text, member(value)));
        let header = Case::cheap(
            format!("header: {name}"),
            rule,
            in_header(&bad_value),
            MalformedHeader,
        );
        let payload = Case::cheap(
            format!("payload: {name}"),
            rule,
            in_payload(&bad_value),
            MalformedPayload,
        );
        cases.push(header.with_twin(in_header(&good_value)));
        cases.push(payload.with_twin(in_payload(&good_value)));
    }
    cases
}

/// A second value of whatever is read: the first, the last or either would do.
fn claims_twice() -> Vec<Case> {
    let payload: serde_json::Value = serde_json::from_slice(&good().payload()).unwrap();
    let claims = payload.as_object().unwrap().clone();
    let mut cases: Vec<_> = claims
        .into_iter()
        .map(|(name, value)| {
            let draft = good().payload_text(|text| with(text, format!(r#""{name}":{value}"#)));
            Case::cheap(
                format!("payload: {name} twice"),
                TWICE,
                draft,
                MalformedPayload,
            )
        })
        .collect();
    for (name, value) in [
        ("alg", "none"),
        ("alg", "Ed25519"),
        ("kid", "key-ed25519"),
        ("typ", "at+jwt"),
    ] {
        let draft = good().header_text(|text| with(text, format!(r#""{name}":"{value}""#)));
        cases.push(Case::cheap(
            format!("header: {name} twice, then {value}"),
            TWICE,
            draft,
            MalformedHeader,
        ));
    }
    cases
}
