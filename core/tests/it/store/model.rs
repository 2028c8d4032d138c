//! The store on a disk does what the store in memory does.

use kith_core::store::guarded::{self, Db, RawBatch};
use kith_core::store::{Batch, MemoryStore, Range, Read as _, Scope, Table};
use kith_core::types::{ConversationId, GroupId, Timestamp};
use proptest::prelude::*;

use super::scenario::open;

#[derive(Debug, Clone)]
enum Step {
    Put(u8, Vec<u8>, usize),
    Delete(Vec<u8>),
    DeletePrefix(Vec<u8>),
    DropScope(u8),
    Commit,
    NextDay,
    Reopen,
}

fn key() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(prop_oneof![Just(0u8), Just(1), Just(255)], 0..=3)
}

fn step() -> impl Strategy<Value = Step> {
    let size = prop_oneof![8 => 0usize..20, 1 => 4090usize..4100, 1 => 8000usize..20_000];
    prop_oneof![
        12 => (0u8..5, key(), size).prop_map(|(scope, key, size)| Step::Put(scope, key, size)),
        3 => key().prop_map(Step::Delete),
        1 => key().prop_map(Step::DeletePrefix),
        1 => (1u8..5).prop_map(Step::DropScope),
        5 => Just(Step::Commit),
        1 => Just(Step::NextDay),
        1 => Just(Step::Reopen),
    ]
}

fn scope(number: u8) -> Scope {
    match number {
        0 => Scope::Account,
        1 | 2 => Scope::Conversation(ConversationId::new([number; 32])),
        number => Scope::Group(GroupId::new([number; 32])),
    }
}

/// Rows of a group have to be under its id.
fn place(scope: Scope, key: Vec<u8>) -> Vec<u8> {
    if let Scope::Group(group) = scope { [group.as_bytes().as_slice(), &key].concat() } else { key }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_disk_store_reads_as_a_map_does(steps in proptest::collection::vec(step(), 1..120)) {
        let dir = tempfile::tempdir().unwrap();
        let mut store = open(dir.path()).unwrap().0;
        let mut map = MemoryStore::new();
        let mut batch = Batch::new();
        let mut now = Timestamp(1_790_000_000_000);
        for (number, step) in steps.into_iter().enumerate() {
            let look = matches!(step, Step::Commit | Step::Reopen);
            match step {
                Step::Put(number_of_scope, key, size) => {
                    let scope = scope(number_of_scope);
                    batch.put(Table::Event, scope, place(scope, key), vec![number as u8; size]);
                }
                Step::Delete(key) => batch.delete(Table::Event, key),
                Step::DeletePrefix(prefix) => batch.delete_prefix(Table::Event, prefix),
                Step::DropScope(number) => batch.drop_scope(scope(number)),
                Step::NextDay => now = now.plus_ms(24 * 60 * 60 * 1000),
                Step::Commit => {
                    map.apply(&batch);
                    // Read at once, durable later.
                    store.submit(&batch, now, Box::new(|result| result.unwrap())).unwrap();
                    batch = Batch::new();
                }
                Step::Reopen => {
                    store.close();
                    store = open(dir.path()).unwrap().0;
                }
            }
            if look {
                for range in [Range::all(), Range::last(3), Range::first(2).beyond(vec![0, 255]), Range::last(9).beyond(vec![1, 1])] {
                    for prefix in [&[][..], &[0], &[255], &[3; 32]] {
                        let found = store.scan(Table::Event, prefix, range.clone()).unwrap();
                        prop_assert_eq!(&found, &map.scan(Table::Event, prefix, range.clone()).unwrap());
                        for row in found {
                            prop_assert_eq!(store.get(Table::Event, &row.key).unwrap(), Some(row.value));
                            prop_assert_eq!(store.scope(Table::Event, &row.key), map.scope(Table::Event, &row.key));
                        }
                    }
                }
                prop_assert!(store.scan(Table::Content, &[], Range::all()).unwrap().is_empty());
            }
        }
    }
}

#[test]
fn acknowledgements_come_in_order_and_all_before_the_store_is_closed() {
    let dir = tempfile::tempdir().unwrap();
    let (db, _) = Db::open(dir.path(), &guarded::Options { queue_batches: 4, ..guarded::Options::new(1) }).unwrap();
    let (sender, receiver) = std::sync::mpsc::channel();
    for number in 0u32..500 {
        let sender = sender.clone();
        let mut batch = RawBatch::new();
        batch.put(*b"key", number.to_be_bytes());
        db.submit(batch, Box::new(move |result| sender.send((number, result)).unwrap())).unwrap();
        assert_eq!(db.get(b"key").unwrap(), Some(number.to_be_bytes().to_vec()));
    }
    drop((sender, db));
    assert!(receiver.iter().eq((0..500).map(|number| (number, Ok(())))));
}

#[test]
fn a_row_that_is_too_large_is_refused_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let (db, _) = Db::open(dir.path(), &guarded::Options::new(1)).unwrap();
    let mut batch = RawBatch::new();
    batch.put(vec![1; 300], [1]);
    assert!(db.commit(batch).is_err());
    let mut batch = RawBatch::new();
    batch.put([1; 257], vec![5; 3 << 20]);
    db.commit(batch).unwrap();
    assert_eq!(db.get(&[1; 257]).unwrap(), Some(vec![5; 3 << 20]));
    assert!(std::fs::read_dir(dir.path().join("data/blobs")).unwrap().next().is_none());
}
