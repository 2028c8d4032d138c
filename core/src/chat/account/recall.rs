//! Telling a device that has lost all it knew of a conversation, and believing it.
//!
//! A store that was taken back to before its account knew somebody does not know them, and they take it for a member. What makes the
//! receiver believe is never the sender's word: it is a contact of one's own, or one's own signature in that conversation.

use crate::chat::api::{CommandError, Notice};
use crate::chat::policy::direct_conversation;
use crate::chat::turn::{EngineError, Turn};
use crate::identity::{AccountRecord, Context};
use crate::store::{Scope, Table};
use crate::types::{AccountId, ConversationId, GroupId, Timestamp};
use crate::wire::codec::Body;
use crate::wire::envelope::Envelope;
use crate::wire::event::UnverifiedEvent;
use crate::wire::message::{Out, Recall, Sealed};

use super::Account;
use super::card::{Opened, signed};
use super::contact::contacts;

impl Account {
    /// Signs and seals word to an account's devices that they are in a conversation; `event` is the latest there of one of them.
    ///
    /// # Errors
    /// If the store does not answer or a row cannot be read; the inner error if the account has no prekey that this Kith can seal to.
    pub fn recall(
        &self,
        turn: &mut Turn<'_>,
        to: &AccountRecord,
        conversation: ConversationId,
        group: GroupId,
        event: Option<UnverifiedEvent>,
    ) -> Result<Result<Envelope, CommandError>, EngineError> {
        let contact = self.contact(turn, &to.account_id())?;
        let mut recall = Recall {
            record: self.record().encode(),
            conversation,
            group,
            device: self.device(),
            grant: contact.as_ref().and_then(|contact| contact.given),
            taken: contact.as_ref().and_then(|contact| contact.taken),
            event,
            signature: Vec::new(),
        };
        let unsigned = Sealed::Recall(recall.clone()).encode();
        let signature = self.keys().events.sign(Context::Card, &signed(to.account_id(), &unsigned));
        recall.signature = signature.as_bytes().to_vec();
        self.seal(turn, to, &Sealed::Recall(recall))
    }

    pub(super) fn receive_recall(&mut self, turn: &mut Turn<'_>, recall: Recall) -> Result<Opened, EngineError> {
        let Ok(shown) = AccountRecord::decode_verified(&recall.record) else { return Ok(Opened::Garbage) };
        let account = shown.account_id();
        if account != self.id() && self.is_blocked(turn, &account)? {
            return Ok(Opened::Blocked);
        }
        // Whoever has heard of no newer record is no liar.
        let newer = self.record_of(turn, &account)?.is_none_or(|known| known.version() < shown.version());
        if newer && self.observe_record(turn, &recall.record)?.is_none_or(|(_, seen)| seen.is_refused()) {
            return Ok(Opened::Garbage);
        }
        let Some(record) = self.record_of(turn, &account)? else { return Ok(Opened::Garbage) };
        let unsigned = Sealed::Recall(Recall { signature: Vec::new(), ..recall.clone() }).encode();
        let genuine = self.is_signed(&record, recall.device, &unsigned, &recall.signature).is_ok();
        if !genuine || self.record().device(self.device()).is_none() {
            return Ok(Opened::Garbage);
        }
        Ok(Opened::Recall(account, Box::new(recall)))
    }

    /// Signs and seals the answer to a plea of a device whose account has no place in a conversation any more.
    ///
    /// # Errors
    /// If the store does not answer or a row cannot be read; the inner error if the account has no prekey that this Kith can seal to.
    pub fn out(
        &self,
        turn: &mut Turn<'_>,
        to: &AccountRecord,
        conversation: ConversationId,
        wall: Timestamp,
    ) -> Result<Result<Envelope, CommandError>, EngineError> {
        let mut out = Out { account: self.id(), conversation, device: self.device(), wall, signature: Vec::new() };
        let unsigned = Sealed::Out(out.clone()).encode();
        let signature = self.keys().events.sign(Context::Card, &signed(to.account_id(), &unsigned));
        out.signature = signature.as_bytes().to_vec();
        self.seal(turn, to, &Sealed::Out(out))
    }

    pub(super) fn receive_out(&self, turn: &mut Turn<'_>, out: Out) -> Result<Opened, EngineError> {
        let Some(record) = self.record_of(turn, &out.account)? else { return Ok(Opened::Garbage) };
        let unsigned = Sealed::Out(Out { signature: Vec::new(), ..out.clone() }).encode();
        let genuine = self.is_signed(&record, out.device, &unsigned, &out.signature).is_ok();
        Ok(if genuine { Opened::Out(Box::new(out)) } else { Opened::Garbage })
    }

    /// Whether somebody's word that this account is in a conversation is to be followed: they are a contact, or were asked; or what
    /// they show is signed here.
    ///
    /// # Errors
    /// If the store does not answer or the row cannot be read.
    pub fn believes(&self, turn: &Turn<'_>, from: AccountId, recall: &Recall) -> Result<bool, EngineError> {
        if from == self.id() {
            return Ok(true);
        }
        let contact = self.contact(turn, &from)?.filter(|contact| !contact.blocked);
        if recall.conversation != direct_conversation(self.id(), from) {
            return Ok(contact.is_some_and(|contact| contact.accepted));
        }
        let known = contact.is_some_and(|contact| contact.accepted || contact.asked.is_some());
        Ok(known || self.wrote(recall))
    }

    /// Whether this account wrote the event that is shown.
    fn wrote(&self, recall: &Recall) -> bool {
        let Some(event) = recall.event.clone() else { return false };
        let Ok(header) = event.peek() else { return false };
        let certificate = self.record().device(header.feed.device);
        let key = certificate.map(|it| ed25519_dalek::VerifyingKey::from_bytes(it.events_key().as_bytes()));
        let Some(Ok(key)) = key.filter(|_| header.conversation == recall.conversation) else { return false };
        event.verify(&key).is_ok()
    }

    /// The other of a direct conversation that this account was in is a contact again, with what each had given the other.
    ///
    /// # Errors
    /// If the store does not answer or a row cannot be read.
    pub fn take_back(&mut self, turn: &mut Turn<'_>, from: AccountId, recall: &Recall) -> Result<(), EngineError> {
        if recall.conversation != direct_conversation(self.id(), from) {
            return Ok(());
        }
        let mut contact = self.contact_or_new(turn, from)?;
        contact.accepted = true;
        contact.is_answered();
        contact.taken = contact.taken.or(recall.grant);
        if let (None, Some(given)) = (contact.given, recall.taken) {
            self.give_again(turn, &mut contact, given);
        }
        self.drop_request(turn, &from);
        self.keep(turn, &contact);
        self.note_contact(turn, &contact)?;
        turn.effects.notices.push(Notice::Request { account: from });
        self.supply(turn)
    }

    /// The store was taken back from a copy: requests that wait in it may have been answered before.
    pub(crate) fn doubt_requests(&self, turn: &mut Turn<'_>) -> Result<(), EngineError> {
        for mut contact in contacts(&turn.read(), self.id())? {
            if let Some(asked) = &mut contact.asked {
                asked.doubtful = true;
                turn.put(Table::Contact, Scope::Account, contact.account.as_ref(), &contact);
            }
        }
        Ok(())
    }

    /// The text of a request of which it was not known whether it was answered, once it was; it is not asked again.
    pub(crate) fn settle_doubt(&self, turn: &mut Turn<'_>, account: AccountId) -> Result<Option<String>, EngineError> {
        let contact = self.contact(turn, &account)?.filter(|contact| contact.accepted && !contact.blocked);
        let Some(mut contact) = contact else { return Ok(None) };
        let Some(asked) = contact.asked.take_if(|asked| asked.doubtful) else { return Ok(None) };
        self.keep(turn, &contact);
        Ok(Some(asked.text).filter(|text| !text.is_empty()))
    }
}
