//! Who was a member when: what the walk over the home's log comes to, and all that the feeds need of it.

use std::collections::BTreeMap;

use ed25519_dalek::VerifyingKey;

use crate::types::{AccountId, DeviceId, FeedId, Hash};
use crate::wire::message::Cut;

/// A device that is or was in the conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Whose device.
    pub account: AccountId,
    /// The key that signs its events.
    pub events: VerifyingKey,
    /// Its encoded certificate, for newcomers.
    pub certificate: Vec<u8>,
    /// Whether it is a leaf of the present group.
    pub present: bool,
}

/// The members of a conversation over all its generations, and the feeds that commits have closed.
///
/// A function of the walked logs alone, so that all who have walked as far agree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roster {
    members: BTreeMap<DeviceId, Member>,
    cuts: BTreeMap<FeedId, Cut>,
}

/// Whether an event at some place of a feed counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It counts.
    Counts,
    /// Its author is not known yet: the log was not walked far enough. Keep it, decide later.
    Unknown,
    /// It lies beyond a cut, or is another event than the one the cut names: it never counts.
    Cut,
}

impl Roster {
    /// Takes a device in, or marks it as present again.
    pub fn admit(&mut self, device: DeviceId, member: Member) {
        self.members.insert(device, member);
    }

    /// Marks a device as gone.
    pub fn dismiss(&mut self, device: &DeviceId) {
        if let Some(member) = self.members.get_mut(device) {
            member.present = false;
        }
    }

    /// Closes a feed. Of two cuts the earlier one holds.
    pub fn close(&mut self, cut: Cut) {
        let held = self.cuts.entry(cut.feed).or_insert(cut);
        if cut.next < held.next {
            *held = cut;
        }
    }

    /// A device that is or was a member.
    pub fn member(&self, device: &DeviceId) -> Option<&Member> {
        self.members.get(device)
    }

    /// All who are or were, by device.
    pub fn members(&self) -> impl Iterator<Item = (&DeviceId, &Member)> {
        self.members.iter()
    }

    /// The cuts in force, by feed.
    pub fn cuts(&self) -> impl Iterator<Item = &Cut> {
        self.cuts.values()
    }

    /// The cut of a feed, if a commit closed it.
    pub fn cut(&self, feed: &FeedId) -> Option<&Cut> {
        self.cuts.get(feed)
    }

    /// Whether the event with this header hash at this place counts. A feed of a device that is gone and that no commit named
    /// when it went is closed at its start.
    pub fn standing(&self, feed: &FeedId, sequence: u64, hash: &Hash) -> Standing {
        let Some(member) = self.members.get(&feed.device) else { return Standing::Unknown };
        match self.cuts.get(feed) {
            Some(cut) if sequence >= cut.next => Standing::Cut,
            Some(cut) if sequence.saturating_add(1) == cut.next && *hash != cut.hash => Standing::Cut,
            Some(_) => Standing::Counts,
            None if member.present => Standing::Counts,
            None => Standing::Cut,
        }
    }
}
