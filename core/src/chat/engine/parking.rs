//! Envelopes that cannot be read yet: their group is not known here, or their epoch is to come. They are kept, bounded, and read
//! again when the group comes or advances.
//!
//! Rows are `group ‖ envelope id`; how many there are of each group, and how large, is counted once after a start and kept in
//! memory from then on. When all are too many, an envelope of the group that has the most goes, the oldest first, and of a group
//! that is not known here before one that is: whoever may write to this device can name as many groups as they like, and must not
//! be able to shut the others out. What goes comes again by repair.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::Engine;
use super::envelope::Arrival;
use crate::chat::api::Verdict;
use crate::chat::conversation::dropped;
use crate::chat::membership::Membership;
use crate::chat::turn::{EngineError, Turn};
use crate::identity::LeafIdentity;
use crate::mls::{Invitation, MlsError};
use crate::store::{Range, Read as _, Scope, Table};
use crate::types::{AccountId, ConversationId, EnvelopeId, GroupId, Timestamp};
use crate::wire::codec::Body;
use crate::wire::envelope::{Class, Envelope, Packet};

/// Envelopes parked for one group: a busy hour of a conversation that one is not in yet.
const MAX_OF_GROUP: usize = 256;

/// Their bytes: the largest envelopes are Welcomes and bundles, of which two fit.
const MAX_BYTES_OF_GROUP: usize = 4 << 20;

/// Envelopes parked in all.
const MAX: usize = 4096;

/// Their bytes: what a disk does not notice.
const MAX_BYTES: usize = 32 << 20;

/// One is given up after so long: whoever was invited has come by then, and repair brings what it held.
const KEPT_MS: u64 = 7 * 24 * 60 * 60 * 1000;

/// Rows that are read at a time when they are counted, some of which are large.
const PAGE: usize = 64;

/// A parked envelope as it is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Parked {
    #[serde(rename = "w")]
    since: Timestamp,
    #[serde(rename = "e")]
    envelope: ByteBuf,
}

impl Body for Parked {
    const MAX_BYTES: usize = Envelope::MAX_BYTES + 64;
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    id: EnvelopeId,
    since: Timestamp,
    bytes: usize,
}

/// What is parked of one group, in the order of its coming.
#[derive(Debug, Default)]
struct Share {
    entries: VecDeque<Entry>,
    bytes: usize,
    /// The group is, or was, one of a conversation here.
    known: bool,
}

impl Share {
    fn greed(&self, lack: Lack) -> (bool, usize) {
        (!self.known, if lack == Lack::Places { self.entries.len() } else { self.bytes })
    }
}

/// What there is too little of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lack {
    Places,
    Bytes,
}

/// What is parked.
#[derive(Debug, Default)]
pub(super) struct Parking {
    counted: bool,
    shares: BTreeMap<GroupId, Share>,
    count: usize,
    bytes: usize,
}

impl Parking {
    /// Counts the rows, once.
    fn count(&mut self, turn: &Turn<'_>) -> Result<(), EngineError> {
        if self.counted {
            return Ok(());
        }
        let mut entries = Vec::new();
        let mut after = None;
        loop {
            let rows = turn.read().scan(Table::Parked, &[], Range { after, ..Range::first(PAGE) })?;
            after = rows.last().map(|row| row.key.clone());
            let ended = rows.len() < PAGE;
            for row in rows {
                let Some((group, id)) = place(&row.key) else { continue };
                let since = Parked::decode(&row.value).map_or(Timestamp::default(), |parked| parked.since);
                entries.push((group, Entry { id, since, bytes: row.value.len() }));
            }
            if ended {
                break;
            }
        }
        entries.sort_by_key(|(_, entry)| (entry.since, entry.id));
        for (group, entry) in entries {
            self.add(turn, group, entry)?;
        }
        self.counted = true;
        Ok(())
    }

    fn add(&mut self, turn: &Turn<'_>, group: GroupId, entry: Entry) -> Result<(), EngineError> {
        let known = Membership::conversation_of(&turn.read(), group)?.is_some();
        let share = self.shares.entry(group).or_default();
        share.known = known;
        share.bytes = share.bytes.saturating_add(entry.bytes);
        share.entries.push_back(entry);
        self.count = self.count.saturating_add(1);
        self.bytes = self.bytes.saturating_add(entry.bytes);
        Ok(())
    }

    /// Which bound one more envelope of so many bytes would break.
    fn lacks(&self, more: usize) -> Option<Lack> {
        if self.count >= MAX {
            return Some(Lack::Places);
        }
        (self.bytes.saturating_add(more) > MAX_BYTES).then_some(Lack::Bytes)
    }

    /// The group of which one has to go: not known here rather than known, then the one that has most, then the oldest.
    fn greediest(&self, lack: Lack) -> Option<(GroupId, (bool, usize))> {
        let age = |share: &Share| share.entries.front().map(|entry| std::cmp::Reverse(entry.since));
        let greediest = self.shares.iter().max_by_key(|(_, share)| (share.greed(lack), age(share)));
        greediest.map(|(group, share)| (*group, share.greed(lack)))
    }

    /// Drops the oldest of a group.
    fn drop_oldest(&mut self, turn: &mut Turn<'_>, group: GroupId) -> bool {
        let Some(share) = self.shares.get_mut(&group) else { return false };
        let Some(entry) = share.entries.pop_front() else { return false };
        share.bytes = share.bytes.saturating_sub(entry.bytes);
        if share.entries.is_empty() {
            self.shares.remove(&group);
        }
        self.count = self.count.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(entry.bytes);
        turn.effects.batch.delete(Table::Parked, key(group, entry.id));
        true
    }

    /// Takes all of a group out.
    fn take(&mut self, group: GroupId) -> VecDeque<Entry> {
        let share = self.shares.remove(&group).unwrap_or_default();
        self.count = self.count.saturating_sub(share.entries.len());
        self.bytes = self.bytes.saturating_sub(share.bytes);
        share.entries
    }

    /// Gives up what has been here for too long.
    pub(super) fn expire(&mut self, turn: &mut Turn<'_>) -> Result<(), EngineError> {
        self.count(turn)?;
        let now = turn.now.wall.0;
        let old = |share: &Share| share.entries.front().is_some_and(|it| now.saturating_sub(it.since.0) >= KEPT_MS);
        let groups: Vec<GroupId> =
            self.shares.iter().filter(|(_, share)| old(share)).map(|(group, _)| *group).collect();
        for group in groups {
            while self.shares.get(&group).is_some_and(old) && self.drop_oldest(turn, group) {}
        }
        Ok(())
    }
}

impl Engine {
    /// Keeps an envelope until its group comes or advances.
    pub(super) fn park(
        &mut self,
        turn: &mut Turn<'_>,
        arrival: Arrival<'_>,
        group: GroupId,
    ) -> Result<Verdict, EngineError> {
        let Arrival { envelope, since, .. } = arrival;
        if envelope.class != Class::Durable {
            return Ok(Verdict::Durable);
        }
        let parking = &mut self.parking;
        parking.count(turn)?;
        let row = Parked { since, envelope: envelope.encode().into() }.encode();
        let entry = Entry { id: envelope.id, since, bytes: row.len() };
        let known = Membership::conversation_of(&turn.read(), group)?.is_some();
        let (count, bytes, here) = parking.shares.get(&group).map_or((0, 0, false), |share| {
            (share.entries.len(), share.bytes, share.entries.iter().any(|other| other.id == envelope.id))
        });
        if here {
            return Ok(Verdict::Durable);
        }
        if count >= MAX_OF_GROUP || bytes.saturating_add(entry.bytes) > MAX_BYTES_OF_GROUP {
            return Ok(dropped(turn, "parked"));
        }
        while let Some(lack) = parking.lacks(entry.bytes) {
            // Only who has no less than this group would have makes room: so what is small and new comes in.
            let wanted = if lack == Lack::Places { count.saturating_add(1) } else { bytes.saturating_add(entry.bytes) };
            let victim = parking.greediest(lack).filter(|(_, greed)| *greed >= (!known, wanted));
            dropped(turn, "parked");
            if !victim.is_some_and(|(victim, _)| parking.drop_oldest(turn, victim)) {
                return Ok(Verdict::Durable);
            }
        }
        turn.effects.batch.put(Table::Parked, Scope::Account, key(group, envelope.id), row);
        parking.add(turn, group, entry)?;
        Ok(Verdict::Durable)
    }

    /// Reads again what was parked for a conversation's groups. What still cannot be read is as old as it was.
    pub(super) fn unpark(&mut self, turn: &mut Turn<'_>, id: ConversationId) -> Result<(), EngineError> {
        let groups = self.with(turn, id, |conversation, _, _| Ok(conversation.membership().groups()))?;
        self.parking.count(turn)?;
        for group in groups.unwrap_or_default() {
            self.read_again(turn, group)?;
        }
        Ok(())
    }

    /// Reads again what was parked for groups that are not known here: somebody is a contact now, and a Welcome of theirs may wait.
    pub(super) fn unpark_uninvited(&mut self, turn: &mut Turn<'_>) -> Result<(), EngineError> {
        self.parking.count(turn)?;
        let unknown: Vec<GroupId> =
            self.parking.shares.iter().filter(|(_, share)| !share.known).map(|(group, _)| *group).collect();
        for group in unknown {
            self.read_again(turn, group)?;
        }
        Ok(())
    }

    fn read_again(&mut self, turn: &mut Turn<'_>, group: GroupId) -> Result<(), EngineError> {
        for entry in self.parking.take(group) {
            let envelope = parked(turn, group, entry.id)?;
            turn.effects.batch.delete(Table::Parked, key(group, entry.id));
            if let Some(envelope) = envelope {
                self.packet(turn, Arrival { envelope: &envelope, from: None, since: entry.since })?;
            }
        }
        Ok(())
    }

    /// Whether a Welcome of an account waits here that leads into a conversation's group and is sealed to a key package of this device:
    /// whoever gives those to strangers is of this account.
    pub(super) fn is_welcomed(
        &mut self,
        turn: &mut Turn<'_>,
        by: AccountId,
        conversation: ConversationId,
        group: GroupId,
    ) -> Result<bool, EngineError> {
        self.parking.count(turn)?;
        let entries = self.parking.shares.get(&group).map(|share| share.entries.clone()).unwrap_or_default();
        for entry in entries {
            let Some(envelope) = parked(turn, group, entry.id)? else { continue };
            let Ok(Packet::Welcome { message, .. }) = Packet::decode(&envelope.packet) else { continue };
            // Only looked at: the key package is not used up.
            let before = turn.effects.batch.clone();
            let opened = Invitation::open(&mut turn.mls(), &message);
            turn.effects.batch = before;
            match opened {
                Ok(invitation) if invitation.conversation() == conversation => {
                    let inviter = LeafIdentity::decode(&invitation.inviter().identity);
                    if inviter.is_ok_and(|inviter| inviter.certificate.account_id() == by) {
                        return Ok(true);
                    }
                }
                Err(error @ (MlsError::Store(_) | MlsError::Incomplete)) => return Err(error.into()),
                Ok(_) | Err(_) => {}
            }
        }
        Ok(false)
    }
}

/// An envelope that is parked for a group.
fn parked(turn: &Turn<'_>, group: GroupId, id: EnvelopeId) -> Result<Option<Envelope>, EngineError> {
    let row = turn.read().get(Table::Parked, &key(group, id))?;
    let parked = row.and_then(|row| Parked::decode(&row).ok());
    Ok(parked.and_then(|parked| Envelope::decode(&parked.envelope).ok()))
}

fn key(group: GroupId, id: EnvelopeId) -> Vec<u8> {
    [group.as_ref(), id.as_ref()].concat()
}

/// Which envelope a row is of; nothing for the parked events of feeds, which stand in the same table.
fn place(key: &[u8]) -> Option<(GroupId, EnvelopeId)> {
    let (group, id) = key.split_at_checked(GroupId::LEN)?;
    Some((GroupId::try_from(group).ok()?, EnvelopeId::try_from(id).ok()?))
}
