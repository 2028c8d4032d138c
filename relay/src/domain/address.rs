//! Addresses of devices under blinded names, sealed: only contacts know the names and can read them.

use kith_core::types::Hash;
use kith_core::wire::relay::{Refusal, Response};

use super::directory::signed_in;
use super::rows::{Address, Table};
use super::tx::Tx;
use super::{Caller, Relay, expiry};

/// The most bytes of sealed addresses.
const MAX_SEALED: usize = 1024;

/// The longest that they are kept, in seconds: an address of yesterday is of little use.
const MAX_TTL_S: u32 = 24 * 3600;

impl Relay {
    pub(super) fn put_address(
        &mut self,
        tx: &mut Tx<'_>,
        caller: Caller,
        name: Hash,
        sealed: Vec<u8>,
        ttl_s: u32,
    ) -> Result<Response, Refusal> {
        let own = signed_in(tx, caller)?;
        if sealed.len() > MAX_SEALED {
            return Err(Refusal::TooLarge);
        }
        self.rates.put_address.take(own.device, tx.now)?;
        let key = Table::Address.key(&[name.as_ref()]);
        let row: Option<Address> = tx.get(&key)?;
        if row.is_some_and(|row| row.device != own.device && tx.now < row.until) {
            return Err(Refusal::Forbidden);
        }
        let until = tx.now.plus_ms(u64::from(ttl_s.min(MAX_TTL_S)).saturating_mul(1000));
        expiry::at(tx, until, &key);
        tx.put(key, &Address { device: own.device, sealed: sealed.into(), until });
        Ok(Response::Done)
    }
}

pub(super) fn get(tx: &Tx<'_>, name: Hash) -> Result<Response, Refusal> {
    let row: Option<Address> = tx.get(&Table::Address.key(&[name.as_ref()]))?;
    let row = row.filter(|row| tx.now < row.until).ok_or(Refusal::NotFound)?;
    Ok(Response::Address { sealed: row.sealed.into_vec() })
}
