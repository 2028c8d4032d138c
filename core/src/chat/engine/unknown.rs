//! Devices that do not know a group they have a leaf in: a store was taken back to before they came into the conversation.
//!
//! Such a device says so to whoever writes to it straight under that group; a member that is told so, or that has not heard of a
//! device for long, tells it what it is in ([`Recall`]), and it pleads like any other that lost its place.
//!
//! Invariants: nobody is told that is not a leaf already, by the teller's own view and its account's newest record, or of the teller's
//! own account; what is said too early, while a Welcome is on its way, leads to nothing.
//! Source: DESIGN §5; `docs/protocol-conversation.md`, "Losing one's keys".

use std::collections::{BTreeMap, BTreeSet};

use super::Engine;
use crate::chat::api::{Notice, Outgoing, Verdict};
use crate::chat::conversation::{Conversation, Errand, LatestEvent, dropped, envelope};
use crate::chat::membership::Membership;
use crate::chat::policy::{Kind as Sort, direct_conversation};
use crate::chat::turn::{EngineError, Turn};
use crate::identity::AccountRecord;
use crate::types::{AccountId, ConversationId, DeviceId, EnvelopeId, GroupId};
use crate::wire::codec::Body as _;
use crate::wire::envelope::{Class, Packet, Urgency};
use crate::wire::log::UnverifiedEntry;
use crate::wire::message::{Kind, Out, Recall, Rejoin, Text};

/// A group that nobody has led this device into after so long is not known to it: a Welcome that was under way has come.
const WAIT_MS: u64 = 60_000;

/// It is not said again for so long.
const AGAIN_MS: u64 = 10 * 60 * 1000;

/// Groups of which it is said: more than a person's contacts write in at once. Of others, word comes from their members.
const MAX_GROUPS: usize = 64;

/// Conversations that this device lets itself be told of in one run, each of which costs it pleas.
const MAX_RECALLED: usize = 64;

/// Envelopes of which it is awaited whether a relay took them; they come to something within minutes.
const MAX_TOLD: usize = 256;

/// How long word to a device that has nothing waiting for it is kept, in seconds.
const PASSING_S: u32 = 3600;

/// A group that is not known here.
#[derive(Debug, Clone, Copy)]
struct Unread {
    /// Who wrote in it last.
    from: DeviceId,
    /// When it is said, or may be said again.
    at: u64,
    said: bool,
}

/// What is not known here, and what others have said of it.
#[derive(Debug, Default)]
pub(super) struct Unknown {
    groups: BTreeMap<GroupId, Unread>,
    /// Who told of a conversation.
    recalled: BTreeMap<ConversationId, AccountId>,
    /// Who said to be in a group of this device's in which they have no seat.
    claimed: BTreeSet<(ConversationId, AccountId)>,
    /// What the other of a conversation of two was told last, who need not know this account, until it is known what came of it.
    told: BTreeMap<EnvelopeId, (ConversationId, AccountId)>,
}

/// What a device is told of a conversation that it is in.
struct Word {
    /// Its present group.
    group: GroupId,
    /// What the device's account wrote there last.
    shown: Option<LatestEvent>,
    /// What its home signed last and has lost.
    lost: Option<UnverifiedEntry>,
}

impl Unknown {
    fn note(&mut self, now: u64, group: GroupId, from: DeviceId) {
        if let Some(unread) = self.groups.get_mut(&group) {
            if unread.said && unread.at <= now {
                *unread = Unread { from, at: now, said: false };
            }
            return;
        }
        if self.groups.len() >= MAX_GROUPS {
            self.groups.retain(|_, unread| !unread.said || unread.at > now);
        }
        if self.groups.len() < MAX_GROUPS {
            self.groups.insert(group, Unread { from, at: now.saturating_add(WAIT_MS), said: false });
        }
    }

    fn take_due(&mut self, now: u64) -> Vec<(GroupId, DeviceId)> {
        let due: Vec<(GroupId, DeviceId)> = self
            .groups
            .iter()
            .filter(|(_, unread)| !unread.said && unread.at <= now)
            .map(|(group, unread)| (*group, unread.from))
            .collect();
        for (group, from) in &due {
            self.groups.insert(*group, Unread { from: *from, at: now.saturating_add(AGAIN_MS), said: true });
        }
        due
    }

    pub(super) fn wake_at(&self) -> Option<u64> {
        self.groups.values().filter(|unread| !unread.said).map(|unread| unread.at).min()
    }

    /// Where and whom something told that is on its way; it is forgotten here.
    pub(super) fn take_told(&mut self, envelope: &EnvelopeId) -> Option<(ConversationId, AccountId)> {
        self.told.remove(envelope)
    }

    /// Who told of a conversation that this device did not know.
    pub(super) fn teller(&self, conversation: ConversationId) -> Option<AccountId> {
        self.recalled.get(&conversation).copied()
    }
}

impl Engine {
    /// A device that is connected has written under a group that is not known here.
    pub(super) fn note_unknown(&mut self, turn: &Turn<'_>, from: Option<DeviceId>, group: GroupId) {
        if let Some(from) = from {
            self.unknown.note(turn.now.mono_ms, group, from);
        }
    }

    /// Says of the groups that are still not known that they are not.
    pub(super) fn say_unknown(&mut self, turn: &mut Turn<'_>) -> Result<(), EngineError> {
        for (group, from) in self.unknown.take_due(turn.now.mono_ms) {
            if Membership::conversation_of(&turn.read(), group)?.is_some() {
                self.unknown.groups.remove(&group);
                continue;
            }
            let Some(account) = self.account.owner_of(turn, from)? else { continue };
            let Some(recipient) = self.account.recipient(turn, &account, from)? else { continue };
            let class = Class::Ephemeral { ttl_s: PASSING_S };
            let envelope = envelope(turn, &Packet::Unknown { group }, class, Urgency::Quiet);
            turn.effects.sends.push(Outgoing {
                id: envelope.id,
                class,
                envelope: envelope.encode(),
                to: vec![recipient],
            });
        }
        Ok(())
    }

    /// A device does not know a group. Where it came through a mailbox it may be anybody's word.
    pub(super) fn told_unknown(
        &mut self,
        turn: &mut Turn<'_>,
        from: Option<DeviceId>,
        group: GroupId,
    ) -> Result<Verdict, EngineError> {
        if let (Some(from), Some(id)) = (from, Membership::conversation_of(&turn.read(), group)?) {
            self.with(turn, id, |conversation, turn, shared| {
                conversation.is_unknown_to(turn, shared, from);
                Ok(())
            })?;
        }
        Ok(Verdict::Durable)
    }

    /// Tells a device that it is in a conversation, unless a Welcome that leads it there is on its way.
    pub(super) fn recall(
        &mut self,
        turn: &mut Turn<'_>,
        id: ConversationId,
        device: DeviceId,
        lasting: bool,
    ) -> Result<(), EngineError> {
        let own = self.account.record().device(device).map(|_| self.account.id());
        let whose = self.with(turn, id, |conversation, _, shared| {
            let member = conversation.membership().roster().member(&device).filter(|member| member.is_present());
            Ok(own.or(member.map(|member| member.account)).or_else(|| conversation.partner(shared.account.id())))
        })?;
        let Some(account) = whose.flatten() else { return Ok(()) };
        let Some(Word { group, shown, lost }) = self.word_to(turn, id, account)? else { return Ok(()) };
        // Whoever has not heard of this account does not read a Welcome of it.
        let stranger = shown.as_ref().is_some_and(|shown| shown.former);
        let is_shown = shown.is_some();
        let shown = shown.map(|shown| LatestEvent { certificate: shown.certificate.filter(|_| shown.former), ..shown });
        if (self.letters.leads(group, device) && !stranger) || self.is_shut_out(turn, id, &account)? {
            return Ok(());
        }
        let Some(record) = self.account.record_of(turn, &account)? else { return Ok(()) };
        let Some(recipient) = self.account.recipient(turn, &account, device)? else { return Ok(()) };
        let Ok(mut envelope) = self.account.recall(turn, &record, id, group, shown, lost)? else { return Ok(()) };
        envelope.urgency = Urgency::Quiet;
        if !lasting {
            envelope.class = Class::Ephemeral { ttl_s: PASSING_S };
        }
        if is_shown && id == direct_conversation(self.account.id(), account) {
            if self.unknown.told.len() >= MAX_TOLD {
                self.unknown.told.pop_first();
            }
            self.unknown.told.insert(envelope.id, (id, account));
        }
        let (id, class) = (envelope.id, envelope.class);
        turn.effects.sends.push(Outgoing { id, class, envelope: envelope.encode(), to: vec![recipient] });
        Ok(())
    }

    /// Tells an account whose relay knows nothing of what its devices had given to this one: it was taken back from a copy, or never
    /// heard of it, and whoever gave it is gone or has forgotten it. It costs work, and a place among a stranger's requests.
    pub(super) fn recall_as_stranger(
        &mut self,
        turn: &mut Turn<'_>,
        id: ConversationId,
        account: AccountId,
    ) -> Result<(), EngineError> {
        if self.is_shut_out(turn, id, &account)? {
            return Ok(());
        }
        let Some(Word { group, shown, lost }) = self.word_to(turn, id, account)? else { return Ok(()) };
        // Whoever never heard of this account believes what a device that is gone wrote only with its certificate.
        let former = shown.as_ref().is_some_and(|shown| shown.former);
        if !self.account.may_speak_as_stranger(turn, &account, former) {
            return Ok(());
        }
        let Some(record) = self.account.record_of(turn, &account)? else { return Ok(()) };
        if shown.is_some()
            && let Ok(envelope) = self.account.recall(turn, &record, id, group, shown, lost)?
        {
            self.account.speak_as_stranger(turn, &record, &envelope, former);
        }
        Ok(())
    }

    /// What an account's devices are told of a conversation that this device is in.
    fn word_to(
        &mut self,
        turn: &mut Turn<'_>,
        id: ConversationId,
        account: AccountId,
    ) -> Result<Option<Word>, EngineError> {
        let word = self.with(turn, id, |conversation, turn, shared| {
            let Some(group) = conversation.membership().present().map(|present| present.group) else { return Ok(None) };
            let lost = conversation.membership().lost_entry(turn)?;
            Ok(Some(Word { group, shown: conversation.latest_of(turn, account, shared)?, lost }))
        })?;
        Ok(word.flatten())
    }

    /// Somebody says that this device is in a conversation with them.
    pub(super) fn recalled(
        &mut self,
        turn: &mut Turn<'_>,
        from: AccountId,
        recall: &Recall,
    ) -> Result<Verdict, EngineError> {
        let id = recall.conversation;
        self.account.take_grant(turn, from, recall)?;
        if let Some(known) = Membership::conversation_of(&turn.read(), recall.group)? {
            if known == id {
                self.with(turn, id, |conversation, turn, shared| conversation.probe(turn, shared, recall))?;
            }
            return Ok(Verdict::Durable);
        }
        let here = self.with(turn, id, |conversation, _, _| {
            let membership = conversation.membership();
            let seated = membership.policy().map(|policy| policy.seat(from).is_some());
            Ok((!membership.is_blank()).then(|| (membership.present().is_some(), membership.wants_back(), seated)))
        })?;
        match here.flatten() {
            // It is in a rival of that group, or has asked among its own account's devices only.
            Some((true, _, Some(true)) | (_, true, None)) => {
                if !self.account.believes(turn, from, recall)? {
                    return Ok(dropped(turn, "recall"));
                }
                self.unknown.recalled.insert(id, from);
                if recall.lost.is_none() {
                    self.errands.push((id, Errand::Plead));
                }
            }
            Some((present, rejoining, Some(seated))) => {
                return self.recalled_by_member(turn, from, recall, (present, rejoining, seated));
            }
            // It was taken out.
            Some(_) => {}
            None if self.unknown.recalled.len() >= MAX_RECALLED => return Ok(dropped(turn, "recall")),
            None => {
                if !self.account.believes(turn, from, recall)? {
                    return self.recalled_by_stranger(turn, from, recall);
                }
                self.account.take_back(turn, from, id, (recall.grant, recall.taken))?;
                self.unknown.recalled.insert(id, from);
                self.seek_in(turn, id)?;
            }
        }
        Ok(Verdict::Durable)
    }

    /// Whether somebody pleads to be brought back into a conversation with this account that is not known here: their plea says that this
    /// device is in it as well as a recall does, which only who has not lost its place can send. Both then plead with each other, and of
    /// a group an admin hears so that nobody has a place in it any more.
    pub(super) fn is_recalled_by(&mut self, turn: &mut Turn<'_>, plea: &Rejoin) -> Result<bool, EngineError> {
        let (id, from) = (plea.conversation, plea.account);
        if self.unknown.recalled.len() >= MAX_RECALLED {
            return Ok(false);
        }
        let known = self.with(turn, id, |conversation, _, _| Ok(!conversation.membership().is_blank()))?;
        if known == Some(true) || !self.account.trusts(turn, from, id)? {
            return Ok(false);
        }
        self.account.take_back(turn, from, id, (None, None))?;
        self.unknown.recalled.insert(id, from);
        self.seek_in(turn, id)?;
        Ok(true)
    }

    /// Somebody says that this device is in a group of which it knows an older state. Who had no seat in it then is asked as well. Where
    /// its home has lost the log nobody can bring this device back: then it may have to move the group itself. If it is in a successor
    /// already, where they have no seat, its person knows whether they belong there.
    fn recalled_by_member(
        &mut self,
        turn: &mut Turn<'_>,
        from: AccountId,
        recall: &Recall,
        (present, rejoining, seated): (bool, bool, bool),
    ) -> Result<Verdict, EngineError> {
        let id = recall.conversation;
        if !present && rejoining {
            self.with(turn, id, |conversation, turn, shared| conversation.probe(turn, shared, recall))?;
        }
        if seated || !self.account.believes(turn, from, recall)? {
            return Ok(Verdict::Durable);
        }
        if rejoining {
            if recall.lost.is_none() && self.unknown.recalled.insert(id, from) != Some(from) {
                self.errands.push((id, Errand::Plead));
            }
            return Ok(Verdict::Durable);
        }
        self.claim(turn, id, from)?;
        Ok(Verdict::Durable)
    }

    /// Somebody says to be in a group in which they have no seat. Its admins' persons know whether they belong there.
    fn claim(&mut self, turn: &mut Turn<'_>, id: ConversationId, from: AccountId) -> Result<(), EngineError> {
        let own = self.account.id();
        let admin = self.with(turn, id, |conversation, _, _| {
            let membership = conversation.membership();
            let policy = membership.policy().filter(|_| membership.present().is_some());
            Ok(policy.is_some_and(|policy| policy.kind == Sort::Group && policy.is_admin(own)))
        })?;
        let room = self.unknown.claimed.len() < MAX_RECALLED;
        if admin == Some(true) && room && self.unknown.claimed.insert((id, from)) {
            turn.effects.notices.push(Notice::Claimed { conversation: id, account: from });
        }
        Ok(())
    }

    /// A contact pleads that was a member of a group, and has no seat in the one that took over from it.
    pub(super) fn hear_claim(&mut self, turn: &mut Turn<'_>, plea: &Rejoin) -> Result<(), EngineError> {
        let (id, from) = (plea.conversation, plea.account);
        let passed_over = self.with(turn, id, |conversation, _, _| Ok(conversation.is_passed_over(plea)))?;
        let contact = self.account.contact(turn, &from)?.is_some_and(|contact| contact.accepted && !contact.blocked);
        if contact && passed_over == Some(true) { self.claim(turn, id, from) } else { Ok(()) }
    }

    /// Somebody whom no device of this account knows says to be in a conversation with it. A device that is gone may have been the only
    /// one that knew them. What it signed, or gave them to invite this one with, may be a thief's word: it is enough to ask the person, once,
    /// and for nothing more.
    fn recalled_by_stranger(
        &mut self,
        turn: &mut Turn<'_>,
        from: AccountId,
        recall: &Recall,
    ) -> Result<Verdict, EngineError> {
        let own = self.account.id();
        if self.unknown.recalled.contains_key(&recall.conversation) {
            return Ok(Verdict::Durable);
        }
        let id = recall.conversation;
        if id != direct_conversation(own, from)
            || !(self.account.once_wrote(recall) || self.is_welcomed(turn, from, id, recall.group)?)
        {
            return Ok(dropped(turn, "recall"));
        }
        self.unknown.recalled.insert(recall.conversation, from);
        self.account.remember(turn, from, recall)?;
        Ok(Verdict::Durable)
    }

    /// Tells who pleads that its account is out.
    pub(super) fn say_out(
        &mut self,
        turn: &mut Turn<'_>,
        plea: &Rejoin,
        record: &AccountRecord,
    ) -> Result<(), EngineError> {
        let Some(recipient) = self.account.recipient(turn, &plea.account, plea.device)? else { return Ok(()) };
        let (id, account) = (plea.conversation, plea.account);
        let leave = self.with(turn, id, |conversation, turn, shared| conversation.leave_of(turn, account, shared))?;
        let Ok(mut envelope) = self.account.out(turn, record, id, plea.wall, leave.flatten())? else { return Ok(()) };
        envelope.urgency = Urgency::Quiet;
        let (id, class) = (envelope.id, envelope.class);
        turn.effects.sends.push(Outgoing { id, class, envelope: envelope.encode(), to: vec![recipient] });
        Ok(())
    }

    /// Somebody answers a plea of this device's: its account is out. Believed is who could have taken it out.
    pub(super) fn told_out(&mut self, turn: &mut Turn<'_>, out: &Out) -> Result<Verdict, EngineError> {
        if !self.pleaded(turn, out.conversation, out.account, out.wall)? {
            return Ok(dropped(turn, "out"));
        }
        let taken =
            self.with(turn, out.conversation, |conversation, turn, shared| conversation.told_out(turn, shared, out))?;
        Ok(if taken == Some(true) { Verdict::Durable } else { dropped(turn, "out") })
    }

    /// A request that was waiting when the store was taken back was answered, and all that was written is here: its text becomes the
    /// first message unless it is there.
    pub(super) fn settle_doubt(
        &mut self,
        turn: &mut Turn<'_>,
        id: ConversationId,
        partner: AccountId,
    ) -> Result<(), EngineError> {
        if !self.account.is_in_doubt(turn, partner)?
            || self.with(turn, id, |conversation, turn, _| Ok(conversation.is_sure(turn)))? != Some(true)
        {
            return Ok(());
        }
        let Some(text) = self.account.settle_doubt(turn, partner)? else { return Ok(()) };
        if !Conversation::has_text(turn, id, self.account.record(), &text)? {
            let body = Text { text, reply_to: None }.encode();
            self.with(turn, id, |conversation, turn, shared| conversation.write(turn, shared, Kind::Text, body))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(number: u8) -> GroupId {
        GroupId::new([number; 32])
    }

    #[test]
    fn a_group_is_said_to_be_unknown_once_it_had_time_to_come_and_then_seldom() {
        let (mut unknown, from) = (Unknown::default(), DeviceId::new([1; 32]));
        unknown.note(5, group(1), from);
        assert_eq!((unknown.wake_at(), unknown.take_due(WAIT_MS)), (Some(5 + WAIT_MS), Vec::new()));
        assert_eq!(unknown.take_due(5 + WAIT_MS), [(group(1), from)]);
        unknown.note(6 + WAIT_MS, group(1), from);
        assert_eq!(unknown.wake_at(), None, "it was just said");
        let later = 5 + WAIT_MS + AGAIN_MS;
        unknown.note(later, group(1), from);
        assert_eq!(unknown.take_due(later), [(group(1), from)]);
    }

    #[test]
    fn of_many_groups_only_so_many_are_noted() {
        let (mut unknown, from) = (Unknown::default(), DeviceId::new([1; 32]));
        (0..=255).for_each(|number| unknown.note(0, group(number), from));
        assert_eq!(unknown.take_due(WAIT_MS).len(), MAX_GROUPS);
        unknown.note(WAIT_MS + AGAIN_MS, group(255), from);
        assert_eq!(unknown.wake_at(), Some(2 * WAIT_MS + AGAIN_MS), "what was said long ago makes room");
    }
}
