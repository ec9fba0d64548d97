//! What a follower makes of events, without a network.

use super::event::Event;
use super::{CAUGHT_UP, HEARTBEAT, Position, RESET, REVOCATION};
use crate::feed::{FeedFailure, FeedSink};
use crate::revocation::Revocation;

/// A follower on one connection, and where it was on the last.
#[derive(Debug, Default)]
pub(super) struct Session {
    /// Where to go on; `None` to be told everything.
    position: Option<Position>,
    has_caught_up: bool,
    /// Read and not recorded yet.
    unrecorded: Vec<Revocation>,
}

impl Session {
    pub(super) fn last_event_id(&self) -> Option<String> {
        self.position.map(|position| position.to_string())
    }

    /// Another connection.
    pub(super) fn begin(&mut self) {
        self.has_caught_up = false;
    }

    /// After an error, everything is asked for that is not certain.
    pub(super) fn take(&mut self, event: &Event, sink: &FeedSink) -> Result<(), FeedFailure> {
        match event.name.as_str() {
            REVOCATION => {
                self.advance(event)?;
                match Revocation::from_json(event.data.as_bytes()) {
                    Ok(revocation) => self.unrecorded.push(revocation),
                    Err(invalid) => sink.refuse(&invalid),
                }
            }
            RESET => {
                self.position = None;
                self.has_caught_up = false;
                sink.fell_behind();
            }
            CAUGHT_UP => {
                let id = event.id.as_deref().and_then(Position::parse);
                let id = id.ok_or(FeedFailure::Malformed)?;
                if self.position.is_some_and(|position| position != id) {
                    return self.gap();
                }
                self.position = Some(id);
                self.has_caught_up = true;
                self.record(sink);
                sink.caught_up();
            }
            HEARTBEAT if self.has_caught_up => {
                let said = Position::parse(&event.data).ok_or(FeedFailure::Malformed)?;
                if self.position != Some(said) {
                    return self.gap();
                }
                sink.heard();
            }
            HEARTBEAT => {}
            _ => sink.refuse(&"an unknown kind of event"),
        }
        Ok(())
    }

    /// Records what was read so far.
    pub(super) fn record(&mut self, sink: &FeedSink) {
        if !self.unrecorded.is_empty() {
            sink.record(self.unrecorded.drain(..));
            sink.heard();
        }
    }

    /// A revocation with an id must be the next one.
    fn advance(&mut self, event: &Event) -> Result<(), FeedFailure> {
        let Some(id) = &event.id else {
            // As after a reset; otherwise it would not be known where to go on.
            return match self.position {
                None => Ok(()),
                Some(_) => Err(FeedFailure::Malformed),
            };
        };
        let id = Position::parse(id).ok_or(FeedFailure::Malformed)?;
        match &mut self.position {
            Some(position) if position.epoch == id.epoch && id.sequence <= position.sequence => {}
            Some(position)
                if position.epoch == id.epoch
                    && position.sequence.checked_add(1) == Some(id.sequence) =>
            {
                *position = id;
            }
            _ => return self.gap(),
        }
        Ok(())
    }

    fn gap(&mut self) -> Result<(), FeedFailure> {
        self.position = None;
        Err(FeedFailure::Gap)
    }
}
