//! Sled 0.34.7 with its known faults handled: plain keys and values, one writer, durable before acknowledged.
//!
//! Not sealed and not typed: the client's tables are above (`sealed`), the relay has its own. What is guarded against, and how
//! each guard was proven, is in `docs/adr/0003-sled-guards.md`.
//!
//! # Layout of the directory
//!
//! `lock` (who has it open) · `marker` (which store belongs here and how often it was opened) · `data/` (sled's, and `journal`: what
//! sled has not flushed) · and, of the layers above, `ring.kith` and `snapshots/`.
//!
//! # Invariants
//!
//! - What was submitted can be read at once, and is durable when `done` is called with `Ok`; batches become durable in order.
//! - After a failed write nothing is written any more, and nothing read: part of what is there may never become durable.
//! - No page of sled's becomes so large that it would be put into a file of its own (sled never syncs those).
//! - Rows of a scan are of one instant.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Range, Row, StoreError};

mod flush;
mod journal;
mod open;
mod raw;
mod tree;
mod writer;

#[cfg(feature = "test-utils")]
pub(super) use journal::entries;
pub(super) use open::{hold, prepare_restored};
pub use raw::{MAX_VALUE_BYTES, RawBatch};
use tree::Tree;
use writer::{Shared, Writer};

/// Called once a batch is durable, or will never be. It runs on the writer's thread: it must not block and must not submit.
pub type Done = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// How a store is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The format number that this program writes; it also reads the one before.
    pub format: u8,
    /// Bytes that sled's page cache may take; kept within 256 KiB and 64 MiB (sled's own default is 1 GiB).
    pub cache_bytes: u64,
    /// How many batches may wait for the writer before `submit` blocks.
    pub queue_batches: usize,
    /// One page of sled's is moved for so many bytes written, so that the room it leaves is used again: with fewer bytes the file is
    /// smaller and more is written. Most moves find their page gone from where it was, since rows that every batch writes anew
    /// leave theirs by themselves.
    pub bytes_a_move: usize,
}

impl Options {
    /// The usual: 16 MiB of cache, as many waiting batches as 64 busy senders need, and no more moves than a store needs whose rows
    /// come and go.
    pub const fn new(format: u8) -> Self {
        Self { format, cache_bytes: 16 << 20, queue_batches: 1024, bytes_a_move: 1536 }
    }
}

/// What was found when a store was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opened {
    /// Nothing: it was created.
    First,
    /// The store as it was left.
    Existing,
    /// An older copy of the store, or one without its marker: what it sent since is not in it. Said at each opening until
    /// [`Db::acknowledge_restored`].
    Restored,
}

/// An open store. Cheap to clone; it is closed when the last clone is dropped.
#[derive(Clone)]
pub struct Db {
    writer: Arc<Writer>,
}

impl Db {
    /// Opens the store of a directory, or creates it where none ever was.
    ///
    /// # Errors
    /// If another process has it open, if it is missing, damaged or of an unknown format, or if the disk refuses.
    pub fn open(dir: &Path, options: &Options) -> Result<(Self, Opened), StoreError> {
        Self::open_with(dir, options, |_| Ok(()))
    }

    /// Opens; `prepare` makes what belongs beside the store, before it counts as created.
    pub(super) fn open_with(
        dir: &Path,
        options: &Options,
        prepare: impl FnOnce(Opened) -> Result<(), StoreError>,
    ) -> Result<(Self, Opened), StoreError> {
        let (found, opened) = open::open(dir, options, prepare)?;
        Ok((Self { writer: Arc::new(Writer::start(found, options)?) }, opened))
    }

    /// The value of a key.
    ///
    /// # Errors
    /// If the disk does not answer, the store is damaged, or a write failed.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let found = {
            let submitted = self.shared().submitted();
            let newest = submitted.iter().rev().find_map(|batch| batch.get(key));
            match newest {
                Some(value) => value.map(<[u8]>::to_vec),
                None => self.tree().get(key)?,
            }
        };
        self.shared().refuse_after_failure()?;
        Ok(found)
    }

    /// Rows whose key begins with `prefix`, in order of their keys, all of one instant.
    ///
    /// # Errors
    /// If the disk does not answer, the store is damaged, or a write failed.
    pub fn scan(&self, prefix: &[u8], range: Range) -> Result<Vec<Row>, StoreError> {
        let found = self.tree().scan(prefix, range, self.shared().submitted().iter())?;
        self.shared().refuse_after_failure()?;
        Ok(found)
    }

    /// Why nothing is written or read any more; none while all is well.
    pub fn failure(&self) -> Option<StoreError> {
        self.shared().failure()
    }

    /// Queues a batch: it can be read at once, and `done` is called when it is durable. Blocks while the queue is full.
    ///
    /// # Errors
    /// If a row is too large, or an earlier write failed; `done` is then not called.
    pub fn submit(&self, batch: RawBatch, done: Done) -> Result<(), StoreError> {
        batch.check()?;
        self.shared().submit(batch, done)
    }

    /// Submits a batch and waits until it is durable.
    ///
    /// # Errors
    /// If a row is too large or a write failed.
    pub fn commit(&self, batch: RawBatch) -> Result<(), StoreError> {
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        self.submit(batch, Box::new(move |result| drop(sender.send(result))))?;
        receiver.recv().unwrap_or_else(|_| Err(StoreError::Stopped("the writer ended".into())))
    }

    /// Says that whoever uses the store has dealt with its being an old copy: the next opening finds an existing one.
    ///
    /// # Errors
    /// If a write fails.
    pub fn acknowledge_restored(&self) -> Result<(), StoreError> {
        self.shared().acknowledge_restored()
    }

    /// Gives all rows to `rows`, in pages, while writing goes on, then the changes made meanwhile to `changes`, in order:
    /// applied after the rows they give the store of the instant at which the copy ended.
    ///
    /// # Errors
    /// If the disk does not answer, or what a callback returns.
    pub fn copy(
        &self,
        mut rows: impl FnMut(Vec<Row>) -> Result<(), StoreError>,
        mut changes: impl FnMut(&RawBatch) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        /// Large enough to be cheap, small enough to hold in memory.
        const PAGE_ROWS: usize = 256;
        let recording = self.shared().record();
        let mut range = Range::first(PAGE_ROWS);
        loop {
            let page = self.scan(&[], range.clone())?;
            let Some(last) = page.last() else { break };
            range = Range::first(PAGE_ROWS).beyond(last.key.clone());
            rows(page)?;
        }
        for batch in recording.finish() {
            changes(&batch)?;
        }
        Ok(())
    }

    /// How often this store was opened or closed cleanly, this opening included.
    pub fn boot(&self) -> u64 {
        self.shared().boot()
    }

    /// The store's own number, drawn when it was created.
    pub fn id(&self) -> [u8; 16] {
        self.shared().id()
    }

    /// Its directory.
    pub fn dir(&self) -> &Path {
        self.shared().dir()
    }

    fn shared(&self) -> &Shared {
        self.writer.shared()
    }

    fn tree(&self) -> &Tree {
        self.writer.shared().tree()
    }
}

impl std::fmt::Debug for Db {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Db").field("dir", &self.dir()).finish_non_exhaustive()
    }
}

/// Bytes of all files of a store's directory, snapshots included.
///
/// # Errors
/// If the directory cannot be read.
pub fn size_on_disk(dir: &Path) -> Result<u64, StoreError> {
    let mut sum = 0u64;
    let mut dirs: Vec<PathBuf> = vec![dir.to_path_buf()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir)? {
            let entry = entry?;
            let facts = entry.metadata()?;
            if facts.is_dir() {
                dirs.push(entry.path());
            } else {
                sum = sum.saturating_add(facts.len());
            }
        }
    }
    Ok(sum)
}
