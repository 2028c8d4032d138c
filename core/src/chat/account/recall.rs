//! Telling a device that has lost all it knew of a conversation, and believing it.
//!
//! A store that was taken back to before its account knew somebody does not know them, and they take it for a member. What makes the
//! receiver believe is never the sender's word: it is a contact of one's own, or one's own signature in that conversation.

use crate::chat::api::{CommandError, Notice};
use crate::chat::conversation::LatestEvent;
use crate::chat::policy::direct_conversation;
use crate::chat::turn::{EngineError, Turn};
use crate::identity::{AccountRecord, Context, DeviceCertificate};
use crate::store::{Scope, Table};
use crate::types::{AccountId, ConversationId, DeviceId, GroupId, Timestamp};
use crate::wire::codec::Body;
use crate::wire::envelope::Envelope;
use crate::wire::event::UnverifiedEvent;
use crate::wire::log::UnverifiedEntry;
use crate::wire::message::{Out, Recall, Sealed, TokenPair};

use super::Account;
use super::card::{Opened, signed};
use super::contact::contacts;

impl Account {
    /// Signs and seals word to an account's devices that they are in a conversation; `shown` is the latest that one of them wrote there,
    /// `lost` what its home signed and has lost.
    ///
    /// # Errors
    /// If the store does not answer or a row cannot be read; the inner error if the account has no prekey that this Kith can seal to.
    pub(crate) fn recall(
        &self,
        turn: &mut Turn<'_>,
        to: &AccountRecord,
        conversation: ConversationId,
        group: GroupId,
        shown: Option<LatestEvent>,
        lost: Option<UnverifiedEntry>,
    ) -> Result<Result<Envelope, CommandError>, EngineError> {
        let contact = self.contact(turn, &to.account_id())?;
        let (event, certificate) = shown.map(|shown| (shown.event, shown.certificate)).unzip();
        let mut recall = Recall {
            record: self.record().encode(),
            conversation,
            group,
            device: self.device(),
            grant: contact.as_ref().and_then(|contact| contact.given),
            taken: contact.as_ref().and_then(|contact| contact.taken),
            event,
            certificate: certificate.flatten(),
            lost: lost.map(Box::new),
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

    /// Signs and seals the answer to a plea of a device whose account has no place in a conversation any more; `leave` is how it left.
    ///
    /// # Errors
    /// If the store does not answer or a row cannot be read; the inner error if the account has no prekey that this Kith can seal to.
    pub fn out(
        &self,
        turn: &mut Turn<'_>,
        to: &AccountRecord,
        conversation: ConversationId,
        wall: Timestamp,
        leave: Option<UnverifiedEvent>,
    ) -> Result<Result<Envelope, CommandError>, EngineError> {
        let (account, device, leave) = (self.id(), self.device(), leave.map(Box::new));
        let mut out = Out { account, conversation, device, wall, leave, signature: Vec::new() };
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
        let direct = recall.conversation == direct_conversation(self.id(), from);
        let trusted = from == self.id() || self.trusts(turn, from, recall.conversation)?;
        Ok(trusted || (direct && self.wrote(recall)))
    }

    /// Whether somebody's bare word is to be followed that this account is in a conversation: in one of two that of a contact, and of whom
    /// this account has asked; in a group that of a contact.
    ///
    /// # Errors
    /// If the store does not answer or the row cannot be read.
    pub(crate) fn trusts(
        &self,
        turn: &Turn<'_>,
        from: AccountId,
        conversation: ConversationId,
    ) -> Result<bool, EngineError> {
        if conversation == direct_conversation(self.id(), from) {
            return self.is_friend(turn, from);
        }
        let contact = self.contact(turn, &from)?.filter(|contact| !contact.blocked);
        Ok(contact.is_some_and(|contact| contact.accepted))
    }

    /// Whether an account is a contact, or was asked.
    ///
    /// # Errors
    /// If the store does not answer or the row cannot be read.
    pub(crate) fn is_friend(&self, turn: &Turn<'_>, account: AccountId) -> Result<bool, EngineError> {
        let contact = self.contact(turn, &account)?.filter(|contact| !contact.blocked);
        Ok(contact.is_some_and(|contact| contact.accepted || contact.asked.is_some()))
    }

    /// Whether a device of this account wrote the event that is shown.
    fn wrote(&self, recall: &Recall) -> bool {
        is_signed_by(recall, |device| self.record().device(device).cloned())
    }

    /// The generation of the event that is shown, if a device of this account wrote it; else 0.
    pub fn written_in(&self, recall: &Recall) -> u32 {
        let header = recall.event.as_ref().filter(|_| self.wrote(recall)).and_then(|event| event.peek().ok());
        header.map_or(0, |header| header.generation)
    }

    /// Whether a device that is gone from this account wrote the event that is shown: this one need not have heard of it.
    pub fn once_wrote(&self, recall: &Recall) -> bool {
        is_certified(self.id(), recall)
    }

    /// The other of a direct conversation that this account was in is a contact again, with what each had given the other, as far as
    /// that is shown: what they gave, and what they took.
    ///
    /// # Errors
    /// If the store does not answer or a row cannot be read.
    pub fn take_back(
        &mut self,
        turn: &mut Turn<'_>,
        from: AccountId,
        conversation: ConversationId,
        (grant, taken): (Option<TokenPair>, Option<TokenPair>),
    ) -> Result<(), EngineError> {
        if conversation != direct_conversation(self.id(), from) {
            return Ok(());
        }
        let mut contact = self.contact_or_new(turn, from)?;
        contact.accepted = true;
        contact.is_answered();
        contact.taken = contact.taken.or(grant);
        if let (None, Some(given)) = (contact.given, taken) {
            self.give_again(turn, &mut contact, given);
        }
        self.drop_request(turn, &from);
        self.keep(turn, &contact);
        self.note_contact(turn, &contact)?;
        turn.effects.notices.push(Notice::Request { account: from });
        self.supply(turn)
    }

    /// Somebody whom this account knows shows with a recall what it may use to reach them: whoever learnt of them from another device
    /// of this account, or went back to before they said so, has nothing else to ask them with.
    ///
    /// # Errors
    /// If the store does not answer or the row cannot be read.
    pub(crate) fn take_grant(&self, turn: &mut Turn<'_>, from: AccountId, recall: &Recall) -> Result<(), EngineError> {
        if recall.conversation != direct_conversation(self.id(), from) || !self.is_friend(turn, from)? {
            return Ok(());
        }
        let contact = self.contact(turn, &from)?.filter(|contact| contact.taken.is_none());
        if let (Some(mut contact), Some(grant)) = (contact, recall.grant) {
            contact.taken = Some(grant);
            self.keep(turn, &contact);
        }
        Ok(())
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

    /// Whether a request to a contact waits that may have been answered after the copy was made.
    pub(crate) fn is_in_doubt(&self, turn: &Turn<'_>, account: AccountId) -> Result<bool, EngineError> {
        let contact = self.contact(turn, &account)?.filter(|contact| contact.accepted && !contact.blocked);
        Ok(contact.and_then(|contact| contact.asked).is_some_and(|asked| asked.doubtful))
    }

    /// The text of a request that was in doubt, unless it has none; it is not asked again.
    pub(crate) fn settle_doubt(&self, turn: &mut Turn<'_>, account: AccountId) -> Result<Option<String>, EngineError> {
        let Some(mut contact) = self.contact(turn, &account)? else { return Ok(None) };
        let Some(asked) = contact.asked.take() else { return Ok(None) };
        self.keep(turn, &contact);
        Ok(Some(asked.text).filter(|text| !text.is_empty()))
    }
}

/// Whether the event that is shown belongs to the conversation and is signed by its author, whose certificate is looked up.
fn is_signed_by(recall: &Recall, certificate: impl Fn(DeviceId) -> Option<DeviceCertificate>) -> bool {
    let Some(event) = recall.event.clone() else { return false };
    let Ok(header) = event.peek() else { return false };
    let author = certificate(header.feed.device).filter(|_| header.conversation == recall.conversation);
    let key = author.map(|it| ed25519_dalek::VerifyingKey::from_bytes(it.events_key().as_bytes()));
    key.is_some_and(|key| key.is_ok_and(|key| event.verify(&key).is_ok()))
}

/// Whether the event is signed by a device whose certificate is shown, and which the account's root key signed.
fn is_certified(account: AccountId, recall: &Recall) -> bool {
    is_signed_by(recall, |device| {
        let certificate = DeviceCertificate::decode_verified(recall.certificate.as_ref()?).ok()?;
        (certificate.account_id() == account && certificate.device_id() == device).then_some(certificate)
    })
}

#[cfg(test)]
mod tests {
    use rand_core::SeedableRng as _;

    use super::*;
    use crate::identity::{DeviceKeys, RootKey};
    use crate::types::{Clock, FeedId, Hash, Incarnation, Rng};
    use crate::wire::event::{Content, Event, Header, LogHead, SIGNATURE_LABEL};

    /// What shows a first event of a device in a conversation.
    fn recall(device: &DeviceKeys, certificate: &DeviceCertificate, conversation: ConversationId) -> Recall {
        let content = Content { salt: vec![0; 16], body: Vec::new() };
        let feed = FeedId { device: device.device_id(), incarnation: Incarnation::new([0; 8]) };
        let header = Header {
            conversation,
            feed,
            sequence: 0,
            previous: Hash::new([0; 32]),
            clock: Clock(1),
            wall_ms: 1,
            generation: 0,
            group: GroupId::new([1; 32]),
            epoch: 1,
            log: LogHead { next: 0, hash: Hash::new([0; 32]) },
            kind: 1,
            content: content.hash(),
        };
        let event = Event::sign(header, content, |bytes| {
            let label = [SIGNATURE_LABEL.as_bytes(), &[0]].concat();
            let signed = device.events.sign(Context::Event, bytes.strip_prefix(label.as_slice()).unwrap());
            ed25519_dalek::Signature::from_bytes(signed.as_bytes())
        });
        Recall {
            record: Vec::new(),
            conversation,
            group: GroupId::new([1; 32]),
            device: device.device_id(),
            grant: None,
            taken: None,
            event: Some(event.erased().as_raw().clone()),
            certificate: Some(certificate.encode().into()),
            lost: None,
            signature: Vec::new(),
        }
    }

    #[test]
    fn a_device_that_nobody_heard_of_is_believed_by_the_root_key_that_certified_it_and_by_nothing_else() {
        let mut rng = Rng::seed_from_u64(1);
        let (root, other) = (RootKey::generate(&mut rng), RootKey::generate(&mut rng));
        let (gone, another) = (DeviceKeys::generate(&mut rng), DeviceKeys::generate(&mut rng));
        let certified = |root: &RootKey, device| DeviceCertificate::issue(root, device, Timestamp(1)).unwrap();
        let account = certified(&root, &gone).account_id();
        let (here, elsewhere) = (ConversationId::new([2; 32]), ConversationId::new([3; 32]));
        let shown = recall(&gone, &certified(&root, &gone), here);
        assert!(is_certified(account, &shown));
        let others = [
            recall(&gone, &certified(&other, &gone), here),
            recall(&gone, &certified(&root, &another), here),
            Recall { conversation: elsewhere, ..shown.clone() },
            Recall { certificate: None, ..shown.clone() },
            Recall { certificate: Some(vec![0; 2000].into()), ..shown.clone() },
            Recall { event: None, ..shown.clone() },
        ];
        for (number, other) in others.iter().enumerate() {
            assert!(!is_certified(account, other), "{number}");
        }
        // Its signature is another device's.
        let forged = recall(&another, &certified(&root, &another), here);
        assert!(!is_certified(account, &Recall { certificate: shown.certificate, ..forged }));
    }
}
