//! A load whose every batch can be checked later: what was acknowledged is there, and no batch is there in part.

use std::path::Path;

use kith_core::store::{Batch, Opened, Options, Range, Read, RingKey, Scope, Store, StoreError, Table};
use kith_core::types::{ConversationId, GroupId, Timestamp};

pub(crate) const NOW: Timestamp = Timestamp(1_790_000_000_000);
const CONVERSATION: ConversationId = ConversationId::new([1; 32]);
const GROUP: GroupId = GroupId::new([2; 32]);
/// A batch deletes what one this much earlier put.
const KEPT: u64 = 60;

pub(crate) fn key() -> RingKey {
    RingKey::Raw([9; 32].into())
}

pub(crate) fn open(dir: &Path) -> Result<(Store, Opened), StoreError> {
    Store::open(dir, &key(), &Options::default())
}

/// The batch of a number: an event, its content (each 16th of many parts), the group's state, the head; an old one goes.
pub(crate) fn batch(number: u64) -> Batch {
    let mut batch = Batch::new();
    let name = number.to_be_bytes();
    let size = if number.is_multiple_of(16) { 20_000 } else { 200 };
    let content: Vec<u8> = name.iter().copied().cycle().take(size).collect();
    batch.put(Table::Event, Scope::Conversation(CONVERSATION), name, name);
    batch.put(Table::Content, Scope::Conversation(CONVERSATION), name, content);
    batch.put(Table::Mls, Scope::Group(GROUP), GROUP.as_bytes().as_slice(), [name.as_slice(), &[7; 6000]].concat());
    batch.put(Table::Meta, Scope::Account, *b"head", name);
    if let Some(old) = number.checked_sub(KEPT) {
        batch.delete(Table::Event, old.to_be_bytes());
        batch.delete(Table::Content, old.to_be_bytes());
    }
    batch
}

/// The time of a batch: a new day for the group every 300.
pub(crate) fn time(number: u64) -> Timestamp {
    NOW.plus_ms(number / 300 * 24 * 60 * 60 * 1000)
}

/// The number of the last batch in a store, after checking that it and all before it are there, whole.
pub(crate) fn check(store: &impl Read) -> Option<u64> {
    let head = store.get(Table::Meta, b"head").unwrap();
    let events = store.scan(Table::Event, &[], Range::all()).unwrap();
    let contents = store.scan(Table::Content, &[], Range::all()).unwrap();
    let Some(head) = head.map(|head| u64::from_be_bytes(head.try_into().unwrap())) else {
        assert!(events.is_empty() && contents.is_empty());
        return None;
    };
    let expected: Vec<u64> = (head.saturating_sub(KEPT - 1)..=head).collect();
    let numbers = |keys: &[kith_core::store::Row]| -> Vec<u64> {
        keys.iter().map(|row| u64::from_be_bytes(row.key.as_slice().try_into().unwrap())).collect()
    };
    assert_eq!(numbers(&events), expected);
    assert_eq!(numbers(&contents), expected);
    for row in contents {
        let number = u64::from_be_bytes(row.key.as_slice().try_into().unwrap());
        assert_eq!(row.value.len(), if number.is_multiple_of(16) { 20_000 } else { 200 });
        assert!(row.value.chunks(8).all(|part| part == row.key));
    }
    let state = store.get(Table::Mls, GROUP.as_bytes()).unwrap().unwrap();
    assert_eq!((&state[..8], state.len()), (head.to_be_bytes().as_slice(), 6008));
    Some(head)
}
