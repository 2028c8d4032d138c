//! Contacts: whom one knows, what they may use, and what one may use of theirs.

use serde::{Deserialize, Serialize};

use crate::store::{Range, Read, Scope, Table};
use crate::types::{AccountId, Clock, DeviceId, Token};
use crate::wire::codec::Body;
use crate::wire::message::{ContactChange, Grant, Kind, TokenPair};
use crate::wire::relay::{Purpose, token_hash};

use super::super::api::{CommandError, Notice, Recipient};
use super::super::turn::{EngineError, Turn, get};
use super::Account;
use super::record::known_record;
use super::supply::TokenRow;

/// The most contacts that a list returns: what a screen can use.
const MAX_CONTACTS: usize = 100_000;

/// What is kept of an account that one asked, accepted or blocked.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Whose.
    #[serde(rename = "a")]
    pub account: AccountId,
    /// The handle it was found by: a hint.
    #[serde(rename = "h")]
    pub handle: Option<String>,
    /// Asked for contact and not answered yet.
    #[serde(rename = "q")]
    pub asked: Option<Asked>,
    /// Both agreed.
    #[serde(rename = "k")]
    pub accepted: bool,
    /// Refused at the device, tokens revoked at the relay.
    #[serde(rename = "b")]
    pub blocked: bool,
    /// Safety number compared.
    #[serde(rename = "v")]
    pub verified: bool,
    /// What they may use to reach this account.
    #[serde(rename = "g")]
    pub given: Option<TokenPair>,
    /// What this account may use to reach them.
    #[serde(rename = "t")]
    pub taken: Option<TokenPair>,
    /// When it was last changed, by the clock of the conversation with oneself.
    #[serde(rename = "c")]
    pub changed: Clock,
    /// The device that changed it last: of two changes at the same time that of the greater one counts.
    #[serde(rename = "d", default)]
    pub changed_by: Option<DeviceId>,
    /// When it was last blocked or unblocked, by the same clock: what is changed later without knowing of that does not undo it.
    #[serde(rename = "e", default)]
    pub decided: Clock,
    /// The device that did.
    #[serde(rename = "f", default)]
    pub decided_by: Option<DeviceId>,
}

impl Body for Contact {
    const MAX_BYTES: usize = 128 * 1024;
}

impl std::fmt::Debug for Contact {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Contact")
            .field("account", &self.account)
            .field("accepted", &self.accepted)
            .field("blocked", &self.blocked)
            .finish_non_exhaustive()
    }
}

/// A request of one's own that waits for an answer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Its text: the first message once they accept.
    #[serde(rename = "t")]
    pub text: String,
    /// The envelope, until it is answered; none once their relay has refused it for good.
    #[serde(rename = "e")]
    pub envelope: Option<serde_bytes::ByteBuf>,
    /// Their relay, or one of their devices, has it.
    #[serde(rename = "h", default)]
    pub taken: bool,
    /// The store was taken back from a copy since: it may have been answered already, and its text be in the conversation.
    #[serde(rename = "d", default)]
    pub doubtful: bool,
}

impl Contact {
    fn new(account: AccountId) -> Self {
        Self {
            account,
            handle: None,
            asked: None,
            accepted: false,
            blocked: false,
            verified: false,
            given: None,
            taken: None,
            changed: Clock::default(),
            changed_by: None,
            decided: Clock::default(),
            decided_by: None,
        }
    }

    /// Somebody of the account has blocked or unblocked it: the latest who did counts.
    fn decide(&mut self, clock: Clock, by: DeviceId, blocked: bool) {
        if (clock, Some(by)) >= (self.decided, self.decided_by) {
            (self.decided, self.decided_by, self.blocked) = (clock, Some(by), blocked);
        }
    }

    /// What is left of a request is its text: it is not sent any more.
    pub(super) fn is_answered(&mut self) {
        if let Some(asked) = &mut self.asked {
            asked.envelope = None;
        }
    }
}

/// A contact, if there is one.
///
/// # Errors
/// If the store does not answer or the row cannot be read.
pub fn contact(read: &(impl Read + ?Sized), account: &AccountId) -> Result<Option<Contact>, EngineError> {
    get(read, Table::Contact, account.as_ref())
}

/// All contacts, by account id; one's own row is not among them.
///
/// # Errors
/// If the store does not answer or a row cannot be read.
pub fn contacts(read: &(impl Read + ?Sized), own: AccountId) -> Result<Vec<Contact>, EngineError> {
    let rows = read.scan(Table::Contact, &[], Range::first(MAX_CONTACTS))?;
    let decode =
        |bytes: &[u8]| Contact::decode(bytes).map_err(|cause| EngineError::Stored { table: Table::Contact, cause });
    let mut contacts = Vec::with_capacity(rows.len());
    for row in rows {
        let contact = decode(&row.value)?;
        if contact.account != own {
            contacts.push(contact);
        }
    }
    Ok(contacts)
}

impl Account {
    /// A contact as it is now, the changes of this turn included.
    ///
    /// # Errors
    /// If the store does not answer or the row cannot be read.
    pub fn contact(&self, turn: &Turn<'_>, account: &AccountId) -> Result<Option<Contact>, EngineError> {
        turn.get(Table::Contact, account.as_ref())
    }

    /// Whether an account is blocked.
    ///
    /// # Errors
    /// If the store does not answer or the row cannot be read.
    pub fn is_blocked(&self, turn: &Turn<'_>, account: &AccountId) -> Result<bool, EngineError> {
        Ok(self.contact(turn, account)?.is_some_and(|contact| contact.blocked))
    }

    pub(super) fn contact_or_new(&self, turn: &Turn<'_>, account: AccountId) -> Result<Contact, EngineError> {
        Ok(self.contact(turn, &account)?.unwrap_or_else(|| Contact::new(account)))
    }

    pub(super) fn keep(&self, turn: &mut Turn<'_>, contact: &Contact) {
        turn.put(Table::Contact, Scope::Account, contact.account.as_ref(), contact);
        if contact.account != self.id() {
            turn.effects.notices.push(Notice::Contact { account: contact.account });
        }
    }

    pub(super) fn note_contact(&mut self, turn: &Turn<'_>, contact: &Contact) -> Result<(), EngineError> {
        self.note_change(turn, contact, None)
    }

    /// With whether the person has blocked or unblocked it now.
    fn note_change(&mut self, turn: &Turn<'_>, contact: &Contact, blocked: Option<bool>) -> Result<(), EngineError> {
        let record = self.record_of(turn, &contact.account)?.map(|record| record.encode().into());
        let change = ContactChange {
            account: contact.account,
            handle: contact.handle.clone(),
            record,
            accepted: contact.accepted,
            blocked,
            verified: contact.verified,
            given: contact.given,
            taken: contact.taken,
        };
        self.note(Kind::Contact, &change);
        Ok(())
    }

    /// Blocks an account: what it was given is revoked in the same batch, and a waiting request of it goes.
    ///
    /// # Errors
    /// Why it was not done, as a command's answer.
    pub fn block(&mut self, turn: &mut Turn<'_>, account: AccountId) -> Result<Result<(), CommandError>, EngineError> {
        if account == self.id() {
            return Ok(Err(CommandError::NoContact));
        }
        let known = self.contact(turn, &account)?.is_some() || self.has_request(turn, &account)?;
        if !known {
            return Ok(Err(CommandError::NoContact));
        }
        let mut contact = self.contact_or_new(turn, account)?;
        contact.blocked = true;
        contact.asked = None;
        if let Some(given) = contact.given.take() {
            self.revoke(turn, given);
        }
        self.drop_request(turn, &account);
        self.keep(turn, &contact);
        self.note_change(turn, &contact, Some(true))?;
        self.supply(turn)?;
        Ok(Ok(()))
    }

    /// Takes a block back. What the account was given is gone, so a new [`Grant`] has to be sent.
    ///
    /// # Errors
    /// Why it was not done, as a command's answer.
    pub fn unblock(
        &mut self,
        turn: &mut Turn<'_>,
        account: AccountId,
    ) -> Result<Result<(), CommandError>, EngineError> {
        let Some(mut contact) = self.contact(turn, &account)?.filter(|contact| contact.blocked) else {
            return Ok(Err(CommandError::NoContact));
        };
        contact.blocked = false;
        self.give(turn, &mut contact);
        self.keep(turn, &contact);
        self.note_change(turn, &contact, Some(false))?;
        self.supply(turn)?;
        Ok(Ok(()))
    }

    /// Marks a contact's safety number as compared.
    ///
    /// # Errors
    /// Why it was not done, as a command's answer.
    pub fn mark_verified(
        &mut self,
        turn: &mut Turn<'_>,
        account: AccountId,
    ) -> Result<Result<(), CommandError>, EngineError> {
        let Some(mut contact) = self.contact(turn, &account)? else { return Ok(Err(CommandError::NoContact)) };
        contact.verified = true;
        self.keep(turn, &contact);
        self.note_contact(turn, &contact)?;
        Ok(Ok(()))
    }

    /// What the devices of an account are to be told they may use: to be sent as an event after joining, and after an unblock.
    ///
    /// # Errors
    /// If the store does not answer or the row cannot be read.
    pub fn grant_for(&mut self, turn: &mut Turn<'_>, account: AccountId) -> Result<Option<Grant>, EngineError> {
        let mut contact = self.contact_or_new(turn, account)?;
        if contact.blocked {
            return Ok(None);
        }
        if contact.given.is_none() {
            self.give(turn, &mut contact);
            self.keep(turn, &contact);
            self.note_contact(turn, &contact)?;
            self.supply(turn)?;
        }
        Ok(contact.given.map(|pair| Grant { to: account, delivery: pair.delivery, key_packages: pair.key_packages }))
    }

    /// A [`Grant`] event of another account counts.
    ///
    /// # Errors
    /// If the store does not answer or the row cannot be read.
    pub fn granted(&mut self, turn: &mut Turn<'_>, from: AccountId, grant: &Grant) -> Result<(), EngineError> {
        if grant.to != self.id() || from == self.id() {
            return Ok(());
        }
        let mut contact = self.contact_or_new(turn, from)?;
        let taken = TokenPair { delivery: grant.delivery, key_packages: grant.key_packages };
        if contact.taken != Some(taken) {
            contact.taken = Some(taken);
            self.keep(turn, &contact);
        }
        Ok(())
    }

    /// A [`ContactChange`] in the conversation with oneself counts; of several the latest by its clock. An older one only adds what is
    /// not known here: whoever made the later one may not have known of it. Whether it is blocked is decided apart, by those changes
    /// alone that say so.
    ///
    /// # Errors
    /// If the store does not answer or the row cannot be read.
    pub fn contact_changed(
        &mut self,
        turn: &mut Turn<'_>,
        clock: Clock,
        by: DeviceId,
        change: &ContactChange,
    ) -> Result<(), EngineError> {
        if let Some(record) = &change.record {
            let _ = self.observe_record(turn, record)?;
        }
        let mut contact = self.contact_or_new(turn, change.account)?;
        let before = contact.clone();
        contact.accepted |= change.accepted;
        if (clock, Some(by)) >= (contact.changed, contact.changed_by) {
            (contact.changed, contact.changed_by) = (clock, Some(by));
            contact.handle = change.handle.clone().or(contact.handle);
            contact.verified = change.verified;
            contact.given = change.given.or(contact.given);
            contact.taken = change.taken.or(contact.taken);
        } else {
            contact.handle = contact.handle.or_else(|| change.handle.clone());
            contact.given = contact.given.or(change.given);
            contact.taken = contact.taken.or(change.taken);
        }
        if let Some(blocked) = change.blocked {
            contact.decide(clock, by, blocked);
        }
        if let Some(given) = contact.given.take_if(|_| contact.blocked) {
            // This device may have given it before it heard of the block.
            self.revoke(turn, given);
            self.supply(turn)?;
        }
        if let Some(given) = contact.given.filter(|_| self.record().device(by).is_none()) {
            self.vouch(turn, given)?;
            self.supply(turn)?;
        }
        if contact.accepted || contact.blocked {
            contact.asked = None;
            self.drop_request(turn, &change.account);
        }
        if contact != before {
            self.keep(turn, &contact);
        }
        Ok(())
    }

    /// A change of this device's own stands in the conversation with oneself: what was changed elsewhere before does not undo it.
    ///
    /// # Errors
    /// If the store does not answer or the row cannot be read.
    pub fn contact_noted(&self, turn: &mut Turn<'_>, clock: Clock, change: &ContactChange) -> Result<(), EngineError> {
        let at = (clock, Some(self.device()));
        let known = self.contact(turn, &change.account)?;
        if let Some(mut contact) = known.filter(|contact| at > (contact.changed, contact.changed_by)) {
            (contact.changed, contact.changed_by) = at;
            if let Some(blocked) = change.blocked {
                contact.decide(clock, self.device(), blocked);
            }
            turn.put(Table::Contact, Scope::Account, contact.account.as_ref(), &contact);
        }
        Ok(())
    }

    /// How a device of an account is reached; none if its record is not known or lacks the device.
    ///
    /// # Errors
    /// If the store does not answer or a row cannot be read.
    pub fn recipient(
        &self,
        turn: &Turn<'_>,
        account: &AccountId,
        device: DeviceId,
    ) -> Result<Option<Recipient>, EngineError> {
        let Some(record) = self.record_of(turn, account)? else { return Ok(None) };
        let Some(certificate) = record.device(device) else { return Ok(None) };
        let token = self.contact(turn, account)?.and_then(|contact| contact.taken).map(|pair| pair.delivery);
        let mailboxes =
            token.map_or_else(Vec::new, |token| record.relays().iter().map(|relay| (relay.clone(), token)).collect());
        let transport = *certificate.transport_key().as_bytes();
        Ok(Some(Recipient { account: *account, device, transport, mailboxes }))
    }

    /// Whose a device is, of this account and of contacts that are not blocked.
    ///
    /// # Errors
    /// If the store does not answer or a row cannot be read.
    pub(crate) fn owner_of(&self, turn: &Turn<'_>, device: DeviceId) -> Result<Option<AccountId>, EngineError> {
        if self.record().device(device).is_some() {
            return Ok(Some(self.id()));
        }
        for contact in contacts(&turn.read(), self.id())? {
            let record = if contact.blocked { None } else { known_record(&turn.read(), &contact.account)? };
            if record.is_some_and(|record| record.device(device).is_some()) {
                return Ok(Some(contact.account));
            }
        }
        Ok(None)
    }

    /// The token that takes an account's key packages, if it gave one.
    ///
    /// # Errors
    /// If the store does not answer or the row cannot be read.
    pub fn key_package_token(&self, turn: &Turn<'_>, account: &AccountId) -> Result<Option<Token>, EngineError> {
        Ok(self.contact(turn, account)?.and_then(|contact| contact.taken).map(|pair| pair.key_packages))
    }

    /// Draws the pair of tokens that a contact may use, to be registered at the own relay.
    pub(super) fn give(&mut self, turn: &mut Turn<'_>, contact: &mut Contact) {
        let pair = TokenPair { delivery: Token::random(turn.rng), key_packages: Token::random(turn.rng) };
        self.issue(turn, Purpose::Delivery, pair.delivery);
        self.issue(turn, Purpose::KeyPackages, pair.key_packages);
        contact.given = Some(pair);
    }

    /// What another device of the account had given them is theirs again.
    pub(super) fn give_again(&self, turn: &mut Turn<'_>, contact: &mut Contact, pair: TokenPair) {
        self.issue(turn, Purpose::Delivery, pair.delivery);
        self.issue(turn, Purpose::KeyPackages, pair.key_packages);
        contact.given = Some(pair);
    }

    /// A device is gone from the account. What it had given others is theirs as before: it may never have come to tell the relay of it, and
    /// cannot tell it again.
    pub(super) fn vouch_for_all(&mut self, turn: &mut Turn<'_>) -> Result<(), EngineError> {
        let own = self.contact(turn, &self.id())?;
        for contact in contacts(&turn.read(), self.id())?.into_iter().chain(own) {
            if let Some(given) = contact.given.filter(|_| !contact.blocked) {
                self.vouch(turn, given)?;
            }
        }
        self.supply(turn)
    }

    /// Registers tokens that another device gave, unless they are or were here.
    fn vouch(&self, turn: &mut Turn<'_>, pair: TokenPair) -> Result<(), EngineError> {
        if !self.is_given(turn, pair)? {
            self.issue(turn, Purpose::Delivery, pair.delivery);
            self.issue(turn, Purpose::KeyPackages, pair.key_packages);
        }
        Ok(())
    }

    /// Whether somebody has one of two tokens already: whoever is blocked takes theirs along.
    pub(super) fn is_given(&self, turn: &Turn<'_>, pair: TokenPair) -> Result<bool, EngineError> {
        for token in [pair.delivery, pair.key_packages] {
            if turn.get::<TokenRow>(Table::Token, token_hash(&token).as_ref())?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The own devices reach each other's mailboxes by tokens like anybody else: the account is its own contact.
    pub(super) fn open_to_itself(&mut self, turn: &mut Turn<'_>) -> Result<(), EngineError> {
        let mut own = self.contact_or_new(turn, self.id())?;
        if own.given.is_none() {
            self.give(turn, &mut own);
            own.taken = own.given;
            own.accepted = true;
            self.keep(turn, &own);
            self.note_contact(turn, &own)?;
        }
        Ok(())
    }
}
