//! The feed by server-sent events; what goes over the wire is in the crate's documentation.

#[cfg(feature = "reqwest")]
mod event;
#[cfg(feature = "reqwest")]
mod follow;
#[cfg(feature = "axum")]
mod publish;
#[cfg(feature = "reqwest")]
mod session;

#[cfg(feature = "reqwest")]
pub use self::follow::{ServerSentEvents, ServerSentEventsError};
#[cfg(feature = "axum")]
pub use self::publish::RevocationPublisher;

use std::fmt;

const REVOCATION: &str = "revocation";
const RESET: &str = "reset";
const CAUGHT_UP: &str = "caught-up";
const HEARTBEAT: &str = "heartbeat";

/// A place in a publisher's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Position {
    epoch: u64,
    sequence: u64,
}

impl Position {
    fn parse(text: &str) -> Option<Self> {
        let (epoch, sequence) = text.split_once('-')?;
        let is_digits = |text: &str, radix| text.chars().all(|digit| char::is_digit(digit, radix));
        if epoch.len() != 16 || !is_digits(epoch, 16) || !is_digits(sequence, 10) {
            return None;
        }
        Some(Self {
            epoch: u64::from_str_radix(epoch, 16).ok()?,
            sequence: sequence.parse().ok()?,
        })
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}-{}", self.epoch, self.sequence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_as_it_is_written_and_in_no_other_form() {
        let position = Position {
            epoch: 0xab,
            sequence: 17,
        };
        assert_eq!(position.to_string(), "00000000000000ab-17");
        assert_eq!(Position::parse(&position.to_string()), Some(position));
        for text in [
            "",
            "17",
            "-17",
            "ab-17",
            "00000000000000ab",
            "00000000000000ab-",
            "00000000000000ab-+1",
            "00000000000000ab-1-2",
            "+0000000000000ab-1",
            "00000000000000ab-99999999999999999999",
        ] {
            assert_eq!(Position::parse(text), None, "{text}");
        }
    }
}
