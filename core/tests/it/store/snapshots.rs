//! Snapshots are whole, verified, and restored when the store is not there.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use kith_core::store::{Batch, Opened, Options, Scope, Store, StoreError, Table};

use super::scenario::{batch, check, key, open, time};

fn snapshots(dir: &Path) -> Vec<PathBuf> {
    let mut found: Vec<_> = fs::read_dir(dir.join("snapshots")).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

fn restore(dir: &Path) -> Result<(Store, Opened), StoreError> {
    Store::restore(dir, &key(), &Options::default())
}

#[test]
fn a_snapshot_written_under_load_is_of_one_instant_and_three_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path()).unwrap();
    // Rows between those of a batch, so that the copy needs many pages and the load changes what it has passed.
    let mut filler = Batch::new();
    (0u32..5000).for_each(|number| filler.put(Table::Request, Scope::Account, number.to_be_bytes(), [1; 40]));
    store.commit(&filler, time(0)).unwrap();
    let writing = AtomicBool::new(true);
    let (sender, acknowledged) = std::sync::mpsc::channel();
    let (before, after) = std::thread::scope(|scope| {
        let load = scope.spawn(|| {
            let mut number = 0;
            while writing.load(SeqCst) {
                let sender = sender.clone();
                // Within one day, so that no key is destroyed that a snapshot needs.
                let done = move |result: Result<(), StoreError>| sender.send(result.map(|()| number).unwrap()).unwrap();
                store.submit(&batch(number), time(0), Box::new(done)).unwrap();
                number += 1;
            }
            number
        });
        let mut before = 0;
        for _ in 0..5 {
            before = acknowledged.iter().nth(20).unwrap();
            store.snapshot().unwrap();
        }
        writing.store(false, SeqCst);
        (before, load.join().unwrap())
    });
    assert_eq!(snapshots(dir.path()).len(), 3);
    store.close();
    fs::remove_dir_all(dir.path().join("data")).unwrap();
    assert_eq!(open(dir.path()).map(|_| ()), Err(StoreError::Missing));
    let (store, opened) = restore(dir.path()).unwrap();
    assert_eq!(opened, Opened::Restored);
    let restored = check(&store).unwrap();
    assert!((before..after).contains(&restored), "{restored} of {before} to {after}");
    store.close();
    let (store, opened) = open(dir.path()).unwrap();
    assert_eq!(opened, Opened::Restored);
    store.acknowledge_restored().unwrap();
    store.close();
    assert_eq!(open(dir.path()).unwrap().1, Opened::Existing);
}

#[test]
fn a_damaged_snapshot_is_passed_over_for_the_one_before() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path()).unwrap();
    for number in 0..3 {
        store.commit(&batch(number), time(0)).unwrap();
        store.snapshot().unwrap();
    }
    store.close();
    let files = snapshots(dir.path());
    let mut bytes = fs::read(&files[2]).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&files[2], bytes).unwrap();
    let (store, _) = restore(dir.path()).unwrap();
    assert_eq!(check(&store), Some(1));
    store.close();
    for file in &files {
        let bytes = fs::read(file).unwrap();
        fs::write(file, &bytes[..bytes.len() - 1]).unwrap();
    }
    assert_eq!(restore(dir.path()).map(|_| ()), Err(StoreError::NoSnapshot));
    assert_eq!(check(&open(dir.path()).unwrap().0), Some(1), "what could not be replaced is left as it was");
}
