//! Read marks of the own account, and how much is unread.
//!
//! A mark is a place in each feed. Along a feed clocks never fall, so that "all up to here in order of display" is a prefix of
//! each feed; what arrives late lies beyond the marks and is unread, wherever it is displayed.

use super::Feeds;
use super::row::{self, FeedRow};
use crate::store::{Read, ReadError, Scope, Table};
use crate::types::{Clock, ContentId, FeedId};
use crate::wire::codec::Body;
use crate::wire::message::{Kind, Mark, Marks};

impl<R: Read + ?Sized> Feeds<'_, '_, R> {
    /// Marks everything up to an event, in order of display, as read. Returns the marks that moved, for the account's other
    /// devices; nothing if the event is not here.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn mark_read(&mut self, upto: &ContentId) -> Result<Vec<Mark>, ReadError> {
        let held = row::load_header(self.tx, &self.conversation, upto)?;
        let Some(held) = held.filter(|_| self.row(&upto.feed).is_ok_and(|row| row.counts(upto.sequence))) else {
            return Ok(Vec::new());
        };
        let last = (held.header().clock, *upto);
        let mut moved = Vec::new();
        for feed in self.feeds_of(None)? {
            let row = self.row(&feed)?;
            let next = self.first_after(&feed, &row, last)?;
            if next > row.read && self.set_read(&feed, next)? {
                moved.push(Mark { feed, next });
            }
        }
        Ok(moved)
    }

    /// Takes over marks that another device of the own account made. The greater counts.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn merge_read(&mut self, marks: &[Mark]) -> Result<(), ReadError> {
        for mark in marks {
            let known = self.row(&mark.feed)?;
            if known == FeedRow::default() && self.feeds_of(Some(&mark.feed.device))?.len() >= super::MAX_INCARNATIONS {
                continue;
            }
            if mark.next > known.read {
                self.set_read(&mark.feed, mark.next)?;
            }
        }
        Ok(())
    }

    /// The marks that have moved since they were told last; nothing when none has. They count as told from now on. With
    /// `receipts`, what was read is told too; with `all`, also what was told before: at a meeting.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn take_marks(&mut self, receipts: bool, all: bool) -> Result<Option<Marks>, ReadError> {
        let mut marks = Marks::default();
        for feed in self.feeds_of(None)? {
            if feed.device == self.me.device {
                continue;
            }
            let mut row = self.row(&feed)?;
            let before = row.clone();
            if row.next > 0 && (all || row.next != row.told) {
                marks.delivered.push(Mark { feed, next: row.next });
                row.told = row.next;
            }
            let read = row.read.min(row.next);
            if receipts && read > 0 && (all || read > row.read_told) {
                marks.read.push(Mark { feed, next: read });
                row.read_told = read;
            }
            if row != before {
                self.set_row(feed, row);
            }
        }
        Ok((!marks.delivered.is_empty() || !marks.read.is_empty()).then_some(marks))
    }

    /// Whether [`Self::take_marks`] has something to tell.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn has_marks(&self, receipts: bool) -> Result<bool, ReadError> {
        for feed in self.feeds_of(None)? {
            let row = self.row(&feed)?;
            let moved = row.next != row.told || (receipts && row.read.min(row.next) > row.read_told);
            if feed.device != self.me.device && moved {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The first place of a feed that is displayed after `last`.
    fn first_after(&self, feed: &FeedId, row: &FeedRow, last: (Clock, ContentId)) -> Result<u64, ReadError> {
        let (mut low, mut high) = (row.read.max(row.low).min(row.next), row.next);
        while low < high {
            let middle = low.saturating_add(high.saturating_sub(low) / 2);
            let id = ContentId { feed: *feed, sequence: middle };
            let held = row::load_header(self.tx, &self.conversation, &id)?;
            let after = held.is_some_and(|event| (event.header().clock, id) > last);
            if after { high = middle } else { low = middle.saturating_add(1) }
        }
        Ok(low)
    }

    fn set_read(&mut self, feed: &FeedId, read: u64) -> Result<bool, ReadError> {
        let row = self.row(feed)?;
        let (from, next) = (row.read.max(row.low), row.next);
        // Whichever is shorter is looked through: what was read now, or what is left.
        let passed = read.min(next).saturating_sub(from);
        let unread = if row.unread == 0 || read >= next {
            0
        } else if passed <= next.saturating_sub(read) {
            row.unread.saturating_sub(self.messages(feed, from, read)?)
        } else {
            self.messages(feed, read, next)?
        };
        let mut row = row;
        self.unread = self.unread.saturating_add(i64::from(unread).saturating_sub(i64::from(row.unread)));
        (row.read, row.unread) = (read, unread);
        self.set_row(*feed, row);
        Ok(true)
    }

    /// How many unread messages lie in a part of a foreign feed.
    fn messages(&self, feed: &FeedId, from: u64, to: u64) -> Result<u32, ReadError> {
        let mut messages = 0u32;
        for sequence in from..to {
            let id = ContentId { feed: *feed, sequence };
            let held = row::load_header(self.tx, &self.conversation, &id)?;
            if let Some(event) = held
                && is_message(event.header().kind)
                && !self.is_deleted(&id)?
            {
                messages = messages.saturating_add(1);
            }
        }
        Ok(messages)
    }

    /// A message of a feed appeared (`+1`) or went away (`-1`): counted where it is unread and by somebody else.
    pub(crate) fn count_unread(&mut self, id: &ContentId, kind: u16, by: i64) -> Result<(), ReadError> {
        let foreign = self.account_of(&id.feed.device) != Some(self.me.account);
        let mut row = self.row(&id.feed)?;
        if !is_message(kind) || !foreign || id.sequence < row.read {
            return Ok(());
        }
        let unread = i64::from(row.unread).saturating_add(by).clamp(0, i64::from(u32::MAX));
        self.unread = self.unread.saturating_add(unread.saturating_sub(i64::from(row.unread)));
        row.unread = u32::try_from(unread).unwrap_or(u32::MAX);
        self.set_row(id.feed, row);
        Ok(())
    }

    /// Writes the conversation's row in the list of chats, if it is another one than before.
    pub(super) fn write_summary(&mut self) -> Result<(), ReadError> {
        if self.unread == 0 && self.changes.touched.is_empty() {
            return Ok(());
        }
        let before: super::super::timeline::SummaryRow =
            row::load(self.tx, Table::Summary, self.conversation.as_bytes())?.unwrap_or_default();
        let last = super::super::timeline::last(self.tx, &self.conversation)?;
        let unread = i64::from(before.unread).saturating_add(self.unread).clamp(0, i64::from(u32::MAX));
        let after = super::super::timeline::SummaryRow { last, unread: u32::try_from(unread).unwrap_or(u32::MAX) };
        if after != before {
            let scope = Scope::Conversation(self.conversation);
            self.tx.put(Table::Summary, scope, *self.conversation.as_bytes(), after.encode());
        }
        Ok(())
    }
}

/// Whether an event of this kind is something to read.
pub(crate) fn is_message(kind: u16) -> bool {
    const READ: [Kind; 4] = [Kind::Text, Kind::VoiceNote, Kind::File, Kind::LongVoiceNote];
    !Kind::is_silent(kind) && Kind::from_number(kind).is_none_or(|kind| READ.contains(&kind))
}
