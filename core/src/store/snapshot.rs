//! Copies of a store to restore from: whole, encrypted, verified.
//!
//! A snapshot holds the rows, but for ids of envelopes seen, as they lie in the store, sealed by their own data keys, in blocks sealed once more by the account's
//! key. The keys are not in it: what the ring destroys is gone from every snapshot too, and a restored store has no MLS state
//! older than the last renewal of its keys.
//!
//! Not here: when one is written (the driver decides).
//!
//! # Layout of `snapshots/NUMBER.kith`
//!
//! Header: `kith-snap` ‖ format (2) ‖ store id (16) ‖ boot (u64) ‖ number of the account's key (u32). Then blocks: length (u32) ‖
//! nonce (12) ‖ sealed. Bound to each block: header ‖ its number (u64) ‖ whether it is the last (u8). A block is records (see
//! `records`); the last block is the number of records (u64). Format 1, which is read too, has records with whole keys.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};

use ring::aead::{Aad, NONCE_LEN, Nonce};

use super::guarded::{self, Db, MAX_VALUE_BYTES, RawBatch};
use super::keyring::{DataKey, Keyring, random};
use super::records::{self, Form, Records};
use super::{StoreError, Table, file};

/// Directory of the snapshots within a store's.
const DIR: &str = "snapshots";
const MAGIC: &[u8] = b"kith-snap";
const FORMAT: u8 = 2;
/// The format before it, which is read.
const FORMAT_BEFORE: u8 = 1;
const HEADER_BYTES: usize = MAGIC.len() + 1 + 16 + 8 + 4;
/// A block is closed when it has grown to this: small beside memory, large beside a block's overhead.
const BLOCK_BYTES: usize = 256 << 10;
/// No block of ours is larger: one row may follow an almost full one.
const MAX_BLOCK_BYTES: usize = BLOCK_BYTES + MAX_VALUE_BYTES + 4096;

/// Snapshots beside the newest are kept while all together are no larger: of a large store one copy is what a disk is asked for.
const KEPT_BYTES: u64 = 32 << 20;

/// Whether there is any snapshot.
pub(super) fn any(dir: &Path) -> Result<bool, StoreError> {
    Ok(!list(dir)?.is_empty())
}

/// Writes, verifies and then names a snapshot; removes the oldest beyond `kept`, and beyond what large ones may take.
pub(super) fn write<'a, G: std::ops::Deref<Target = Keyring> + 'a>(
    db: &Db,
    ring: &dyn Fn() -> G,
    key_number: u32,
    kept: usize,
) -> Result<(), StoreError> {
    let dir = db.dir().join(DIR);
    file::create_dir(&dir)?;
    let before = list(db.dir())?;
    let number = before.last().map_or(0, |(number, _)| *number).saturating_add(1);
    let path = dir.join(format!("{number:016}.kith"));
    let temporary = path.with_extension("new");
    // A half-written copy takes room on a disk that has none.
    write_verified(db, ring, key_number, &temporary).inspect_err(|_| drop(fs::remove_file(&temporary)))?;
    fs::rename(&temporary, &path)?;
    file::sync_parent(&path)?;
    let mut bytes = fs::metadata(&path)?.len();
    for (count, (_, old)) in before.into_iter().rev().enumerate() {
        bytes = bytes.saturating_add(fs::metadata(&old)?.len());
        if count.saturating_add(1) >= kept || bytes > KEPT_BYTES {
            fs::remove_file(old)?;
        }
    }
    Ok(())
}

fn write_verified<'a, G: std::ops::Deref<Target = Keyring> + 'a>(
    db: &Db,
    ring: &dyn Fn() -> G,
    key_number: u32,
    path: &Path,
) -> Result<(), StoreError> {
    let mut writer = BlockWriter::new(file::create_private(path)?, db, key_number)?;
    let key = |ring: &G, block: &mut BlockWriter| -> Result<(), StoreError> {
        block.close(ring.get(key_number)?.ok_or(StoreError::RingDamaged)?)
    };
    let cell = std::cell::RefCell::new(&mut writer);
    db.copy(
        |rows| {
            let mut writer = cell.borrow_mut();
            for row in rows {
                if !left_out(&row.key) {
                    writer.block.put(&row.key, &row.value);
                }
                if writer.full() {
                    key(&ring(), &mut writer)?;
                }
            }
            Ok(())
        },
        |changes| {
            let mut writer = cell.borrow_mut();
            changes.deleted_prefixes().for_each(|prefix| writer.block.clear(prefix));
            for (row, value) in changes.rows().filter(|(row, _)| !left_out(row)) {
                match value {
                    Some(value) => writer.block.put(row, value),
                    None => writer.block.delete(row),
                }
                if writer.full() {
                    key(&ring(), &mut writer)?;
                }
            }
            Ok(())
        },
    )?;
    writer.finish(ring().get(key_number)?.ok_or(StoreError::RingDamaged)?)?;
    read(path, &ring(), &mut |_| Ok(())).map(drop)
}

/// Whether a row is in no snapshot: ids of envelopes, remembered for thirty days so that none is handled twice. A restored store has
/// to do without the newest of them in any case, and holds what the others brought.
fn left_out(stored_key: &[u8]) -> bool {
    stored_key.first() == Some(&Table::Seen.number())
}

/// Puts the newest snapshot that verifies in the store's place.
pub(super) fn restore(dir: &Path, ring: &Keyring, options: &guarded::Options) -> Result<(), StoreError> {
    for (_, path) in list(dir)?.into_iter().rev() {
        let Ok(id) = read(&path, ring, &mut |_| Ok(())) else { continue };
        return guarded::prepare_restored(dir, options, id, |apply| {
            read(&path, ring, &mut |batch| apply(&batch)).map(drop)
        });
    }
    Err(StoreError::NoSnapshot)
}

/// The snapshots of a store, oldest first.
fn list(dir: &Path) -> Result<Vec<(u64, PathBuf)>, StoreError> {
    let entries = match fs::read_dir(dir.join(DIR)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let number = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
        if let (Some(number), Some("kith")) = (number, path.extension().and_then(|extension| extension.to_str())) {
            found.push((number, path));
        }
    }
    found.sort();
    Ok(found)
}

struct BlockWriter {
    file: File,
    header: Vec<u8>,
    block: Records,
    blocks: u64,
    records: u64,
}

impl BlockWriter {
    fn new(mut file: File, db: &Db, key_number: u32) -> Result<Self, StoreError> {
        let mut header = MAGIC.to_vec();
        header.push(FORMAT);
        header.extend_from_slice(&db.id());
        header.extend_from_slice(&db.boot().to_be_bytes());
        header.extend_from_slice(&key_number.to_be_bytes());
        file.write_all(&header)?;
        Ok(Self { file, header, block: Records::default(), blocks: 0, records: 0 })
    }

    fn full(&self) -> bool {
        self.block.bytes().len() >= BLOCK_BYTES
    }

    /// Ends a block of records.
    fn close(&mut self, key: &DataKey) -> Result<(), StoreError> {
        let (block, records) = self.block.take();
        self.records = self.records.saturating_add(records);
        self.seal(key, block, false)
    }

    fn seal(&mut self, key: &DataKey, mut block: Vec<u8>, last: bool) -> Result<(), StoreError> {
        let mut nonce = [0; NONCE_LEN];
        random(&mut nonce)?;
        let bound = Aad::from(bound(&self.header, self.blocks, last));
        let sealed = key.cipher.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), bound, &mut block);
        sealed.map_err(|_| StoreError::Damaged)?;
        let length = u32::try_from(block.len()).map_err(|_| StoreError::TooLarge { bytes: block.len() })?;
        self.file.write_all(&length.to_be_bytes())?;
        self.file.write_all(&nonce)?;
        self.file.write_all(&block)?;
        self.blocks = self.blocks.saturating_add(1);
        Ok(())
    }

    fn finish(mut self, key: &DataKey) -> Result<(), StoreError> {
        if !self.block.bytes().is_empty() {
            self.close(key)?;
        }
        self.seal(key, self.records.to_be_bytes().to_vec(), true)?;
        Ok(self.file.sync_all()?)
    }
}

fn bound(header: &[u8], block: u64, last: bool) -> Vec<u8> {
    let mut bound = header.to_vec();
    bound.extend_from_slice(&block.to_be_bytes());
    bound.push(u8::from(last));
    bound
}

/// Reads a snapshot through, a batch a block; returns the id of its store.
fn read(
    path: &Path,
    ring: &Keyring,
    batches: &mut dyn FnMut(RawBatch) -> Result<(), StoreError>,
) -> Result<[u8; 16], StoreError> {
    let mut file = BufReader::new(File::open(path)?);
    let mut header = [0; HEADER_BYTES];
    file.read_exact(&mut header)?;
    let (format, id, key_number) = parse_header(&header)?;
    let key = ring.get(key_number)?.ok_or(StoreError::RingDamaged)?;
    let mut seen = 0u64;
    for number in 0.. {
        let mut block = read_block(&mut file)?;
        let (nonce, sealed) = block.split_first_chunk_mut().ok_or(StoreError::Damaged)?;
        let nonce: [u8; NONCE_LEN] = *nonce;
        let mut kept = sealed.to_vec();
        let open = |last, bytes: &mut [u8]| -> Option<usize> {
            let nonce = Nonce::assume_unique_for_key(nonce);
            let bound = Aad::from(bound(&header, number, last));
            key.cipher.open_in_place(nonce, bound, bytes).ok().map(|plain| plain.len())
        };
        if let Some(length) = open(false, sealed) {
            let (batch, count) =
                records::parse(form(format), sealed.get(..length).unwrap_or_default()).ok_or(StoreError::Damaged)?;
            seen = seen.saturating_add(count);
            batches(batch)?;
            continue;
        }
        let length = open(true, &mut kept).ok_or(StoreError::Damaged)?;
        let expected = kept.get(..length).and_then(|bytes| bytes.try_into().ok()).map(u64::from_be_bytes);
        if expected != Some(seen) || !file.fill_buf()?.is_empty() {
            return Err(StoreError::Damaged);
        }
        return Ok(id);
    }
    Err(StoreError::Damaged)
}

const fn form(format: u8) -> Form {
    if format == FORMAT_BEFORE { Form::Whole } else { Form::Alike }
}

fn parse_header(header: &[u8]) -> Result<(u8, [u8; 16], u32), StoreError> {
    let rest = header.strip_prefix(MAGIC).ok_or(StoreError::Damaged)?;
    let (&format, rest) = rest.split_first().ok_or(StoreError::Damaged)?;
    if format > FORMAT {
        return Err(StoreError::FromTheFuture { found: format, known: FORMAT });
    }
    if format < FORMAT_BEFORE {
        return Err(StoreError::TooOld { found: format });
    }
    let (id, rest) = rest.split_first_chunk().ok_or(StoreError::Damaged)?;
    let (_, number) = rest.split_first_chunk::<8>().ok_or(StoreError::Damaged)?;
    Ok((format, *id, number.try_into().map(u32::from_be_bytes).map_err(|_| StoreError::Damaged)?))
}

/// Nonce and sealed bytes of the next block.
fn read_block(file: &mut impl Read) -> Result<Vec<u8>, StoreError> {
    let mut length = [0; 4];
    file.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length) as usize;
    if length > MAX_BLOCK_BYTES {
        return Err(StoreError::Damaged);
    }
    let mut block = vec![0; length.saturating_add(NONCE_LEN)];
    file.read_exact(&mut block)?;
    Ok(block)
}

/// Reads a file as far as it can be read without its keys; says how many blocks it has.
#[cfg(feature = "test-utils")]
pub(super) fn inspect(mut bytes: &[u8]) -> Result<u64, StoreError> {
    let mut header = [0; HEADER_BYTES];
    bytes.read_exact(&mut header)?;
    parse_header(&header)?;
    let mut blocks = 0u64;
    while !bytes.is_empty() {
        let block = read_block(&mut bytes)?;
        block.split_first_chunk::<NONCE_LEN>().ok_or(StoreError::Damaged)?;
        blocks = blocks.saturating_add(1);
    }
    Ok(blocks)
}

/// Reads a block as it is once it is unsealed; says how many records it has.
#[cfg(feature = "test-utils")]
pub(super) fn inspect_block(block: &[u8]) -> Result<u64, StoreError> {
    let parsed = records::parse(Form::Alike, block).or_else(|| records::parse(Form::Whole, block));
    parsed.map(|(_, records)| records).ok_or(StoreError::Damaged)
}
