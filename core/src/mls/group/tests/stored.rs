//! What is stored, and that stores of earlier releases load.

use super::*;
use crate::store::{Range, ReadError};

#[test]
fn a_group_that_is_not_here_is_nothing() {
    assert!(Group::load(&MemoryStore::new(), &GroupId::new([1; 32])).unwrap().is_none());
}

#[test]
fn a_deleted_group_leaves_no_row() {
    let [mut alice, _] = group_of(Suite::X25519, ["alice", "bob"]);
    alice.seal(b"something");
    let group = alice.load();
    let mut batch = Batch::new();
    group.delete(&mut batch);
    alice.store.apply(&batch);
    assert_eq!(alice.store.scan(Table::Mls, &[], Range::all()), Ok(Vec::new()));
}

#[test]
fn every_row_stands_under_the_key_of_its_group() {
    let [mut alice, mut bob] = group_of(Suite::X25519, ["alice", "bob"]);
    let blob = alice.seal(b"something");
    bob.open(&blob).unwrap();
    for device in [&alice, &bob] {
        let id = device.group.unwrap();
        let rows = device.store.scan(Table::Mls, &[], Range::all()).unwrap();
        assert!(!rows.is_empty());
        for row in rows {
            assert!(row.key.starts_with(id.as_ref()));
            assert_eq!(device.store.scope(Table::Mls, &row.key), Ok(Some(Scope::Group(id))));
        }
    }
}

#[test]
fn a_row_from_the_future_is_refused() {
    let [alice, _] = group_of(Suite::X25519, ["alice", "bob"]);
    let mut store = alice.store.clone();
    for row in alice.store.scan(Table::Mls, &[], Range::all()).unwrap() {
        let mut batch = Batch::new();
        let mut value = row.value.clone();
        value[0] = 9;
        batch.put(Table::Mls, Scope::Group(alice.group.unwrap()), row.key, value);
        store.apply(&batch);
    }
    let loaded = Group::load(&store, &alice.group.unwrap());
    assert_eq!(loaded.err(), Some(MlsError::Store(ReadError::FromTheFuture { format: 9 })));
}

#[test]
fn a_damaged_row_is_an_error_of_the_store() {
    let [mut alice, mut bob] = group_of(Suite::X25519, ["alice", "bob"]);
    alice.seal(b"something");
    let pending = bob.commit(Change::default()).unwrap();
    let id = alice.group.unwrap();
    for row in alice.store.scan(Table::Mls, &[], Range::all()).unwrap() {
        for cut in [0, 1, row.value.len() / 2] {
            let mut store = alice.store.clone();
            let mut batch = Batch::new();
            batch.put(Table::Mls, Scope::Group(id), row.key.clone(), row.value[..cut].to_vec());
            store.apply(&batch);
            let error = match Group::load(&store, &id) {
                Err(error) => error,
                // The keys of the epoch are read with a commit only.
                Ok(_) => {
                    let mut device = Device { store, group: Some(id), ..Device::new("alice", 1) };
                    device.follow(&pending.blob).unwrap_err()
                }
            };
            assert!(error.is_local(), "row {:?} cut to {cut}: {error:?}", &row.key[32..]);
        }
    }
}

/// Where the bytes of a group stand that a release stored.
const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/mls_group_1.bin");

/// The group, its rows, and messages to it.
type Fixture = (GroupId, Vec<(Vec<u8>, Vec<u8>)>, [Vec<u8>; 2]);

/// Bob's rows, and two messages to him that were not read yet: one of a past epoch, one of the present.
fn fixture() -> Fixture {
    let [mut alice, mut bob] = group_of(Suite::XWing, ["alice", "bob"]);
    let read = alice.seal(b"read");
    bob.open(&read).unwrap();
    let late = alice.seal(b"late");
    let pending = alice.change(Change { policy: Some(b"policy 1".to_vec()), ..Change::default() });
    bob.follow(&pending.blob).unwrap();
    bob.commit(Change { info: b"pending".to_vec(), ..Change::default() }).unwrap();
    let present = alice.seal(b"present");
    let rows = bob.store.scan(Table::Mls, &[], Range::all()).unwrap();
    (bob.group.unwrap(), rows.into_iter().map(|row| (row.key, row.value)).collect(), [late, present])
}

#[test]
#[ignore = "writes the fixture anew; only when the format changes on purpose"]
fn write_fixture() {
    std::fs::write(FIXTURE, serde_ipld_dagcbor::to_vec(&fixture()).unwrap()).unwrap();
}

#[test]
fn the_stored_form_has_not_changed() {
    assert!(std::fs::read(FIXTURE).unwrap() == serde_ipld_dagcbor::to_vec(&fixture()).unwrap(), "stored bytes differ");
}

#[test]
fn a_group_stored_by_the_first_release_loads_and_goes_on() {
    let (id, rows, blobs): Fixture = serde_ipld_dagcbor::from_slice(&std::fs::read(FIXTURE).unwrap()).unwrap();
    let mut bob = Device::new("bob", 2);
    let mut batch = Batch::new();
    for (key, value) in rows {
        batch.put(Table::Mls, Scope::Group(id), key, value);
    }
    bob.store.apply(&batch);
    bob.group = Some(id);
    let group = bob.load();
    assert_eq!((group.epoch(), group.leaf_count(), group.policy().unwrap()), (2, 2, b"policy 1".as_slice()));
    assert!(group.pending().is_some());
    assert_eq!(bob.open(&blobs[0]).unwrap().bytes, b"late");
    assert_eq!(bob.open(&blobs[1]).unwrap().bytes, b"present");
    bob.accepted();
    assert_eq!(bob.load().epoch(), 3);
    bob.seal(b"going on");
}
