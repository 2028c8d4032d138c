//! A disk that fills up: the failure is named, nothing that was not acknowledged is ever read again, nothing acknowledged is lost,
//! and the store goes on once there is room.

use kith_core::store::{Batch, Opened, Read as _, Scope, Store, StoreError, Table};
use kith_core::types::{ConversationId, Timestamp};

use super::scenario::{batch, check, open, time};
use crate::small_disk::{Filler, or_run_again};

/// Writes until it is refused; the number of the last batch that was acknowledged.
fn write_until_full(store: &Store, from: u64) -> u64 {
    for number in from.. {
        let mut batch = batch(number);
        // A store whose rows come and go could live for long on the room that they leave in it.
        batch.put(Table::Transcript, Scope::Account, number.to_be_bytes(), [1; 20_000]);
        // All on one day: a new one's key might be refused first, which stops nothing.
        match store.commit(&batch, time(from)) {
            Ok(()) => {}
            Err(error) => {
                // The second, if it was refused after the last was acknowledged: when room was made for the next.
                assert!(matches!(error, StoreError::Full | StoreError::Stopped(_)), "{error}");
                return number - 1;
            }
        }
    }
    unreachable!()
}

#[test]
fn a_store_whose_disk_was_full_goes_on_with_all_that_was_acknowledged() {
    let name = "store::full_disk::a_store_whose_disk_was_full_goes_on_with_all_that_was_acknowledged";
    let Some(disk) = or_run_again(name, 48) else { return };
    let dir = disk.join("store");
    let (store, _) = open(&dir).unwrap();
    let reader = store.clone();
    let mut next = 0;
    for round in 0..4 {
        for number in next..next + 40 {
            store.commit(&batch(number), time(number)).unwrap();
        }
        let filler = Filler::fill(&disk);
        let last = write_until_full(&store, next + 40);
        assert_eq!(store.failure(), Some(StoreError::Full));
        // The batch that was refused can be read nowhere, since nobody knows whether it will be there.
        assert!(reader.get(Table::Meta, b"head").is_err(), "round {round}");
        assert!(matches!(store.commit(&batch(last + 1), time(last)), Err(StoreError::Stopped(_) | StoreError::Full)));
        for _ in 0..3 {
            assert_eq!(store.reopen(), Err(StoreError::Full), "round {round}");
            assert!(reader.get(Table::Meta, b"head").is_err());
        }
        drop(filler);
        assert_eq!(store.reopen(), Ok(Opened::Existing), "round {round}");
        let found = check(&reader).unwrap();
        // The one that was refused may have come to the disk, whole; then it is what everybody sees from now on.
        assert!([last, last + 1].contains(&found), "round {round}: {found}, acknowledged was {last}");
        assert_eq!(store.failure(), None);
        next = found + 1;
        store.commit(&batch(next), time(next)).unwrap();
        next += 1;
    }
    drop(reader);
    store.close();
    assert_eq!(check(&open(&dir).unwrap().0), Some(next - 1));
}

#[test]
fn a_key_that_the_full_disk_did_not_take_seals_nothing() {
    let name = "store::full_disk::a_key_that_the_full_disk_did_not_take_seals_nothing";
    let Some(disk) = or_run_again(name, 48) else { return };
    let dir = disk.join("store");
    let (store, _) = open(&dir).unwrap();
    store.commit(&batch(0), time(0)).unwrap();
    let of_a_new_key = |number: u8| {
        let mut batch = Batch::new();
        batch.put(Table::Summary, Scope::Conversation(ConversationId::new([number; 32])), [number], [number]);
        batch
    };
    let filler = Filler::fill(&disk);
    // Not even the ring can be written, whichever of the two is refused first.
    assert_eq!(store.commit(&of_a_new_key(8), Timestamp(1)), Err(StoreError::Full));
    drop(filler);
    if store.failure().is_some() {
        store.reopen().unwrap();
    }
    store.commit(&of_a_new_key(8), Timestamp(1)).unwrap();
    store.close();
    let (store, _) = open(&dir).unwrap();
    assert_eq!(store.get(Table::Summary, &[8]), Ok(Some(vec![8])));
}

#[test]
fn a_snapshot_that_the_disk_has_no_room_for_leaves_nothing_behind() {
    let name = "store::full_disk::a_snapshot_that_the_disk_has_no_room_for_leaves_nothing_behind";
    let Some(disk) = or_run_again(name, 48) else { return };
    let dir = disk.join("store");
    let (store, _) = open(&dir).unwrap();
    for number in 0..200 {
        store.commit(&batch(number), time(number)).unwrap();
    }
    let filler = Filler::fill(&disk);
    assert_eq!(store.snapshot(), Err(StoreError::Full));
    drop(filler);
    assert_eq!(std::fs::read_dir(dir.join("snapshots")).unwrap().count(), 0);
    assert_eq!(check(&store), Some(199), "it is no failed write of the store's own");
    store.snapshot().unwrap();
}
