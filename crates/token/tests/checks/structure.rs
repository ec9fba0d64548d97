use countersign_token::{MAX_TOKEN_BYTES, Refusal};

use crate::support::{World, segments};

#[test]
fn whatever_is_not_three_segments_of_base64url_is_malformed() {
    let world = World::new();
    let good = world.token().mint();
    assert_eq!(world.decide(&good), Ok(()));

    let [h, p, s] = segments(&good);
    let cases = [
        ("nothing", String::new()),
        ("one segment", h.into()),
        ("two segments", format!("{h}.{p}")),
        ("four segments", format!("{good}.{s}")),
        ("a fourth that is empty", format!("{good}.")),
        (
            "five segments, as an encrypted token has",
            format!("{h}.{p}.{s}.{s}.{s}"),
        ),
        ("an empty header", format!(".{p}.{s}")),
        ("an empty payload", format!("{h}..{s}")),
        ("an empty signature", format!("{h}.{p}.")),
        ("dots only", "..".into()),
        ("more dots", "...".into()),
        ("padding behind the header", format!("{h}=.{p}.{s}")),
        ("padding behind the payload", format!("{h}.{p}=.{s}")),
        ("padding behind the signature", format!("{good}==")),
        ("a space in front", format!(" {good}")),
        ("a space behind", format!("{good} ")),
        ("a line feed behind", format!("{good}\n")),
        ("a line break behind", format!("{good}\r\n")),
        ("a tab before a dot", format!("{h}\t.{p}.{s}")),
        ("a space after a dot", format!("{h}. {p}.{s}")),
        ("a no-break space", format!("{h}.{p}.{s}\u{a0}")),
        ("a byte order mark", format!("\u{feff}{good}")),
        ("a NUL", format!("{good}\0")),
        ("a letter outside ASCII", format!("{h}.{p}.\u{e9}{s}")),
        ("a dot that is none", format!("{h}\u{ff0e}{p}.{s}")),
        ("a percent-encoded dot", format!("{h}%2E{p}.{s}")),
        ("a plus", format!("{h}.{p}.+{}", &s[1..])),
        ("a slash", format!("{h}.{p}./{}", &s[1..])),
        ("a scheme in front", format!("Bearer {good}")),
        ("quotes", format!("\"{good}\"")),
        ("a length that no bytes have", format!("{h}.{p}.AAAAA")),
    ];
    for (name, token) in cases {
        assert_eq!(world.decide(&token), Err(Refusal::Malformed), "{name}");
    }
}

/// The same bytes for a lenient decoder, with bits set that encode nothing.
fn non_canonical(segment: &str) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (last, rest) = segment.as_bytes().split_last().unwrap();
    let value = ALPHABET.iter().position(|letter| letter == last).unwrap();
    assert!(matches!(segment.len() % 4, 2 | 3), "no bits are left over");
    let rest = std::str::from_utf8(rest).unwrap();
    format!("{rest}{}", char::from(ALPHABET[value + 1]))
}

#[test]
fn a_last_character_that_is_not_canonical_is_malformed_in_each_segment() {
    let world = World::new();
    let mut seen = [0; 3];
    // Of three lengths in a row two have bits left over.
    for length in 0..3 {
        let filler = "x".repeat(length);
        let token = world
            .token()
            .with_header("filler", filler.as_str())
            .with_claim("filler", filler.as_str())
            .mint();
        for place in 0..3 {
            let mut segments = segments(&token).map(str::to_owned);
            if segments[place].len() % 4 == 0 {
                continue;
            }
            segments[place] = non_canonical(&segments[place]);
            let token = segments.join(".");
            assert_eq!(world.decide(&token), Err(Refusal::Malformed), "{place}");
            seen[place] += 1;
        }
    }
    assert_eq!(seen, [2, 2, 3]);
}

/// A good token of exactly so many bytes.
fn token_of_length(world: &World, length: usize) -> String {
    let filled = |header: usize, claim: usize| {
        world
            .token()
            .with_header("filler", "x".repeat(header))
            .with_claim("filler", "x".repeat(claim))
            .mint()
    };
    let about = (length - filled(0, 0).len()) / 4 * 3;
    // Not every length can be had by one segment alone.
    let fillers =
        (0..4).flat_map(|header| (about - 8..about + 8).map(move |claim| (header, claim)));
    fillers
        .map(|(header, claim)| filled(header, claim))
        .find(|token| token.len() == length)
        .unwrap()
}

#[test]
fn a_token_may_have_8_kib_and_not_a_byte_more() {
    let world = World::new();
    assert_eq!(MAX_TOKEN_BYTES, 8192);
    let cases = [
        (8191, Ok(())),
        (8192, Ok(())),
        (8193, Err(Refusal::Malformed)),
    ];
    for (length, expected) in cases {
        let token = token_of_length(&world, length);
        assert_eq!(world.decide(&token), expected, "{length} bytes");
    }
    let megabyte = "A".repeat(1 << 20);
    assert_eq!(world.decide(&megabyte), Err(Refusal::Malformed));
}
