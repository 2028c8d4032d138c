//! A batch in the making over a store: what a machine writes it can read at once.
//!
//! It decides nothing and makes nothing durable: the batch is the engine's, and the driver's to commit.

use crate::store::{Batch, Overlay, Range, Read, ReadError, Row, Scope, Table};

/// A store seen through the batch that is being written.
#[derive(Debug)]
pub struct Transaction<'a, R: ?Sized> {
    store: &'a R,
    batch: &'a mut Batch,
}

impl<'a, R: Read + ?Sized> Transaction<'a, R> {
    /// Writes to `batch` from now on, and reads `store` as if the batch were committed.
    pub const fn new(store: &'a R, batch: &'a mut Batch) -> Self {
        Self { store, batch }
    }

    /// Sets a row.
    pub fn put(&mut self, table: Table, scope: Scope, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.batch.put(table, scope, key, value);
    }

    /// Deletes a row, if there is one.
    pub fn delete(&mut self, table: Table, key: impl Into<Vec<u8>>) {
        self.batch.delete(table, key);
    }

    /// The batch, for machines that write to it themselves.
    pub const fn batch(&mut self) -> &mut Batch {
        self.batch
    }
}

impl<R: Read + ?Sized> Read for Transaction<'_, R> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        Overlay::new(self.store, self.batch).get(table, key)
    }

    fn scan(&self, table: Table, prefix: &[u8], range: Range) -> Result<Vec<Row>, ReadError> {
        Overlay::new(self.store, self.batch).scan(table, prefix, range)
    }

    fn scope(&self, table: Table, key: &[u8]) -> Result<Option<Scope>, ReadError> {
        Overlay::new(self.store, self.batch).scope(table, key)
    }
}
