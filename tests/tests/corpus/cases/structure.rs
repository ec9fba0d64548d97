//! What is not three segments of canonical base64url, or too long.

use countersign::DenialKind::MalformedCredential;
use countersign::Refusal::Malformed;

use super::{Case, Draft, Group, good};

const COMPACT: &str = "RFC 7515 §3.1: three segments, none of them empty";
const BASE64URL: &str = "RFC 7515 §2: base64url without padding, line breaks or other characters";
const CANONICAL: &str = "RFC 4648 §3.5: unused bits are zero";
const SIZE: &str = "at most 8 KiB";
const SERIALIZATION: &str = "RFC 7519 §1: compact serialization only";
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const NAMES: [&str; 3] = ["header", "payload", "signature"];

pub(super) fn groups() -> Vec<Group> {
    let mut cases = segments();
    cases.extend(other_serializations());
    cases.extend(characters());
    cases.extend(unused_bits());
    cases.extend(sizes());
    vec![Group::plain("structure").with(cases)]
}

/// What is sent instead of the three segments with dots between.
type Shape = fn([&str; 3]) -> String;

/// Refused as a token where it is one by its characters, as a credential where not.
fn shaped(
    name: impl Into<String>,
    rule: &'static str,
    shape: impl Fn([&str; 3]) -> String + Send + Sync + 'static,
) -> Case {
    let draft = good().shaped(shape);
    let text = draft.text();
    let unpadded = text.trim_end_matches('=');
    let is_b64token = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    let case = Case::cheap(name, rule, draft, Malformed);
    if unpadded.is_empty() || !unpadded.bytes().all(is_b64token) || text.len() > 8192 {
        case.denied_as(MalformedCredential)
    } else {
        case
    }
}

fn segments() -> Vec<Case> {
    let shapes: [(&str, Shape); 19] = [
        ("nothing but dots", |_| "..".into()),
        ("one dot", |_| ".".into()),
        ("no header", |[_, p, s]| format!(".{p}.{s}")),
        ("no payload", |[h, _, s]| format!("{h}..{s}")),
        ("no signature", |[h, p, _]| format!("{h}.{p}.")),
        ("no dot behind the payload", |[h, p, _]| format!("{h}.{p}")),
        ("the header alone", |[h, ..]| h.into()),
        ("no dots at all", |[h, p, s]| format!("{h}{p}{s}")),
        ("a dot in front", |[h, p, s]| format!(".{h}.{p}.{s}")),
        ("a dot at the end", |[h, p, s]| format!("{h}.{p}.{s}.")),
        ("two dots between", |[h, p, s]| format!("{h}.{p}..{s}")),
        ("a fourth segment", |[h, p, s]| format!("{h}.{p}.{s}.{s}")),
        ("the payload twice", |[h, p, s]| format!("{h}.{p}.{p}.{s}")),
        ("five segments, as encrypted ones have", |[h, p, s]| {
            format!("{h}.{p}.{s}.{p}.{s}")
        }),
        ("a second token behind it", |[h, p, s]| {
            format!("{h}.{p}.{s}.{h}.{p}.{s}")
        }),
        ("a selective disclosure behind it", |[h, p, s]| {
            format!("{h}.{p}.{s}~WyJ4Il0~")
        }),
        ("commas for dots", |[h, p, s]| format!("{h},{p},{s}")),
        ("full-width dots", |[h, p, s]| {
            format!("{h}\u{ff0e}{p}\u{ff0e}{s}")
        }),
        ("escaped dots", |[h, p, s]| format!("{h}%2E{p}%2E{s}")),
    ];
    let cases = shapes.map(|(name, shape)| shaped(name, COMPACT, shape));
    cases.into()
}

fn other_serializations() -> Vec<Case> {
    let shapes: [(&str, Shape); 5] = [
        ("flattened JSON", |[h, p, s]| {
            format!(r#"{{"payload":"{p}","protected":"{h}","signature":"{s}"}}"#)
        }),
        ("general JSON", |[h, p, s]| {
            format!(r#"{{"payload":"{p}","signatures":[{{"protected":"{h}","signature":"{s}"}}]}}"#)
        }),
        ("a JSON string", |[h, p, s]| format!("\"{h}.{p}.{s}\"")),
        ("with its scheme", |[h, p, s]| format!("Bearer {h}.{p}.{s}")),
        ("a data URL", |[h, p, s]| {
            format!("data:application/jwt,{h}.{p}.{s}")
        }),
    ];
    let cases = shapes.map(|(name, shape)| shaped(name, SERIALIZATION, shape));
    cases.into()
}

/// A change of one segment.
type Change = fn(&str) -> String;

const CHANGES: [(&str, Change); 15] = [
    ("padding", |one| format!("{one}=")),
    ("two characters of padding", |one| format!("{one}==")),
    ("a plus sign", |one| format!("+{}", &one[1..])),
    ("a slash", |one| format!("/{}", &one[1..])),
    ("a tilde", |one| format!("~{}", &one[1..])),
    ("a space in front", |one| format!(" {one}")),
    ("a space behind", |one| format!("{one} ")),
    ("a space within", |one| {
        format!("{} {}", &one[..4], &one[4..])
    }),
    ("a line feed behind", |one| format!("{one}\n")),
    ("a carriage return within", |one| {
        format!("{}\r{}", &one[..4], &one[4..])
    }),
    ("a tab within", |one| {
        format!("{}\t{}", &one[..4], &one[4..])
    }),
    ("a NUL behind", |one| format!("{one}\0")),
    ("a space of no width", |one| format!("{one}\u{200b}")),
    ("a letter of no ASCII", |one| {
        format!("\u{430}{}", &one[1..])
    }),
    ("a length that no bytes have", |one| {
        let whole = one.len() / 4 * 4;
        format!("{}A", &one[..whole])
    }),
];

fn characters() -> Vec<Case> {
    let mut cases = Vec::new();
    for (place, segment) in NAMES.into_iter().enumerate() {
        for (name, change) in CHANGES {
            // More spaces than one between the scheme and the token are the header's business, and allowed.
            if (place, name) == (0, "a space in front") {
                continue;
            }
            cases.push(shaped(
                format!("{name} in the {segment}"),
                BASE64URL,
                move |all| {
                    let mut all = all.map(str::to_owned);
                    all[place] = change(&all[place]);
                    all.join(".")
                },
            ));
        }
    }
    cases
}

/// The last character of a segment, with one of the bits set that belong to no byte.
fn unused_bits() -> Vec<Case> {
    let mut cases = Vec::new();
    for remainder in [2, 3] {
        for place in 0..2 {
            let twin = of_length(place, remainder);
            cases.extend(with_each_unused_bit(&twin, place, remainder));
        }
    }
    // 64 bytes.
    cases.extend(with_each_unused_bit(&good(), 2, 2));
    cases
}

fn with_each_unused_bit(twin: &Draft, place: usize, remainder: usize) -> Vec<Case> {
    let bits = if remainder == 2 { 4 } else { 2 };
    let segment = NAMES[place];
    let cases = (0..bits).map(|bit| {
        let draft = twin.clone().shaped(move |all| {
            let mut all = all.map(str::to_owned);
            assert_eq!(all[place].len() % 4, remainder);
            let last = all[place].pop().unwrap();
            let value = ALPHABET.iter().position(|one| char::from(*one) == last);
            let value = value.unwrap() ^ (1 << bit);
            all[place].push(char::from(ALPHABET[value]));
            all.join(".")
        });
        let name = format!("the {segment} has {remainder} characters over and bit {bit} set");
        Case::cheap(name, CANONICAL, draft, Malformed).with_twin(twin.clone())
    });
    cases.collect()
}

/// A good token whose header or payload has so many characters over, by white space at the end.
fn of_length(place: usize, remainder: usize) -> Draft {
    let drafts = (0..3).map(|spaces| {
        let spaced = move |text: &str| format!("{text}{}", " ".repeat(spaces)).into_bytes();
        match place {
            0 => good().header_text(spaced),
            _ => good().payload_text(spaced),
        }
    });
    let fits = |draft: &Draft| {
        let text = draft.text();
        let segment = text.split('.').nth(place);
        segment.is_some_and(|segment| segment.len() % 4 == remainder)
    };
    drafts.into_iter().find(fits).unwrap()
}

fn sizes() -> Vec<Case> {
    let by_payload: fn(usize) -> Draft = |bytes| good().claim("pad", "p".repeat(bytes));
    let by_header: fn(usize) -> Draft = |bytes| good().header("pad", "p".repeat(bytes));
    let by_signature = good().resigned(|signature| [signature, vec![0; 6000]].concat());
    let mut cases = Vec::new();
    for (name, by) in [("payload", by_payload), ("header", by_header)] {
        let name = format!("one byte too long by its {name}");
        cases.push(
            Case::cheap(name, SIZE, of_size(8193, by), Malformed)
                .denied_as(MalformedCredential)
                .with_twin(of_size(8192, by)),
        );
    }
    let others = [
        ("much too long by its signature", by_signature),
        ("a megabyte", by_payload(1 << 20)),
    ];
    let others = others.map(|(name, draft)| Case::cheap(name, SIZE, draft, Malformed));
    cases.extend(others.map(|case| case.denied_as(MalformedCredential)));
    cases
}

/// A token of exactly so many characters. Base64url knows no length of four and one, so that header and payload
/// both have to give way.
fn of_size(length: usize, by: fn(usize) -> Draft) -> Draft {
    let near = (5400..6200).flat_map(|bytes| {
        let letters = 1..4;
        letters.map(move |letters| (bytes, letters))
    });
    let mut drafts = near.map(|(bytes, letters)| {
        let draft = by(bytes).claim("jti", "j".repeat(letters));
        draft.header("x", "y".repeat(letters))
    });
    drafts.find(|draft| draft.text().len() == length).unwrap()
}
