//! Homes kept here: [`kith_core::home`] over the relay's rows, signed by its identity key.

use kith_core::home::{AppendRequest, State, read_response};
use kith_core::identity::Context;
use kith_core::types::GroupId;
use kith_core::wire::codec::{Body, DecodeError};
use kith_core::wire::log::{self, UnverifiedEntry};
use kith_core::wire::relay::{Refusal, Response};

use super::directory::signed_in;
use super::rows::{self, Table};
use super::tx::Tx;
use super::{Caller, Relay, mailbox};

fn state_key(group: GroupId) -> Vec<u8> {
    Table::Home.key(&[group.as_ref()])
}

impl Relay {
    pub(super) fn home(&mut self, tx: &mut Tx<'_>, caller: Caller, request: log::Request) -> Result<Response, Refusal> {
        let response = match request {
            log::Request::Create { group, write_key_hash } => {
                let own = signed_in(tx, caller)?;
                match tx.get::<State>(&state_key(group))? {
                    Some(state) => state.create_again(write_key_hash),
                    None => {
                        self.rates.create_log.take(own.account, tx.now)?;
                        tx.put(state_key(group), &State::create(write_key_hash));
                        log::Response::Created
                    }
                }
            }
            log::Request::Append { group, head, write_key, next_write_key_hash, blob } => {
                let request = AppendRequest { group, head, write_key, next_write_key_hash, blob: &blob };
                self.append(tx, &request)?
            }
            log::Request::Read { group, from, limit } => read(tx, group, from, limit)?,
        };
        Ok(Response::Home(response))
    }

    fn append(&self, tx: &mut Tx<'_>, request: &AppendRequest<'_>) -> Result<log::Response, Refusal> {
        let group = request.group;
        let Some(state) = tx.get::<State>(&state_key(group))? else {
            return Ok(log::Response::Refused(log::Refusal::UnknownGroup));
        };
        let term = mailbox::life(tx)?.term;
        let sign = |entry: &[u8]| self.keys.identity.sign(Context::Log, entry);
        match state.append(tx.now, &self.settings.limits.home, term, request, sign) {
            Ok(appended) => {
                tx.put(state_key(group), &appended.state);
                let stored = StoredEntry(appended.entry.clone());
                tx.put_raw(rows::entry_key(Table::HomeEntry, group, appended.index), stored.encode());
                tx.put_raw(rows::entry_key(Table::HomeBlob, group, appended.index), request.blob.to_vec());
                Ok(log::Response::Appended(appended.entry))
            }
            Err(refusal) => Ok(log::Response::Refused(refusal)),
        }
    }
}

fn read(tx: &Tx<'_>, group: GroupId, from: u64, limit: u16) -> Result<log::Response, Refusal> {
    let Some(state) = tx.get::<State>(&state_key(group))? else {
        return Ok(log::Response::Refused(log::Refusal::UnknownGroup));
    };
    read_response(&state, from, limit, |index| {
        let entry: Option<StoredEntry> = tx.get(&rows::entry_key(Table::HomeEntry, group, index))?;
        let blob = tx.raw(&rows::entry_key(Table::HomeBlob, group, index))?;
        Ok(entry.zip(blob).map(|(StoredEntry(entry), blob)| UnverifiedEntry { blob, ..entry }))
    })
}

/// An entry in a row: as it travels, without its blob.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct StoredEntry(UnverifiedEntry);

impl Body for StoredEntry {
    const MAX_BYTES: usize = 1024;

    fn check(&self) -> Result<(), DecodeError> {
        if self.0.blob.is_empty() { Ok(()) } else { Err(DecodeError::OutOfBounds("blob")) }
    }
}
