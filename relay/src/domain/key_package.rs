//! Key packages (RFC 9420 §10): given out once each, against a token; the last resort again and again until it is replaced.
//!
//! The relay does not read them: their signed wrapper is checked by who takes them.

use kith_core::types::{AccountId, DeviceId, Token};
use kith_core::wire::relay::{Purpose, Refusal, Response, token_hash};
use serde_bytes::ByteBuf;

use super::directory::{self, signed_in};
use super::rows::{KeyPackages, Table};
use super::tx::Tx;
use super::{Caller, Relay, token};

/// The most bytes of one; today's have 3 kB.
const MAX_PACKAGE: usize = 16 * 1024;

/// The most packages in one answer: as many as an account has devices.
const MAX_TAKEN: usize = 64;

fn meta_key(device: DeviceId) -> Vec<u8> {
    Table::KeyPackages.key(&[device.as_ref()])
}

fn package_key(device: DeviceId, number: u64) -> Vec<u8> {
    Table::KeyPackage.key(&[device.as_ref(), &number.to_be_bytes()])
}

fn meta(tx: &Tx<'_>, device: DeviceId) -> Result<KeyPackages, Refusal> {
    let none = KeyPackages { first: 0, next: 0, last_resort: None, last_resort_used: false };
    Ok(tx.get(&meta_key(device))?.unwrap_or(none))
}

fn left(meta: &KeyPackages) -> Response {
    let count = u32::try_from(meta.next.saturating_sub(meta.first)).unwrap_or(u32::MAX);
    let last_resort_used = meta.last_resort_used || meta.last_resort.is_none();
    Response::KeyPackagesLeft { count, last_resort_used }
}

impl Relay {
    pub(super) fn put_key_packages(
        &self,
        tx: &mut Tx<'_>,
        caller: Caller,
        packages: Vec<ByteBuf>,
        last_resort: Option<ByteBuf>,
    ) -> Result<Response, Refusal> {
        let own = signed_in(tx, caller)?;
        let fits = |package: &ByteBuf| !package.is_empty() && package.len() <= MAX_PACKAGE;
        if !packages.iter().chain(&last_resort).all(fits) {
            return Err(Refusal::TooLarge);
        }
        let mut meta = meta(tx, own.device)?;
        for package in packages {
            if meta.next.saturating_sub(meta.first) >= self.settings.limits.key_packages {
                break;
            }
            tx.put_raw(package_key(own.device, meta.next), package.into_vec());
            meta.next = meta.next.saturating_add(1);
        }
        if let Some(package) = last_resort {
            meta.last_resort = Some(package);
            meta.last_resort_used = false;
        }
        tx.put(meta_key(own.device), &meta);
        Ok(left(&meta))
    }

    pub(super) fn take_key_packages(
        &mut self,
        tx: &mut Tx<'_>,
        account: AccountId,
        token: Token,
    ) -> Result<Response, Refusal> {
        let hash = token_hash(&token);
        if token::issuer(tx, &hash, Purpose::KeyPackages)? != Some(account) {
            return Err(Refusal::Forbidden);
        }
        self.rates.deposits.take(hash, tx.now)?;
        let devices = directory::account(tx, account)?.devices;
        let mut packages = Vec::new();
        for device in devices.into_iter().take(MAX_TAKEN) {
            if let Some(package) = take(tx, device)? {
                packages.push((device, package));
            }
        }
        Ok(Response::KeyPackages { packages })
    }
}

pub(super) fn count(tx: &Tx<'_>, caller: Caller) -> Result<Response, Refusal> {
    let own = signed_in(tx, caller)?;
    Ok(left(&meta(tx, own.device)?))
}

fn take(tx: &mut Tx<'_>, device: DeviceId) -> Result<Option<ByteBuf>, Refusal> {
    let mut meta = meta(tx, device)?;
    if meta.first < meta.next {
        let key = package_key(device, meta.first);
        let package = tx.raw(&key)?;
        tx.delete(key);
        meta.first = meta.first.saturating_add(1);
        tx.put(meta_key(device), &meta);
        return Ok(package.map(ByteBuf::from));
    }
    if meta.last_resort.is_some() && !meta.last_resort_used {
        meta.last_resort_used = true;
        tx.put(meta_key(device), &meta);
    }
    Ok(meta.last_resort)
}

/// Forgets the packages of a device that is gone; they are at most as many as [`super::Limits::key_packages`].
pub(super) fn remove_all(tx: &mut Tx<'_>, device: DeviceId) -> Result<(), Refusal> {
    let meta = meta(tx, device)?;
    for number in meta.first..meta.next {
        tx.delete(package_key(device, number));
    }
    tx.delete(meta_key(device));
    Ok(())
}
