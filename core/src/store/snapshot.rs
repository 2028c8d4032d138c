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
//! nonce (12) ‖ sealed. Bound to each block: header ‖ its number (u64) ‖ whether it is the last (u8). A block is records:
//! 1 clear, 2 put, 3 delete (u8) ‖ key ‖ for a put length of the value (number) ‖ value. A key is its length (number), then until
//! that is reached: how many bytes are those of the key before it at the same place (number) ‖ how many follow (number) ‖ these. A
//! number is LEB128, the low seven bits first. Keys are a third of a row, and most of each is the one before. The last block is the
//! number of records (u64).
//!
//! Format 1, which is read too, has for each key its length (u16) ‖ key, and for each value its length (u32) ‖ value.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};

use ring::aead::{Aad, NONCE_LEN, Nonce};

use super::guarded::{self, Db, MAX_VALUE_BYTES, RawBatch};
use super::keyring::{DataKey, Keyring, random};
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

const CLEAR: u8 = 1;
const PUT: u8 = 2;
const DELETE: u8 = 3;

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
        block.close(ring.get(key_number)?.ok_or(StoreError::RingDamaged)?, false)
    };
    let cell = std::cell::RefCell::new(&mut writer);
    db.copy(
        |rows| {
            let mut writer = cell.borrow_mut();
            for row in rows {
                if !left_out(&row.key) {
                    writer.record(PUT, &row.key, Some(&row.value));
                }
                if writer.full() {
                    key(&ring(), &mut writer)?;
                }
            }
            Ok(())
        },
        |changes| {
            let mut writer = cell.borrow_mut();
            changes.deleted_prefixes().for_each(|prefix| writer.record(CLEAR, prefix, None));
            for (row, value) in changes.rows().filter(|(row, _)| !left_out(row)) {
                writer.record(if value.is_some() { PUT } else { DELETE }, row, value);
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
    block: Vec<u8>,
    /// The last one in the block.
    key: Vec<u8>,
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
        Ok(Self { file, header, block: Vec::new(), key: Vec::new(), blocks: 0, records: 0 })
    }

    /// Adds a record.
    fn record(&mut self, tag: u8, key: &[u8], value: Option<&[u8]>) {
        self.block.push(tag);
        push_key(&mut self.block, &self.key, key);
        self.key.clear();
        self.key.extend_from_slice(key);
        if let Some(value) = value {
            push_number(&mut self.block, value.len());
            self.block.extend_from_slice(value);
        }
        self.records = self.records.saturating_add(1);
    }

    fn full(&self) -> bool {
        self.block.len() >= BLOCK_BYTES
    }

    fn close(&mut self, key: &DataKey, last: bool) -> Result<(), StoreError> {
        let mut nonce = [0; NONCE_LEN];
        random(&mut nonce)?;
        let bound = Aad::from(bound(&self.header, self.blocks, last));
        let sealed = key.cipher.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), bound, &mut self.block);
        sealed.map_err(|_| StoreError::Damaged)?;
        let length = u32::try_from(self.block.len()).map_err(|_| StoreError::TooLarge { bytes: self.block.len() })?;
        self.file.write_all(&length.to_be_bytes())?;
        self.file.write_all(&nonce)?;
        self.file.write_all(&self.block)?;
        self.block.clear();
        self.key.clear();
        self.blocks = self.blocks.saturating_add(1);
        Ok(())
    }

    fn finish(mut self, key: &DataKey) -> Result<(), StoreError> {
        if !self.block.is_empty() {
            self.close(key, false)?;
        }
        self.block.extend_from_slice(&self.records.to_be_bytes());
        self.close(key, true)?;
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
    let mut records = 0u64;
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
                parse_block(format, sealed.get(..length).unwrap_or_default()).ok_or(StoreError::Damaged)?;
            records = records.saturating_add(count);
            batches(batch)?;
            continue;
        }
        let length = open(true, &mut kept).ok_or(StoreError::Damaged)?;
        let expected = kept.get(..length).and_then(|bytes| bytes.try_into().ok()).map(u64::from_be_bytes);
        if expected != Some(records) || !file.fill_buf()?.is_empty() {
            return Err(StoreError::Damaged);
        }
        return Ok(id);
    }
    Err(StoreError::Damaged)
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

fn push_number(bytes: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        bytes.push(0x80 | u8::try_from(number & 0x7f).unwrap_or_default());
        number >>= 7;
    }
    bytes.push(u8::try_from(number).unwrap_or_default());
}

/// A number and what follows it. Nothing here needs more than 28 bits.
fn parse_number(mut rest: &[u8]) -> Option<(usize, &[u8])> {
    let mut number = 0usize;
    for shift in [0, 7, 14, 21] {
        let (&byte, after) = rest.split_first()?;
        rest = after;
        number |= usize::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some((number, rest));
        }
    }
    None
}

/// The changes of a block and their number.
fn parse_block(format: u8, mut rest: &[u8]) -> Option<(RawBatch, u64)> {
    let mut batch = RawBatch::new();
    let mut count = 0u64;
    let mut key = Vec::new();
    while !rest.is_empty() {
        let (tag, after) = rest.split_first()?;
        rest = if format == FORMAT_BEFORE { parse_whole_key(after, &mut key)? } else { parse_key(after, &mut key)? };
        match *tag {
            CLEAR => batch.delete_prefix(key.as_slice()),
            DELETE => batch.delete(key.as_slice()),
            PUT => {
                let (length, after) = if format == FORMAT_BEFORE {
                    let (length, after) = rest.split_first_chunk()?;
                    (usize::try_from(u32::from_be_bytes(*length)).ok()?, after)
                } else {
                    parse_number(rest)?
                };
                let (value, after) = after.split_at_checked(length)?;
                rest = after;
                batch.put(key.as_slice(), value);
            }
            _ => return None,
        }
        count = count.saturating_add(1);
    }
    Some((batch, count))
}

/// Writes what a key has that the one before it has not.
fn push_key(bytes: &mut Vec<u8>, before: &[u8], key: &[u8]) {
    /// Fewer bytes alike cost more to count than to write.
    const WORTH: usize = 3;
    let alike_at = |at: usize| {
        let (one, other) = (before.get(at..).unwrap_or_default(), key.get(at..).unwrap_or_default());
        one.iter().zip(other).take_while(|(one, other)| one == other).count()
    };
    push_number(bytes, key.len());
    let mut at = 0usize;
    while at < key.len() {
        let from = at.saturating_add(alike_at(at));
        let mut to = from;
        while to < key.len() && alike_at(to) < WORTH {
            to = to.saturating_add(1);
        }
        push_number(bytes, from.saturating_sub(at));
        push_number(bytes, to.saturating_sub(from));
        bytes.extend_from_slice(key.get(from..to).unwrap_or_default());
        at = to;
    }
}

/// Makes of a key the one after it; gives what follows.
fn parse_key<'a>(bytes: &'a [u8], key: &mut Vec<u8>) -> Option<&'a [u8]> {
    let (length, mut bytes) = parse_number(bytes)?;
    if length > usize::from(u16::MAX) {
        return None;
    }
    let mut next: Vec<u8> = Vec::with_capacity(length.min(256));
    while next.len() < length {
        let (alike, after) = parse_number(bytes)?;
        let (new, after) = parse_number(after)?;
        let (new, after) = after.split_at_checked(new)?;
        let end = next.len().checked_add(alike)?;
        next.extend_from_slice(key.get(next.len()..end)?);
        next.extend_from_slice(new);
        if next.len() > length || (alike == 0 && new.is_empty()) {
            return None;
        }
        bytes = after;
    }
    *key = next;
    Some(bytes)
}

/// The same in the format before.
fn parse_whole_key<'a>(bytes: &'a [u8], key: &mut Vec<u8>) -> Option<&'a [u8]> {
    let (length, bytes) = bytes.split_first_chunk()?;
    let (whole, after) = bytes.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    key.clear();
    key.extend_from_slice(whole);
    Some(after)
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
    let parsed = parse_block(FORMAT, block).or_else(|| parse_block(FORMAT_BEFORE, block));
    parsed.map(|(_, records)| records).ok_or(StoreError::Damaged)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::*;

    #[test]
    fn blocks_of_format_1_are_read() {
        let block = [&[PUT, 0, 2, 7, 8, 0, 0, 0, 1, 9][..], &[CLEAR, 0, 1, 3], &[DELETE, 0, 2, 7, 9]].concat();
        let (batch, count) = parse_block(FORMAT_BEFORE, &block).unwrap();
        let rows: Vec<_> = batch.rows().map(|(key, value)| (key.to_vec(), value.map(<[u8]>::to_vec))).collect();
        assert_eq!(rows, [(vec![7, 8], Some(vec![9])), (vec![7, 9], None)]);
        assert_eq!((batch.deleted_prefixes().collect::<Vec<_>>(), count), (vec![&[3][..]], 3));
    }

    #[test]
    fn bytes_of_a_block_are_those_of_format_2() {
        let mut writer = writer();
        writer.record(PUT, &[7, 8, 1], Some(&[9]));
        writer.record(PUT, &[7, 8, 2], Some(&[5; 130]));
        writer.record(DELETE, &[7], None);
        writer.record(PUT, &[7, 8, 2, 1, 2, 3, 4], Some(&[]));
        writer.record(PUT, &[7, 9, 2, 1, 2, 3, 5], Some(&[]));
        let expected = [
            &[PUT, 3, 0, 3, 7, 8, 1, 1, 9][..],
            &[PUT, 3, 2, 1, 2, 0x82, 1],
            &[5; 130],
            &[DELETE, 1, 1, 0],
            &[PUT, 7, 1, 6, 8, 2, 1, 2, 3, 4, 0],
            &[PUT, 7, 1, 1, 9, 4, 1, 5, 0],
        ];
        assert_eq!(writer.block, expected.concat());
    }

    fn writer() -> BlockWriter {
        let file = tempfile::tempfile().unwrap();
        BlockWriter { file, header: Vec::new(), block: Vec::new(), key: Vec::new(), blocks: 0, records: 0 }
    }

    proptest! {
        #[test]
        fn a_block_is_read_as_it_was_written(rows in vec((vec(0u8..3, 0..300), vec(any::<u8>(), 0..300)), 0..20)) {
            let mut writer = writer();
            let mut expected = RawBatch::new();
            for (key, value) in &rows {
                writer.record(PUT, key, Some(value));
                expected.put(key.as_slice(), value.as_slice());
            }
            let (batch, count) = parse_block(FORMAT, &writer.block).unwrap();
            prop_assert!(batch == expected);
            prop_assert_eq!(count, rows.len() as u64);
        }

        #[test]
        fn no_block_is_read_that_ends_early(rows in vec((vec(0u8..3, 1..9), vec(any::<u8>(), 0..9)), 1..5)) {
            let mut writer = writer();
            let mut whole = vec![0];
            for (key, value) in &rows {
                writer.record(PUT, key, Some(value));
                whole.push(writer.block.len());
            }
            for length in 0..writer.block.len() {
                let read = parse_block(FORMAT, writer.block.get(..length).unwrap_or_default());
                prop_assert_eq!(read.is_some(), whole.contains(&length));
            }
        }
    }
}
