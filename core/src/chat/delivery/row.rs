//! Rows of delivery: what each device was given, what it said, and how far messages have come.

use serde::{Deserialize, Serialize};

use crate::chat::feed::row::{gaps, joined};
use crate::store::{Scope, Table};
use crate::types::{ConversationId, DeviceId, FeedId, Incarnation};
use crate::wire::codec::{Body, DecodeError, at_most};
use crate::wire::message::Mark;

/// The most ranges of one feed that are kept; of a gap too many the part beyond is sent again, or shown as it is known now.
const MAX_RANGES: usize = 32;

/// The most feeds of this account of which a device's marks are kept: each restored store begins one.
pub(super) const MAX_MARKS: usize = 256;

/// A recipient device: which part of an own feed it was given. Key: conversation ‖ device ‖ incarnation of the own feed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Link {
    /// What was written before is not sent to it; its history comes by repair.
    #[serde(rename = "s")]
    pub(super) since: u64,
    /// What was written before was not written for its account, and has the state that it has without it.
    #[serde(rename = "c")]
    pub(super) counts: u64,
    /// Taken by it or its mailbox: half-open, ascending.
    #[serde(rename = "t")]
    pub(super) taken: Vec<(u64, u64)>,
    /// The last envelope went straight.
    #[serde(rename = "d")]
    pub(super) direct: Option<bool>,
}

impl Body for Link {
    const MAX_BYTES: usize = 4096;

    fn check(&self) -> Result<(), DecodeError> {
        at_most(&self.taken, MAX_RANGES, "taken")
    }
}

impl Link {
    /// What it was not given yet.
    pub(super) fn untaken(&self, next: u64) -> Vec<(u64, u64)> {
        gaps(&self.taken, self.since, next)
    }

    /// It was given this. Says whether that is news.
    pub(super) fn take(&mut self, ranges: &[(u64, u64)]) -> bool {
        add(&mut self.taken, ranges)
    }
}

/// What a device said of this account's feeds. Key: conversation ‖ device.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Told {
    #[serde(rename = "d")]
    pub(super) delivered: Vec<Mark>,
    #[serde(rename = "r")]
    pub(super) read: Vec<Mark>,
}

impl Body for Told {
    const MAX_BYTES: usize = 64 * 1024;

    fn check(&self) -> Result<(), DecodeError> {
        at_most(&self.delivered, MAX_MARKS, "delivered")?;
        at_most(&self.read, MAX_MARKS, "read")
    }
}

/// The best that the messages of one of the account's feeds have come to: a state that was reached is not taken back when members
/// come and go. Key: conversation ‖ feed ‖ 1.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Reach {
    #[serde(rename = "s")]
    pub(super) sent: Vec<(u64, u64)>,
    #[serde(rename = "d")]
    pub(super) delivered: Vec<(u64, u64)>,
    #[serde(rename = "r")]
    pub(super) read: Vec<(u64, u64)>,
}

impl Body for Reach {
    const MAX_BYTES: usize = 4096;

    fn check(&self) -> Result<(), DecodeError> {
        [&self.sent, &self.delivered, &self.read]
            .into_iter()
            .try_for_each(|ranges| at_most(ranges, MAX_RANGES, "ranges"))
    }
}

/// Adds ranges to sorted, separate ones. Says whether that changed them.
pub(super) fn add(ranges: &mut Vec<(u64, u64)>, more: &[(u64, u64)]) -> bool {
    let more = more.iter().copied().filter(|(from, to)| from < to);
    let mut all = joined(ranges.iter().copied().chain(more).collect());
    all.truncate(MAX_RANGES);
    let changed = all != *ranges;
    *ranges = all;
    changed
}

/// Whether ranges cover a place.
pub(super) fn covers(ranges: &[(u64, u64)], sequence: u64) -> bool {
    ranges.iter().any(|(from, to)| *from <= sequence && sequence < *to)
}

pub(super) fn scope(conversation: ConversationId) -> Scope {
    Scope::Conversation(conversation)
}

pub(super) fn link_key(conversation: &ConversationId, device: &DeviceId, incarnation: &Incarnation) -> Vec<u8> {
    [conversation.as_ref(), device.as_ref(), incarnation.as_ref()].concat()
}

pub(super) fn told_key(conversation: &ConversationId, device: &DeviceId) -> Vec<u8> {
    [conversation.as_ref(), device.as_ref()].concat()
}

pub(super) fn reach_key(conversation: &ConversationId, feed: &FeedId) -> Vec<u8> {
    [conversation.as_ref(), feed.device.as_ref(), feed.incarnation.as_ref(), &[1]].concat()
}

/// What a row of [`Table::Outbox`] is about.
pub(super) enum Place {
    Link(DeviceId, Incarnation),
    Reach(FeedId),
}

/// Reads a key behind its conversation; nothing if it is none of delivery's.
pub(super) fn place(key: &[u8]) -> Option<Place> {
    let (device, rest) = key.get(ConversationId::LEN..)?.split_at_checked(DeviceId::LEN)?;
    let (incarnation, rest) = rest.split_at_checked(Incarnation::LEN)?;
    let (device, incarnation) = (device.try_into().ok()?, incarnation.try_into().ok()?);
    match rest {
        [] => Some(Place::Link(device, incarnation)),
        [1] => Some(Place::Reach(FeedId { device, incarnation })),
        _ => None,
    }
}

/// The device behind a conversation in a key of [`Table::Mark`].
pub(super) fn told_place(key: &[u8]) -> Option<DeviceId> {
    key.get(ConversationId::LEN..)?.try_into().ok()
}

/// The table of links and of what was reached.
pub(super) const TABLE: Table = Table::Outbox;
