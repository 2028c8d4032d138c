//! One request's view of the rows: what is stored, with its own changes before it.

use std::collections::BTreeMap;

use kith_core::types::Timestamp;
use kith_core::wire::codec::{Body, DecodeError};
use kith_core::wire::relay::Refusal;

use super::{Delivered, Delivery, rows};

/// The rows could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The disk did not answer.
    #[error("the relay's store could not be read: {0}")]
    Io(String),
    /// A row is not what a relay writes.
    #[error("a row of the relay's store is damaged: {0}")]
    Damaged(DecodeError),
}

/// A row: its key and its value.
pub type Row = (Vec<u8>, Vec<u8>);

/// Reads the relay's rows: a store on disk, or a map in the simulator.
pub trait RelayRead {
    /// The value of a key.
    ///
    /// # Errors
    /// If the rows cannot be read.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError>;

    /// At most `limit` rows whose key begins with `prefix` and comes after `after`, in order of their keys.
    ///
    /// # Errors
    /// If the rows cannot be read.
    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Row>, ReadError>;
}

/// Changes that become durable together, or not at all.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Batch {
    rows: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
}

impl Batch {
    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The rows it sets, or deletes where there is no value.
    pub fn rows(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        self.rows.iter().map(|(key, value)| (key.as_slice(), value.as_deref()))
    }

    /// The rows it sets, or deletes where there is no value.
    pub fn into_rows(self) -> impl Iterator<Item = (Vec<u8>, Option<Vec<u8>>)> {
        self.rows.into_iter()
    }
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Batch({} rows …)", self.rows.len())
    }
}

/// Rows in a map: the simulator's and the tests' store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemoryRows {
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl MemoryRows {
    /// Applies a batch.
    pub fn apply(&mut self, batch: Batch) {
        for (key, value) in batch.into_rows() {
            match value {
                Some(value) => self.rows.insert(key, value),
                None => self.rows.remove(&key),
            };
        }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl RelayRead for MemoryRows {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        Ok(self.rows.get(key).cloned())
    }

    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Row>, ReadError> {
        let from = after.filter(|after| *after > prefix).unwrap_or(prefix).to_vec();
        let rows = self.rows.range(from..).take_while(|(key, _)| key.starts_with(prefix));
        let rows = rows.filter(|(key, _)| after.is_none_or(|after| key.as_slice() > after));
        Ok(rows.take(limit).map(|(key, value)| (key.clone(), value.clone())).collect())
    }
}

/// One request's view and changes.
pub(super) struct Tx<'a> {
    read: &'a dyn RelayRead,
    batch: Batch,
    pushes: Vec<Delivery>,
    /// The relay's wall clock.
    pub(super) now: Timestamp,
}

impl<'a> Tx<'a> {
    pub(super) fn new(read: &'a dyn RelayRead, now: Timestamp) -> Self {
        Self { read, batch: Batch::default(), pushes: Vec::new(), now }
    }

    pub(super) fn finish(self) -> (Batch, Vec<Delivery>) {
        (self.batch, self.pushes)
    }

    pub(super) fn raw(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Refusal> {
        match self.batch.rows.get(key) {
            Some(value) => Ok(value.clone()),
            None => self.read.get(key).map_err(refuse),
        }
    }

    pub(super) fn has(&self, key: &[u8]) -> Result<bool, Refusal> {
        self.raw(key).map(|value| value.is_some())
    }

    pub(super) fn get<T: Body>(&self, key: &[u8]) -> Result<Option<T>, Refusal> {
        let Some(bytes) = self.raw(key)? else { return Ok(None) };
        T::decode(&bytes).map(Some).map_err(|error| refuse(ReadError::Damaged(error)))
    }

    /// Rows as they are stored, without this request's own changes.
    pub(super) fn stored(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Row>, Refusal> {
        self.read.scan(prefix, after, limit).map_err(refuse)
    }

    pub(super) fn put<T: Body>(&mut self, key: Vec<u8>, value: &T) {
        self.put_raw(key, value.encode());
    }

    /// Rows wait for the disk in thousands, and an encoder leaves each vector up to twice the room that it needs.
    pub(super) fn put_raw(&mut self, mut key: Vec<u8>, mut value: Vec<u8>) {
        key.shrink_to_fit();
        value.shrink_to_fit();
        self.batch.rows.insert(key, Some(value));
    }

    /// Sets a row whose key says it all.
    pub(super) fn mark(&mut self, key: Vec<u8>) {
        self.put_raw(key, vec![rows::FORMAT]);
    }

    pub(super) fn delete(&mut self, key: Vec<u8>) {
        self.batch.rows.insert(key, None);
    }

    pub(super) fn push(&mut self, device: kith_core::types::DeviceId, peer: [u8; 32], what: Delivered) {
        self.pushes.push(Delivery { device, peer, what });
    }
}

/// The person is told to try later; what is wrong is the operator's to see.
fn refuse(error: ReadError) -> Refusal {
    tracing::error!(%error, "A row could not be read.");
    Refusal::TryLater
}
