use super::*;

/// As a token's parts are read: UTF-8 first.
fn parse(text: &[u8]) -> Result<Object<'_>> {
    let text = str::from_utf8(text).map_err(|_| NotStrictJson)?;
    Object::parse(text, Vec::new())
}
use proptest::prelude::*;
use serde_json::Value;

fn nested(depth: usize) -> String {
    // The outermost object is one level.
    format!(
        r#"{{"a":{}{}}}"#,
        "[".repeat(depth - 1),
        "]".repeat(depth - 1)
    )
}

#[test]
fn what_is_not_one_strict_object_is_refused() {
    let many_members_one_twice = {
        let members: Vec<_> = (0..40).map(|n| format!(r#""m{}":0"#, n % 39)).collect();
        format!("{{{}}}", members.join(","))
    };
    let hundreds_of_digits = format!(r#"{{"a":{}}}"#, "9".repeat(400));
    let long_fraction = format!(r#"{{"a":0.{}}}"#, "1".repeat(70));
    let (too_deep, far_too_deep) = (nested(33), nested(3000));
    let cases: &[(&str, &[u8])] = &[
        ("empty", b""),
        ("white space only", b"  "),
        ("array", b"[]"),
        ("string", br#""a""#),
        ("null", b"null"),
        ("number", b"1"),
        ("byte order mark", b"\xEF\xBB\xBF{}"),
        ("two objects", b"{}{}"),
        ("trailing text", b"{}x"),
        ("trailing NUL", b"{}\0"),
        ("unclosed", br#"{"a":1"#),
        ("trailing comma", br#"{"a":1,}"#),
        ("leading comma", br#"{,"a":1}"#),
        ("trailing comma in an array", br#"{"a":[1,]}"#),
        ("missing colon", br#"{"a" 1}"#),
        ("missing value", br#"{"a":}"#),
        ("unquoted name", b"{a:1}"),
        ("single quotes", b"{'a':1}"),
        ("comment", b"{/**/}"),
        ("form feed as white space", b"{\x0C}"),
        ("no-break space as white space", "{\u{a0}}".as_bytes()),
        ("duplicate", br#"{"a":1,"a":1}"#),
        ("duplicate behind an escape", br#"{"exp":1,"\u0065xp":2}"#),
        ("duplicate in a nested object", br#"{"a":[{"b":1,"b":2}]}"#),
        ("duplicate among many", many_members_one_twice.as_bytes()),
        ("invalid UTF-8 in a value", b"{\"a\":\"\xFF\"}"),
        ("invalid UTF-8 in a name", b"{\"\xC0\x80\":1}"),
        ("surrogate as UTF-8", b"{\"a\":\"\xED\xA0\x80\"}"),
        ("lone high surrogate", br#"{"a":"\ud800"}"#),
        ("lone low surrogate", br#"{"a":"\udc00"}"#),
        ("high surrogate and no low one", br#"{"a":"\ud800\u0041"}"#),
        ("two high surrogates", br#"{"a":"\ud800\ud800"}"#),
        ("unknown escape", br#"{"a":"\x41"}"#),
        ("short escape", br#"{"a":"\u12"}"#),
        ("sign in an escape", br#"{"a":"\u+123"}"#),
        ("control character", b"{\"a\":\"\n\"}"),
        ("unclosed string", br#"{"a":"b}"#),
        ("leading zero", br#"{"a":01}"#),
        ("leading plus", br#"{"a":+1}"#),
        ("no digit after the point", br#"{"a":1.}"#),
        ("no digit before the point", br#"{"a":.5}"#),
        ("no exponent", br#"{"a":1e}"#),
        ("lone minus", br#"{"a":-}"#),
        ("hexadecimal", br#"{"a":0x10}"#),
        ("infinity by size", br#"{"a":1e999}"#),
        ("infinity by size, padded", br#"{"a":10e308}"#),
        ("infinity by digits", hundreds_of_digits.as_bytes()),
        ("a long fraction", long_fraction.as_bytes()),
        (
            "an exponent beyond counting",
            br#"{"a":1e99999999999999999999999}"#,
        ),
        ("infinity by name", br#"{"a":Infinity}"#),
        ("not a number", br#"{"a":NaN}"#),
        ("wrong case", br#"{"a":True}"#),
        ("cut literal", br#"{"a":tru}"#),
        (
            "literal before a multi-byte character",
            "{\"a\":tru\u{e9}}".as_bytes(),
        ),
        ("too deep", too_deep.as_bytes()),
        ("far too deep", far_too_deep.as_bytes()),
    ];
    for (name, text) in cases {
        assert_eq!(parse(text), Err(NotStrictJson), "{name}");
    }
}

#[test]
fn nesting_up_to_the_limit_is_read() {
    assert!(parse(nested(32).as_bytes()).is_ok());
}

#[test]
fn numbers_up_to_the_limits_are_read() {
    let long = "1".repeat(64);
    for number in ["1e307", "-100e305", "1e-999", &long] {
        let payload = format!(r#"{{"a":{number}}}"#);
        let object = parse(payload.as_bytes()).unwrap();
        assert_eq!(object.get("a"), Some(&Json::Number(number)));
    }
    for number in ["1e308", "-10e307", &format!("{long}1")] {
        let payload = format!(r#"{{"a":{number}}}"#);
        assert_eq!(parse(payload.as_bytes()), Err(NotStrictJson), "{number}");
    }
}

#[test]
fn numbers_that_are_slow_to_convert_are_not_converted() {
    // Halfway between two doubles, to the last digit: thousands of times slower than other numbers.
    let slow = "2.47032822920623272088e-324,".repeat(200);
    let payload = format!(r#"{{"a":[{slow}0]}}"#);
    let object = parse(payload.as_bytes()).unwrap();
    let Some(Json::Array(elements)) = object.get("a") else {
        panic!("not an array");
    };
    assert_eq!(elements[0], Json::Number("2.47032822920623272088e-324"));
}

#[test]
fn strings_are_borrowed_unless_they_hold_an_escape() {
    let object = parse(br#"{"plain":"text","escaped":"\u00e9\ud83d\ude00\/\n"}"#).unwrap();
    assert!(matches!(
        object.get("plain"),
        Some(Json::String(Cow::Borrowed("text")))
    ));
    assert_eq!(
        object.get("escaped").and_then(Json::as_str),
        Some("\u{e9}\u{1f600}/\n")
    );
}

/// Our value in the other crate's terms.
fn to_value(json: &Json<'_>) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(bool) => Value::from(*bool),
        Json::Number(text) => Value::from(text.parse::<f64>().unwrap()),
        Json::String(text) => Value::from(text.as_ref()),
        Json::Array(elements) => elements.iter().map(to_value).collect(),
        Json::Object(object) => object_to_value(object),
    }
}

fn object_to_value(object: &Object<'_>) -> Value {
    let members = object.iter();
    Value::Object(
        members
            .map(|(name, value)| (name.to_owned(), to_value(value)))
            .collect(),
    )
}

/// The value with every number as a double, since ours knows no other.
fn with_doubles(value: Value) -> Value {
    match value {
        Value::Number(number) => Value::from(number.as_f64().unwrap()),
        Value::Array(elements) => elements.into_iter().map(with_doubles).collect(),
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(name, value)| (name, with_doubles(value)))
                .collect(),
        ),
        other => other,
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e300..1e300).prop_map(Value::from),
        (-1e-3..1e-3).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 20, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..20).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..20)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn every_object_is_read_as_another_writer_meant_it(
        members in prop::collection::btree_map(any::<String>(), any_json(), 0..24),
        pretty: bool,
    ) {
        let value = Value::Object(members.into_iter().collect());
        let text = if pretty {
            serde_json::to_vec_pretty(&value)
        } else {
            serde_json::to_vec(&value)
        }
        .unwrap();
        // Not as that crate reads it: without its `float_roundtrip` the last digit of a number may be off.
        prop_assert_eq!(
            parse(&text).map(|object| object_to_value(&object)),
            Ok(with_doubles(value))
        );
    }

    #[test]
    fn whatever_is_accepted_another_reader_accepts_too(
        text in r#"[ \t]?\{([\[\]{}:,"\\ a-c0-2eE.+-]|"a"|:1|\\u[dD][89c]00|true|null)*\}"#
    ) {
        if parse(text.as_bytes()).is_ok() {
            prop_assert!(serde_json::from_str::<Value>(&text).is_ok(), "{text}");
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>) {
        let _ = parse(&bytes);
    }
}
