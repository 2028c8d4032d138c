//! What is refused at opening, and what is mended.

use std::fs;
use std::path::Path;
use std::process::Command;

use kith_core::store::guarded::{self, Db, RawBatch};
use kith_core::store::{Opened, Options, RingKey, Store, StoreError};

use super::scenario::{batch, check, open, time};

fn filled(batches: u64) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let (store, opened) = open(dir.path()).unwrap();
    assert_eq!(opened, Opened::First);
    for number in 0..batches {
        store.submit(&batch(number), time(number), Box::new(|result| result.unwrap())).unwrap();
    }
    store.close();
    dir
}

fn refused(dir: &Path) -> StoreError {
    open(dir).map(|_| ()).unwrap_err()
}

#[test]
fn a_store_from_the_future_is_refused_with_a_sentence() {
    let dir = tempfile::tempdir().unwrap();
    drop(Db::open(dir.path(), &guarded::Options::new(9)).unwrap());
    let error = refused(dir.path());
    assert_eq!(error, StoreError::FromTheFuture { found: 9, known: 2 });
    assert!(error.to_string().contains("newer Kith"));
    assert!(Db::open(dir.path(), &guarded::Options::new(10)).is_ok());
    let error = Db::open(dir.path(), &guarded::Options::new(12)).map(|_| ()).unwrap_err();
    assert_eq!(error, StoreError::TooOld { found: 10 });
}

#[test]
fn a_missing_database_beside_its_marker_is_never_a_first_run() {
    let dir = filled(3);
    fs::remove_dir_all(dir.path().join("data")).unwrap();
    assert_eq!(refused(dir.path()), StoreError::Missing);
    assert_eq!(refused(dir.path()), StoreError::Missing);
    assert!(!dir.path().join("data").exists());
}

#[test]
fn an_empty_database_beside_its_marker_is_never_a_first_run() {
    let dir = filled(3);
    fs::write(dir.path().join("data/db"), vec![0; 512 * 1024]).unwrap();
    for path in snapshots_of_pages(dir.path()) {
        fs::remove_file(path).unwrap();
    }
    let error = refused(dir.path());
    assert!(matches!(error, StoreError::Missing | StoreError::Damaged), "{error:?}");
    let again = refused(dir.path());
    assert!(matches!(again, StoreError::Missing | StoreError::Damaged), "{again:?}");
}

#[test]
fn snapshots_without_a_store_are_never_a_first_run() {
    let dir = filled(3);
    let (store, _) = open(dir.path()).unwrap();
    store.snapshot().unwrap();
    store.close();
    fs::remove_dir_all(dir.path().join("data")).unwrap();
    fs::remove_file(dir.path().join("marker")).unwrap();
    assert_eq!(refused(dir.path()), StoreError::Missing);
    assert_eq!(refused(dir.path()), StoreError::Missing);
}

fn snapshots_of_pages(dir: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(dir.join("data")).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("snap.")).collect()
}

#[test]
fn a_stale_half_written_page_table_is_removed() {
    let dir = filled(10);
    drop(open(dir.path()).unwrap());
    let stale = dir.path().join("data/snap.FFFFFFFFFFFFFFFF.generating");
    fs::write(&stale, b"half").unwrap();
    let (store, opened) = open(dir.path()).unwrap();
    assert_eq!((check(&store), opened), (Some(9), Opened::Existing));
    assert!(!stale.exists());
    assert!(!dir.path().join("data.aside").exists(), "the page table itself was good");
}

#[test]
fn without_its_page_table_the_log_is_replayed() {
    let dir = filled(100);
    drop(open(dir.path()).unwrap());
    let tables = snapshots_of_pages(dir.path());
    assert!(!tables.is_empty());
    for path in tables {
        fs::write(path, b"this is not what was written here").unwrap();
    }
    let (store, opened) = open(dir.path()).unwrap();
    assert_eq!((check(&store), opened), (Some(99), Opened::Existing));
}

#[test]
fn a_damaged_database_is_refused_and_never_read_wrongly() {
    let dir = filled(400);
    let path = dir.path().join("data/db");
    let good = fs::read(&path).unwrap();
    let tables: Vec<_> =
        snapshots_of_pages(dir.path()).into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect();
    let marker = fs::read(dir.path().join("marker")).unwrap();
    for place in [40, 1000, 70_000, 300_000, good.len() / 2] {
        let mut bad = good.clone();
        bad.iter_mut().skip(place).take(64).for_each(|byte| *byte = !*byte);
        fs::write(&path, bad).unwrap();
        for old in snapshots_of_pages(dir.path()) {
            fs::remove_file(old).unwrap();
        }
        tables.iter().for_each(|(path, bytes)| fs::write(path, bytes).unwrap());
        fs::write(dir.path().join("marker"), &marker).unwrap();
        // What can be read is what was written; nothing is ever taken for a first run.
        match open(dir.path()) {
            Ok((store, opened)) => {
                assert_ne!(opened, Opened::First);
                drop(kith_core::store::Read::get(&store, kith_core::store::Table::Meta, b"head"));
            }
            Err(error) => {
                assert!(matches!(error, StoreError::Damaged | StoreError::Missing | StoreError::Read(_)), "{error:?}")
            }
        }
    }
}

#[test]
fn a_profile_is_open_once_and_says_by_whom() {
    let dir = filled(1);
    let (store, _) = open(dir.path()).unwrap();
    let error = refused(dir.path());
    assert_eq!(error, StoreError::AlreadyOpen { process: Some(std::process::id()) });
    assert!(error.to_string().ends_with(&format!("by process {}", std::process::id())));
    store.close();
    assert!(open(dir.path()).is_ok());
}

#[test]
fn a_wrong_passphrase_is_refused_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let passphrase = |text: &str| RingKey::Passphrase(text.to_owned().into());
    let (store, _) = Store::open(dir.path(), &passphrase("right"), &Options::default()).unwrap();
    store.commit(&batch(0), time(0)).unwrap();
    store.close();
    let error = Store::open(dir.path(), &passphrase("wrong"), &Options::default()).map(|_| ()).unwrap_err();
    assert_eq!(error, StoreError::WrongKey);
    let (store, opened) = Store::open(dir.path(), &passphrase("right"), &Options::default()).unwrap();
    assert_eq!((check(&store), opened), (Some(0), Opened::Existing));
}

#[test]
fn a_missing_key_ring_is_named() {
    let dir = filled(1);
    fs::remove_file(dir.path().join("ring.kith")).unwrap();
    assert_eq!(refused(dir.path()), StoreError::RingMissing);
}

#[test]
fn an_old_copy_of_the_database_is_noticed_until_it_is_dealt_with() {
    let dir = filled(5);
    let copy = tempfile::tempdir().unwrap();
    copy_dir(&dir.path().join("data"), &copy.path().join("data"));
    let (store, opened) = open(dir.path()).unwrap();
    assert_eq!(opened, Opened::Existing);
    store.commit(&batch(5), time(5)).unwrap();
    store.close();
    fs::remove_dir_all(dir.path().join("data")).unwrap();
    copy_dir(&copy.path().join("data"), &dir.path().join("data"));
    let (store, opened) = open(dir.path()).unwrap();
    assert_eq!((check(&store), opened), (Some(4), Opened::Restored));
    store.close();
    let (store, opened) = open(dir.path()).unwrap();
    assert_eq!(opened, Opened::Restored);
    store.acknowledge_restored().unwrap();
    store.close();
    assert_eq!(open(dir.path()).unwrap().1, Opened::Existing);
}

#[test]
fn a_store_without_its_marker_counts_as_a_copy() {
    let dir = filled(5);
    fs::remove_file(dir.path().join("marker")).unwrap();
    assert_eq!(open(dir.path()).unwrap().1, Opened::Restored);
}

/// A store that was closed, and a copy of it from when it was open, had acknowledged a row, and had not flushed since.
fn closed_and_unflushed() -> (tempfile::TempDir, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let (db, _) = Db::open(dir.path(), &guarded::Options::new(1)).unwrap();
    let mut batch = RawBatch::new();
    batch.put([1], [2]);
    db.commit(batch).unwrap();
    let copy = tempfile::tempdir().unwrap();
    copy_dir(dir.path(), copy.path());
    drop(db);
    (dir, copy)
}

#[test]
fn what_was_acknowledged_is_in_the_journal() {
    let (_, copy) = closed_and_unflushed();
    let (db, opened) = Db::open(copy.path(), &guarded::Options::new(1)).unwrap();
    assert_eq!((opened, db.get(&[1]).unwrap()), (Opened::Existing, Some(vec![2])));
}

#[test]
fn a_store_whose_rows_are_in_its_journal_alone_is_never_a_first_run() {
    let (_, copy) = closed_and_unflushed();
    fs::remove_file(copy.path().join("marker")).unwrap();
    let (db, opened) = Db::open(copy.path(), &guarded::Options::new(1)).unwrap();
    assert_eq!((opened, db.get(&[1]).unwrap()), (Opened::Restored, Some(vec![2])));
}

#[test]
fn a_store_without_its_journal_counts_as_a_copy() {
    let (dir, copy) = closed_and_unflushed();
    for dir in [dir, copy] {
        let journal = dir.path().join("data/journal");
        fs::remove_file(&journal).unwrap();
        let (_, opened) = Db::open(dir.path(), &guarded::Options::new(1)).unwrap();
        assert_eq!(opened, Opened::Restored);
        assert!(journal.exists());
    }
}

#[test]
fn a_journal_that_goes_on_after_what_the_database_has_belongs_to_a_newer_one() {
    let (dir, copy) = closed_and_unflushed();
    // The journal of the same store, two openings and two rows later.
    for number in 2..4 {
        let (db, _) = Db::open(dir.path(), &guarded::Options::new(1)).unwrap();
        let mut batch = RawBatch::new();
        batch.put([number], [2]);
        db.commit(batch).unwrap();
    }
    fs::copy(dir.path().join("data/journal"), copy.path().join("data/journal")).unwrap();
    let (db, opened) = Db::open(copy.path(), &guarded::Options::new(1)).unwrap();
    assert_eq!((opened, db.get(&[3]).unwrap()), (Opened::Restored, None));
    drop(db);
    assert_eq!(Db::open(copy.path(), &guarded::Options::new(1)).unwrap().1, Opened::Restored);
}

pub(crate) fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_dir(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

const FULL_DIR: &str = "KITH_TEST_FULL_DIR";

/// Writes until a write is refused: its files may not grow beyond what the parent allows.
#[test]
fn child_writes_until_its_disk_is_full() {
    let Some(dir) = std::env::var_os(FULL_DIR) else { return };
    let (db, _) = Db::open(Path::new(&dir), &guarded::Options::new(1)).unwrap();
    for number in 0u32.. {
        let mut batch = RawBatch::new();
        batch.put(number.to_be_bytes(), vec![7; 30_000]);
        match db.commit(batch) {
            Ok(()) => println!("ack {number}"),
            Err(error) => {
                println!("error {error}");
                break;
            }
        }
    }
    let mut batch = RawBatch::new();
    batch.put([1], [1]);
    println!("then {:?}", db.commit(batch));
    // Without the destructors: a process whose disk is full may end anyhow.
    std::process::exit(0);
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_named_and_loses_nothing_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let command = r#"trap '' XFSZ; ulimit -f 4096; exec "$0" --exact store::guards::child_writes_until_its_disk_is_full --nocapture"#;
    let output = Command::new("sh")
        .args(["-c", command, std::env::current_exe().unwrap().to_str().unwrap()])
        .env(FULL_DIR, dir.path())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("error the disk is full"), "{said} {}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("then Err(Full"), "{said}");
    let acknowledged = said.lines().filter_map(|line| line.split_once("ack ")?.1.parse::<u32>().ok()).max().unwrap();
    let (db, opened) = Db::open(dir.path(), &guarded::Options::new(1)).unwrap();
    assert_eq!(opened, Opened::Existing);
    for number in 0..=acknowledged {
        assert_eq!(db.get(&number.to_be_bytes()).unwrap().map(|value| value.len()), Some(30_000), "{number}");
    }
}
