//! Account records: who is at home here, with which devices. What a record says is signed by its root key, so that who brings it
//! does not matter; which one counts is its version.

use std::collections::BTreeSet;

use kith_core::identity::{AccountRecord, Handle, Observation, Tracker};
use kith_core::types::{AccountId, DeviceId, Hash, Rng};
use kith_core::wire::relay::{Refusal, Response};

use super::rows::{self, Account, Device, Table};
use super::tx::Tx;
use super::{Caller, Relay, mailbox};

/// A device that is signed in, and its account.
#[derive(Debug, Clone, Copy)]
pub(super) struct SignedIn {
    pub(super) device: DeviceId,
    pub(super) account: AccountId,
}

/// Who a connection's key belongs to, if to a device that is at home here.
pub(super) fn find_caller(tx: &Tx<'_>, caller: Caller) -> Result<Option<SignedIn>, Refusal> {
    let Some(value) = tx.raw(&Table::Peer.key(&[&caller.peer]))? else { return Ok(None) };
    let Some(device) = rows::id_of::<DeviceId>(&value) else { return Ok(None) };
    let row: Option<Device> = tx.get(&Table::Device.key(&[device.as_ref()]))?;
    Ok(row.map(|row| SignedIn { device, account: row.account }))
}

/// As [`find_caller`], for requests that need it.
pub(super) fn signed_in(tx: &Tx<'_>, caller: Caller) -> Result<SignedIn, Refusal> {
    find_caller(tx, caller)?.ok_or(Refusal::NotSignedIn)
}

pub(super) fn account_key(account: AccountId) -> Vec<u8> {
    Table::Account.key(&[account.as_ref()])
}

pub(super) fn account(tx: &Tx<'_>, account: AccountId) -> Result<Account, Refusal> {
    tx.get(&account_key(account))?.ok_or(Refusal::NotFound)
}

/// The account behind a handle.
pub(super) fn by_handle(tx: &Tx<'_>, handle: &Handle) -> Result<Option<AccountId>, Refusal> {
    let value = tx.raw(&rows::name_key(Table::Handle, handle.as_str()))?;
    Ok(value.as_deref().and_then(rows::id_of::<AccountId>))
}

pub(super) fn record(tx: &Tx<'_>, account: AccountId) -> Result<Vec<u8>, Refusal> {
    tx.raw(&Table::Record.key(&[account.as_ref()]))?.ok_or(Refusal::NotFound)
}

pub(super) fn get_record(tx: &Tx<'_>, account: AccountId) -> Result<Response, Refusal> {
    Ok(Response::Record { record: record(tx, account)? })
}

impl Relay {
    pub(super) fn lookup(&self, tx: &Tx<'_>, handle: &str) -> Result<Response, Refusal> {
        let handle = Handle::parse(handle).map_err(|_| Refusal::HandleMalformed)?;
        let account = by_handle(tx, &handle)?.ok_or(Refusal::NotFound)?;
        get_record(tx, account)
    }
}

/// Reads and verifies a record that came from outside.
pub(super) fn verified(bytes: &[u8]) -> Result<AccountRecord, Refusal> {
    AccountRecord::decode_verified(bytes).map_err(|error| Refusal::Malformed(error.to_string()))
}

/// Takes a newer record. A lower one or one of another history is refused.
pub(super) fn put_record(tx: &mut Tx<'_>, rng: &mut Rng, bytes: &[u8]) -> Result<Response, Refusal> {
    let record = verified(bytes)?;
    let id = record.account_id();
    let mut row = account(tx, id)?;
    let known = Tracker::restore(verified(&self::record(tx, id)?)?);
    match known.judge(&record) {
        Observation::Fresh => {}
        Observation::Same => return Ok(Response::Done),
        Observation::Older { .. } | Observation::Fork { .. } | Observation::OtherAccount => {
            return Err(Refusal::Conflict);
        }
    }
    set_devices(tx, rng, &mut row, &record)?;
    row.version = record.version();
    row.hash = record.hash();
    tx.put(account_key(id), &row);
    tx.put_raw(Table::Record.key(&[id.as_ref()]), bytes.to_vec());
    Ok(Response::Done)
}

/// Makes the relay's devices those of the record: new ones get a mailbox, removed ones lose everything.
///
/// A device or a transport key that is another account's is refused: its owner signed the other certificate too, and a key
/// that two accounts share would let one act for the other.
pub(super) fn set_devices(
    tx: &mut Tx<'_>,
    rng: &mut Rng,
    row: &mut Account,
    record: &AccountRecord,
) -> Result<(), Refusal> {
    let id = record.account_id();
    let devices: BTreeSet<DeviceId> = record.devices().iter().map(|device| device.device_id()).collect();
    for gone in row.devices.iter().filter(|device| !devices.contains(*device)) {
        remove_device(tx, *gone)?;
    }
    for certificate in record.devices() {
        let device = certificate.device_id();
        let peer = Hash::new(*certificate.transport_key().as_bytes());
        let device_key = Table::Device.key(&[device.as_ref()]);
        let peer_key = Table::Peer.key(&[peer.as_ref()]);
        let known: Option<Device> = tx.get(&device_key)?;
        if known.as_ref().is_some_and(|known| known.account != id) {
            return Err(Refusal::Conflict);
        }
        if let Some(value) = tx.raw(&peer_key)?
            && rows::id_of::<DeviceId>(&value) != Some(device)
        {
            return Err(Refusal::Conflict);
        }
        match known {
            Some(known) if known.peer != peer => tx.delete(Table::Peer.key(&[known.peer.as_ref()])),
            Some(_) => {}
            None => mailbox::create(tx, rng, device),
        }
        tx.put(device_key, &Device { account: id, peer });
        tx.put_raw(peer_key, rows::id_value(device.as_ref()));
    }
    row.devices = devices.into_iter().collect();
    Ok(())
}

/// Forgets a device: what waits for it is swept later, in steps.
pub(super) fn remove_device(tx: &mut Tx<'_>, device: DeviceId) -> Result<(), Refusal> {
    let key = Table::Device.key(&[device.as_ref()]);
    let Some(row) = tx.get::<Device>(&key)? else { return Ok(()) };
    tx.delete(key);
    tx.delete(Table::Peer.key(&[row.peer.as_ref()]));
    super::key_package::remove_all(tx, device)?;
    mailbox::remove(tx, device)
}
