//! Taking in what others send: events, proofs, anchors, and another roster.

use super::super::roster::Standing;
use super::chain::{is_fault, place};
use super::row::{self, Fault, ZERO};
use super::{Feeds, MAX_INCARNATIONS, Outcome, Refusal, key};
use crate::store::{Read, ReadError, Table};
use crate::types::{ContentId, FeedId};
use crate::wire::event::{Event, EventError, UnverifiedEvent};
use crate::wire::message::Cut;

impl<R: Read + ?Sized> Feeds<'_, '_, R> {
    /// Takes in an event that somebody sent: its author, or whoever holds it. `live` when it came as it was written.
    ///
    /// # Errors
    /// When the store cannot be read. What is wrong with the event is in the outcome.
    pub fn ingest(&mut self, event: UnverifiedEvent, live: bool) -> Result<Outcome, ReadError> {
        let header = match event.peek() {
            Ok(header) => header,
            Err(error) => return Ok(refuse(EventError::from(error))),
        };
        if header.conversation != self.conversation {
            return Ok(Outcome::Refused(Refusal::OtherConversation));
        }
        if header.sequence == u64::MAX {
            return Ok(Outcome::Refused(Refusal::OutOfBounds));
        }
        let id = ContentId { feed: header.feed, sequence: header.sequence };
        let row = self.row(&id.feed)?;
        if (row.counts(id.sequence) || row.keeps(id.sequence))
            && let Some(held) = row::load_header(self.tx, &self.conversation, &id)?
            && held.as_raw().header == event.header
        {
            return self.complete(&held, event);
        }
        let Some(member) = self.roster.member(&id.feed.device) else { return self.park(&id, &event) };
        match event.verify(&member.events) {
            Ok(event) => {
                let outcome = self.place(&event, live)?;
                self.absorb(&id.feed)?;
                Ok(outcome)
            }
            Err(error) => Ok(refuse(error)),
        }
    }

    /// Puts a verified event in its place.
    pub(super) fn place(&mut self, event: &Event, live: bool) -> Result<Outcome, ReadError> {
        let id = place(event);
        let row = self.row(&id.feed)?;
        let counts = row.counts(id.sequence);
        if self.own() == Some(id.feed) && !counts {
            return Ok(Outcome::OwnAhead);
        }
        let demanded = if self.is_pinned(&id.feed, &row) { None } else { self.pinned_hash(&id)? };
        if demanded.is_some_and(|demanded| demanded != event.hash()) {
            return Ok(Outcome::Refused(Refusal::Cut));
        }
        if counts && let Some(held) = row::load_header(self.tx, &self.conversation, &id)? {
            if held.hash() == event.hash() {
                return self.complete(&held, event.as_raw().clone());
            }
            if self.own() == Some(id.feed) {
                return Ok(Outcome::OwnAhead);
            }
            return self.conflict(event, &held, live);
        }
        if self.is_closed(event) {
            return Ok(Outcome::Refused(Refusal::Cut));
        }
        if id.sequence >= self.ceiling(&id.feed, &row) {
            self.show_fault(&id.feed)?;
            return Ok(Outcome::Refused(Refusal::Ended));
        }
        // Only for what will be held: a feed makes no room for one of which nothing is.
        let held = id.sequence > 0 || Self::joins(&row, event);
        if row == row::FeedRow::default() && held && !self.make_room(&id.feed)? {
            return Ok(Outcome::Refused(Refusal::TooManyFeeds));
        }
        if row.keeps(id.sequence) {
            return self.rekeep(&id, event);
        }
        if id.sequence >= self.limit(&id.feed, &row)? && !(demanded.is_some() && Self::joins(&row, event)) {
            // Beyond a fault, but within a cut: it may be of the chain that the cut names.
            return self.keep(event);
        }
        if Self::joins(&row, event) {
            if let Some(preferred) = self.preferred(event)? {
                self.count(&preferred, live)?;
                return Ok(Outcome::Fork);
            }
            return self.count(event, live);
        }
        if id.sequence == row.next {
            return self.misfit(event, live);
        }
        if id.sequence < row.low {
            return self.place_below(event);
        }
        self.keep(event)
    }

    /// Whether a device may have one more feed. Of those that no commit has closed the [`MAX_INCARNATIONS`] with the lowest ids
    /// count, whichever came first: the ids are random, so that all who have seen the same headers agree, and nobody can push
    /// another's feed out. A feed with a greater id than all that have a place is refused; else the greatest of them goes.
    ///
    /// Closed ones do not count here: the log says which there are, and whoever was removed and taken in again has to begin anew.
    fn make_room(&mut self, new: &FeedId) -> Result<bool, ReadError> {
        if self.roster.cut(new).is_some() {
            return Ok(true);
        }
        let mut open = self.feeds_of(Some(&new.device))?;
        let own = self.own();
        open.retain(|feed| self.roster.cut(feed).is_none() && own != Some(*feed) && feed != new);
        if open.len() < MAX_INCARNATIONS {
            return Ok(true);
        }
        let Some(greatest) = open.pop().filter(|greatest| new < greatest) else { return Ok(false) };
        self.give_up(&greatest)?;
        Ok(true)
    }

    /// Takes a feed out with all that is held of it.
    fn give_up(&mut self, feed: &FeedId) -> Result<(), ReadError> {
        self.truncate(feed, 0)?;
        self.drop_kept(feed, 0)?;
        self.rows.remove(feed);
        self.tx.delete(Table::Feed, key::feed(&self.conversation, feed));
        self.tx.delete(Table::Feed, key::fault(&self.conversation, feed));
        self.changes.faults.retain(|(of, _)| of != feed);
        Ok(())
    }

    /// Whether a cut, or its device's leaving without one, excludes an event.
    fn is_closed(&self, event: &Event) -> bool {
        self.roster.standing(&event.header().feed, event.header().sequence, &event.hash()) == Standing::Cut
    }

    /// Of two events kept for one place beyond a gap the one with the lower hash stays, and the two are a proof.
    fn rekeep(&mut self, id: &ContentId, event: &Event) -> Result<Outcome, ReadError> {
        let Some(held) = row::load_header(self.tx, &self.conversation, id)? else { return self.keep(event) };
        if held.hash() == event.hash() {
            return Ok(Outcome::Duplicate);
        }
        self.convict(&held, event)?;
        if event.hash() < held.hash() || self.roster.cut(&id.feed).is_some() {
            self.forget(id);
            self.keep(event)?;
        }
        Ok(Outcome::Fork)
    }

    /// An event whose place has come, and that does not join what counts.
    fn misfit(&mut self, event: &Event, live: bool) -> Result<Outcome, ReadError> {
        let id = place(event);
        let mut row = self.row(&id.feed)?;
        if row.next == row.low {
            if row.low == 0 {
                // The first of a feed names no predecessor: there is nothing that it could join.
                return Ok(Outcome::Refused(Refusal::OffAnchor));
            }
            // The anchor was wrong, or its feed ended differently: the whole feed is wanted instead.
            (row.low, row.next, row.below, row.head) = (0, 0, ZERO, ZERO);
            self.set_row(id.feed, row);
            return self.place(event, live);
        }
        let last = ContentId { feed: id.feed, sequence: id.sequence.saturating_sub(1) };
        let Some(held) = row::load_header(self.tx, &self.conversation, &last)? else {
            return Ok(Outcome::Refused(Refusal::OffAnchor));
        };
        if self.roster.cut(&id.feed).is_some() {
            // One of the two is off the chain that the cut pins; which, shows when its end is reached.
            self.convict(&held, event)?;
            return self.keep(event);
        }
        self.convict(&held, event)?;
        Ok(Outcome::Fork)
    }

    /// An event before a newcomer's anchor.
    fn place_below(&mut self, event: &Event) -> Result<Outcome, ReadError> {
        let id = place(event);
        let row = self.row(&id.feed)?;
        if !row.wanted {
            return Ok(Outcome::Refused(Refusal::OffAnchor));
        }
        if id.sequence.saturating_add(1) != row.low {
            return self.keep(event);
        }
        let above = ContentId { feed: id.feed, sequence: row.low };
        let above = row::load_header(self.tx, &self.conversation, &above)?;
        let joins = event.hash() == row.below
            && above.is_none_or(|above| row::Tip::of(event.header()).admits(above.header()))
            && (id.sequence > 0 || event.header().previous == ZERO);
        if joins { self.count(event, false) } else { Ok(Outcome::Refused(Refusal::OffAnchor)) }
    }

    /// An event that is held came again, perhaps with the content that is not.
    fn complete(&mut self, held: &Event, again: UnverifiedEvent) -> Result<Outcome, ReadError> {
        let id = place(held);
        let mut row = self.row(&id.feed)?;
        let lacks = row.lacking.binary_search(&id.sequence).is_ok();
        let Some(content) = again.content.filter(|_| lacks || row.keeps(id.sequence)) else {
            return Ok(Outcome::Duplicate);
        };
        if content.salt.len() != crate::wire::event::Content::SALT_BYTES || content.hash() != held.header().content {
            return Ok(refuse(EventError::WrongContent));
        }
        row::put(self.tx, &self.conversation, held, Some(&content))?;
        if !lacks {
            return Ok(Outcome::Duplicate);
        }
        row.unlack(id.sequence);
        self.set_row(id.feed, row);
        let whole = UnverifiedEvent { content: Some(content), ..held.as_raw().clone() };
        let whole = Event::from_store(whole).map_err(|_| ReadError::Damaged { table: Table::Event })?;
        self.index_content(&whole)?;
        self.report(&whole);
        Ok(Outcome::Completed)
    }

    /// Takes in a proof that a feed is at fault.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn take_fault(&mut self, fault: &Fault) -> Result<Outcome, ReadError> {
        let (one, other) = match (self.verify_bare(&fault.one), self.verify_bare(&fault.other)) {
            (Ok(one), Ok(other)) => (one, other),
            (Err(refusal), _) | (_, Err(refusal)) => return Ok(Outcome::Refused(refusal)),
        };
        if !is_fault(&one, &other) {
            return Ok(Outcome::Refused(Refusal::NoProof));
        }
        let feed = one.header().feed;
        let row = self.row(&feed)?;
        if self.is_pinned(&feed, &row) {
            return Ok(Outcome::Refused(Refusal::Cut));
        }
        if row == row::FeedRow::default() && !self.make_room(&feed)? {
            return Ok(Outcome::Refused(Refusal::TooManyFeeds));
        }
        let mut news = self.convict(&one, &other)?;
        for event in [&one, &other] {
            let id = place(event);
            let row = self.row(&feed)?;
            let held = if row.counts(id.sequence) { row::load_header(self.tx, &self.conversation, &id)? } else { None };
            match held {
                Some(held) if held.hash() != event.hash() && event.hash() < held.hash() => {
                    news |= self.conflict(event, &held, false)? == Outcome::Fork;
                }
                Some(_) => {}
                None if self.fits(&row, event)? => {
                    news |= self.count(event, false)? == Outcome::New;
                }
                None => {}
            }
        }
        self.absorb(&feed)?;
        Ok(if news { Outcome::Fork } else { Outcome::Duplicate })
    }

    /// Whether an event may be the next that counts of its feed.
    fn fits(&self, row: &row::FeedRow, event: &Event) -> Result<bool, ReadError> {
        let within = event.header().sequence < self.limit(&event.header().feed, row)?;
        let demanded = self.pinned_hash(&place(event))?;
        let chosen = demanded.is_none_or(|demanded| demanded == event.hash());
        Ok(within && chosen && Self::joins(row, event) && !self.is_closed(event))
    }

    fn verify_bare(&self, event: &UnverifiedEvent) -> Result<Event, Refusal> {
        let header = event.peek().map_err(EventError::from)?;
        if header.conversation != self.conversation {
            return Err(Refusal::OtherConversation);
        }
        if header.sequence == u64::MAX {
            return Err(Refusal::OutOfBounds);
        }
        let Some(member) = self.roster.member(&header.feed.device) else { return Err(Refusal::NoProof) };
        let bare = UnverifiedEvent { content: None, ..event.clone() };
        Ok(bare.verify(&member.events)?)
    }

    /// Has the proof of a feed's fault sent to whoever does not know it.
    pub(super) fn show_fault(&mut self, feed: &FeedId) -> Result<(), ReadError> {
        if self.changes.faults.iter().any(|(of, _)| of == feed) {
            return Ok(());
        }
        let fault: Option<Fault> = row::load(self.tx, Table::Feed, &key::fault(&self.conversation, feed))?;
        self.changes.faults.extend(fault.map(|fault| (*feed, fault)));
        Ok(())
    }

    /// A newcomer's history of a feed starts here. With `history`, what lies before is wanted too. Without effect where more
    /// is held already.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn anchor(&mut self, anchor: &Cut, history: bool) -> Result<(), ReadError> {
        let mut row = self.row(&anchor.feed)?;
        let known = row.next > row.low || row.next >= anchor.next;
        if known || self.own() == Some(anchor.feed) || anchor.next == u64::MAX {
            return Ok(());
        }
        if row == row::FeedRow::default() && !self.make_room(&anchor.feed)? {
            return Ok(());
        }
        (row.low, row.next) = (anchor.next, anchor.next);
        (row.below, row.head) = (anchor.hash, anchor.hash);
        row.wanted = history;
        // What was written before one came is no news.
        row.read = row.read.max(anchor.next);
        row.told = anchor.next;
        self.set_row(anchor.feed, row);
        if !history {
            self.drop_kept_below(&anchor.feed, anchor.next)?;
        }
        self.absorb(&anchor.feed)
    }

    fn drop_kept_below(&mut self, feed: &FeedId, below: u64) -> Result<(), ReadError> {
        let mut row = self.row(feed)?;
        for (from, to) in &row.beyond {
            for sequence in *from..(*to).min(below) {
                self.forget(&ContentId { feed: *feed, sequence });
            }
        }
        row.beyond = row.beyond.into_iter().map(|(from, to)| (from.max(below), to)).filter(|(a, b)| a < b).collect();
        self.set_row(*feed, row);
        Ok(())
    }

    /// The roster is another one than before: what lies beyond its cuts ceases to count, what it closes no more may count
    /// again, and parked events of devices that it knows are taken in.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn apply_roster(&mut self) -> Result<(), ReadError> {
        for feed in self.feeds_of(None)? {
            let row = self.row(&feed)?;
            let (mut limit, mut ceiling) = (self.limit(&feed, &row)?, self.ceiling(&feed, &row));
            if let Some(cut) = self.roster.cut(&feed)
                && cut.next > row.low
                && row.next >= cut.next
            {
                let last = ContentId { feed, sequence: cut.next.saturating_sub(1) };
                let held = row::load_header(self.tx, &self.conversation, &last)?;
                if held.is_some_and(|held| held.hash() != cut.hash) {
                    (limit, ceiling) = (limit.min(last.sequence), last.sequence);
                }
            }
            if row.next > limit {
                self.take_out(&feed, limit, ceiling)?;
            }
            if row.beyond.last().is_some_and(|(_, end)| *end > ceiling) {
                self.drop_kept(&feed, ceiling)?;
            }
            self.absorb(&feed)?;
        }
        self.unpark()
    }
}

fn refuse(error: EventError) -> Outcome {
    Outcome::Refused(Refusal::Invalid(error))
}
