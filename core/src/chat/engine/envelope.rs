//! Envelopes that come in.

use super::Engine;
use crate::chat::account::Opened;
use crate::chat::api::Verdict;
use crate::chat::conversation::{Conversation, Errand, Received, dropped};
use crate::chat::membership::{Entered, Membership, Wish};
use crate::chat::policy::{Kind, Policy};
use crate::chat::turn::{EngineError, Turn};
use crate::mls::{Invitation, MlsError};
use crate::store::{Read as _, Scope, Table};
use crate::types::{AccountId, ConversationId, DeviceId, GroupId, Timestamp};
use crate::wire::codec::Body;
use crate::wire::envelope::{Class, Envelope, Packet};
use crate::wire::message::{Kind as Content, Rejoin, Text};

/// A plea is answered after a random delay up to this, so that not all members answer it.
const PLEA_DELAY_MS: u64 = 3_000;

/// An envelope that is read, now or again.
#[derive(Clone, Copy)]
pub(super) struct Arrival<'a> {
    pub(super) envelope: &'a Envelope,
    /// The device that brought it straight.
    pub(super) from: Option<DeviceId>,
    /// When it came first.
    pub(super) since: Timestamp,
}

impl Engine {
    /// Takes an envelope in; what to answer is in the effects.
    pub(super) fn envelope(
        &mut self,
        turn: &mut Turn<'_>,
        from: Option<DeviceId>,
        bytes: &[u8],
    ) -> Result<(), EngineError> {
        let verdict = match Envelope::decode(bytes) {
            Err(_) => dropped(turn, "envelope"),
            Ok(envelope) if self.is_unwelcome(turn, from, &envelope)? => Verdict::Refused,
            Ok(envelope) if turn.read().get(Table::Seen, envelope.id.as_ref())?.is_some() => Verdict::Durable,
            Ok(envelope) => {
                let verdict = self.packet(turn, Arrival { envelope: &envelope, from, since: turn.now.wall })?;
                if verdict == Verdict::Durable && envelope.class == Class::Durable {
                    let wall = turn.now.wall.0.to_be_bytes();
                    turn.effects.batch.put(Table::Seen, Scope::Account, envelope.id.as_ref(), wall);
                }
                verdict
            }
        };
        turn.effects.verdict = Some(verdict);
        Ok(())
    }

    /// Whether an envelope came straight from a device of somebody blocked, for the conversation with them: it is refused unread,
    /// so that they are not told either whether it had come before.
    fn is_unwelcome(
        &mut self,
        turn: &mut Turn<'_>,
        from: Option<DeviceId>,
        envelope: &Envelope,
    ) -> Result<bool, EngineError> {
        let (Some(from), Ok(packet)) = (from, Packet::decode(&envelope.packet)) else { return Ok(false) };
        let (Packet::Mls { group, .. }
        | Packet::Welcome { group, .. }
        | Packet::Hint { group, .. }
        | Packet::Shown { group, .. }
        | Packet::Over { group }
        | Packet::Unknown { group }
        | Packet::Wanted { group, .. }) = packet
        else {
            return Ok(false);
        };
        let Some(id) = Membership::conversation_of(&turn.read(), group)? else { return Ok(false) };
        let own = self.account.id();
        let partner = self.with(turn, id, |conversation, _, _| {
            let sender = conversation.membership().roster().member(&from).map(|member| member.account);
            Ok(conversation.partner(own).filter(|partner| sender == Some(*partner)))
        })?;
        match partner.flatten() {
            Some(partner) => self.account.is_blocked(turn, &partner),
            None => Ok(false),
        }
    }

    pub(super) fn packet(&mut self, turn: &mut Turn<'_>, arrival: Arrival<'_>) -> Result<Verdict, EngineError> {
        match Packet::decode(&arrival.envelope.packet) {
            Err(_) => Ok(dropped(turn, "packet")),
            Ok(Packet::Mls { group, message }) => self.mls(turn, arrival, group, &message),
            Ok(Packet::Welcome { group, message, anchors }) => self.welcome(turn, arrival, group, &message, &anchors),
            Ok(Packet::Hint { group, next }) => {
                if let Some(id) = Membership::conversation_of(&turn.read(), group)? {
                    self.with(turn, id, |conversation, turn, shared| {
                        conversation.membership_mut().hint(group, next);
                        conversation.advance(turn, shared)
                    })?;
                }
                Ok(Verdict::Durable)
            }
            Ok(Packet::Shown { group, shown }) => {
                if let Some(id) = Membership::conversation_of(&turn.read(), group)? {
                    self.with(turn, id, |conversation, turn, shared| {
                        conversation.take_shown(turn, shared, &shown)?;
                        conversation.advance(turn, shared)
                    })?;
                }
                Ok(Verdict::Durable)
            }
            Ok(Packet::Over { group }) => {
                if let Some(id) = Membership::conversation_of(&turn.read(), group)? {
                    self.with(turn, id, |conversation, turn, shared| {
                        conversation.take_over(turn, shared, group)?;
                        conversation.advance(turn, shared)
                    })?;
                }
                Ok(Verdict::Durable)
            }
            Ok(Packet::Unknown { group }) => self.told_unknown(turn, arrival.from, group),
            Ok(Packet::Wanted { conversation, group }) => {
                let may_call = match arrival.from {
                    Some(from) => self.may_call(turn, from, conversation)?,
                    None => false,
                };
                if !may_call {
                    return Ok(dropped(turn, "call"));
                }
                self.called_for(turn, conversation, group)?;
                Ok(Verdict::Durable)
            }
            Ok(Packet::Sealed { to, prekey, sealed }) => self.sealed(turn, to, prekey, &sealed),
        }
    }

    /// Whether a device may say that this one has a place in a conversation: one of this account's, or a contact's in the conversation
    /// with that contact.
    fn may_call(&self, turn: &Turn<'_>, from: DeviceId, conversation: ConversationId) -> Result<bool, EngineError> {
        let own = self.account.id();
        if self.account.record().device(from).is_some() {
            return Ok(true);
        }
        let Some(partner) = self.partner_in(turn, conversation)? else { return Ok(false) };
        let record = self.account.record_of(turn, &partner)?;
        Ok(partner != own && record.is_some_and(|record| record.device(from).is_some()))
    }

    fn called_for(
        &mut self,
        turn: &mut Turn<'_>,
        conversation: ConversationId,
        group: GroupId,
    ) -> Result<(), EngineError> {
        let known =
            self.with(turn, conversation, |conversation, turn, shared| conversation.called_for(turn, shared, group))?;
        if known.is_none() {
            self.seek_in(turn, conversation)?;
        }
        Ok(())
    }

    fn mls(
        &mut self,
        turn: &mut Turn<'_>,
        arrival: Arrival<'_>,
        group: GroupId,
        message: &[u8],
    ) -> Result<Verdict, EngineError> {
        let Some(id) = Membership::conversation_of(&turn.read(), group)? else {
            self.note_unknown(turn, arrival.from, group);
            return self.park(turn, arrival, group);
        };
        let received = self.with(turn, id, |conversation, turn, shared| {
            if !conversation.membership().holds(group) {
                return Ok(None);
            }
            let received = conversation.receive(turn, shared, arrival.from, group, message)?;
            conversation.advance(turn, shared)?;
            Ok(Some(received))
        })?;
        match received.flatten() {
            Some(Received::Done(verdict)) => Ok(verdict),
            Some(Received::Early) | None => self.park(turn, arrival, group),
        }
    }

    fn welcome(
        &mut self,
        turn: &mut Turn<'_>,
        arrival: Arrival<'_>,
        group: GroupId,
        message: &[u8],
        anchors: &[u8],
    ) -> Result<Verdict, EngineError> {
        let before = turn.effects.batch.clone();
        let invitation = match Invitation::open(&mut turn.mls(), message) {
            Ok(invitation) => invitation,
            Err(MlsError::GroupExists) => {
                // This device is removed and added again: the log will say so, if it can be followed.
                if let Some(id) = Membership::conversation_of(&turn.read(), group)? {
                    let room = self.with(turn, id, |conversation, turn, _| {
                        conversation.membership_mut().makes_room(turn, group)
                    })?;
                    if room == Some(true) {
                        return self.welcome(turn, arrival, group, message, anchors);
                    }
                    self.with(turn, id, |conversation, turn, shared| {
                        conversation.membership_mut().read_log();
                        conversation.advance(turn, shared)
                    })?;
                }
                return self.park(turn, arrival, group);
            }
            Err(error @ (MlsError::Store(_) | MlsError::Incomplete)) => return Err(error.into()),
            Err(_) => return Ok(dropped(turn, "welcome")),
        };
        let id = invitation.conversation();
        let Ok(policy) = Policy::decode(invitation.policy()) else { return Ok(dropped(turn, "welcome")) };
        let Ok(inviter) = crate::identity::LeafIdentity::decode(&invitation.inviter().identity) else {
            return Ok(dropped(turn, "welcome"));
        };
        if !self.is_invited(turn, &policy, inviter.certificate.account_id())? {
            // Word of the contact may still be on its way from another device of this account. Its key package is not used up.
            turn.effects.batch = before;
            return self.park(turn, arrival, group);
        }
        if self.with(turn, id, |_, _, _| Ok(()))?.is_none() {
            let conversation = Conversation::new(turn, id, self.me())?;
            self.conversations.insert(id, conversation);
        }
        let entered =
            self.with(turn, id, |conversation, turn, shared| conversation.enter(turn, shared, invitation, anchors))?;
        match entered {
            Some(Entered::Present) => self.entered(turn, id, &policy)?,
            Some(Entered::Rival) => {
                self.agreed(turn, id, &policy)?;
                self.advanced.push(id);
            }
            Some(Entered::Refused(reason)) => {
                // Whoever invites may have been removed since, and the others take this device for a member.
                if self.seek_at.is_none() {
                    self.seek_soon(turn);
                }
                return Ok(dropped(turn, reason));
            }
            None => return Ok(dropped(turn, "welcome")),
        }
        self.herald(turn, id)?;
        Ok(Verdict::Durable)
    }

    /// Whether a Welcome is wanted: of a member of a conversation that is known, of oneself, of a contact.
    fn is_invited(&mut self, turn: &mut Turn<'_>, policy: &Policy, inviter: AccountId) -> Result<bool, EngineError> {
        let own = self.account.id();
        let id = policy.conversation;
        if inviter == own {
            return Ok(true);
        }
        if self.account.is_blocked(turn, &inviter)? && policy.kind == Kind::Direct {
            return Ok(false);
        }
        let seated = self.with(turn, id, |conversation, _, _| {
            Ok(conversation.membership().policy().is_some_and(|policy| policy.seat(inviter).is_some()))
        })?;
        if seated == Some(true) {
            return Ok(true);
        }
        let contact = self.account.contact(turn, &inviter)?;
        Ok(contact.is_some_and(|contact| !contact.blocked && (contact.accepted || contact.asked.is_some())))
    }

    fn entered(&mut self, turn: &mut Turn<'_>, id: ConversationId, policy: &Policy) -> Result<(), EngineError> {
        self.agreed(turn, id, policy)?;
        self.with(turn, id, |conversation, turn, shared| {
            conversation.sync_devices(turn, shared, super::SYNC_DELAY_MS)
        })?;
        Ok(())
    }

    /// In a direct conversation a Welcome is the other's consent: the text of one's own request becomes the first message.
    fn agreed(&mut self, turn: &mut Turn<'_>, id: ConversationId, policy: &Policy) -> Result<(), EngineError> {
        let partner = policy.seats.iter().map(|seat| seat.account).find(|account| *account != self.account.id());
        let Some(partner) = partner.filter(|_| policy.kind == Kind::Direct) else { return Ok(()) };
        // A device that is new to its account knows no contact yet: its other devices will tell.
        let Some(contact) = self.account.contact(turn, &partner)? else { return Ok(()) };
        if contact.accepted && contact.asked.is_none() {
            return Ok(());
        }
        if let Some(text) = self.account.accepted_by(turn, partner)? {
            let body = Text { text, reply_to: None }.encode();
            self.with(turn, id, |conversation, turn, shared| conversation.write(turn, shared, Content::Text, body))?;
        }
        Ok(())
    }

    fn sealed(
        &mut self,
        turn: &mut Turn<'_>,
        to: AccountId,
        prekey: u32,
        sealed: &[u8],
    ) -> Result<Verdict, EngineError> {
        match self.account.open_sealed(turn, to, prekey, sealed)? {
            Opened::Waiting => Ok(Verdict::Durable),
            Opened::Mutual(accepted) => {
                self.create_direct(turn, &accepted)?;
                Ok(Verdict::Durable)
            }
            Opened::Rejoin { plea, fresh } => {
                if fresh {
                    self.record_changed(turn, plea.account)?;
                }
                self.plea(turn, *plea)
            }
            Opened::Recall(from, recall) => self.recalled(turn, from, &recall),
            Opened::Out(out) => self.told_out(turn, &out),
            Opened::Blocked => Ok(Verdict::Refused),
            Opened::Garbage => Ok(dropped(turn, "sealed")),
        }
    }

    fn plea(&mut self, turn: &mut Turn<'_>, plea: Rejoin) -> Result<Verdict, EngineError> {
        let Some(record) = self.account.record_of(turn, &plea.account)? else { return Ok(dropped(turn, "plea")) };
        let own = plea.account == self.account.id();
        if !own && self.is_recalled_by(turn, &plea)? {
            return Ok(Verdict::Durable);
        }
        let out = self
            .with(turn, plea.conversation, |conversation, turn, shared| Ok(conversation.is_out(turn, shared, &plea)))?;
        if let Some(Some(answer)) = out {
            if answer {
                self.say_out(turn, &plea, &record)?;
            }
            return Ok(Verdict::Durable);
        }
        self.hear_claim(turn, &plea)?;
        self.with(turn, plea.conversation, |conversation, turn, shared| {
            let membership = conversation.membership_mut();
            if !own {
                membership.hear_loss(plea.account);
            }
            if membership.present().is_none() || !membership.hear_plea(turn, plea.device, plea.wall) {
                return Ok(());
            }
            if membership.lost_entry(turn)?.is_some() {
                // Nobody can be added. If it is an admin's, only it may be able to move the group. A recall that shows what is lost
                // leads to no plea, so that they do not answer each other for ever.
                shared.errands.push((plea.conversation, Errand::Recall { device: plea.device, lasting: false }));
            } else if membership.is_helpless(shared.account) {
                conversation.share_loss(turn, shared)?;
            }
            let me = shared.account.id();
            let delay = if own || conversation.is_small() {
                0
            } else if conversation.membership().policy().is_some_and(|policy| policy.is_admin(me)) {
                crate::chat::conversation::draw(turn.rng, PLEA_DELAY_MS)
            } else {
                // Who pleads follows an admin into a successor that it does not know, and nobody else.
                PLEA_DELAY_MS.saturating_add(crate::chat::conversation::draw(turn.rng, PLEA_DELAY_MS))
            };
            let wish =
                Wish::Return { device: plea.device, package: plea.key_package.into(), record: record.encode().into() };
            conversation.wish(turn, shared, wish, delay)
        })?;
        Ok(Verdict::Durable)
    }
}
