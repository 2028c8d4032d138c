//! Sealed cards: contact requests, and pleas to be added again.
//!
//! A stranger's first message is a card of at most 1 kB of text, sealed to the account's prekey. It stays one row until it is
//! accepted, declined or blocked.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use zeroize::Zeroizing;

use crate::identity::{AccountRecord, Context, DeviceCertificate, FormatError, Observation, Signature};
use crate::mls::{self, OwnKeyPackage, PrekeySecret, Suite};
use crate::store::{Range, Read, Scope, Table};
use crate::types::{AccountId, ConversationId, DeviceId, EnvelopeId, Timestamp, Token};
use crate::wire::codec::Body;
use crate::wire::envelope::{Class, Envelope, Packet, Urgency};
use crate::wire::message::{MAX_REQUEST_TEXT, Out, Recall, Rejoin, RequestCard, Sealed, TokenPair};
use crate::wire::relay::Request;

use super::super::api::{CallTarget, CommandError, Notice, Outgoing, Recipient, SendOutcome};
use super::super::turn::{EngineError, Turn, get};
use super::contact::Asked;
use super::retry::{PATIENCE_MS, Task};
use super::supply::Errand;
use super::{Account, MAX_HANDLE};

/// HPKE's `info` for everything sealed to an account's prekey.
const SEAL_INFO: &[u8] = b"kith/sealed/1";

/// The most requests that wait; the relay bounds its slot too, this bounds what comes over a LAN.
const MAX_WAITING: usize = 100;

/// What a relay did not take from a stranger is brought again after so long.
const SPEAK_AGAIN_MS: u64 = 60 * 60 * 1000;

/// What it took is said again after so long: it may have been lost there.
const SPOKEN_MS: u64 = 7 * 24 * 60 * 60 * 1000;

/// A contact request that waits for an answer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingRequest {
    /// Whose.
    #[serde(rename = "a")]
    pub account: AccountId,
    /// The handle they say they have: a hint.
    #[serde(rename = "h")]
    pub handle: Option<String>,
    /// What they write.
    #[serde(rename = "t")]
    pub text: String,
    /// When they wrote it, by their clock.
    #[serde(rename = "w")]
    pub wall: Timestamp,
    /// Of the device that asks; none if that device is in a conversation with this account already.
    #[serde(rename = "k")]
    key_package: Option<ByteBuf>,
    #[serde(rename = "g")]
    grant: Option<TokenPair>,
    /// What a device that is gone had given them.
    #[serde(rename = "b", default)]
    given: Option<TokenPair>,
}

impl Body for WaitingRequest {
    const MAX_BYTES: usize = 32 * 1024;
}

impl WaitingRequest {
    /// Whether they are in a conversation with a device that is gone from this account, of which no other device knows.
    pub fn is_remembered(&self) -> bool {
        self.key_package.is_none()
    }
}

impl std::fmt::Debug for WaitingRequest {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("WaitingRequest").field("account", &self.account).finish_non_exhaustive()
    }
}

/// One waiting request.
///
/// # Errors
/// If the store does not answer or the row cannot be read.
pub fn waiting_request(
    read: &(impl Read + ?Sized),
    account: &AccountId,
) -> Result<Option<WaitingRequest>, EngineError> {
    get(read, Table::Request, account.as_ref())
}

/// The requests that wait, by account id.
///
/// # Errors
/// If the store does not answer or a row cannot be read.
pub fn waiting_requests(read: &(impl Read + ?Sized)) -> Result<Vec<WaitingRequest>, EngineError> {
    let rows = read.scan(Table::Request, &[], Range::first(MAX_WAITING))?;
    let decode = |bytes: &[u8]| {
        WaitingRequest::decode(bytes).map_err(|cause| EngineError::Stored { table: Table::Request, cause })
    };
    rows.iter().map(|row| decode(&row.value)).collect()
}

/// What accepting a request leads to: the engine creates the conversation.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// With whom.
    pub record: AccountRecord,
    /// A key package of the device that asked; none if it is in a conversation with this account already.
    pub key_package: Option<ByteBuf>,
}

/// What a sealed packet was.
#[derive(Debug, Clone)]
pub enum Opened {
    /// A contact request that waits now.
    Waiting,
    /// A request by somebody whom this account has asked as well: both agree, so the engine creates the conversation.
    Mutual(Box<Accepted>),
    /// A member's device asks to be added again; signed by a device of that account's known record.
    Rejoin {
        /// What it asks.
        plea: Box<Rejoin>,
        /// The account's record came with it and is newer than the one known before.
        fresh: bool,
    },
    /// A member of a conversation, of this account, says that this device is in it; signed by a device of that account's record.
    Recall(AccountId, Box<Recall>),
    /// A member of a conversation says that this account is not in it any more; signed by a device of the sender's known record.
    Out(Box<Out>),
    /// From a blocked account: refused, and nobody is told.
    Blocked,
    /// Not for this account, not readable, or not signed by whom it names.
    Garbage,
}

impl Account {
    /// Asks a stranger for contact.
    ///
    /// # Errors
    /// Why it was not done, as a command's answer.
    pub fn request_contact(
        &mut self,
        turn: &mut Turn<'_>,
        record: &[u8],
        handle: Option<String>,
        text: String,
    ) -> Result<Result<(), CommandError>, EngineError> {
        if text.len() > MAX_REQUEST_TEXT {
            return Ok(Err(CommandError::TooLong { limit: MAX_REQUEST_TEXT }));
        }
        let Some((record, observation)) = self.observe_record(turn, record)? else {
            return Ok(Err(CommandError::Malformed("that is not an account record".to_owned())));
        };
        if observation.is_refused() {
            return Ok(Err(CommandError::Malformed(
                "the relay shows an older or another record of this account than was seen before".to_owned(),
            )));
        }
        let account = record.account_id();
        if account == self.id() {
            return Ok(Err(CommandError::Malformed("that is your own account".to_owned())));
        }
        let mut contact = self.contact_or_new(turn, account)?;
        if contact.blocked {
            return Ok(Err(CommandError::Blocked));
        }
        if contact.given.is_none() {
            self.give(turn, &mut contact);
        }
        let Some(given) = contact.given else { return Err(EngineError::Broken("a contact without tokens")) };
        let card = self.card(turn, account, given, text.clone())?;
        let envelope = match self.seal(turn, &record, &Sealed::Request(card))? {
            Ok(envelope) => envelope,
            Err(error) => return Ok(Err(error)),
        };
        contact.handle = handle.filter(|handle| handle.len() <= MAX_HANDLE).or(contact.handle);
        contact.asked = Some(Asked { text, envelope: Some(envelope.encode().into()), taken: false, doubtful: false });
        self.keep(turn, &contact);
        self.note_contact(turn, &contact)?;
        self.supply(turn)?;
        self.deliver_request(turn, &record, &envelope);
        Ok(Ok(()))
    }

    fn card(
        &mut self,
        turn: &mut Turn<'_>,
        to: AccountId,
        grant: TokenPair,
        text: String,
    ) -> Result<RequestCard, EngineError> {
        let (suite, signer, identity) = (self.suite, self.signer(), self.leaf_identity());
        let package = OwnKeyPackage::generate(&mut turn.mls(), suite, &signer, &identity, false)?;
        let mut card = RequestCard {
            record: self.record.encode(),
            handle: self.handle.clone(),
            text,
            grant,
            wall: turn.now.wall,
            device: self.device(),
            key_package: package.bytes,
            signature: Vec::new(),
        };
        let unsigned = Sealed::Request(card.clone()).encode();
        card.signature = self.keys.events.sign(Context::Card, &signed(to, &unsigned)).as_bytes().to_vec();
        Ok(card)
    }

    /// Signs and seals a plea of this device to be added to a conversation again. Returns it with the hash reference of the key
    /// package that it offers.
    ///
    /// # Errors
    /// If OpenMLS fails; the inner error if the account has no prekey that this Kith can seal to.
    pub fn plea(
        &mut self,
        turn: &mut Turn<'_>,
        to: &AccountRecord,
        conversation: ConversationId,
        suite: Suite,
    ) -> Result<Result<(Envelope, Vec<u8>), CommandError>, EngineError> {
        let (signer, identity) = (self.signer(), self.leaf_identity());
        let package = OwnKeyPackage::generate(&mut turn.mls(), suite, &signer, &identity, false)?;
        let mut plea = Rejoin {
            account: self.id(),
            conversation,
            device: self.device(),
            key_package: package.bytes,
            wall: turn.now.wall,
            record: self.record.encode(),
            signature: Vec::new(),
        };
        let unsigned = Sealed::Rejoin(plea.clone()).encode();
        plea.signature = self.keys.events.sign(Context::Card, &signed(to.account_id(), &unsigned)).as_bytes().to_vec();
        let sealed = self.seal(turn, to, &Sealed::Rejoin(plea))?;
        if sealed.is_err() {
            OwnKeyPackage::delete(&mut turn.effects.batch, &package.reference);
        }
        Ok(sealed.map(|envelope| (envelope, package.reference)))
    }

    pub(super) fn seal(
        &self,
        turn: &mut Turn<'_>,
        to: &AccountRecord,
        sealed: &Sealed,
    ) -> Result<Result<Envelope, CommandError>, EngineError> {
        let usable = to.prekeys().iter().find_map(|prekey| Some((Suite::from_number(prekey.suite).ok()?, prekey)));
        let Some((suite, prekey)) = usable else {
            return Ok(Err(CommandError::Malformed("that account has no key that this Kith can write to".to_owned())));
        };
        let account = to.account_id();
        let boxed = mls::seal(suite, &prekey.key, SEAL_INFO, account.as_ref(), &sealed.encode(), turn.rng);
        let Ok(boxed) = boxed else {
            return Ok(Err(CommandError::Malformed(
                "that account's key is damaged, or the request too large".to_owned(),
            )));
        };
        let packet = Packet::Sealed { to: account, prekey: prekey.id, sealed: boxed };
        Ok(Ok(Envelope {
            id: EnvelopeId::random(turn.rng),
            class: Class::Durable,
            urgency: Urgency::Normal,
            packet: packet.encode(),
        }))
    }

    /// Brings a request to the account's relay, or, if it has none, straight to its devices.
    fn deliver_request(&mut self, turn: &mut Turn<'_>, record: &AccountRecord, envelope: &Envelope) {
        let account = record.account_id();
        self.retries.plan(Task::Request(account), turn.now.mono_ms.saturating_add(PATIENCE_MS));
        let Some(relay) = record.relays().first() else {
            let to = record.devices().iter().map(|device| straight_to(account, device)).collect();
            return self.send_request(turn, account, envelope, to);
        };
        let target = CallTarget::Relay(relay.clone());
        self.call_to(turn, target, Errand::ContactRequest(account), deposit_request(account, envelope));
    }

    /// Whether an account may be told something now by the way that is open to strangers; what shows that a device is gone from it is
    /// something else than what one that is there wrote.
    pub(crate) fn may_speak_as_stranger(&self, turn: &Turn<'_>, account: &AccountId, former: bool) -> bool {
        self.spoken.get(&(*account, former)).is_none_or(|at| *at <= turn.now.mono_ms)
    }

    /// Brings an envelope to an account's relay by the way that is open to strangers.
    pub(crate) fn speak_as_stranger(
        &mut self,
        turn: &mut Turn<'_>,
        record: &AccountRecord,
        envelope: &Envelope,
        former: bool,
    ) {
        let Some(relay) = record.relays().first() else { return };
        let (account, now) = (record.account_id(), turn.now.mono_ms);
        self.spoken.retain(|_, at| *at > now);
        self.spoken.insert((account, former), now.saturating_add(SPEAK_AGAIN_MS));
        let target = CallTarget::Relay(relay.clone());
        self.call_to(turn, target, Errand::Recall(account, former), deposit_request(account, envelope));
    }

    /// The account's relay keeps what it was told as by a stranger.
    pub(super) fn was_heard(&mut self, turn: &Turn<'_>, account: AccountId, former: bool) {
        self.spoken.insert((account, former), turn.now.mono_ms.saturating_add(SPOKEN_MS));
    }

    fn send_request(&mut self, turn: &mut Turn<'_>, account: AccountId, envelope: &Envelope, to: Vec<Recipient>) {
        self.straight.insert(envelope.id, account);
        turn.effects.sends.push(Outgoing { id: envelope.id, class: envelope.class, envelope: envelope.encode(), to });
    }

    /// What came of an envelope that may be a contact request on its way straight to a device.
    ///
    /// # Errors
    /// If the store does not answer or the row cannot be read.
    pub fn sent(&mut self, turn: &mut Turn<'_>, envelope: EnvelopeId, outcome: SendOutcome) -> Result<(), EngineError> {
        let Some(account) = self.straight.get(&envelope).copied() else { return Ok(()) };
        if outcome == SendOutcome::Direct {
            return self.request_delivered(turn, &account);
        }
        self.retries.failed(turn.now.mono_ms, turn.rng, Task::Request(account));
        Ok(())
    }

    /// A device can be reached: a request to its account that nobody has taken yet goes straight to it.
    ///
    /// # Errors
    /// If the store does not answer or a row cannot be read.
    pub fn peer_up(&mut self, turn: &mut Turn<'_>, device: DeviceId) -> Result<(), EngineError> {
        for account in self.retries.requests() {
            let Some(record) = self.record_of(turn, &account)? else { continue };
            let Some(certificate) = record.device(device) else { continue };
            if let Some(envelope) = self.undelivered(turn, &account)? {
                self.send_request(turn, account, &envelope, vec![straight_to(account, certificate)]);
            }
        }
        Ok(())
    }

    /// The request to an account that nobody has taken yet, if there is one.
    fn undelivered(&self, turn: &Turn<'_>, account: &AccountId) -> Result<Option<Envelope>, EngineError> {
        let contact = self.contact(turn, account)?.filter(|contact| !contact.blocked);
        let asked = contact.and_then(|contact| contact.asked).filter(|asked| !asked.taken);
        Ok(asked.and_then(|asked| Envelope::decode(&asked.envelope?).ok()))
    }

    /// The account's relay or a device has the request; it is not sent again unless mail is lost.
    pub(super) fn request_delivered(&mut self, turn: &mut Turn<'_>, account: &AccountId) -> Result<(), EngineError> {
        self.forget_attempts(account);
        let Some(mut contact) = self.contact(turn, account)? else { return Ok(()) };
        let Some(asked) = contact.asked.as_mut().filter(|asked| !asked.taken) else { return Ok(()) };
        asked.taken = true;
        self.keep(turn, &contact);
        Ok(())
    }

    /// The account's relay will not have the request.
    pub(super) fn request_given_up(&mut self, turn: &mut Turn<'_>, account: &AccountId) -> Result<(), EngineError> {
        self.forget_attempts(account);
        let Some(mut contact) = self.contact(turn, account)? else { return Ok(()) };
        let Some(asked) = &mut contact.asked else { return Ok(()) };
        asked.envelope = None;
        self.keep(turn, &contact);
        Ok(())
    }

    fn forget_attempts(&mut self, account: &AccountId) {
        self.retries.done(Task::Request(*account));
        self.straight.retain(|_, of| of != account);
    }

    /// Sends requests again that nobody has taken yet.
    pub(super) fn retry_requests(&mut self, turn: &mut Turn<'_>) -> Result<(), EngineError> {
        for contact in super::contacts(&turn.read(), self.id())? {
            if contact.asked.is_some() {
                self.retry_request(turn, contact.account)?;
            }
        }
        Ok(())
    }

    pub(super) fn retry_request(&mut self, turn: &mut Turn<'_>, account: AccountId) -> Result<(), EngineError> {
        match (self.undelivered(turn, &account)?, self.record_of(turn, &account)?) {
            (Some(envelope), Some(record)) => self.deliver_request(turn, &record, &envelope),
            (None, _) | (_, None) => self.forget_attempts(&account),
        }
        Ok(())
    }

    /// Mail was lost: requests that were taken and never answered count as not taken. Whoever has one already drops it by its id.
    pub(super) fn ask_again(&self, turn: &mut Turn<'_>) -> Result<(), EngineError> {
        for mut contact in super::contacts(&turn.read(), self.id())? {
            if let Some(asked) = contact.asked.as_mut().filter(|asked| asked.taken) {
                asked.taken = false;
                self.keep(turn, &contact);
            }
        }
        Ok(())
    }

    /// Opens a sealed packet that came in.
    ///
    /// # Errors
    /// If the store does not answer or a row cannot be read.
    pub fn open_sealed(
        &mut self,
        turn: &mut Turn<'_>,
        to: AccountId,
        prekey: u32,
        sealed: &[u8],
    ) -> Result<Opened, EngineError> {
        let Some(plain) = self.unseal(to, prekey, sealed) else { return Ok(Opened::Garbage) };
        match Sealed::decode(&plain) {
            Ok(Sealed::Request(card)) => self.receive_card(turn, card),
            Ok(Sealed::Rejoin(plea)) => self.receive_plea(turn, plea),
            Ok(Sealed::Recall(recall)) => self.receive_recall(turn, recall),
            Ok(Sealed::Out(out)) => self.receive_out(turn, out),
            Err(_) => Ok(Opened::Garbage),
        }
    }

    fn unseal(&self, to: AccountId, prekey: u32, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        if to != self.id() {
            return None;
        }
        let open = |suite: Suite, secret: &PrekeySecret| mls::open(suite, secret, SEAL_INFO, to.as_ref(), sealed).ok();
        self.prekeys.iter().filter(|own| own.id == prekey).find_map(|own| open(own.suite, &own.secret))
    }

    fn receive_card(&mut self, turn: &mut Turn<'_>, card: RequestCard) -> Result<Opened, EngineError> {
        let Ok(record) = AccountRecord::decode_verified(&card.record) else { return Ok(Opened::Garbage) };
        let account = record.account_id();
        let unsigned = Sealed::Request(RequestCard { signature: Vec::new(), ..card.clone() }).encode();
        let genuine = self.is_signed(&record, card.device, &unsigned, &card.signature).is_ok();
        if !genuine || account == self.id() || card.text.len() > MAX_REQUEST_TEXT {
            return Ok(Opened::Garbage);
        }
        let contact = self.contact_or_new(turn, account)?;
        if contact.blocked {
            return Ok(Opened::Blocked);
        }
        if self.observe_record(turn, &card.record)?.is_none_or(|(_, seen)| seen.is_refused()) {
            return Ok(Opened::Garbage);
        }
        let waiting = WaitingRequest {
            account,
            handle: card.handle.filter(|handle| handle.len() <= MAX_HANDLE),
            text: card.text,
            wall: card.wall,
            key_package: Some(card.key_package.into()),
            grant: Some(card.grant),
            given: None,
        };
        self.keep_request(turn, &waiting)?;
        // Both asked. One of the two creates the conversation at once, so that they need not agree on a rival first.
        if contact.asked.is_some() && self.id() < account {
            return Ok(match self.accept(turn, account)? {
                Ok(accepted) => Opened::Mutual(Box::new(accepted)),
                Err(_) => Opened::Waiting,
            });
        }
        turn.effects.notices.push(Notice::Request { account });
        Ok(Opened::Waiting)
    }

    /// Somebody is in a conversation with a device that is gone from this account, and no other device knows them: the person is asked.
    ///
    /// # Errors
    /// If the store does not answer or a row cannot be read.
    pub fn remember(&self, turn: &mut Turn<'_>, from: AccountId, recall: &Recall) -> Result<(), EngineError> {
        let earlier: Option<WaitingRequest> = turn.get(Table::Request, from.as_ref())?;
        let blocked = self.is_blocked(turn, &from)?;
        if blocked || earlier.as_ref().is_some_and(WaitingRequest::is_remembered) {
            return Ok(());
        }
        let known = earlier.is_some();
        let (handle, text, wall, grant) = match earlier {
            // The device that is gone has answered it.
            Some(earlier) => (earlier.handle, earlier.text, earlier.wall, earlier.grant),
            None => (None, String::new(), turn.now.wall, None),
        };
        let (grant, given) = (recall.grant.or(grant), recall.taken);
        self.keep_request(
            turn,
            &WaitingRequest { account: from, handle, text, wall, key_package: None, grant, given },
        )?;
        if !known {
            turn.effects.notices.push(Notice::Request { account: from });
        }
        Ok(())
    }

    fn keep_request(&self, turn: &mut Turn<'_>, waiting: &WaitingRequest) -> Result<(), EngineError> {
        let earlier: Option<WaitingRequest> = turn.get(Table::Request, waiting.account.as_ref())?;
        if earlier.as_ref().is_some_and(|earlier| earlier.wall > waiting.wall) {
            return Ok(());
        }
        let full = turn.read().scan(Table::Request, &[], Range::first(MAX_WAITING))?.len() >= MAX_WAITING;
        if earlier.is_none() && full {
            turn.effects.notices.push(Notice::Dropped { reason: "requests" });
            return Ok(());
        }
        turn.put(Table::Request, Scope::Account, waiting.account.as_ref(), waiting);
        Ok(())
    }

    fn receive_plea(&mut self, turn: &mut Turn<'_>, plea: Rejoin) -> Result<Opened, EngineError> {
        let Some(known) = self.record_of(turn, &plea.account)? else { return Ok(Opened::Garbage) };
        if self.is_blocked(turn, &plea.account)? {
            return Ok(Opened::Blocked);
        }
        // An older one is no lie of anybody's: the device has not heard of the newest yet.
        let newer = AccountRecord::decode_verified(&plea.record)
            .is_ok_and(|shown| shown.account_id() == plea.account && shown.version() > known.version());
        let shown = if newer { self.observe_record(turn, &plea.record)? } else { None };
        let (record, fresh) = match shown {
            Some((record, Observation::Fresh)) => (record, true),
            Some(_) | None => (known, false),
        };
        if record.device(plea.device).is_none() {
            // It may be in a newer record: the device pleads again, and is known by then.
            self.fetch_record(turn, plea.account)?;
        }
        let unsigned = Sealed::Rejoin(Rejoin { signature: Vec::new(), ..plea.clone() }).encode();
        match self.is_signed(&record, plea.device, &unsigned, &plea.signature) {
            Ok(()) => Ok(Opened::Rejoin { plea: Box::new(plea), fresh }),
            Err(_) => Ok(Opened::Garbage),
        }
    }

    pub(super) fn is_signed(
        &self,
        record: &AccountRecord,
        device: DeviceId,
        unsigned: &[u8],
        signature: &[u8],
    ) -> Result<(), FormatError> {
        const WHAT: &str = "a card";
        let missing = FormatError::Invalid { what: WHAT, why: "its device is not in the record" };
        let certificate = record.device(device).ok_or(missing)?;
        let bytes = signature.try_into().map_err(|_| FormatError::Invalid { what: WHAT, why: "no signature" })?;
        certificate.events_key().verify(Context::Card, &signed(self.id(), unsigned), &Signature::new(bytes))
    }

    /// Accepts a waiting request.
    ///
    /// # Errors
    /// Why it was not done, as a command's answer.
    pub fn accept(
        &mut self,
        turn: &mut Turn<'_>,
        account: AccountId,
    ) -> Result<Result<Accepted, CommandError>, EngineError> {
        let Some(waiting) = turn.get::<WaitingRequest>(Table::Request, account.as_ref())? else {
            return Ok(Err(CommandError::NoContact));
        };
        let Some(record) = self.record_of(turn, &account)? else { return Ok(Err(CommandError::NoContact)) };
        let mut contact = self.contact_or_new(turn, account)?;
        if contact.blocked {
            return Ok(Err(CommandError::Blocked));
        }
        contact.accepted = true;
        contact.handle = contact.handle.or(waiting.handle);
        contact.taken = waiting.grant.or(contact.taken);
        if let (None, Some(given)) = (contact.given, waiting.given)
            && !self.is_given(turn, given)?
        {
            self.give_again(turn, &mut contact, given);
        }
        if contact.given.is_none() {
            self.give(turn, &mut contact);
        }
        self.drop_request(turn, &account);
        self.keep(turn, &contact);
        self.note_contact(turn, &contact)?;
        self.supply(turn)?;
        Ok(Ok(Accepted { record, key_package: waiting.key_package }))
    }

    /// An account that was asked has created the conversation. Returns the request's text: the first message. A doubtful one stays
    /// until what was written in the conversation is known.
    ///
    /// # Errors
    /// If the store does not answer or a row cannot be read.
    pub fn accepted_by(&mut self, turn: &mut Turn<'_>, account: AccountId) -> Result<Option<String>, EngineError> {
        let mut contact = self.contact_or_new(turn, account)?;
        let asked = contact.asked.take_if(|asked| !asked.doubtful);
        contact.is_answered();
        contact.accepted = true;
        self.drop_request(turn, &account);
        self.keep(turn, &contact);
        self.note_contact(turn, &contact)?;
        Ok(asked.map(|asked| asked.text).filter(|text| !text.is_empty()))
    }

    /// Drops a waiting request without a word.
    ///
    /// # Errors
    /// Why it was not done, as a command's answer.
    pub fn decline(&self, turn: &mut Turn<'_>, account: AccountId) -> Result<Result<(), CommandError>, EngineError> {
        if !self.has_request(turn, &account)? {
            return Ok(Err(CommandError::NoContact));
        }
        self.drop_request(turn, &account);
        turn.effects.notices.push(Notice::Request { account });
        Ok(Ok(()))
    }

    pub(super) fn has_request(&self, turn: &Turn<'_>, account: &AccountId) -> Result<bool, EngineError> {
        Ok(turn.read().get(Table::Request, account.as_ref())?.is_some())
    }

    pub(super) fn drop_request(&self, turn: &mut Turn<'_>, account: &AccountId) {
        turn.effects.batch.delete(Table::Request, account.as_ref());
    }
}

/// What brings an envelope into the slot of those whom an account does not know; whoever carries it out does the work.
fn deposit_request(account: AccountId, envelope: &Envelope) -> Request {
    Request::DepositRequest { account, challenge: Token::new([0; Token::LEN]), work: 0, envelope: envelope.encode() }
}

fn straight_to(account: AccountId, device: &DeviceCertificate) -> Recipient {
    let transport = *device.transport_key().as_bytes();
    Recipient { account, device: device.device_id(), transport, mailboxes: Vec::new() }
}

pub(super) fn signed(to: AccountId, unsigned: &[u8]) -> Vec<u8> {
    [to.as_ref(), unsigned].concat()
}
