//! Texts that are no numbers, or none that a double holds.

use super::json::Change;

/// The member `x` with such a value, put behind the last of a good text.
pub(super) const BAD: &[(&str, Change)] = &[
    ("a plus sign", |text| with(text, "+1")),
    ("a leading zero", |text| with(text, "01")),
    ("a negative leading zero", |text| with(text, "-01")),
    ("no digit in front of the point", |text| with(text, ".5")),
    ("no digit behind the point", |text| with(text, "1.")),
    ("no digit in the exponent", |text| with(text, "1e")),
    ("a sign alone in the exponent", |text| with(text, "1e+")),
    ("two points", |text| with(text, "1.2.3")),
    ("a minus sign alone", |text| with(text, "-")),
    ("two minus signs", |text| with(text, "--1")),
    ("hexadecimal", |text| with(text, "0x10")),
    ("an underscore in a number", |text| with(text, "1_000")),
    ("a number and a letter", |text| with(text, "1n")),
    ("digits of another script", |text| with(text, "\u{661}")),
    ("not a number", |text| with(text, "NaN")),
    ("infinity", |text| with(text, "Infinity")),
    ("minus infinity", |text| with(text, "-Infinity")),
    ("ten to the 309th", |text| with(text, "1e309")),
    ("an exponent of twenty digits", |text| {
        with(text, "1e99999999999999999999")
    }),
    ("a number of 400 digits", |text| {
        with(text, &"9".repeat(400))
    }),
    ("a fraction of 400 digits", |text| {
        with(text, &format!("0.{}", "9".repeat(400)))
    }),
    ("zeros and a large exponent", |text| with(text, "0e999")),
];

fn with(text: &str, number: &str) -> Vec<u8> {
    let open = text.strip_suffix('}').unwrap();
    format!(r#"{open},"x":{number}}}"#).into_bytes()
}
