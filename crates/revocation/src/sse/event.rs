use crate::feed::FeedFailure;

/// The longest line and the longest event, in bytes. A revocation has less, however its texts are escaped.
const MAX_BYTES: usize = 8 * 1024;

/// One event as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Event {
    /// Empty where it was not told.
    pub(super) name: String,
    pub(super) data: String,
    /// As this event has it, not one before.
    pub(super) id: Option<String>,
}

/// Makes events of bytes that come in any pieces, and stops at what no honest publisher sends.
#[derive(Debug, Default)]
pub(super) struct EventReader {
    line: Vec<u8>,
    event: Event,
    has_data: bool,
    /// A line feed that comes next belongs to the line break before.
    after_return: bool,
    is_begun: bool,
}

impl EventReader {
    /// Tells each event that ends in `bytes`.
    pub(super) fn read(
        &mut self,
        bytes: &[u8],
        mut tell: impl FnMut(Event) -> Result<(), FeedFailure>,
    ) -> Result<(), FeedFailure> {
        for &byte in bytes {
            let after_return = std::mem::replace(&mut self.after_return, byte == b'\r');
            match byte {
                b'\n' if after_return => {}
                b'\n' | b'\r' => {
                    if let Some(event) = self.end_line()? {
                        tell(event)?;
                    }
                }
                _ if self.line.len() == MAX_BYTES => return Err(FeedFailure::TooLarge),
                _ => self.line.push(byte),
            }
        }
        Ok(())
    }

    fn end_line(&mut self) -> Result<Option<Event>, FeedFailure> {
        let line = std::mem::take(&mut self.line);
        let line = std::str::from_utf8(&line).map_err(|_| FeedFailure::Malformed)?;
        let is_first = !std::mem::replace(&mut self.is_begun, true);
        let line = match line.strip_prefix('\u{feff}') {
            Some(rest) if is_first => rest,
            _ => line,
        };
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            let has_data = std::mem::take(&mut self.has_data);
            return Ok(has_data.then_some(event));
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event.name),
            "data" => {
                if std::mem::replace(&mut self.has_data, true) {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
                if self.event.data.len() > MAX_BYTES {
                    return Err(FeedFailure::TooLarge);
                }
            }
            "id" if !value.contains('\0') => self.event.id = Some(value.to_owned()),
            // Comments, what others may add, and `retry`: when to come again is ours to say.
            _ => {}
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(pieces: &[&[u8]]) -> (Vec<Event>, Result<(), FeedFailure>) {
        let mut reader = EventReader::default();
        let mut events = Vec::new();
        for piece in pieces {
            let read = reader.read(piece, |event| {
                events.push(event);
                Ok(())
            });
            if read.is_err() {
                return (events, read);
            }
        }
        (events, Ok(()))
    }

    fn event(name: &str, data: &str, id: Option<&str>) -> Event {
        Event {
            name: name.to_owned(),
            data: data.to_owned(),
            id: id.map(str::to_owned),
        }
    }

    #[test]
    fn events_are_read_as_the_standard_has_them() {
        let cases = [
            ("data: a\n\n", vec![event("", "a", None)]),
            ("data:a\r\n\r\n", vec![event("", "a", None)]),
            ("data:  a\r\r", vec![event("", " a", None)]),
            ("\u{feff}data: a\n\n", vec![event("", "a", None)]),
            ("data: a\ndata: b\n\n", vec![event("", "a\nb", None)]),
            ("data\n\n", vec![event("", "", None)]),
            (
                "event: x\nid: 1\ndata: a\n\ndata: b\n\n",
                vec![event("x", "a", Some("1")), event("", "b", None)],
            ),
            (
                ": comment\nretry: 1\nother: 2\ndata: a\n\n",
                vec![event("", "a", None)],
            ),
            ("event: x\nid: 1\n\n", vec![]),
            ("data: unfinished\n", vec![]),
            ("id: a\0b\ndata: a\n\n", vec![event("", "a", None)]),
        ];
        for (text, expected) in cases {
            assert_eq!(read(&[text.as_bytes()]), (expected, Ok(())), "{text:?}");
        }
    }

    #[test]
    fn what_is_too_long_or_no_text_ends_it() {
        let line = format!("data: {}\n\n", "x".repeat(MAX_BYTES));
        let lines = format!("data: {}\n", "x".repeat(1000)).repeat(9);
        let cases = [
            (line.as_bytes(), FeedFailure::TooLarge),
            (lines.as_bytes(), FeedFailure::TooLarge),
            (&[b'x'; MAX_BYTES + 1], FeedFailure::TooLarge),
            (b"data: \xff\n", FeedFailure::Malformed),
        ];
        for (bytes, failure) in cases {
            assert_eq!(read(&[bytes]), (Vec::new(), Err(failure)));
        }
    }

    proptest! {
        #[test]
        fn however_bytes_are_cut_the_same_events_come(
            text in r"((data|id|event)?:? ?[ab]?(\r\n|\n|\r)){0,12}",
            cut in 0..40_usize,
            second in 0..40_usize,
        ) {
            let bytes = text.as_bytes();
            let (cut, second) = (cut.min(bytes.len()), second.min(bytes.len()));
            let (low, high) = (cut.min(second), cut.max(second));
            prop_assert_eq!(
                read(&[&bytes[..low], &bytes[low..high], &bytes[high..]]),
                read(&[bytes])
            );
        }
    }
}
