//! A batch seen as if it were committed.

use super::batch::Change;
use super::{Batch, Range, Read, ReadError, Row, Scope, Table};

/// Reads a base through a batch that is not committed yet.
#[derive(Debug, Clone, Copy)]
pub struct Overlay<'a, R: ?Sized> {
    base: &'a R,
    batch: &'a Batch,
}

impl<'a, R: Read + ?Sized> Overlay<'a, R> {
    /// How many rows of the base are fetched at a time at most; more would be read in vain when the batch hides few.
    const PAGE_ROWS: usize = 512;

    /// The base as it would be after the batch.
    pub const fn new(base: &'a R, batch: &'a Batch) -> Self {
        Self { base, batch }
    }

    /// Whether the batch takes away or replaces a row of the base.
    fn hides(&self, table: Table, key: &[u8]) -> Result<bool, ReadError> {
        if self.batch.rows.contains_key(&(table, key.to_vec())) || self.batch.clears(table, key) {
            return Ok(true);
        }
        if self.batch.dropped.is_empty() {
            return Ok(false);
        }
        Ok(self.base.scope(table, key)?.is_some_and(|scope| self.batch.dropped.contains(&scope)))
    }

    /// The rows that the batch puts within a range, in the range's order.
    fn own(&self, table: Table, prefix: &[u8], range: &Range) -> Vec<Row> {
        let from = (table, prefix.to_vec());
        let rows = self.batch.rows.range(from..).take_while(|((of, key), _)| *of == table && key.starts_with(prefix));
        let mut rows: Vec<Row> = rows
            .filter(|((_, key), _)| range.after.as_ref().is_none_or(|after| precedes(after, key, range.backwards)))
            .filter_map(|((_, key), change)| match change {
                Change::Put(_, value) => Some(Row { key: key.clone(), value: value.clone() }),
                Change::Delete => None,
            })
            .collect();
        if range.backwards {
            rows.reverse();
        }
        rows
    }
}

/// Whether `first` comes before `second` in the direction of a scan.
fn precedes(first: &[u8], second: &[u8], backwards: bool) -> bool {
    if backwards { first > second } else { first < second }
}

impl<R: Read + ?Sized> Read for Overlay<'_, R> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        match self.batch.rows.get(&(table, key.to_vec())) {
            Some(Change::Put(_, value)) => Ok(Some(value.clone())),
            Some(Change::Delete) => Ok(None),
            None if self.hides(table, key)? => Ok(None),
            None => self.base.get(table, key),
        }
    }

    fn scan(&self, table: Table, prefix: &[u8], range: Range) -> Result<Vec<Row>, ReadError> {
        let mut own = self.own(table, prefix, &range).into_iter().peekable();
        let mut found = Vec::new();
        let mut after = range.after.clone();
        loop {
            let wanted = range.limit.saturating_sub(found.len()).min(Self::PAGE_ROWS);
            if wanted == 0 {
                return Ok(found);
            }
            let page = Range { after: after.take(), backwards: range.backwards, limit: wanted };
            let page = self.base.scan(table, prefix, page)?;
            let last = page.len() < wanted;
            after = page.last().map(|row| row.key.clone());
            for row in page {
                while let Some(earlier) = own.next_if(|mine| precedes(&mine.key, &row.key, range.backwards)) {
                    found.push(earlier);
                }
                if !self.hides(table, &row.key)? {
                    found.push(row);
                }
            }
            if last {
                found.extend(own);
                found.truncate(range.limit);
                return Ok(found);
            }
            found.truncate(range.limit);
        }
    }

    fn scope(&self, table: Table, key: &[u8]) -> Result<Option<Scope>, ReadError> {
        match self.batch.rows.get(&(table, key.to_vec())) {
            Some(Change::Put(scope, _)) => Ok(Some(*scope)),
            Some(Change::Delete) => Ok(None),
            None if self.hides(table, key)? => Ok(None),
            None => self.base.scope(table, key),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::store::MemoryStore;
    use crate::types::ConversationId;

    #[derive(Debug, Clone)]
    enum Step {
        Put(Table, Scope, Vec<u8>, Vec<u8>),
        Delete(Table, Vec<u8>),
        DeletePrefix(Table, Vec<u8>),
        DropScope(Scope),
    }

    fn table() -> impl Strategy<Value = Table> {
        prop_oneof![Just(Table::Event), Just(Table::Content)]
    }

    fn scope() -> impl Strategy<Value = Scope> {
        (0u8..3).prop_map(|number| match number {
            0 => Scope::Account,
            number => Scope::Conversation(ConversationId::new([number; 32])),
        })
    }

    /// Few bytes and short keys, so that steps meet.
    fn key(most: usize) -> impl Strategy<Value = Vec<u8>> {
        proptest::collection::vec(prop_oneof![Just(0u8), Just(1), Just(255)], 0..=most)
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            6 => (table(), scope(), key(3), key(2)).prop_map(|(table, scope, key, value)| Step::Put(table, scope, key, value)),
            2 => (table(), key(3)).prop_map(|(table, key)| Step::Delete(table, key)),
            1 => (table(), key(2)).prop_map(|(table, prefix)| Step::DeletePrefix(table, prefix)),
            1 => scope().prop_map(Step::DropScope),
        ]
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        proptest::collection::vec(step(), 0..24)
    }

    fn add(batch: &mut Batch, step: &Step) {
        match step.clone() {
            Step::Put(table, scope, key, value) => batch.put(table, scope, key, value),
            Step::Delete(table, key) => batch.delete(table, key),
            Step::DeletePrefix(table, prefix) => batch.delete_prefix(table, prefix),
            Step::DropScope(scope) => batch.drop_scope(scope),
        }
    }

    fn together(steps: &[Step]) -> Batch {
        let mut batch = Batch::new();
        steps.iter().for_each(|step| add(&mut batch, step));
        batch
    }

    proptest! {
        #[test]
        fn a_batch_does_what_its_steps_do_one_by_one(before in steps(), steps in steps()) {
            let mut one_by_one = MemoryStore::new();
            one_by_one.apply(&together(&before));
            let mut at_once = one_by_one.clone();
            for step in &steps {
                one_by_one.apply(&together(std::slice::from_ref(step)));
            }
            at_once.apply(&together(&steps));
            prop_assert_eq!(at_once, one_by_one);
        }

        #[test]
        fn an_appended_batch_comes_after(first in steps(), second in steps()) {
            let mut joined = together(&first);
            joined.append(together(&second));
            prop_assert_eq!(joined, together(&[first, second].concat()));
        }

        #[test]
        fn an_overlay_reads_what_applying_would_give(
            before in steps(), steps in steps(), prefix in key(2), after in proptest::option::of(key(3)), backwards: bool,
            limit in 0usize..6,
        ) {
            let mut base = MemoryStore::new();
            base.apply(&together(&before));
            let batch = together(&steps);
            let overlay = Overlay::new(&base, &batch);
            let mut applied = base.clone();
            applied.apply(&batch);
            let range = Range { after, backwards, limit };
            for table in [Table::Event, Table::Content] {
                prop_assert_eq!(overlay.scan(table, &prefix, range.clone()), applied.scan(table, &prefix, range.clone()));
                for row in applied.scan(table, &[], Range::all()).unwrap() {
                    prop_assert_eq!(overlay.get(table, &row.key), Ok(Some(row.value)));
                    prop_assert_eq!(overlay.scope(table, &row.key), applied.scope(table, &row.key));
                }
                prop_assert_eq!(overlay.get(table, &prefix), applied.get(table, &prefix));
            }
        }
    }
}
