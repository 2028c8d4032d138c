//! What a machine may ask of a store.

use std::ops::Bound;

use super::{Scope, Table};

/// A stored row.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// Its whole key within the table, the prefix asked for included.
    pub key: Vec<u8>,
    /// Its value, opened.
    pub value: Vec<u8>,
}

impl std::fmt::Debug for Row {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Row").field("key", &self.key).field("value", &"…").finish()
    }
}

/// The keys of a range.
type Bounds = (Bound<Vec<u8>>, Bound<Vec<u8>>);

/// Which rows of a prefix a scan returns, and in what order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// Only rows beyond this whole key, itself excluded: greater ones, or smaller ones when backwards. A key outside the
    /// prefix is allowed.
    pub after: Option<Vec<u8>>,
    /// From the greatest key down.
    pub backwards: bool,
    /// At most so many rows.
    pub limit: usize,
}

impl Range {
    /// Every row, from the smallest key up.
    pub const fn all() -> Self {
        Self { after: None, backwards: false, limit: usize::MAX }
    }

    /// The first `limit` rows.
    pub const fn first(limit: usize) -> Self {
        Self { after: None, backwards: false, limit }
    }

    /// The last `limit` rows, the greatest key first.
    pub const fn last(limit: usize) -> Self {
        Self { after: None, backwards: true, limit }
    }

    /// The keys it spans of those that begin with `prefix`; nothing if there can be none.
    pub(super) fn bounds(self, prefix: &[u8]) -> Option<Bounds> {
        let end = prefix_end(prefix);
        let (low, high) = match self.after {
            None => (Bound::Included(prefix.to_vec()), end),
            Some(after) if self.backwards => {
                let high = end.map_or(after.clone(), |end| end.min(after));
                (Bound::Included(prefix.to_vec()), Some(high))
            }
            Some(after) if after.as_slice() < prefix => (Bound::Included(prefix.to_vec()), end),
            Some(after) => (Bound::Excluded(after), end),
        };
        let (Bound::Included(from) | Bound::Excluded(from)) = &low else { return None };
        if high.as_ref().is_some_and(|high| high <= from) {
            return None;
        }
        Some((low, high.map_or(Bound::Unbounded, Bound::Excluded)))
    }

    /// The same range over stored keys: number of the table ‖ key.
    pub(super) fn within(mut self, table: Table) -> Self {
        self.after = self.after.map(|after| table.key(&after));
        self
    }

    /// The same, only beyond this key.
    #[must_use]
    pub fn beyond(mut self, key: Vec<u8>) -> Self {
        self.after = Some(key);
        self
    }
}

/// The least key greater than all that begin with `prefix`, if there is one.
fn prefix_end(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if let Some(next) = last.checked_add(1) {
            end.push(next);
            return Some(end);
        }
    }
    None
}

/// A store could not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// A value is not what was written under its key.
    #[error("a stored value of table {table:?} is damaged; restore the store from a snapshot")]
    Damaged {
        /// The table it stands in.
        table: Table,
    },
    /// A value has a format that this release does not know.
    #[error("a stored value was written by a newer Kith (format {format}); install that one")]
    FromTheFuture {
        /// Its format number.
        format: u8,
    },
    /// The disk is full, and nothing is read until the store is whole again.
    #[error("the disk is full: make room on it")]
    Full,
    /// The disk did not answer.
    #[error("the store could not be read: {0}")]
    Io(String),
}

/// Reads typed rows.
pub trait Read {
    /// The value of a key.
    ///
    /// # Errors
    /// If the store cannot be read or the value is damaged.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError>;

    /// Rows whose key begins with `prefix`, in order of their keys.
    ///
    /// # Errors
    /// If the store cannot be read or a value is damaged.
    fn scan(&self, table: Table, prefix: &[u8], range: Range) -> Result<Vec<Row>, ReadError>;

    /// Under which scope the row of a key is sealed.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn scope(&self, table: Table, key: &[u8]) -> Result<Option<Scope>, ReadError>;
}

impl<R: Read + ?Sized> Read for &R {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        (**self).get(table, key)
    }

    fn scan(&self, table: Table, prefix: &[u8], range: Range) -> Result<Vec<Row>, ReadError> {
        (**self).scan(table, prefix, range)
    }

    fn scope(&self, table: Table, key: &[u8]) -> Result<Option<Scope>, ReadError> {
        (**self).scope(table, key)
    }
}
