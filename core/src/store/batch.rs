//! Changes that are applied together.

use std::collections::{BTreeMap, BTreeSet};

use super::Table;
use crate::types::{ConversationId, GroupId};

/// Which data key seals a value, and so with what it is erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// The account's key: as long as the store lives.
    Account,
    /// A conversation's keys, one a week.
    Conversation(ConversationId),
    /// The key of an MLS group's state, renewed daily. The row's key has to begin with the group's id.
    Group(GroupId),
}

impl Scope {
    /// Whether a row with this key may be sealed under it.
    pub(super) fn admits(self, key: &[u8]) -> bool {
        if let Self::Group(group) = self { key.starts_with(group.as_bytes()) } else { true }
    }
}

/// One change of a batch.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Op<'a> {
    /// All rows sealed under the scope vanish: its keys are destroyed.
    DropScope(Scope),
    /// All rows whose key begins so are deleted.
    DeletePrefix {
        /// In this table.
        table: Table,
        /// The beginning of the keys.
        prefix: &'a [u8],
    },
    /// The row has this value from now on.
    Put {
        /// In this table.
        table: Table,
        /// Sealed by this scope's key.
        scope: Scope,
        /// The key.
        key: &'a [u8],
        /// The value.
        value: &'a [u8],
    },
    /// The row is deleted, if there is one.
    Delete {
        /// In this table.
        table: Table,
        /// The key.
        key: &'a [u8],
    },
}

/// What a batch makes of one row.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Change {
    Put(Scope, Vec<u8>),
    Delete,
}

/// Changes that are applied together, as if one after the other in the order they were added.
///
/// It is kept in normal form: dropped scopes, then deleted prefixes, then one change a key; later ones have won.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Batch {
    pub(super) dropped: BTreeSet<Scope>,
    pub(super) cleared: BTreeSet<(Table, Vec<u8>)>,
    pub(super) rows: BTreeMap<(Table, Vec<u8>), Change>,
}

impl Batch {
    /// A batch that changes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a row.
    pub fn put(&mut self, table: Table, scope: Scope, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.rows.insert((table, key.into()), Change::Put(scope, value.into()));
    }

    /// Deletes a row, if there is one.
    pub fn delete(&mut self, table: Table, key: impl Into<Vec<u8>>) {
        self.rows.insert((table, key.into()), Change::Delete);
    }

    /// Deletes all rows of a table whose key begins with `prefix`; an empty prefix empties the table.
    pub fn delete_prefix(&mut self, table: Table, prefix: impl Into<Vec<u8>>) {
        let prefix = prefix.into();
        self.rows.retain(|(of, key), _| *of != table || !key.starts_with(&prefix));
        self.cleared.insert((table, prefix));
    }

    /// Erases all rows sealed under a scope by destroying its keys. Rows put under it afterwards get a new key.
    pub fn drop_scope(&mut self, scope: Scope) {
        for change in self.rows.values_mut() {
            if matches!(change, Change::Put(of, _) if *of == scope) {
                *change = Change::Delete;
            }
        }
        self.dropped.insert(scope);
    }

    /// Adds the changes of another batch after one's own.
    pub fn append(&mut self, later: Self) {
        for scope in later.dropped {
            self.drop_scope(scope);
        }
        for (table, prefix) in later.cleared {
            self.delete_prefix(table, prefix);
        }
        self.rows.extend(later.rows);
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.dropped.is_empty() && self.cleared.is_empty() && self.rows.is_empty()
    }

    /// Bytes of keys and values that it puts.
    pub fn size_bytes(&self) -> usize {
        self.rows.iter().fold(0, |sum, ((_, key), change)| {
            let value = if let Change::Put(_, value) = change { value.len() } else { 0 };
            sum.saturating_add(key.len()).saturating_add(value)
        })
    }

    /// Its changes, in an order in which applying one after the other does what the batch does.
    pub fn iter(&self) -> impl Iterator<Item = Op<'_>> {
        let dropped = self.dropped.iter().map(|scope| Op::DropScope(*scope));
        let cleared = self.cleared.iter().map(|(table, prefix)| Op::DeletePrefix { table: *table, prefix });
        let rows = self.rows.iter().map(|((table, key), change)| match change {
            Change::Put(scope, value) => Op::Put { table: *table, scope: *scope, key, value },
            Change::Delete => Op::Delete { table: *table, key },
        });
        dropped.chain(cleared).chain(rows)
    }

    /// Whether it deletes this prefix's rows, or a wider one's, from what lies beneath.
    pub(super) fn clears(&self, table: Table, key: &[u8]) -> bool {
        self.cleared.iter().any(|(of, prefix)| *of == table && key.starts_with(prefix))
    }
}

impl std::fmt::Debug for Op<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::DropScope(scope) => formatter.debug_tuple("DropScope").field(scope).finish(),
            Self::DeletePrefix { table, prefix } => {
                formatter.debug_tuple("DeletePrefix").field(table).field(prefix).finish()
            }
            Self::Put { table, scope, key, .. } => {
                formatter.debug_tuple("Put").field(table).field(scope).field(key).field(&"…").finish()
            }
            Self::Delete { table, key } => formatter.debug_tuple("Delete").field(table).field(key).finish(),
        }
    }
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_value() {
        let mut batch = Batch::new();
        batch.put(Table::Content, Scope::Account, [1], *b"secret words");
        assert!(!format!("{batch:?}").contains("115, 101, 99"));
        assert!(format!("{batch:?}").contains('…'));
    }

    #[test]
    fn a_dropped_scope_takes_what_was_put_before_it_only() {
        let scope = Scope::Conversation(ConversationId::new([1; 32]));
        let mut batch = Batch::new();
        batch.put(Table::Event, scope, [1], [1]);
        batch.drop_scope(scope);
        batch.put(Table::Event, scope, [2], [2]);
        let ops: Vec<Op<'_>> = batch.iter().collect();
        assert_eq!(
            ops,
            [
                Op::DropScope(scope),
                Op::Delete { table: Table::Event, key: &[1] },
                Op::Put { table: Table::Event, scope, key: &[2], value: &[2] }
            ]
        );
    }
}
