//! Account records: the newest of everybody seen.

use crate::identity::{AccountRecord, Observation, Tracker};
use crate::store::{Range, Read, Scope, Table};
use crate::types::AccountId;
use crate::wire::codec::Body as _;

use super::super::api::Notice;
use super::super::turn::{EngineError, Turn};
use super::retry::Task;
use super::{Account, Contact};

/// The newest record known of an account, verified when it was stored.
///
/// # Errors
/// If the store does not answer or the record cannot be read.
pub fn known_record(read: &(impl Read + ?Sized), account: &AccountId) -> Result<Option<AccountRecord>, EngineError> {
    let Some(bytes) = read.get(Table::Account, account.as_ref())? else { return Ok(None) };
    AccountRecord::decode_stored(&bytes).map(Some).map_err(|_| EngineError::Broken("a stored record is damaged"))
}

/// Contacts' relays are asked so long after a start, when there is less to do than at the start itself.
const FIRST_MS: u64 = 10 * 60 * 1000;

/// And again so long after that: a device that was removed goes on for no longer among those to whom nobody tells it.
const EVERY_MS: u64 = 4 * 60 * 60 * 1000;

/// Contacts whose relays are asked in one step.
const AT_ONCE: usize = 8;

/// A pause between two steps.
const STEP_MS: u64 = 10_000;

impl Account {
    /// The device has started: contacts' records are looked at before long.
    pub(super) fn look_soon(&mut self, turn: &Turn<'_>) {
        self.looked = None;
        self.retries.put(Task::Contacts, turn.now.mono_ms.saturating_add(FIRST_MS));
    }

    /// Asks the relays of some contacts for their records. As a rule their devices tell of a newer one; where the only device that was
    /// in a conversation is the one that it removes, nobody does.
    pub(super) fn look_at_contacts(&mut self, turn: &mut Turn<'_>) -> Result<(), EngineError> {
        let after = self.looked.map(|account| account.as_bytes().to_vec());
        let rows = turn.read().scan(Table::Contact, &[], Range { after, ..Range::first(AT_ONCE) })?;
        let ended = rows.len() < AT_ONCE;
        for row in rows {
            let contact =
                Contact::decode(&row.value).map_err(|cause| EngineError::Stored { table: Table::Contact, cause })?;
            self.looked = Some(contact.account);
            if contact.accepted && !contact.blocked && contact.account != self.id() {
                self.fetch_record(turn, contact.account)?;
            }
        }
        let pause = if ended { EVERY_MS } else { STEP_MS };
        if ended {
            self.looked = None;
        }
        self.retries.put(Task::Contacts, turn.now.mono_ms.saturating_add(pause));
        Ok(())
    }

    /// The newest record known of an account, the own included.
    ///
    /// # Errors
    /// If the store does not answer or the record cannot be read.
    pub fn record_of(&self, turn: &Turn<'_>, account: &AccountId) -> Result<Option<AccountRecord>, EngineError> {
        if *account == self.id() {
            return Ok(Some(self.record.clone()));
        }
        known_record(&turn.read(), account)
    }

    /// A record came from somewhere. It is kept if it is newer; an older one, or another of the same version, is told to the
    /// person. None if it is no record at all.
    ///
    /// # Errors
    /// If the store does not answer or the known record cannot be read.
    pub fn observe_record(
        &mut self,
        turn: &mut Turn<'_>,
        bytes: &[u8],
    ) -> Result<Option<(AccountRecord, Observation)>, EngineError> {
        let Ok(record) = AccountRecord::decode_verified(bytes) else {
            turn.effects.notices.push(Notice::Dropped { reason: "record" });
            return Ok(None);
        };
        let account = record.account_id();
        let mut tracker = match self.record_of(turn, &account)? {
            Some(known) => Tracker::restore(known),
            None => Tracker::new(account),
        };
        let known = tracker.newest().map_or(0, AccountRecord::version);
        let observation = tracker.observe(record.clone());
        match observation {
            Observation::Fresh => {
                if known > 0 {
                    self.news.insert(account);
                    // Whom the network may talk to has other devices now.
                    turn.effects.notices.push(Notice::Contact { account });
                }
                self.take_record(turn, &record)?;
            }
            Observation::Older { .. } | Observation::Fork { .. } => {
                turn.effects.notices.push(Notice::RecordFork { account, known, shown: record.version() });
            }
            Observation::Same | Observation::OtherAccount => {}
        }
        Ok(Some((record, observation)))
    }

    fn take_record(&mut self, turn: &mut Turn<'_>, record: &AccountRecord) -> Result<(), EngineError> {
        if record.account_id() != self.id() {
            turn.effects.batch.put(Table::Account, Scope::Account, record.account_id().as_ref(), record.encode());
            return Ok(());
        }
        // A record that removes this device is kept as well: the engine then finds itself no member anywhere.
        match record.device(self.device()) {
            Some(certificate) => self.certificate = certificate.clone(),
            None => turn.effects.notices.push(Notice::DeviceRemoved),
        }
        let shrinks = self.record.devices().iter().any(|before| record.device(before.device_id()).is_none());
        self.record = record.clone();
        self.save(turn);
        self.keep_own_record(turn);
        if shrinks && record.device(self.device()).is_some() { self.vouch_for_all(turn) } else { Ok(()) }
    }

    /// The own record stands beside those of others too, so that views find it in one place.
    pub(super) fn keep_own_record(&self, turn: &mut Turn<'_>) {
        turn.effects.batch.put(Table::Account, Scope::Account, self.id().as_ref(), self.record.encode());
    }
}
