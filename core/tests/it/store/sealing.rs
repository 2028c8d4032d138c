//! Values on the disk are sealed, and keys that were dropped are gone.

use std::fs;

use kith_core::store::{Batch, Options, Range, Read as _, RingKey, Scope, Store, StoreError, Table};
use kith_core::types::{ConversationId, GroupId};

use super::scenario::{NOW, key, open};

const SECRET: &[u8] = b"what a person wrote, which no disk may show";

fn contains(dir: &std::path::Path, needle: &[u8]) -> bool {
    fs::read_dir(dir).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            contains(&path, needle)
        } else {
            fs::read(path).unwrap().windows(needle.len()).any(|part| part == needle)
        }
    })
}

#[test]
fn no_file_shows_a_value() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path()).unwrap();
    let mut batch = Batch::new();
    batch.put(Table::Content, Scope::Conversation(ConversationId::new([1; 32])), *b"findable key", SECRET);
    store.commit(&batch, NOW).unwrap();
    store.snapshot().unwrap();
    store.close();
    assert!(contains(dir.path(), b"findable key"));
    assert!(!contains(dir.path(), SECRET));
    assert!(!contains(&dir.path().join("snapshots"), b"findable key"));
}

#[test]
fn a_dropped_scope_cannot_be_read_even_from_a_copy() {
    let dir = tempfile::tempdir().unwrap();
    let (erased, kept) = (ConversationId::new([1; 32]), ConversationId::new([2; 32]));
    let (store, _) = open(dir.path()).unwrap();
    for week in 0..3u64 {
        let mut batch = Batch::new();
        batch.put(Table::Content, Scope::Conversation(erased), [1, week as u8], SECRET);
        batch.put(Table::Content, Scope::Conversation(kept), [2, week as u8], SECRET);
        store.commit(&batch, NOW.plus_ms(week * 7 * 24 * 60 * 60 * 1000)).unwrap();
    }
    let old_ring = fs::read(dir.path().join("ring.kith")).unwrap();
    let mut batch = Batch::new();
    batch.drop_scope(Scope::Conversation(erased));
    batch.put(Table::Content, Scope::Conversation(erased), [1, 9], b"anew".as_slice());
    store.commit(&batch, NOW).unwrap();
    let check = |store: &Store| {
        let keys: Vec<Vec<u8>> =
            store.scan(Table::Content, &[], Range::all()).unwrap().into_iter().map(|row| row.key).collect();
        assert_eq!(keys, [[1, 9], [2, 0], [2, 1], [2, 2]]);
        assert_eq!(store.get(Table::Content, &[1, 0]), Ok(None));
        assert_eq!(store.scope(Table::Content, &[1, 0]), Ok(None));
    };
    check(&store);
    let new_key = RingKey::generate().unwrap();
    store.rotate(&store.opened_by(&key()).unwrap(), &new_key).unwrap();
    store.close();
    assert_eq!(open(dir.path()).map(|_| ()), Err(StoreError::WrongKey));
    let (store, _) = Store::open(dir.path(), &new_key, &Options::default()).unwrap();
    check(&store);
    store.close();
    // Whoever kept the old ring and its key is who could still read: that is why the keychain forgets the old key.
    fs::write(dir.path().join("ring.kith"), old_ring).unwrap();
    let error = open(dir.path()).map(|(store, _)| store.get(Table::Content, &[1, 9])).unwrap();
    assert!(error.is_err(), "a ring older than its store is not taken for an erasure");
}

#[test]
fn a_groups_rows_are_sealed_anew_each_day_and_the_old_key_destroyed() {
    let dir = tempfile::tempdir().unwrap();
    let group = GroupId::new([5; 32]);
    let row = |number: u8| [group.as_bytes().as_slice(), &[number]].concat();
    let (store, _) = open(dir.path()).unwrap();
    let mut batch = Batch::new();
    (0..5).for_each(|number| batch.put(Table::Mls, Scope::Group(group), row(number), vec![number; 9000]));
    batch.put(Table::Group, Scope::Group(group), row(9), [9]);
    store.commit(&batch, NOW).unwrap();
    let old = tempfile::tempdir().unwrap();
    super::guards::copy_dir(&dir.path().join("data"), &old.path().join("data"));
    let mut batch = Batch::new();
    batch.put(Table::Mls, Scope::Group(group), row(0), [1]);
    batch.delete(Table::Mls, row(1));
    store.commit(&batch, NOW.plus_ms(24 * 60 * 60 * 1000)).unwrap();
    let rows = |store: &Store| store.scan(Table::Mls, group.as_bytes(), Range::all()).unwrap();
    let sizes: Vec<usize> = rows(&store).iter().map(|row| row.value.len()).collect();
    assert_eq!(sizes, [1, 9000, 9000, 9000]);
    assert_eq!(store.get(Table::Group, &row(9)), Ok(Some(vec![9])));
    store.close();
    let (store, _) = open(dir.path()).unwrap();
    assert_eq!(rows(&store).len(), 4);
    store.close();
    // Yesterday's database with today's ring: nothing of the group can be read.
    fs::remove_dir_all(dir.path().join("data")).unwrap();
    super::guards::copy_dir(&old.path().join("data"), &dir.path().join("data"));
    let (store, opened) = open(dir.path()).unwrap();
    assert_eq!(opened, kith_core::store::Opened::Restored);
    assert!(rows(&store).is_empty());
}

#[test]
fn a_row_outside_its_group_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path()).unwrap();
    let mut batch = Batch::new();
    batch.put(Table::Mls, Scope::Group(GroupId::new([5; 32])), [1], [1]);
    assert_eq!(store.commit(&batch, NOW), Err(StoreError::Misplaced { table: Table::Mls }));
}
