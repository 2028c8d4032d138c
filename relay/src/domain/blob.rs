//! Attachments that wait for their readers: whose they are, how long they are kept, and who may have them. Their chunks lie elsewhere
//! ([`crate::blobs`]), and count only while there is a row for them.
//!
//! A row holds names that were made of a secret, sizes and hashes of what is sealed: nothing says to whom it goes.

use kith_core::types::{AccountId, Hash, Timestamp};
use kith_core::wire::blob::{Claim, Open, Refusal, capability_hash};
use kith_core::wire::relay::Refusal as Unserved;

use super::directory::signed_in;
use super::rows::{BlobRow, BlobUse, Table};
use super::tx::{Batch, RelayRead, Tx};
use super::{Caller, Relay, expiry};

/// What is asked of the domain about an attachment. Its chunks are none of its business.
#[derive(Clone, PartialEq, Eq)]
pub enum BlobAsk {
    /// To keep it.
    Open(Open),
    /// Whether the asking device may put chunks.
    Put(Hash),
    /// To keep it no more.
    Drop(Hash),
    /// Whether who shows this may read it.
    Read(Claim),
    /// A reader has it.
    Got(Claim, Hash),
}

impl std::fmt::Debug for BlobAsk {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("BlobAsk(…)")
    }
}

/// What the domain says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlobFacts {
    /// Bytes of all sealed chunks.
    pub sealed_bytes: u64,
    /// How many chunks there are.
    pub chunks: u32,
    /// It is kept no more: its chunks may go.
    pub gone: bool,
}

/// What was decided about an attachment: rows to make durable first, and then the answer.
#[derive(Debug)]
pub struct BlobOutcome {
    /// Rows.
    pub batch: Batch,
    /// The answer.
    pub answer: Result<BlobFacts, Refusal>,
}

impl Relay {
    /// Decides about an attachment. Never fails otherwise than by a refusal.
    pub fn handle_blob(&mut self, now: Timestamp, caller: Caller, read: &impl RelayRead, ask: BlobAsk) -> BlobOutcome {
        let mut tx = Tx::new(read, now);
        let decided = match self.rates.request(&caller, now) {
            Ok(()) => self.decide(&mut tx, caller, ask),
            Err(refusal) => Err(unserved(refusal)),
        };
        match decided {
            Ok(facts) => BlobOutcome { batch: tx.finish().0, answer: Ok(facts) },
            Err(refusal) => BlobOutcome { batch: Batch::default(), answer: Err(refusal) },
        }
    }

    fn decide(&self, tx: &mut Tx<'_>, caller: Caller, ask: BlobAsk) -> Result<BlobFacts, Refusal> {
        if self.settings.limits.blobs.account_bytes == 0 {
            return Err(Refusal::NotKept);
        }
        match ask {
            BlobAsk::Open(open) => self.open_blob(tx, caller, open),
            BlobAsk::Put(name) => Ok(facts(&own(tx, caller, name)?)),
            BlobAsk::Drop(name) => {
                let row = own(tx, caller, name)?;
                remove(tx, name, &row).map_err(unserved)?;
                Ok(BlobFacts { gone: true, ..facts(&row) })
            }
            BlobAsk::Read(claim) => Ok(facts(&claimed(tx, &claim)?)),
            BlobAsk::Got(claim, reader) => got(tx, &claim, &reader),
        }
    }

    fn open_blob(&self, tx: &mut Tx<'_>, caller: Caller, open: Open) -> Result<BlobFacts, Refusal> {
        let limits = self.settings.limits.blobs;
        let owner = signed_in(tx, caller).map_err(unserved)?.account;
        if open.sealed_bytes > limits.bytes {
            return Err(Refusal::TooLarge { limit: limits.bytes });
        }
        let until = tx.now.plus_ms(limits.keep_s.saturating_mul(1000));
        let list = list_of(&open);
        let mut row = match read(tx, open.name)? {
            Some(row) if row.owner != owner || row.list != list || row.capability != open.capability => {
                return Err(Refusal::Mismatch);
            }
            Some(row) => row,
            None => {
                take_room(tx, owner, open.sealed_bytes, limits)?;
                let chunks = u32::try_from(open.list.len() / Hash::LEN).unwrap_or(u32::MAX);
                BlobRow {
                    owner,
                    capability: open.capability,
                    list,
                    sealed_bytes: open.sealed_bytes,
                    chunks,
                    readers: Vec::new(),
                    until,
                }
            }
        };
        row.until = until;
        row.readers.extend(open.readers);
        row.readers.sort();
        row.readers.dedup();
        row.readers.truncate(kith_core::wire::blob::MAX_READERS);
        let key = key(open.name);
        expiry::at(tx, until, &key);
        tx.put(key, &row);
        Ok(facts(&row))
    }
}

fn key(name: Hash) -> Vec<u8> {
    Table::Blob.key(&[name.as_ref()])
}

/// What names the list: not the attachment's id, which whoever lacks its events has no business to know.
fn list_of(open: &Open) -> Hash {
    kith_core::wire::codec::hash("kith/relay-blob/1", &[&open.list])
}

fn facts(row: &BlobRow) -> BlobFacts {
    BlobFacts { sealed_bytes: row.sealed_bytes, chunks: row.chunks, gone: false }
}

fn read(tx: &Tx<'_>, name: Hash) -> Result<Option<BlobRow>, Refusal> {
    let row: Option<BlobRow> = tx.get(&key(name)).map_err(unserved)?;
    Ok(row.filter(|row| tx.now < row.until))
}

fn own(tx: &Tx<'_>, caller: Caller, name: Hash) -> Result<BlobRow, Refusal> {
    let account = signed_in(tx, caller).map_err(unserved)?.account;
    read(tx, name)?.filter(|row| row.owner == account).ok_or(Refusal::NotFound)
}

fn claimed(tx: &Tx<'_>, claim: &Claim) -> Result<BlobRow, Refusal> {
    let shown = capability_hash(&claim.capability);
    read(tx, claim.name)?.filter(|row| row.capability == shown).ok_or(Refusal::NotFound)
}

fn got(tx: &mut Tx<'_>, claim: &Claim, reader: &Hash) -> Result<BlobFacts, Refusal> {
    let mut row = claimed(tx, claim)?;
    let before = row.readers.len();
    row.readers.retain(|waiting| waiting != reader);
    if row.readers.len() == before {
        return Ok(facts(&row));
    }
    if row.readers.is_empty() {
        remove(tx, claim.name, &row).map_err(unserved)?;
        return Ok(BlobFacts { gone: true, ..facts(&row) });
    }
    tx.put(key(claim.name), &row);
    Ok(facts(&row))
}

/// The key of what an account uses; of all together without one.
fn use_key(account: Option<AccountId>) -> Vec<u8> {
    match account {
        Some(account) => Table::BlobUse.key(&[account.as_ref()]),
        None => Table::BlobUse.key(&[]),
    }
}

fn used(tx: &Tx<'_>, account: Option<AccountId>) -> Result<u64, Unserved> {
    Ok(tx.get::<BlobUse>(&use_key(account))?.map_or(0, |row| row.bytes))
}

fn take_room(tx: &mut Tx<'_>, owner: AccountId, bytes: u64, limits: super::BlobLimits) -> Result<(), Refusal> {
    let (own, all) = (used(tx, Some(owner)).map_err(unserved)?, used(tx, None).map_err(unserved)?);
    if own.saturating_add(bytes) > limits.account_bytes {
        return Err(Refusal::Quota { limit: limits.account_bytes });
    }
    if all.saturating_add(bytes) > limits.all_bytes {
        return Err(Refusal::TryLater);
    }
    tx.put(use_key(Some(owner)), &BlobUse { bytes: own.saturating_add(bytes) });
    tx.put(use_key(None), &BlobUse { bytes: all.saturating_add(bytes) });
    Ok(())
}

fn remove(tx: &mut Tx<'_>, name: Hash, row: &BlobRow) -> Result<(), Unserved> {
    for account in [Some(row.owner), None] {
        match used(tx, account)?.saturating_sub(row.sealed_bytes) {
            0 => tx.delete(use_key(account)),
            bytes => tx.put(use_key(account), &BlobUse { bytes }),
        }
    }
    tx.delete(key(name));
    Ok(())
}

/// The row of this key has come to its end, unless it was opened again since.
pub(super) fn expire(tx: &mut Tx<'_>, key: &[u8]) -> Result<(), Unserved> {
    let row: Option<BlobRow> = tx.get(key)?;
    let name = key.get(1..).and_then(|name| Hash::try_from(name).ok());
    match row.zip(name) {
        Some((row, name)) if row.until <= tx.now => remove(tx, name, &row),
        _ => Ok(()),
    }
}

/// Whether an attachment of this name is kept, by a look at the rows beside the domain.
///
/// # Errors
/// If the rows cannot be read.
pub fn is_kept(read: &impl RelayRead, name: Hash) -> Result<bool, super::ReadError> {
    Ok(read.get(&key(name))?.is_some())
}

fn unserved(refusal: Unserved) -> Refusal {
    match refusal {
        Unserved::TooMany { retry_s } => Refusal::TooMany { retry_s },
        Unserved::NotSignedIn => Refusal::NotSignedIn,
        _ => Refusal::TryLater,
    }
}
