//! A store that is a map.

use std::collections::{BTreeMap, VecDeque};

use super::{Batch, MAX_KEY_BYTES, Op, Range, Read, ReadError, Row, Scope, Table};

/// Rows by table number ‖ key, each with its scope.
type Rows = BTreeMap<Vec<u8>, (Scope, Vec<u8>)>;

/// What a row was before a batch.
type Undo = Vec<(Vec<u8>, Option<(Scope, Vec<u8>)>)>;

/// A store that is a map: the simulator's.
///
/// With `test-utils` it also plays a disk: what is submitted is not durable until it is flushed, and a crash loses it.
#[derive(Clone, Default)]
pub struct MemoryStore {
    rows: Rows,
    /// One for each batch that is not durable, oldest first.
    pending: VecDeque<Undo>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Applies a batch; it and all before it are durable at once.
    ///
    /// # Panics
    /// If a key is longer than [`MAX_KEY_BYTES`], or a row of a group's scope has a key that does not begin with its id: the
    /// store on disk refuses such a batch.
    pub fn apply(&mut self, batch: &Batch) {
        apply(&mut self.rows, batch);
        self.pending.clear();
    }

    /// How many rows it holds.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it holds no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Bytes of all keys and values.
    pub fn size_bytes(&self) -> usize {
        self.rows.iter().fold(0, |sum, (key, (_, value))| sum.saturating_add(key.len()).saturating_add(value.len()))
    }
}

fn apply(rows: &mut Rows, batch: &Batch) -> Undo {
    let mut undo = Undo::new();
    for op in batch.iter() {
        match op {
            Op::DropScope(dropped) => {
                let doomed = rows.iter().filter(|(_, (scope, _))| *scope == dropped).map(|(key, _)| key.clone());
                for key in doomed.collect::<Vec<_>>() {
                    let before = rows.remove(&key);
                    undo.push((key, before));
                }
            }
            Op::DeletePrefix { table, prefix } => {
                let Some(bounds) = Range::all().bounds(&table.key(prefix)) else { continue };
                let doomed = rows.range(bounds).map(|(key, _)| key.clone());
                for key in doomed.collect::<Vec<_>>() {
                    let before = rows.remove(&key);
                    undo.push((key, before));
                }
            }
            Op::Put { table, scope, key, value } => {
                assert!(key.len() <= MAX_KEY_BYTES, "key of {} bytes in table {table:?}", key.len());
                assert!(scope.admits(key), "key of table {table:?} does not begin with the group's id");
                let key = table.key(key);
                let before = rows.insert(key.clone(), (scope, value.to_vec()));
                undo.push((key, before));
            }
            Op::Delete { table, key } => {
                let key = table.key(key);
                let before = rows.remove(&key);
                undo.push((key, before));
            }
        }
    }
    undo
}

/// What a simulated disk does.
#[cfg(feature = "test-utils")]
impl MemoryStore {
    /// Applies a batch that is not durable yet: it can be read, and a crash loses it. Batches become durable in order.
    pub fn submit(&mut self, batch: &Batch) {
        let undo = apply(&mut self.rows, batch);
        self.pending.push_back(undo);
    }

    /// How many batches are not durable.
    pub fn unflushed(&self) -> usize {
        self.pending.len()
    }

    /// Makes all batches durable.
    pub fn flush(&mut self) {
        self.pending.clear();
    }

    /// Makes the oldest `count` batches durable, as a disk that was cut off in the middle.
    pub fn flush_some(&mut self, count: usize) {
        self.pending.drain(..count.min(self.pending.len()));
    }

    /// Loses all that is not durable.
    pub fn crash(&mut self) {
        while let Some(undo) = self.pending.pop_back() {
            for (key, before) in undo.into_iter().rev() {
                match before {
                    Some(row) => self.rows.insert(key, row),
                    None => self.rows.remove(&key),
                };
            }
        }
    }

    /// A copy of what is durable, to restore later.
    #[must_use]
    pub fn snapshot(&self) -> Self {
        let mut copy = self.clone();
        copy.crash();
        copy
    }

    /// Becomes an old copy.
    pub fn restore(&mut self, copy: &Self) {
        *self = copy.snapshot();
    }
}

/// Two stores are equal when they hold the same rows, durable or not.
impl PartialEq for MemoryStore {
    fn eq(&self, other: &Self) -> bool {
        self.rows == other.rows
    }
}

impl Eq for MemoryStore {}

impl Read for MemoryStore {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        Ok(self.rows.get(&table.key(key)).map(|(_, value)| value.clone()))
    }

    fn scan(&self, table: Table, prefix: &[u8], range: Range) -> Result<Vec<Row>, ReadError> {
        let limit = range.limit;
        let backwards = range.backwards;
        let Some(bounds) = range.within(table).bounds(&table.key(prefix)) else { return Ok(Vec::new()) };
        let rows = self.rows.range(bounds);
        let row = |(key, (_, value)): (&Vec<u8>, &(Scope, Vec<u8>))| Row {
            key: key.get(1..).unwrap_or_default().to_vec(),
            value: value.clone(),
        };
        Ok(if backwards { rows.rev().take(limit).map(row).collect() } else { rows.take(limit).map(row).collect() })
    }

    fn scope(&self, table: Table, key: &[u8]) -> Result<Option<Scope>, ReadError> {
        Ok(self.rows.get(&table.key(key)).map(|(scope, _)| *scope))
    }
}

impl std::fmt::Debug for MemoryStore {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_map().entries(self.rows.keys().map(|key| (key, "…"))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(key: u8) -> Batch {
        let mut batch = Batch::new();
        batch.put(Table::Seen, Scope::Account, [key], []);
        batch
    }

    #[test]
    fn a_scan_walks_both_ways_within_its_prefix() {
        let mut store = MemoryStore::new();
        let mut batch = Batch::new();
        for key in [&[1u8, 1][..], &[1, 2], &[1, 3], &[2, 1]] {
            batch.put(Table::Event, Scope::Account, key, key);
        }
        batch.put(Table::Content, Scope::Account, [1, 9], []);
        store.apply(&batch);
        let keys = |range| -> Vec<Vec<u8>> {
            store.scan(Table::Event, &[1], range).unwrap().into_iter().map(|row| row.key).collect()
        };
        assert_eq!(keys(Range::all()), [[1, 1], [1, 2], [1, 3]]);
        assert_eq!(keys(Range::last(2)), [[1, 3], [1, 2]]);
        assert_eq!(keys(Range::first(1).beyond(vec![1, 1])), [[1, 2]]);
        assert_eq!(keys(Range::last(9).beyond(vec![1, 2])), [[1, 1]]);
        assert_eq!(keys(Range::last(9).beyond(vec![2, 9])), [[1, 3], [1, 2], [1, 1]]);
        assert!(keys(Range::last(9).beyond(vec![0])).is_empty());
    }

    #[cfg(feature = "test-utils")]
    #[test]
    fn a_crash_loses_what_was_not_flushed_and_nothing_else() {
        let mut store = MemoryStore::new();
        store.apply(&put(1));
        store.submit(&put(2));
        store.submit(&put(3));
        store.submit(&put(4));
        store.flush_some(1);
        assert_eq!((store.len(), store.unflushed()), (4, 2));
        let copy = store.snapshot();
        store.crash();
        assert_eq!(store, copy);
        let rows = store.scan(Table::Seen, &[], Range::all()).unwrap();
        assert_eq!(rows.iter().map(|row| row.key[0]).collect::<Vec<u8>>(), [1, 2]);
        store.apply(&put(5));
        store.restore(&copy);
        assert_eq!(store.len(), 2);
    }

    #[test]
    fn rows_of_a_dropped_scope_are_gone() {
        let mut store = MemoryStore::new();
        store.apply(&put(1));
        let mut batch = Batch::new();
        batch.drop_scope(Scope::Account);
        store.apply(&batch);
        assert!(store.is_empty());
    }
}
