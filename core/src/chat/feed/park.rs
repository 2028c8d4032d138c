//! Events of devices that the log has not shown yet: kept, bounded, and taken in when it has.

use super::{Feeds, Outcome, Refusal, key};
use crate::store::{Range, Read, ReadError, Table};
use crate::types::ContentId;
use crate::wire::codec::Body;
use crate::wire::event::UnverifiedEvent;

/// The most events of unknown devices that a conversation keeps: a newcomer's first words while one has not walked the log.
const MAX_PARKED: u32 = 256;

/// The most bytes of them: thirty voice notes.
const MAX_PARKED_BYTES: u64 = 2 << 20;

impl<R: Read + ?Sized> Feeds<'_, '_, R> {
    /// Keeps an event whose author is not known. Nothing in it can be checked.
    pub(super) fn park(&mut self, id: &ContentId, event: &UnverifiedEvent) -> Result<Outcome, ReadError> {
        let key = key::event(&self.conversation, id);
        if self.tx.get(Table::Parked, &key)?.is_some() {
            return Ok(Outcome::Duplicate);
        }
        let value = event.encode();
        if value.len() > UnverifiedEvent::MAX_BYTES {
            return Ok(Outcome::Refused(Refusal::TooFar));
        }
        let bytes = self.heads.parked_bytes.saturating_add(value.len() as u64);
        if self.heads.parked >= MAX_PARKED || bytes > MAX_PARKED_BYTES {
            return Ok(Outcome::Refused(Refusal::ParkedFull));
        }
        self.heads.parked = self.heads.parked.saturating_add(1);
        self.heads.parked_bytes = bytes;
        self.tx.put(Table::Parked, self.scope(), key, value);
        Ok(Outcome::Parked)
    }

    /// Takes in the parked events of all devices that are known by now.
    pub(super) fn unpark(&mut self) -> Result<(), ReadError> {
        if self.heads.parked == 0 {
            return Ok(());
        }
        for row in self.tx.scan(Table::Parked, self.conversation.as_bytes(), Range::all())? {
            let Some(id) = key::read_place(&row.key) else { continue };
            if self.roster.member(&id.feed.device).is_none() {
                continue;
            }
            self.heads.parked = self.heads.parked.saturating_sub(1);
            self.heads.parked_bytes = self.heads.parked_bytes.saturating_sub(row.value.len() as u64);
            self.tx.delete(Table::Parked, row.key);
            if let Ok(event) = UnverifiedEvent::decode(&row.value) {
                self.ingest(event, true)?;
            }
        }
        Ok(())
    }
}
