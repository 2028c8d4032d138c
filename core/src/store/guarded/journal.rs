//! What was committed and is not flushed by sled yet, in a file of its own: one write and one sync make a batch durable.
//!
//! # Layout of `data/journal`
//!
//! Entries from the beginning of the file, whose size never changes, so that to sync it is to sync data alone. An entry: first 16 bytes of the
//! SHA-256 of store id ‖ all that follows · number (u64) · length (u32) · records of the batch (see `records`). Numbers rise by
//! one. Once sled has flushed what the entries did, it holds the last one's number, and the next entry is written over the first.
//!
//! # Invariants
//!
//! - An entry is durable before sled is given its batch: sled is never ahead.
//! - Reading ends with the first entry that is not whole, or whose number does not follow; to apply entries again does no harm.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use ring::digest::{Context, SHA256};

use super::open::FLUSH_BYTES;
use super::raw::RawBatch;
use crate::store::file;
use crate::store::records::{self, Form, Records};

const NAME: &str = "journal";
/// What sled may be given between two flushes.
const BYTES: usize = FLUSH_BYTES;
const CHECK_BYTES: usize = 16;
const HEAD_BYTES: usize = CHECK_BYTES + 8 + 4;

/// An open journal. What it held is read when it is opened.
pub(super) struct Journal {
    file: File,
    id: [u8; 16],
    /// Where the next entry goes.
    at: usize,
    /// The last entry's number.
    written: u64,
    entry: Vec<u8>,
}

/// An entry as it was read.
pub(super) type Entry = (u64, RawBatch);

impl Journal {
    /// Opens the journal beside sled's files and reads it, or makes an empty one; nothing is read where there was none.
    pub(super) fn open(data: &Path, id: [u8; 16]) -> io::Result<(Self, Option<Vec<Entry>>)> {
        let path = data.join(NAME);
        let Some(bytes) = file::read(&path, BYTES as u64)? else { return Ok((Self::create(&path, id)?, None)) };
        if bytes.len() < BYTES {
            // It was being made.
            return Ok((Self::create(&path, id)?, Some(Vec::new())));
        }
        let file = OpenOptions::new().write(true).open(&path)?;
        Ok((Self { file, id, at: 0, written: 0, entry: Vec::new() }, Some(entries(&bytes, id))))
    }

    /// Whether anything was ever written in the journal beside sled's files.
    pub(super) fn is_begun(data: &Path, id: [u8; 16]) -> io::Result<bool> {
        Ok(file::read(&data.join(NAME), BYTES as u64)?.is_some_and(|bytes| !entries(&bytes, id).is_empty()))
    }

    fn create(path: &Path, id: [u8; 16]) -> io::Result<Self> {
        let mut file = file::create_private(path)?;
        file.write_all(&vec![0; BYTES])?;
        file.sync_all()?;
        file::sync_parent(path)?;
        Ok(Self { file, id, at: 0, written: 0, entry: Vec::new() })
    }

    /// Forgets what it held; the next entry follows `number`, and is written over the first.
    pub(super) const fn begin_after(&mut self, number: u64) {
        (self.at, self.written) = (0, number);
    }

    /// The last entry's number.
    pub(super) const fn written(&self) -> u64 {
        self.written
    }

    pub(super) const fn is_half_full(&self) -> bool {
        self.at >= BYTES / 2
    }

    /// Writes a batch, durably; does nothing, and says so, if there is no room for it.
    pub(super) fn write(&mut self, batch: &RawBatch) -> io::Result<bool> {
        if self.at.saturating_add(batch.size_bytes()) > BYTES {
            return Ok(false);
        }
        let records = Records::from(batch);
        let number = self.written.saturating_add(1);
        let Ok(length) = u32::try_from(records.bytes().len()) else { return Ok(false) };
        self.entry.clear();
        self.entry.extend_from_slice(&[0; CHECK_BYTES]);
        self.entry.extend_from_slice(&number.to_be_bytes());
        self.entry.extend_from_slice(&length.to_be_bytes());
        self.entry.extend_from_slice(records.bytes());
        let end = self.at.saturating_add(self.entry.len());
        if end > BYTES {
            return Ok(false);
        }
        if let Some((place, rest)) = self.entry.split_first_chunk_mut() {
            *place = check(self.id, rest);
        }
        self.file.seek(SeekFrom::Start(self.at as u64))?;
        self.file.write_all(&self.entry)?;
        self.file.sync_data()?;
        (self.at, self.written) = (end, number);
        Ok(true)
    }
}

fn check(id: [u8; 16], rest: &[u8]) -> [u8; CHECK_BYTES] {
    let mut context = Context::new(&SHA256);
    context.update(&id);
    context.update(rest);
    let mut check = [0; CHECK_BYTES];
    check.iter_mut().zip(context.finish().as_ref()).for_each(|(to, from)| *to = *from);
    check
}

/// The entries of a journal, in order.
pub(in crate::store) fn entries(mut bytes: &[u8], id: [u8; 16]) -> Vec<Entry> {
    let mut found: Vec<Entry> = Vec::new();
    while let Some((number, batch, rest)) = entry(bytes, id) {
        if found.last().is_some_and(|(before, _)| before.checked_add(1) != Some(number)) {
            break;
        }
        found.push((number, batch));
        bytes = rest;
    }
    found
}

fn entry(bytes: &[u8], id: [u8; 16]) -> Option<(u64, RawBatch, &[u8])> {
    let (checked, after) = bytes.split_first_chunk::<CHECK_BYTES>()?;
    let (number, body) = after.split_first_chunk()?;
    let (length, body) = body.split_first_chunk()?;
    let (records, rest) = body.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    let whole = after.get(..HEAD_BYTES.saturating_sub(CHECK_BYTES).saturating_add(records.len()))?;
    if check(id, whole) != *checked {
        return None;
    }
    let (batch, _) = records::parse(Form::Alike, records)?;
    Some((u64::from_be_bytes(*number), batch, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: [u8; 16] = [7; 16];

    fn batch(number: u8) -> RawBatch {
        let mut batch = RawBatch::new();
        batch.delete_prefix([number, 1]);
        batch.put([number, 2], [number; 300]);
        batch.delete([number, 3]);
        batch
    }

    fn opened(dir: &Path) -> (Journal, Option<Vec<Entry>>) {
        Journal::open(dir, ID).unwrap()
    }

    #[test]
    fn what_was_written_is_read_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let (mut journal, found) = opened(dir.path());
        assert_eq!(found, None);
        journal.begin_after(40);
        for number in 0..3 {
            assert!(journal.write(&batch(number)).unwrap());
        }
        let expected: Vec<Entry> = (0..3).map(|number| (41 + u64::from(number), batch(number))).collect();
        assert_eq!(opened(dir.path()).1, Some(expected));
        assert_eq!(Journal::open(dir.path(), [8; 16]).unwrap().1, Some(vec![]), "another store's");
    }

    #[test]
    fn what_was_written_before_it_began_anew_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let (mut journal, _) = opened(dir.path());
        for number in 0..5 {
            assert!(journal.write(&batch(number)).unwrap());
        }
        journal.begin_after(journal.written());
        assert!(journal.write(&batch(9)).unwrap());
        assert_eq!(opened(dir.path()).1, Some(vec![(6, batch(9))]));
    }

    #[test]
    fn what_was_cut_short_ends_it_at_every_byte() {
        let mut journal = Vec::new();
        let dir = tempfile::tempdir().unwrap();
        let (mut written, _) = opened(dir.path());
        let mut ends = Vec::new();
        for number in 0..3 {
            written.write(&batch(number)).unwrap();
            ends.push(written.at);
        }
        journal.extend_from_slice(&std::fs::read(dir.path().join(NAME)).unwrap());
        for length in 0..written.at {
            let whole = ends.iter().filter(|end| **end <= length).count();
            assert_eq!(entries(&journal[..length], ID).len(), whole);
            let mut torn = journal.clone();
            torn[length] ^= 0x10;
            let before = ends.iter().filter(|end| **end <= length).count();
            assert_eq!(entries(&torn, ID).len(), before, "a bit of entry {before} is another");
        }
    }

    #[test]
    fn no_more_is_taken_than_there_is_room_for() {
        let dir = tempfile::tempdir().unwrap();
        let (mut journal, _) = opened(dir.path());
        let mut large = RawBatch::new();
        large.put([1], vec![3; BYTES / 2]);
        assert!(journal.write(&large).unwrap());
        assert!(!journal.write(&large).unwrap());
        assert!(journal.write(&batch(1)).unwrap());
        let entries = opened(dir.path()).1.unwrap();
        assert_eq!(entries, [(1, large), (2, batch(1))]);
        assert_eq!(std::fs::metadata(dir.path().join(NAME)).unwrap().len(), BYTES as u64);
    }
}
