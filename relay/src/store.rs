//! The relay's rows on a disk: [`kith_core::store::guarded`] with the relay's own tables ([`crate::domain::rows`]).
//!
//! Many requests share one flush: a batch is submitted, can be read at once, and its `done` is called when it is durable.
//!
//! Invariant: batches become durable in the order of their submission; after a failed write the store takes nothing until it is
//! opened again.

use std::io;
use std::path::Path;

use kith_core::store::guarded::{Db, Done, Opened, Options, RawBatch};
use kith_core::store::{Range, Row, StoreError};

use crate::domain::{self, Batch, ReadError, RelayRead};

/// The format number of the store; each row has its own besides.
const FORMAT: u8 = 1;

/// Bytes of sled's page cache: with a million envelopes waiting the whole relay has to stay under 256 MiB.
const CACHE_BYTES: u64 = 1 << 20;

/// Batches that wait for the writer: what four flushes take of small messages. Every one is a message that is held three times over,
/// as a batch, a push and a task that waits; whoever comes then waits as the bytes that came.
const QUEUE_BATCHES: usize = 256;

/// An open store. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    db: Db,
}

impl Store {
    /// Opens the store of a directory or creates it.
    ///
    /// # Errors
    /// [`StoreError`], with a sentence for the operator.
    pub fn open(dir: &Path) -> Result<(Self, Opened), StoreError> {
        let options = Options { cache_bytes: CACHE_BYTES, queue_batches: QUEUE_BATCHES, ..Options::new(FORMAT) };
        let (db, opened) = Db::open(dir, &options)?;
        Ok((Self { db }, opened))
    }

    /// Whether a store was ever made in a directory. An empty directory is none, since a file system that should be mounted there
    /// leaves just that.
    pub(crate) fn exists(dir: &Path) -> bool {
        let absent = |name: &str| match std::fs::metadata(dir.join(name)) {
            Ok(facts) => facts.is_file() && facts.len() == 0,
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        };
        !(absent("marker") && absent("data/db"))
    }

    /// Queues a batch: it can be read at once; `done` is called on the writer's thread once it is durable or has failed.
    ///
    /// # Errors
    /// If an earlier write failed; `done` is not called then.
    pub fn submit(&self, batch: Batch, done: Done) -> Result<(), StoreError> {
        self.db.submit(raw(batch), done)
    }

    /// Submits a batch and waits until it is durable.
    ///
    /// # Errors
    /// If the write fails.
    pub fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        self.db.commit(raw(batch))
    }

    /// The store below: for copies.
    pub(crate) fn db(&self) -> &Db {
        &self.db
    }
}

fn raw(batch: Batch) -> RawBatch {
    let mut raw = RawBatch::new();
    for (key, value) in batch.into_rows() {
        match value {
            Some(value) => raw.put(key, value),
            None => raw.delete(key),
        }
    }
    raw
}

fn unreadable(error: StoreError) -> ReadError {
    ReadError::Io(error.to_string())
}

impl RelayRead for Store {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        self.db.get(key).map_err(unreadable)
    }

    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<domain::Row>, ReadError> {
        let range = Range { after: after.map(<[u8]>::to_vec), ..Range::first(limit) };
        let rows = self.db.scan(prefix, range).map_err(unreadable)?;
        Ok(rows.into_iter().map(|Row { key, value }| (key, value)).collect())
    }
}
