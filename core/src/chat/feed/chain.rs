//! Joining events to a feed's chain, and taking them out again.

use super::row::{self, Fault, FeedRow, Tip, ZERO};
use super::{Counted, Feeds, Outcome, Refusal, key};
use crate::store::{Read, ReadError, Table};
use crate::types::{ContentId, FeedId, Hash};
use crate::wire::codec::Body;
use crate::wire::event::{Event, UnverifiedEvent};
use crate::wire::message::Kind;

impl<R: Read + ?Sized> Feeds<'_, '_, R> {
    /// Whether an event joins the chain at its upper end.
    pub(super) fn joins(row: &FeedRow, event: &Event) -> bool {
        let header = event.header();
        header.sequence == row.next && header.previous == row.head && row.tip.is_none_or(|tip| tip.admits(header))
    }

    /// Lets an event count: at the upper end of its feed, or right below the lower end.
    pub(super) fn count(&mut self, event: &Event, live: bool) -> Result<Outcome, ReadError> {
        let header = event.header();
        let id = place(event);
        let mut row = self.row(&id.feed)?;
        let lacks = event.content().is_none() && !self.explained(&id, header.kind)?;
        if lacks && !row.lack(id.sequence) {
            return Ok(Outcome::Refused(Refusal::TooFar));
        }
        row.unkeep(id.sequence);
        if id.sequence == row.next {
            row.next = id.sequence.saturating_add(1);
            row.head = event.hash();
            row.tip = Some(Tip::of(header));
        } else {
            row.low = id.sequence;
            row.below = header.previous;
        }
        self.set_row(id.feed, row);
        self.heads.clock = self.heads.clock.merge(header.clock);
        let content = if self.explained(&id, header.kind)? { None } else { event.content() };
        row::put(self.tx, &self.conversation, event, content)?;
        self.index(event, live)?;
        self.report(event);
        Ok(Outcome::New)
    }

    /// Keeps an event that does not join yet.
    pub(super) fn keep(&mut self, event: &Event) -> Result<Outcome, ReadError> {
        let id = place(event);
        let mut row = self.row(&id.feed)?;
        if !row.keep(id.sequence) {
            return Ok(Outcome::Refused(Refusal::TooFar));
        }
        self.set_row(id.feed, row);
        row::put(self.tx, &self.conversation, event, event.content())?;
        Ok(Outcome::Kept)
    }

    /// Joins what is kept beyond gaps, as far as it joins now.
    pub(super) fn absorb(&mut self, feed: &FeedId) -> Result<(), ReadError> {
        self.settle(feed)?;
        loop {
            let row = self.row(feed)?;
            let up = row.keeps(row.next) && row.next < self.limit(feed, &row)?;
            let down = row.wanted && row.low > 0 && row.keeps(row.low.saturating_sub(1));
            let sequence = match (up, down) {
                (true, _) => row.next,
                (false, true) => row.low.saturating_sub(1),
                (false, false) => return Ok(()),
            };
            let id = ContentId { feed: *feed, sequence };
            let Some(event) = row::load_event(self.tx, &self.conversation, &id)? else {
                self.unkeep(&id)?;
                continue;
            };
            // It is taken as if it came now; if it does not join it is gone, and repair brings what does.
            self.unkeep(&id)?;
            if matches!(self.place(&event, false)?, Outcome::Refused(_) | Outcome::Fork) {
                let held = self.row(feed)?;
                if !held.counts(sequence) && !held.keeps(sequence) {
                    self.forget(&id);
                }
            }
            let row = self.row(feed)?;
            if row.keeps(sequence) {
                return Ok(());
            }
        }
    }

    fn unkeep(&mut self, id: &ContentId) -> Result<(), ReadError> {
        let mut row = self.row(&id.feed)?;
        row.unkeep(id.sequence);
        self.set_row(id.feed, row);
        Ok(())
    }

    /// Deletes an event's rows.
    pub(super) fn forget(&mut self, id: &ContentId) {
        let key = key::event(&self.conversation, id);
        self.tx.delete(Table::Event, key.clone());
        self.tx.delete(Table::Content, key);
    }

    /// What counts of a feed ends before `from`: the events there and beyond are taken out.
    pub(super) fn truncate(&mut self, feed: &FeedId, from: u64) -> Result<(), ReadError> {
        self.take_out(feed, from, 0)
    }

    /// What counts of a feed ends before `from`. Those of the events there and beyond that lie before `kept` stay, beyond the gap.
    pub(super) fn take_out(&mut self, feed: &FeedId, from: u64, kept: u64) -> Result<(), ReadError> {
        let row = self.row(feed)?;
        let (low, next) = (row.low, row.next);
        for sequence in (from.max(low)..next).rev() {
            let id = ContentId { feed: *feed, sequence };
            let event = row::load_event(self.tx, &self.conversation, &id)?;
            let mut row = self.row(feed)?;
            row.next = sequence;
            row.unlack(sequence);
            let stays = sequence < kept && event.is_some() && row.keep(sequence);
            self.set_row(*feed, row);
            if let Some(event) = event {
                self.unindex(&event)?;
            }
            if !stays {
                self.forget(&id);
            }
            self.changes.counted.retain(|counted| counted.id != id);
            self.changes.uncounted.push(id);
        }
        let last = ContentId { feed: *feed, sequence: from.saturating_sub(1) };
        let held = if from > low { row::load_header(self.tx, &self.conversation, &last)? } else { None };
        let mut row = self.row(feed)?;
        if from < low {
            (row.low, row.next, row.below, row.head, row.tip, row.wanted) = (0, 0, ZERO, ZERO, None, false);
        } else if from < next {
            row.head = held.as_ref().map_or(row.below, Event::hash);
            row.tip = held.as_ref().map(|event| Tip::of(event.header()));
        }
        row.told = row.told.min(row.next);
        self.set_row(*feed, row);
        Ok(())
    }

    /// Drops what is kept at or beyond a place.
    pub(super) fn drop_kept(&mut self, feed: &FeedId, from: u64) -> Result<(), ReadError> {
        let mut row = self.row(feed)?;
        let kept = std::mem::take(&mut row.beyond);
        for (start, end) in &kept {
            for sequence in (*start).max(from)..*end {
                self.forget(&ContentId { feed: *feed, sequence });
            }
        }
        row.beyond = kept.into_iter().map(|(start, end)| (start, end.min(from))).filter(|(a, b)| a < b).collect();
        self.set_row(*feed, row);
        Ok(())
    }

    /// Two headers of one feed are at odds: keeps the proof if it is of a lower place than what is known. Says whether it was.
    pub(super) fn convict(&mut self, one: &Event, other: &Event) -> Result<bool, ReadError> {
        let feed = one.header().feed;
        let end = one.header().sequence.max(other.header().sequence).saturating_add(1);
        let mut row = self.row(&feed)?;
        if row.end.is_some_and(|known| known <= end) {
            return Ok(false);
        }
        let (first, second) = if order(one) <= order(other) { (one, other) } else { (other, one) };
        let fault = Fault { one: bare(first), other: bare(second) };
        let fault_key = key::fault(&self.conversation, &feed);
        self.tx.put(Table::Feed, self.scope(), fault_key, fault.encode());
        self.changes.faults.retain(|(of, _)| *of != feed);
        self.changes.faults.push((feed, fault));
        row.end = Some(end);
        let (limit, ceiling) = (self.limit(&feed, &row)?, self.ceiling(&feed, &row));
        self.set_row(feed, row);
        self.take_out(&feed, limit, ceiling)?;
        self.drop_kept(&feed, ceiling)?;
        Ok(true)
    }

    /// Whether a cut names this feed's chain and all of it is held: then nothing else can be in it.
    pub(super) fn is_pinned(&self, feed: &FeedId, row: &FeedRow) -> bool {
        self.roster.cut(feed).is_some_and(|cut| row.next == cut.next && (row.head == cut.hash || cut.next == 0))
    }

    /// Whether what counts and what is kept above it are together the whole chain of the feed's cut.
    pub(super) fn is_whole(&self, feed: &FeedId, row: &FeedRow) -> Result<bool, ReadError> {
        Ok(self.demanded(feed, row, row.next)? == Some(row.head))
    }

    /// The hash that a cut demands at a place, if the chain from there up to the cut is held.
    pub(super) fn pinned_hash(&self, id: &ContentId) -> Result<Option<Hash>, ReadError> {
        let row = self.row(&id.feed)?;
        self.demanded(&id.feed, &row, id.sequence.saturating_add(1))
    }

    /// The hash of the header before `first` in the chain of the feed's cut, if that chain is kept from `first` on.
    fn demanded(&self, feed: &FeedId, row: &FeedRow, first: u64) -> Result<Option<Hash>, ReadError> {
        let Some(cut) = self.roster.cut(feed) else { return Ok(None) };
        let held = row.beyond.last().is_some_and(|(from, to)| *from <= first && *to == cut.next);
        if first > cut.next || (first < cut.next && !held) {
            return Ok(None);
        }
        let mut demanded = cut.hash;
        for sequence in (first..cut.next).rev() {
            match row::load_header(self.tx, &self.conversation, &ContentId { feed: *feed, sequence })? {
                Some(above) if above.hash() == demanded => demanded = above.header().previous,
                _ => return Ok(None),
            }
        }
        Ok(Some(demanded))
    }

    /// Gives up what is off the chain of a feed's cut, as far as the chain is known from its end down: peers send nothing for a
    /// place that is taken. A header that only the feed's fault still holds is taken from there.
    fn settle(&mut self, feed: &FeedId) -> Result<(), ReadError> {
        let Some(cut) = self.roster.cut(feed).copied() else { return Ok(()) };
        if self.is_pinned(feed, &self.row(feed)?) || self.own() == Some(*feed) {
            return Ok(());
        }
        let (mut first, mut demanded) = (cut.next, cut.hash);
        while let Some(sequence) = first.checked_sub(1) {
            let id = ContentId { feed: *feed, sequence };
            let row = self.row(feed)?;
            if row.counts(sequence) && row.next == first && row.head != demanded {
                self.truncate(feed, sequence)?;
            } else if row.keeps(sequence) {
                match row::load_header(self.tx, &self.conversation, &id)? {
                    Some(held) if held.hash() == demanded => {
                        (first, demanded) = (sequence, held.header().previous);
                        continue;
                    }
                    _ => {
                        self.unkeep(&id)?;
                        self.forget(&id);
                    }
                }
            } else if sequence < row.next {
                return Ok(());
            }
            let proven = self.proven(feed)?.into_iter().find(|event| place(event) == id && event.hash() == demanded);
            let Some(event) = proven else { return Ok(()) };
            if self.keep(&event)? != Outcome::Kept {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The two headers of a feed's fault, if it has one.
    fn proven(&self, feed: &FeedId) -> Result<Vec<Event>, ReadError> {
        let fault: Option<Fault> = row::load(self.tx, Table::Feed, &key::fault(&self.conversation, feed))?;
        let headers = fault.into_iter().flat_map(|fault| [fault.one, fault.other]);
        Ok(headers.filter_map(|raw| Event::from_store(raw).ok()).collect())
    }

    /// An event other than the one that counts at its place.
    pub(super) fn conflict(&mut self, event: &Event, held: &Event, live: bool) -> Result<Outcome, ReadError> {
        let id = place(event);
        let row = self.row(&id.feed)?;
        if self.is_pinned(&id.feed, &row) {
            return Ok(Outcome::Refused(Refusal::Cut));
        }
        let demanded = self.pinned_hash(&id)?;
        self.convict(held, event)?;
        let before = self.before(&id, &self.row(&id.feed)?)?;
        let header = event.header();
        let joins =
            before.is_some_and(|(hash, tip)| hash == header.previous && tip.is_none_or(|tip| tip.admits(header)));
        // Where nothing says which of them the cut's chain is, all choose alike: else they would exchange the two for ever.
        let wanted = demanded.map_or(joins && event.hash() < held.hash(), |hash| hash == event.hash());
        if !wanted {
            return Ok(Outcome::Fork);
        }
        self.truncate(&id.feed, id.sequence)?;
        self.forget(&id);
        if joins {
            self.count(event, live)?;
            self.absorb(&id.feed)?;
        } else {
            self.keep(event)?;
            self.absorb(&id.feed)?;
        }
        Ok(Outcome::Fork)
    }

    /// The event that counts at a place at fault in stead of `event`: one of the proof's, if it joins and has the lower hash.
    pub(super) fn preferred(&self, event: &Event) -> Result<Option<Event>, ReadError> {
        let id = place(event);
        let row = self.row(&id.feed)?;
        if row.end != id.sequence.checked_add(1) || self.pinned_hash(&id)? == Some(event.hash()) {
            return Ok(None);
        }
        let headers = self.proven(&id.feed)?.into_iter();
        Ok(headers.filter(|other| Self::joins(&row, other) && other.hash() < event.hash()).min_by_key(Event::hash))
    }

    /// Hash and tip of what counts right below a place that counts.
    fn before(&self, id: &ContentId, row: &FeedRow) -> Result<Option<(Hash, Option<Tip>)>, ReadError> {
        if id.sequence == row.low {
            return Ok(Some((row.below, None)));
        }
        let below = ContentId { feed: id.feed, sequence: id.sequence.saturating_sub(1) };
        let held = row::load_header(self.tx, &self.conversation, &below)?;
        Ok(held.map(|event| (event.hash(), Some(Tip::of(event.header())))))
    }

    /// Whether a delete that counts explains that an event has no content. A delete cannot be deleted.
    pub(super) fn explained(&self, id: &ContentId, kind: u16) -> Result<bool, ReadError> {
        Ok(kind != Kind::Delete as u16 && self.is_deleted(id)?)
    }

    /// Says that an event counts.
    pub(super) fn report(&mut self, event: &Event) {
        let header = event.header();
        let id = place(event);
        let Some(author) = self.account_of(&id.feed.device) else { return };
        self.changes.uncounted.retain(|gone| *gone != id);
        self.changes.counted.push(Counted {
            id,
            author,
            kind: header.kind,
            clock: header.clock,
            log: (header.group, header.log),
            content: event.content().cloned(),
        });
    }
}

/// The place of an event.
pub(crate) fn place(event: &Event) -> ContentId {
    ContentId { feed: event.header().feed, sequence: event.header().sequence }
}

/// Whether two headers of a device cannot both be in an honest feed.
pub(super) fn is_fault(one: &Event, other: &Event) -> bool {
    let (first, second) = if order(one) <= order(other) { (one, other) } else { (other, one) };
    if first.header().feed != second.header().feed || first.hash() == second.hash() {
        return false;
    }
    if first.header().sequence == second.header().sequence {
        return true;
    }
    first.header().sequence.checked_add(1) == Some(second.header().sequence)
        && (second.header().previous != first.hash() || !Tip::of(first.header()).admits(second.header()))
}

fn order(event: &Event) -> (u64, Hash) {
    (event.header().sequence, event.hash())
}

fn bare(event: &Event) -> UnverifiedEvent {
    UnverifiedEvent { content: None, ..event.as_raw().clone() }
}
