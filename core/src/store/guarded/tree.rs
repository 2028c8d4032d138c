//! Rows in sled's one tree: large values in parts.
//!
//! Stored keys: 0 ‖ name (the guard's own) · 1 ‖ key (a row) · 2 ‖ key ‖ number, u32 (a part of the row's value).
//! Stored values of rows: 0 ‖ value · 1 ‖ number of parts, u32.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::raw::RawBatch;
use crate::store::{Range, Row, StoreError};

const OWN: u8 = 0;
const ROW: u8 = 1;
const PART: u8 = 2;

const WHOLE: u8 = 0;
const PARTED: u8 = 1;

/// The largest value kept in one piece. A leaf of sled's holds up to 17 rows, 20 after a merge; with keys of at most 257 bytes
/// it then stays below the 128 KiB (a quarter of a segment) from which sled writes a page to a file of its own, unsynced.
const PART_BYTES: usize = 4096;
/// How often each row that was changed is looked at. Sled takes note of accesses to each of the 256 shards of its cache when there are 64,
/// and holds all their pages until then: of rows that lie all over a store, such as those named by random ids, 16,384 pages, whatever the
/// size of its cache. So 64 accesses are those of few pages.
const LOOKS: usize = 15;

/// Sled's default tree, which has all rows.
#[derive(Clone)]
pub(super) struct Tree {
    db: sled::Db,
    /// A tree of one row that means nothing, see [`Tree::tidy`].
    tidying: sled::Tree,
}

impl Tree {
    pub(super) fn new(db: sled::Db) -> Result<Self, StoreError> {
        let tidying = db.open_tree(b"tidying")?;
        Ok(Self { db, tidying })
    }

    pub(super) const fn db(&self) -> &sled::Db {
        &self.db
    }

    /// One of the guard's own rows.
    pub(super) fn own(&self, name: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.db.get(stored(OWN, name))?.map(|value| value.to_vec()))
    }

    pub(super) fn put_own(&self, name: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.db.insert(stored(OWN, name), value)?;
        Ok(())
    }

    pub(super) fn has_rows(&self) -> Result<bool, StoreError> {
        Ok(self.db.scan_prefix([ROW]).next().transpose()?.is_some())
    }

    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.db.get(stored(ROW, key))? {
            Some(head) => self.whole(key, &head).map(Some),
            None => Ok(None),
        }
    }

    /// Rows of a prefix, seen through batches that are not applied yet.
    pub(super) fn scan<'a>(
        &self,
        prefix: &[u8],
        range: Range,
        waiting: impl DoubleEndedIterator<Item = &'a Arc<RawBatch>>,
    ) -> Result<Vec<Row>, StoreError> {
        let (limit, backwards) = (range.limit, range.backwards);
        let after = range.after.map(|after| stored(ROW, &after));
        let Some(bounds) = (Range { after, backwards, limit }).bounds(&stored(ROW, prefix)) else {
            return Ok(Vec::new());
        };
        let mut changes: BTreeMap<Vec<u8>, Option<Vec<u8>>> = BTreeMap::new();
        let mut cleared: Vec<Vec<u8>> = Vec::new();
        for batch in waiting.rev() {
            let keys = batch.rows.range::<[u8], _>((std::ops::Bound::Included(prefix), std::ops::Bound::Unbounded));
            for (key, value) in keys.take_while(|(key, _)| key.starts_with(prefix)) {
                let within = std::ops::RangeBounds::contains(&bounds, &stored(ROW, key));
                if within && !changes.contains_key(key) && !cleared.iter().any(|prefix| key.starts_with(prefix)) {
                    changes.insert(key.clone(), value.clone());
                }
            }
            cleared.extend(batch.cleared.iter().cloned());
        }
        let stored = self.db.range(bounds);
        let hidden = |key: &[u8]| cleared.iter().any(|prefix| key.starts_with(prefix));
        if backwards {
            self.merge(stored.rev(), changes.into_iter().rev(), &hidden, limit, |first, second| first > second)
        } else {
            self.merge(stored, changes.into_iter(), &hidden, limit, |first, second| first < second)
        }
    }

    /// Merges stored rows with changes, both in one order.
    fn merge(
        &self,
        stored: impl Iterator<Item = sled::Result<(sled::IVec, sled::IVec)>>,
        changes: impl Iterator<Item = (Vec<u8>, Option<Vec<u8>>)>,
        hidden: &dyn Fn(&[u8]) -> bool,
        limit: usize,
        precedes: impl Fn(&[u8], &[u8]) -> bool,
    ) -> Result<Vec<Row>, StoreError> {
        let mut changes = changes.peekable();
        let mut found = Vec::new();
        for pair in stored {
            if found.len() >= limit {
                break;
            }
            let (stored_key, head) = pair?;
            let key = stored_key.get(1..).unwrap_or_default();
            while let Some((own, value)) = changes.next_if(|(own, _)| precedes(own, key)) {
                found.extend(value.map(|value| Row { key: own, value }));
            }
            if let Some((own, value)) = changes.next_if(|(own, _)| own == key) {
                found.extend(value.map(|value| Row { key: own, value }));
            } else if !hidden(key) {
                found.push(Row { key: key.to_vec(), value: self.whole(key, &head)? });
            }
        }
        if found.len() < limit {
            found.extend(changes.filter_map(|(key, value)| value.map(|value| Row { key, value })));
        }
        found.truncate(limit);
        Ok(found)
    }

    /// The value whose stored head this is.
    fn whole(&self, key: &[u8], head: &[u8]) -> Result<Vec<u8>, StoreError> {
        match head.split_first() {
            Some((&WHOLE, value)) => Ok(value.to_vec()),
            Some((&PARTED, _)) => {
                let mut value = Vec::new();
                for number in 0..parts(head) {
                    let part = self.db.get(part_key(key, number))?.ok_or(StoreError::Damaged)?;
                    value.extend_from_slice(&part);
                }
                Ok(value)
            }
            _ => Err(StoreError::Damaged),
        }
    }

    /// Lets sled move pages out of half-empty segments, so that those can be used again.
    ///
    /// It moves one whenever it writes a page anew, which is too seldom to keep up with a growing store, and else only in its
    /// own flushing thread, which does not run here. So a page of one short row is written anew on purpose.
    pub(super) fn tidy(&self, moves: usize) -> Result<(), StoreError> {
        /// After more than ten changes sled writes a page anew.
        const CHANGES: usize = 11;
        for number in 0..moves.saturating_mul(CHANGES) {
            self.tidying.insert([], &number.to_be_bytes())?;
        }
        Ok(())
    }

    /// Applies a batch: sled sees one batch, all of it or nothing is recovered.
    pub(super) fn apply(&self, batch: &RawBatch) -> Result<(), StoreError> {
        let mut changes = sled::Batch::default();
        for prefix in &batch.cleared {
            for pair in self.db.scan_prefix(stored(ROW, prefix)) {
                let (stored_key, head) = pair?;
                let key = stored_key.get(1..).unwrap_or_default();
                if !batch.rows.contains_key(key) {
                    changes.remove(&stored_key);
                    (0..parts(&head)).for_each(|number| changes.remove(part_key(key, number)));
                }
            }
        }
        for (key, value) in &batch.rows {
            self.change(&mut changes, key, value.as_deref())?;
        }
        self.db.apply_batch(changes)?;
        self.crowd_out(batch)
    }

    /// Lets sled take note of the pages that a batch changed, and let go of others for them.
    fn crowd_out(&self, batch: &RawBatch) -> Result<(), StoreError> {
        for key in batch.rows.keys() {
            let stored_key = stored(ROW, key);
            for _ in 0..LOOKS {
                self.db.get(&stored_key)?;
            }
        }
        Ok(())
    }

    fn change(&self, changes: &mut sled::Batch, key: &[u8], value: Option<&[u8]>) -> Result<(), StoreError> {
        let before = self.db.get(stored(ROW, key))?;
        let parts_before = before.as_deref().map_or(0, parts);
        let parts_now = match value {
            Some(value) if value.len() > PART_BYTES => {
                let mut count = 0u32;
                for part in value.chunks(PART_BYTES) {
                    changes.insert(part_key(key, count), part);
                    count = count.saturating_add(1);
                }
                let mut head = vec![PARTED];
                head.extend_from_slice(&count.to_be_bytes());
                changes.insert(stored(ROW, key), head);
                count
            }
            Some(value) => {
                changes.insert(stored(ROW, key), stored(WHOLE, value));
                0
            }
            None => {
                if before.is_some() {
                    changes.remove(stored(ROW, key));
                }
                0
            }
        };
        (parts_now..parts_before).for_each(|number| changes.remove(part_key(key, number)));
        Ok(())
    }
}

/// A byte before bytes.
fn stored(kind: u8, rest: &[u8]) -> Vec<u8> {
    let mut stored = Vec::with_capacity(rest.len().saturating_add(1));
    stored.push(kind);
    stored.extend_from_slice(rest);
    stored
}

fn part_key(key: &[u8], number: u32) -> Vec<u8> {
    let mut stored = stored(PART, key);
    stored.extend_from_slice(&number.to_be_bytes());
    stored
}

/// How many parts a stored head counts.
fn parts(head: &[u8]) -> u32 {
    match head.split_first() {
        Some((&PARTED, count)) => count.try_into().map_or(0, u32::from_be_bytes),
        _ => 0,
    }
}
