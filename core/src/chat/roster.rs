//! Who was a member when: what the walk over the home's log comes to, and all that the feeds need of it.

use std::collections::BTreeMap;

use ed25519_dalek::VerifyingKey;

use crate::types::{AccountId, DeviceId, FeedId, Hash};
use crate::wire::message::{Cut, Former, Past};

/// A device that is or was in the conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Whose device.
    pub account: AccountId,
    /// The key that signs its events.
    pub events: VerifyingKey,
    /// Its encoded certificate, for newcomers.
    pub certificate: Vec<u8>,
    /// How it stands to the present group.
    pub place: Place,
}

impl Member {
    /// Whether it is a leaf of the present group.
    pub fn is_present(&self) -> bool {
        self.place == Place::Present
    }

    /// Whether what it writes from now on is nothing to anybody.
    pub const fn is_out(&self) -> bool {
        matches!(self.place, Place::Gone | Place::Outside)
    }
}

/// How a device stands to the present group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// It is a leaf.
    Present,
    /// It is no leaf now, because a successor was founded without it, or because this device is out of the group; nobody has taken its
    /// rights away. What it wrote counts.
    Away,
    /// A commit has removed it for good: its feeds are closed.
    Gone,
    /// It is in a rival of the present group, and in nothing that the members have agreed on. What it wrote counts as long as the
    /// record that its account's seat follows lists it.
    Foreign,
    /// It was in a rival only, and its account's record does not list it any more. Nothing of it counts: those who were in no rival
    /// never heard of it, and its word may be a thief's.
    Outside,
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

    /// Whether a device is a leaf of the present group.
    pub fn is_present(&self, device: &DeviceId) -> bool {
        self.members.get(device).is_some_and(Member::is_present)
    }

    /// A commit has removed a device for good.
    pub fn dismiss(&mut self, device: &DeviceId) {
        self.put(device, Place::Gone);
    }

    /// A device is no leaf any more, and nothing that it wrote is in question.
    pub fn set_aside(&mut self, device: &DeviceId) {
        self.put(device, Place::Away);
    }

    fn put(&mut self, device: &DeviceId, place: Place) {
        if let Some(member) = self.members.get_mut(device) {
            member.place = place;
        }
    }

    /// Closes a feed. Of two cuts the first one in the log holds, so that nobody can shorten later what was agreed.
    pub fn close(&mut self, cut: Cut) {
        let _ = self.cuts.entry(cut.feed).or_insert(cut);
    }

    /// What the members have agreed on beside who is present: the document whose hash stands in the policy.
    pub fn past(&self) -> Past {
        let former = self.members.values().filter_map(|member| {
            let gone = match member.place {
                Place::Away => false,
                Place::Gone => true,
                Place::Present | Place::Foreign | Place::Outside => return None,
            };
            Some(Former { certificate: member.certificate.clone().into(), gone })
        });
        Past { former: former.collect(), cuts: self.cuts.values().copied().collect() }
    }

    /// Takes over what the members have agreed on: everybody else who is no leaf is in no agreement.
    pub fn adopt(&mut self, former: Vec<(DeviceId, Member)>, cuts: &[Cut]) {
        for member in self.members.values_mut().filter(|member| !member.is_present()) {
            member.place = Place::Foreign;
        }
        for (device, member) in former {
            if self.members.get(&device).is_none_or(|known| !known.is_present()) {
                let _ = self.members.insert(device, member);
            }
        }
        self.cuts = cuts.iter().map(|cut| (cut.feed, *cut)).collect();
    }

    /// Those of no agreement for whom it holds are outside.
    pub fn shut_out(&mut self, whom: impl Fn(&DeviceId, &Member) -> bool) {
        for (device, member) in &mut self.members {
            if member.place == Place::Foreign && whom(device, member) {
                member.place = Place::Outside;
            }
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
        #[cfg(feature = "test-utils")]
        if super::mutation::is(super::mutation::Mutation::NoCuts) {
            return None;
        }
        self.cuts.get(feed)
    }

    /// Whether the event with this header hash at this place counts. A feed of a device that is gone and that no commit named
    /// when it went is closed at its start.
    pub fn standing(&self, feed: &FeedId, sequence: u64, hash: &Hash) -> Standing {
        let Some(member) = self.members.get(&feed.device) else { return Standing::Unknown };
        #[cfg(feature = "test-utils")]
        if super::mutation::is(super::mutation::Mutation::NoCuts) {
            return Standing::Counts;
        }
        match self.cuts.get(feed) {
            Some(cut) if sequence >= cut.next => Standing::Cut,
            Some(cut) if sequence.saturating_add(1) == cut.next && *hash != cut.hash => Standing::Cut,
            Some(_) => Standing::Counts,
            None if member.is_out() => Standing::Cut,
            None => Standing::Counts,
        }
    }
}
