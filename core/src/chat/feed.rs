//! The feeds of one conversation: what counts of them, and what is kept of them.
//!
//! [`Feeds`] is a piece of work on them: it is opened over a transaction, takes events in or writes own ones, and [`Feeds::finish`]
//! leaves the rows in the batch and says what changed. It knows the [`Roster`] and nothing of MLS, homes or sending.
//!
//! What counts is a function of the roster and of the signed headers that are known, never of the order in which they came:
//! - a feed counts from sequence 0, or from an anchor given to a newcomer, as far as each header names the hash of the one
//!   before it, and neither its clock nor, within one group, its epoch falls;
//! - two headers that cannot both be in an honest feed (two for one place; or one that names another predecessor than is
//!   there, or falls) are a [`Fault`]. The feed ends with the lowest place at fault, where the lowest hash that joins stays;
//! - a cut pins the chain that ends in its hash: once all of it is held no fault counts within it, and beyond it nothing does.
//!   Until then a fault ends the feed as any other, and what lies between it and the cut is kept.
//!
//! Invariants: only verified events are stored; all that is kept beyond gaps, parked or lacking is bounded; a counted event's
//! rows in the timeline and among the changes exist exactly while it counts.
//!
//! Source: DESIGN §5; `docs/protocol-feeds.md`.

mod chain;
#[cfg(test)]
mod fixture_tests;
mod ingest;
pub(crate) mod key;
mod park;
pub(crate) mod read_mark;
pub(crate) mod row;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use ed25519_dalek::Signature;
use rand_core::RngCore;

use self::row::{FeedRow, Heads};
use super::api::Now;
use super::roster::{Place, Roster};
use super::transaction::Transaction;
use crate::store::{Range, Read, ReadError, Scope, Table};
use crate::types::{
    AccountId, Clock, ContentId, ConversationId, DeviceId, FeedId, GroupId, Incarnation, Rng, Timestamp,
};
use crate::wire::codec::Body;
use crate::wire::event::{Content, Event, EventError, Header, LogHead, MAX_CONTENT};
use crate::wire::message::{Cut, Kind};

pub(crate) use self::chain::place;
pub(crate) use self::key::event as event_key;
pub use self::row::Fault;

/// The most feeds of one device in a conversation that no commit has closed: each restored store begins one. Of more, those with
/// the lowest ids count, lest a member fill vectors with lives that it never had.
pub const MAX_INCARNATIONS: usize = 64;

/// Who works here: this device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Me {
    /// Its account.
    pub account: AccountId,
    /// It.
    pub device: DeviceId,
}

/// Under what an own event is written: the conversation's present group, or what is planned to be it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Writing {
    /// The conversation's generation.
    pub generation: u32,
    /// Its group.
    pub group: GroupId,
    /// The group's epoch.
    pub epoch: u64,
    /// How far this device has walked the group's log.
    pub log: LogHead,
}

/// Why an own event was not written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The store cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// No incarnation was begun.
    #[error("this device has begun no feed in the conversation")]
    NoFeed,
    /// This device was removed, or its feed was closed or is at fault: begin a new incarnation.
    #[error("this device's feed in the conversation is closed")]
    Closed,
    /// The epoch lies before that of the event before.
    #[error("the epoch of a feed cannot fall")]
    EpochFell,
    /// The content is too long.
    #[error("the content is too long: at most {limit} bytes fit")]
    TooLong {
        /// Bytes allowed.
        limit: usize,
    },
}

/// An event that counts from now on, or whose content came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// Its place.
    pub id: ContentId,
    /// Its author's account.
    pub author: AccountId,
    /// The number of its kind.
    pub kind: u16,
    /// Its clock.
    pub clock: Clock,
    /// The home's log as its author saw it, and in which group.
    pub log: (GroupId, LogHead),
    /// What it says; absent if it was erased or is still lacking.
    pub content: Option<Content>,
}

/// What a piece of work changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Events that count now, in the order in which they came to count; one may be here again with its content.
    pub counted: Vec<Counted>,
    /// Events that count no more: they lie beyond a cut or a fault.
    pub uncounted: Vec<ContentId>,
    /// Items of the timeline that appeared, changed or went away.
    pub touched: BTreeSet<ContentId>,
    /// Those of them that were not there before.
    pub appeared: BTreeSet<ContentId>,
    /// Proofs that are new, or that whoever sent something beyond them lacks: to be spread as
    /// [`crate::wire::message::Message::Fork`].
    pub faults: Vec<(FeedId, Fault)>,
}

/// What came of a foreign event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It counts; [`Changes::counted`] has it and all that it joined.
    New,
    /// It is kept beyond a gap, until the gap is filled.
    Kept,
    /// It was held; its content was not, and is now.
    Completed,
    /// It was held.
    Duplicate,
    /// Its device is not known yet: kept until the log is walked further.
    Parked,
    /// It proves a fault; [`Changes::faults`] has the proof.
    Fork,
    /// It is a validly signed event of this device's present feed that this device does not hold: its store is an old copy.
    OwnAhead,
    /// It was not taken, and changes nothing.
    Refused(Refusal),
}

/// Why an event was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It cannot be read, or signature or content are wrong.
    #[error(transparent)]
    Invalid(#[from] EventError),
    /// It is another conversation's.
    #[error("it belongs to another conversation")]
    OtherConversation,
    /// Its number is the greatest there is: nothing could follow.
    #[error("its sequence is out of bounds")]
    OutOfBounds,
    /// It lies beyond a cut, or off the chain that a cut pins.
    #[error("it lies beyond a cut")]
    Cut,
    /// It lies beyond the feed's fault; the proof is in [`Changes::faults`].
    #[error("its feed has ended by a fault")]
    Ended,
    /// It is not in the chain that a newcomer's anchor names, or lies before it where no history is wanted.
    #[error("it is not in the anchored chain")]
    OffAnchor,
    /// Too much is kept beyond gaps, or lacks its content: repair brings it again.
    #[error("too much waits for what is missing")]
    TooFar,
    /// Too many feeds of this device.
    #[error("its device has too many feeds")]
    TooManyFeeds,
    /// Too many events of unknown devices wait.
    #[error("too many events of unknown devices wait")]
    ParkedFull,
    /// What was given as a proof proves nothing.
    #[error("it is no proof")]
    NoProof,
}

impl Refusal {
    /// What it is counted under.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "event",
            Self::OtherConversation => "event_elsewhere",
            Self::OutOfBounds => "event_bounds",
            Self::Cut => "event_cut",
            Self::Ended => "event_ended",
            Self::OffAnchor => "event_anchor",
            Self::TooFar => "event_far",
            Self::TooManyFeeds => "event_feeds",
            Self::ParkedFull => "event_parked",
            Self::NoProof => "event_proof",
        }
    }
}

/// A piece of work on the feeds of a conversation.
#[must_use = "nothing is written before finish"]
pub struct Feeds<'t, 's, R: ?Sized> {
    pub(super) tx: &'t mut Transaction<'s, R>,
    pub(super) conversation: ConversationId,
    pub(super) me: Me,
    pub(super) roster: &'t Roster,
    pub(super) now: Now,
    pub(super) heads: Heads,
    pub(super) rows: BTreeMap<FeedId, FeedRow>,
    pub(super) changes: Changes,
    pub(super) unread: i64,
}

impl<'t, 's, R: Read + ?Sized> Feeds<'t, 's, R> {
    /// Opens the feeds of a conversation.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn open(
        tx: &'t mut Transaction<'s, R>,
        conversation: ConversationId,
        me: Me,
        roster: &'t Roster,
        now: Now,
    ) -> Result<Self, ReadError> {
        let heads = row::load(tx, Table::Feed, conversation.as_bytes())?.unwrap_or_default();
        let (rows, changes) = (BTreeMap::new(), Changes::default());
        Ok(Self { tx, conversation, me, roster, now, heads, rows, changes, unread: 0 })
    }

    /// This device's present feed, if it has begun one.
    pub fn own(&self) -> Option<FeedId> {
        Some(FeedId { device: self.me.device, incarnation: self.heads.own? })
    }

    /// Begins a new feed of this device: with the conversation, and after its store was restored from a copy.
    pub fn begin(&mut self, rng: &mut Rng) -> FeedId {
        let incarnation = Incarnation::random(rng);
        self.heads.own = Some(incarnation);
        FeedId { device: self.me.device, incarnation }
    }

    /// Writes an own event: signed by `sign`, which is given the bytes to sign, kept, and in the timeline.
    ///
    /// # Errors
    /// [`AppendError`]; nothing was written then.
    pub fn append(
        &mut self,
        rng: &mut Rng,
        writing: Writing,
        kind: Kind,
        body: Vec<u8>,
        sign: impl FnOnce(&[u8]) -> Signature,
    ) -> Result<Event, AppendError> {
        if body.len() > MAX_CONTENT {
            return Err(AppendError::TooLong { limit: MAX_CONTENT });
        }
        let feed = self.own().ok_or(AppendError::NoFeed)?;
        let row = self.row(&feed)?;
        let gone = self.roster.member(&feed.device).is_some_and(|member| member.place == Place::Gone);
        if gone || row.next >= self.limit(&feed, &row)? || row.next == u64::MAX {
            return Err(AppendError::Closed);
        }
        let mut salt = vec![0; Content::SALT_BYTES];
        rng.fill_bytes(&mut salt);
        let content = Content { salt, body };
        let header = Header {
            conversation: self.conversation,
            feed,
            sequence: row.next,
            previous: row.head,
            clock: self.heads.clock.tick(self.now.wall),
            wall_ms: self.now.wall.0,
            generation: writing.generation,
            group: writing.group,
            epoch: writing.epoch,
            log: writing.log,
            kind: kind as u16,
            content: content.hash(),
        };
        if row.tip.is_some_and(|tip| !tip.admits(&header)) {
            return Err(AppendError::EpochFell);
        }
        let event = Event::sign(header, content, sign);
        self.count(&event, true)?;
        Ok(event)
    }

    /// Everything of an own message that a deletion of it has to name: itself, and its edits, which say it too. Each needs a
    /// delete event of its own.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn deletable(&self, of: &ContentId) -> Result<Vec<ContentId>, ReadError> {
        let mut all = vec![*of];
        all.extend(super::fold::additions(&*self.tx, &self.conversation, self.roster, &self.me, of)?);
        Ok(all)
    }

    /// The clock of the conversation as it was seen.
    pub const fn clock(&self) -> Clock {
        self.heads.clock
    }

    /// The cut that closes each feed of a device as this device holds it: for the commit that removes it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn cuts_of(&mut self, device: &DeviceId) -> Result<Vec<Cut>, ReadError> {
        let feeds = self.feeds_of(Some(device))?;
        let mut cuts = Vec::with_capacity(feeds.len());
        for feed in feeds {
            let row = self.row(&feed)?;
            cuts.push(Cut { feed, next: row.next, hash: row.head });
        }
        Ok(cuts)
    }

    /// Every feed as this device holds it: the anchors for a newcomer.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn anchors(&mut self) -> Result<Vec<Cut>, ReadError> {
        let mut cuts = Vec::new();
        for feed in self.feeds_of(None)? {
            let row = self.row(&feed)?;
            if row.next > 0 {
                cuts.push(Cut { feed, next: row.next, hash: row.head });
            }
        }
        Ok(cuts)
    }

    /// Leaves the rows in the batch, and says what changed.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn finish(mut self) -> Result<Changes, ReadError> {
        let scope = Scope::Conversation(self.conversation);
        for (feed, row) in std::mem::take(&mut self.rows) {
            self.tx.put(Table::Feed, scope, key::feed(&self.conversation, &feed), row.encode());
        }
        let heads = self.heads.encode();
        if self.tx.get(Table::Feed, self.conversation.as_bytes())?.as_ref() != Some(&heads) {
            self.tx.put(Table::Feed, scope, *self.conversation.as_bytes(), heads);
        }
        self.write_summary()?;
        Ok(self.changes)
    }

    /// The row of a feed, as this work has made it.
    pub(super) fn row(&self, feed: &FeedId) -> Result<FeedRow, ReadError> {
        if let Some(row) = self.rows.get(feed) {
            return Ok(row.clone());
        }
        Ok(row::load_feed(self.tx, &self.conversation, feed)?.unwrap_or_default())
    }

    pub(super) fn set_row(&mut self, feed: FeedId, row: FeedRow) {
        self.rows.insert(feed, row);
    }

    /// All feeds, or those of one device, that have a row; ascending.
    pub(super) fn feeds_of(&self, device: Option<&DeviceId>) -> Result<Vec<FeedId>, ReadError> {
        let mut prefix = self.conversation.as_bytes().to_vec();
        if let Some(device) = device {
            prefix.extend_from_slice(device.as_bytes());
        }
        let rows = self.tx.scan(Table::Feed, &prefix, Range::all())?;
        let mut feeds: BTreeSet<FeedId> = rows.iter().filter_map(|row| key::read_feed(&row.key)).collect();
        feeds.extend(self.rows.keys().filter(|feed| device.is_none_or(|device| feed.device == *device)));
        Ok(feeds.into_iter().collect())
    }

    /// Whose device this is, if it is known.
    pub(super) fn account_of(&self, device: &DeviceId) -> Option<AccountId> {
        if *device == self.me.device {
            return Some(self.me.account);
        }
        self.roster.member(device).map(|member| member.account)
    }

    /// The first sequence of a feed that cannot count as things are. Within a cut a fault ends it until all of the chain is held.
    pub(super) fn limit(&self, feed: &FeedId, row: &FeedRow) -> Result<u64, ReadError> {
        let ceiling = self.ceiling(feed, row);
        match row.end {
            Some(end) if end < ceiling && !self.is_whole(feed, row)? => Ok(end),
            _ => Ok(ceiling),
        }
    }

    /// The first sequence of a feed that is not worth holding: it will not count, whatever comes.
    pub(super) fn ceiling(&self, feed: &FeedId, row: &FeedRow) -> u64 {
        let end = row.end.unwrap_or(u64::MAX);
        #[cfg(feature = "test-utils")]
        if super::mutation::is(super::mutation::Mutation::NoCuts) {
            return end;
        }
        let Some(member) = self.roster.member(&feed.device) else { return end };
        match self.roster.cut(feed) {
            // Within a cut the chain that it names counts, whatever else its author signed.
            Some(cut) => cut.next,
            // What a person wrote stays readable on their own device, whoever removed it.
            None if member.is_out() && feed.device != self.me.device => 0,
            None => end,
        }
    }

    pub(super) fn scope(&self) -> Scope {
        Scope::Conversation(self.conversation)
    }

    pub(super) fn wall(&self) -> Timestamp {
        self.now.wall
    }
}
