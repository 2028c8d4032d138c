//! Batches of plain rows.

use std::collections::{BTreeMap, BTreeSet};

use crate::store::{MAX_KEY_BYTES, StoreError};

/// The largest value, in bytes: the MLS state of the largest groups with room to spare.
pub const MAX_VALUE_BYTES: usize = 16 << 20;

/// Changes to plain rows, applied together as if one after the other in the order they were added.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct RawBatch {
    pub(super) cleared: BTreeSet<Vec<u8>>,
    pub(super) rows: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
}

impl RawBatch {
    /// A batch that changes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a row.
    pub fn put(&mut self, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.rows.insert(key.into(), Some(value.into()));
    }

    /// Deletes a row, if there is one.
    pub fn delete(&mut self, key: impl Into<Vec<u8>>) {
        self.rows.insert(key.into(), None);
    }

    /// Deletes all rows whose key begins with `prefix`.
    pub fn delete_prefix(&mut self, prefix: impl Into<Vec<u8>>) {
        let prefix = prefix.into();
        self.rows.retain(|key, _| !key.starts_with(&prefix));
        self.cleared.insert(prefix);
    }

    /// Adds the changes of another batch after one's own.
    pub fn append(&mut self, later: Self) {
        for prefix in later.cleared {
            self.delete_prefix(prefix);
        }
        self.rows.extend(later.rows);
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.cleared.is_empty() && self.rows.is_empty()
    }

    /// Bytes of keys and values.
    pub fn size_bytes(&self) -> usize {
        let rows = self.rows.iter();
        rows.fold(0, |sum, (key, value)| {
            sum.saturating_add(key.len()).saturating_add(value.as_ref().map_or(0, Vec::len))
        })
    }

    /// The prefixes it deletes, before all else.
    pub fn deleted_prefixes(&self) -> impl Iterator<Item = &[u8]> {
        self.cleared.iter().map(Vec::as_slice)
    }

    /// The rows it sets, or deletes where there is no value.
    pub fn rows(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        self.rows.iter().map(|(key, value)| (key.as_slice(), value.as_deref()))
    }

    /// What it makes of a row; nothing if it leaves the row alone.
    pub(super) fn get(&self, key: &[u8]) -> Option<Option<&[u8]>> {
        match self.rows.get(key) {
            Some(value) => Some(value.as_deref()),
            None => self.clears(key).then_some(None),
        }
    }

    /// Whether it deletes a row that it does not set again.
    pub(super) fn clears(&self, key: &[u8]) -> bool {
        self.cleared.iter().any(|prefix| key.starts_with(prefix))
    }

    /// Refuses rows that are too large. One byte of a key is the table's number.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        for (key, value) in &self.rows {
            let value = value.as_ref().map_or(0, Vec::len);
            if key.len() > MAX_KEY_BYTES.saturating_add(1) || value > MAX_VALUE_BYTES {
                return Err(StoreError::TooLarge { bytes: key.len().saturating_add(value) });
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for RawBatch {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rows = self.rows.iter().map(|(key, value)| (key, value.as_ref().map(|_| "…")));
        formatter
            .debug_struct("RawBatch")
            .field("cleared", &self.cleared)
            .field("rows", &rows.collect::<Vec<_>>())
            .finish()
    }
}
