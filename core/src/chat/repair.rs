//! Repair: what two devices say when they meet, so that both hold the same.
//!
//! A digest first; where digests differ, vectors; then each sends what the other lacks, whoever wrote it, in bundles. It only
//! reads: what comes in goes through [`super::feed::Feeds::ingest`]. When to meet, and how many rounds, is the engine's.
//!
//! Invariants: a round is bounded, whatever a vector asks for; nothing that a vector claims is believed, it only decides what
//! is sent.
//!
//! Source: DESIGN §5; `docs/protocol-feeds.md`.

use std::collections::BTreeMap;

use super::feed::row::{self, FeedRow, joined};
use super::feed::{Fault, Me, key};
use crate::store::{Range, Read, ReadError, Table};
use crate::types::{ContentId, ConversationId, FeedId, Hash};
use crate::wire::codec::{Body, hash};
use crate::wire::event::UnverifiedEvent;
use crate::wire::message::{FeedState, MAX_BUNDLE, MAX_FEEDS, MAX_RANGES, Vector};

/// The most bundles of one round: half a megabyte; then digests are compared again.
pub const MAX_ROUND_BUNDLES: usize = 8;

/// The most events of one bundle: what a message may carry.
const MAX_BUNDLE_EVENTS: usize = 512;

/// How many events before a place where two devices disagree are sent, so that the first place at fault is found: each round
/// that does not reach it goes as far back again.
const WINDOW: u64 = 64;

/// What a vector says of this device's own present feed that does not fit what is held: a hint that the store is an old copy.
/// The proof comes with the events themselves ([`super::Outcome::OwnAhead`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnFeed {
    /// The peer holds more of it than was written here.
    Longer,
    /// The peer holds another event at the same place.
    Different,
}

/// What a peer lacks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    wants: Vec<Want>,
    /// Proofs of feeds of which the peer does not know where they end.
    pub faults: Vec<(FeedId, Fault)>,
    /// The own feed does not fit.
    pub own: Option<OwnFeed>,
    /// The peer holds what is lacking here: it should be sent the own vector.
    pub lacks: bool,
}

impl Plan {
    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.wants.is_empty() && self.faults.is_empty()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Want {
    feed: FeedId,
    from: u64,
    to: u64,
    /// From its upper end down: the peer joins it from there.
    down: bool,
}

/// One round of a repair.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Round {
    /// Bundles of events, each for one [`crate::wire::message::Message::Events`].
    pub bundles: Vec<Vec<UnverifiedEvent>>,
    /// More is lacking than one round sends.
    pub more: bool,
}

/// What this device holds of a conversation.
///
/// # Errors
/// When the store cannot be read.
pub fn vector(read: &(impl Read + ?Sized), conversation: &ConversationId) -> Result<Vector, ReadError> {
    let rows = rows(read, conversation)?;
    let feeds = rows.iter().filter(|(_, row)| row.next > 0 || !row.beyond.is_empty()).take(MAX_FEEDS);
    Ok(Vector { feeds: feeds.map(|(feed, row)| state(*feed, row)).collect(), ask: false })
}

/// The hash of a vector that a digest carries; whether it asks is not part of it.
pub fn vector_hash(vector: &Vector) -> Hash {
    hash("kith/vector/1", &[&Vector { feeds: vector.feeds.clone(), ask: false }.encode()])
}

/// What the sender of a vector lacks of what is held here.
///
/// # Errors
/// When the store cannot be read.
pub fn diff(
    read: &(impl Read + ?Sized),
    conversation: &ConversationId,
    me: &Me,
    theirs: &Vector,
) -> Result<Plan, ReadError> {
    #[cfg(feature = "test-utils")]
    if super::mutation::is(super::mutation::Mutation::NoRepair) {
        return Ok(Plan::default());
    }
    let heads: row::Heads = row::load(read, Table::Feed, conversation.as_bytes())?.unwrap_or_default();
    let own = heads.own.map(|incarnation| FeedId { device: me.device, incarnation });
    let mut theirs: BTreeMap<FeedId, &FeedState> = theirs.feeds.iter().take(MAX_FEEDS).map(|s| (s.feed, s)).collect();
    let mut plan = Plan::default();
    for (feed, row) in rows(read, conversation)? {
        let state = theirs.remove(&feed);
        let at_odds = disagrees(read, conversation, &feed, &row, state)?;
        plan.wants.extend(wants(feed, &row, state, at_odds));
        let Some(state) = state else { continue };
        plan.lacks |= lacks(&row, state) || at_odds;
        let differs = (state.next, state.hash, &state.beyond) != (row.next, row.head, &row.beyond);
        if row.end.is_some() && differs {
            let fault: Option<Fault> = row::load(read, Table::Feed, &key::fault(conversation, &feed))?;
            plan.faults.extend(fault.map(|fault| (feed, fault)));
        }
        if own == Some(feed) {
            plan.own = match (state.next > row.next, at_odds) {
                (true, _) => Some(OwnFeed::Longer),
                (false, true) => Some(OwnFeed::Different),
                (false, false) => None,
            };
        }
    }
    plan.lacks |= theirs.values().any(|state| state.next > 0 || !state.beyond.is_empty());
    if plan.own.is_none() && own.is_some_and(|own| theirs.contains_key(&own)) {
        plan.own = Some(OwnFeed::Longer);
    }
    Ok(plan)
}

/// One round of what a plan holds.
///
/// # Errors
/// When the store cannot be read.
pub fn round(read: &(impl Read + ?Sized), conversation: &ConversationId, plan: &Plan) -> Result<Round, ReadError> {
    let mut packer = Packer { read, conversation, round: Round::default(), open: Vec::new(), bytes: 0 };
    for want in &plan.wants {
        let full = if want.down { packer.pack_down(want)? } else { packer.pack_up(want)? };
        if full {
            packer.round.more = true;
            break;
        }
    }
    packer.close();
    Ok(packer.round)
}

/// Events of the own present feed, for sending them the first time or again.
///
/// # Errors
/// When the store cannot be read.
pub fn events(
    read: &(impl Read + ?Sized),
    conversation: &ConversationId,
    feed: &FeedId,
    ranges: &[(u64, u64)],
) -> Result<Round, ReadError> {
    let wants = ranges.iter().map(|(from, to)| Want { feed: *feed, from: *from, to: *to, down: false }).collect();
    round(read, conversation, &Plan { wants, ..Plan::default() })
}

struct Packer<'a, R: ?Sized> {
    read: &'a R,
    conversation: &'a ConversationId,
    round: Round,
    open: Vec<UnverifiedEvent>,
    bytes: usize,
}

impl<R: Read + ?Sized> Packer<'_, R> {
    /// Packs a range from its lower end; says whether the round is full.
    fn pack_up(&mut self, want: &Want) -> Result<bool, ReadError> {
        for sequence in want.from..want.to {
            if let Some(event) = self.load(want.feed, sequence)?
                && !self.push(event)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Packs the upper end of a range, in ascending order, as much as one bundle holds; says whether more is left.
    fn pack_down(&mut self, want: &Want) -> Result<bool, ReadError> {
        let (mut events, mut bytes) = (Vec::new(), 0usize);
        let mut more = false;
        for sequence in (want.from..want.to).rev() {
            let Some(event) = self.load(want.feed, sequence)? else { continue };
            bytes = bytes.saturating_add(size(&event));
            if !events.is_empty() && (bytes > MAX_BUNDLE || events.len() >= MAX_BUNDLE_EVENTS) {
                more = true;
                break;
            }
            events.push(event);
        }
        for event in events.into_iter().rev() {
            if !self.push(event) {
                return Ok(true);
            }
        }
        self.round.more |= more;
        Ok(false)
    }

    fn load(&self, feed: FeedId, sequence: u64) -> Result<Option<UnverifiedEvent>, ReadError> {
        let event = row::load_event(self.read, self.conversation, &ContentId { feed, sequence })?;
        Ok(event.map(|event| event.as_raw().clone()))
    }

    /// Adds an event to the open bundle, or to a new one; says no when the round is full.
    fn push(&mut self, event: UnverifiedEvent) -> bool {
        let size = size(&event);
        let fits = self.bytes.saturating_add(size) <= MAX_BUNDLE && self.open.len() < MAX_BUNDLE_EVENTS;
        if !fits && !self.open.is_empty() {
            self.close();
        }
        if self.round.bundles.len() >= MAX_ROUND_BUNDLES {
            return false;
        }
        self.bytes = self.bytes.saturating_add(size);
        self.open.push(event);
        true
    }

    fn close(&mut self) {
        if !self.open.is_empty() {
            self.round.bundles.push(std::mem::take(&mut self.open));
        }
        self.bytes = 0;
    }
}

/// About how many bytes an event takes in a bundle: its fields and 32 for their names and lengths.
fn size(event: &UnverifiedEvent) -> usize {
    let content = event.content.as_ref().map_or(0, |content| content.salt.len().saturating_add(content.body.len()));
    event.header.len().saturating_add(event.signature.len()).saturating_add(content).saturating_add(32)
}

fn rows(read: &(impl Read + ?Sized), conversation: &ConversationId) -> Result<BTreeMap<FeedId, FeedRow>, ReadError> {
    let mut rows = BTreeMap::new();
    for kept in read.scan(Table::Feed, conversation.as_bytes(), Range::all())? {
        let Some(feed) = key::read_feed(&kept.key) else { continue };
        let row = FeedRow::decode(&kept.value).map_err(|error| row::damaged(Table::Feed, &error))?;
        rows.insert(feed, row);
    }
    Ok(rows)
}

fn state(feed: FeedId, row: &FeedRow) -> FeedState {
    FeedState {
        feed,
        next: row.next,
        hash: row.head,
        from: if row.wanted { row.low } else { 0 },
        beyond: row.beyond.clone(),
        lacking: row.lacking.iter().copied().take(MAX_RANGES).collect(),
    }
}

/// Whether a peer's last contiguous event is another one than is held here at its place.
fn disagrees(
    read: &(impl Read + ?Sized),
    conversation: &ConversationId,
    feed: &FeedId,
    row: &FeedRow,
    state: Option<&FeedState>,
) -> Result<bool, ReadError> {
    let Some(state) = state else { return Ok(false) };
    let Some(sequence) = state.next.checked_sub(1).filter(|sequence| row.counts(*sequence)) else { return Ok(false) };
    let held = row::load_header(read, conversation, &ContentId { feed: *feed, sequence })?;
    Ok(held.is_some_and(|held| held.hash() != state.hash))
}

/// What to send of one feed.
fn wants(feed: FeedId, row: &FeedRow, state: Option<&FeedState>, at_odds: bool) -> Vec<Want> {
    let mut held = row.beyond.clone();
    held.push((row.low, row.next));
    let held = joined(held);
    let up = |(from, to)| Want { feed, from, to, down: false };
    let Some(state) = state else { return held.into_iter().map(up).collect() };
    if at_odds {
        let from = state.next.saturating_sub(WINDOW);
        return without(&held, &[(0, from)]).into_iter().map(up).collect();
    }
    let mut theirs: Vec<(u64, u64)> = state.beyond.iter().copied().take(MAX_RANGES).collect();
    theirs.push((state.from.min(state.next), state.next));
    let mut wants: Vec<Want> = without(&held, &joined(theirs))
        .into_iter()
        .map(|(from, to)| Want { feed, from, to, down: to <= state.from })
        .collect();
    let complete = |sequence: &&u64| row.counts(**sequence) && row.lacking.binary_search(sequence).is_err();
    let lacking = state.lacking.iter().take(MAX_RANGES).filter(complete);
    wants.extend(lacking.map(|sequence| up((*sequence, sequence.saturating_add(1)))));
    wants
}

/// Whether a peer holds something of a feed that is not held here.
fn lacks(row: &FeedRow, state: &FeedState) -> bool {
    let mut held = row.beyond.clone();
    held.push((if row.wanted { row.low } else { 0 }, row.next));
    let mut theirs: Vec<(u64, u64)> = state.beyond.iter().copied().take(MAX_RANGES).collect();
    theirs.push((state.from.min(state.next), state.next));
    let missing = !without(&joined(theirs), &joined(held)).is_empty();
    missing || row.lacking.iter().any(|sequence| !state.lacking.contains(sequence))
}

/// The parts of sorted, separate ranges that others do not cover.
fn without(ranges: &[(u64, u64)], covered: &[(u64, u64)]) -> Vec<(u64, u64)> {
    ranges.iter().flat_map(|(from, to)| super::feed::row::gaps(covered, *from, *to)).collect()
}
