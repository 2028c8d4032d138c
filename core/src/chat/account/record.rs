//! Account records: the newest of everybody seen.

use crate::identity::{AccountRecord, Observation, Tracker};
use crate::store::{Read, Scope, Table};
use crate::types::AccountId;

use super::super::api::Notice;
use super::super::turn::{EngineError, Turn};
use super::Account;

/// The newest record known of an account, verified when it was stored.
///
/// # Errors
/// If the store does not answer or the record cannot be read.
pub fn known_record(read: &(impl Read + ?Sized), account: &AccountId) -> Result<Option<AccountRecord>, EngineError> {
    let Some(bytes) = read.get(Table::Account, account.as_ref())? else { return Ok(None) };
    AccountRecord::decode_stored(&bytes).map(Some).map_err(|_| EngineError::Broken("a stored record is damaged"))
}

impl Account {
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
            Observation::Fresh => self.take_record(turn, &record),
            Observation::Older { .. } | Observation::Fork { .. } => {
                turn.effects.notices.push(Notice::RecordFork { account, known, shown: record.version() });
            }
            Observation::Same | Observation::OtherAccount => {}
        }
        Ok(Some((record, observation)))
    }

    fn take_record(&mut self, turn: &mut Turn<'_>, record: &AccountRecord) {
        if record.account_id() != self.id() {
            turn.effects.batch.put(Table::Account, Scope::Account, record.account_id().as_ref(), record.encode());
            return;
        }
        // A record that removes this device is kept as well: the engine then finds itself no member anywhere.
        if let Some(certificate) = record.device(self.device()) {
            self.certificate = certificate.clone();
        }
        self.record = record.clone();
        self.save(turn);
        self.keep_own_record(turn);
    }

    /// The own record stands beside those of others too, so that views find it in one place.
    pub(super) fn keep_own_record(&self, turn: &mut Turn<'_>) {
        turn.effects.batch.put(Table::Account, Scope::Account, self.id().as_ref(), self.record.encode());
    }
}
