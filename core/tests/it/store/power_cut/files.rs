//! Files beside the store: attachments on the shelf, copied here or fetched, and recordings under way.

use std::collections::BTreeMap;
use std::io::Read as _;

use kith_core::blob::Shelf;
use kith_core::store::{Store, create_private_dir};
use kith_core::types::{Hash, Token};
use kith_core::wire::blob::Attachment;

use super::*;

/// Attachments that the child takes in, one after another.
const FILES: u64 = 18;

/// One is taken away when so many came after it.
const KEPT: u64 = 6;

/// Recordings that the child makes, and the blocks of each.
const RECORDINGS: u64 = 3;
const BLOCKS: u64 = 40;

/// What the child says of a recording is the number of its blocks, above this.
const RECORDING: u64 = 1_000_000;

fn content(number: u64) -> Vec<u8> {
    let bytes = number * 97_003 % 700_000;
    (0..bytes).map(|at| (at % 251) as u8 ^ (at >> 16) as u8 ^ number as u8).collect()
}

/// The same attachment every time: no two have the same key.
fn take_in(shelf: &Shelf, number: u64) -> Attachment {
    let key = Token::new([number as u8; 32]);
    shelf.take_in(key, |to| Ok(to.write_all(&content(number))?)).unwrap()
}

/// It comes chunk by chunk from where it is.
fn fetch(shelf: &Shelf, from: &Shelf, number: u64) {
    let attachment = take_in(from, number);
    let mut part = shelf.part(&attachment, from.list(&attachment.id).as_deref()).unwrap().unwrap();
    for index in 0..attachment.layout().chunks() {
        let chunk = from.chunk(&attachment.id, &attachment.layout(), index).unwrap();
        part.place(index, &chunk).unwrap();
        assert!(part.judge().is_right(index, &chunk));
        part.hold(index);
    }
    part.finish().unwrap();
}

fn block(recording: u64, number: u64) -> Vec<u8> {
    vec![(recording * 100 + number) as u8; 300 + number as usize * 20]
}

fn recording(dir: &Path, number: u64) -> PathBuf {
    dir.join("recordings").join(format!("{number}.kith"))
}

#[test]
fn child_keeps_files_and_is_recorded() {
    let Some(dir) = std::env::var_os(DIR).map(PathBuf::from) else { return };
    let (store, _) = open(&dir.join("store")).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let (shelf, from) = (Shelf::open(&dir.join("blobs")).unwrap(), Shelf::open(elsewhere.path()).unwrap());
    let mut ids = Vec::new();
    for number in 0..FILES {
        if number % 3 == 2 {
            fetch(&shelf, &from, number);
        } else {
            take_in(&shelf, number);
        }
        acknowledge(number);
        ids.push(take_in(&from, number).id);
        if let Some(old) = number.checked_sub(KEPT) {
            shelf.remove(&ids[old as usize]).unwrap();
        }
    }
    create_private_dir(&dir.join("recordings")).unwrap();
    for number in 0..RECORDINGS {
        let mut file = store.create_sealed_file(&recording(&dir, number)).unwrap();
        for at in 0..BLOCKS {
            file.append(&block(number, at)).unwrap();
            acknowledge(RECORDING + number * BLOCKS + at);
        }
    }
}

/// What is on the shelf is whole, and what was acknowledged is on it.
fn check_shelf(dir: &Path, known: &BTreeMap<Hash, (u64, Attachment)>, newest: Option<u64>, what: &str) {
    let shelf = Shelf::open(&dir.join("blobs")).unwrap_or_else(|error| panic!("{what}: {error}"));
    for (number, attachment) in known.values() {
        let is_kept = newest.is_some_and(|newest| *number <= newest && number + KEPT > newest);
        assert!(!is_kept || shelf.has(&attachment.id), "{what}: file {number} is gone, {newest:?} was acknowledged");
        if shelf.has(&attachment.id) {
            assert!(shelf.list(&attachment.id).is_some(), "{what}: file {number} has no list");
            let mut found = Vec::new();
            shelf.reader(attachment).unwrap().read_to_end(&mut found).unwrap_or_else(|error| panic!("{what}: {error}"));
            assert!(found == content(*number), "{what}: file {number} is another one");
        } else if let Some(mut part) = shelf.part(attachment, None).unwrap() {
            let layout = attachment.layout();
            for index in (0..layout.chunks()).filter(|index| part.held().contains(*index)).collect::<Vec<_>>() {
                let chunk = part.chunk(index).unwrap();
                assert!(part.judge().is_right(index, &chunk), "{what}: chunk {index} of file {number}");
            }
        }
    }
    let strange = shelf.ids().unwrap().into_iter().find(|id| !known.contains_key(id));
    assert_eq!(strange, None, "{what}");
}

/// All blocks that were acknowledged are there, and no other than were written.
fn check_recordings(dir: &Path, store: &Store, told: &[u64], what: &str) {
    for number in 0..RECORDINGS {
        let of = |told: &&u64| (RECORDING + number * BLOCKS..RECORDING + (number + 1) * BLOCKS).contains(*told);
        let acknowledged = told.iter().filter(of).count();
        let path = recording(dir, number);
        if acknowledged == 0 && !path.exists() {
            continue;
        }
        let blocks = match store.read_sealed_file(&path, 1 << 20) {
            Ok(blocks) => blocks,
            Err(error) => {
                assert_eq!(acknowledged, 0, "{what}: recording {number}: {error}");
                continue;
            }
        };
        assert!(blocks.len() >= acknowledged, "{what}: {} blocks of {acknowledged}", blocks.len());
        let right = blocks.iter().zip(0..).all(|(found, at)| *found == block(number, at));
        assert!(right, "{what}: recording {number} is another one");
    }
}

#[test]
fn files_that_were_acknowledged_are_whole_after_a_power_cut_at_any_instant() {
    let cuts = if std::env::var_os("KITH_SOAK").is_some() { 1_000 } else { 50 };
    let (_work, work, mut rng) = begin();
    let base = work.join("base");
    // The store has its keys: how they come to be is another test's.
    open(&base.join("store")).unwrap().0.close();
    let all = Shelf::open(&work.join("all")).unwrap();
    let known = (0..FILES).map(|number| (number, take_in(&all, number)));
    let known = known.map(|(number, attachment)| (attachment.id, (number, attachment))).collect();
    let mut disk = Disk::load(&base);
    let records = recorded("files::child_keeps_files_and_is_recorded", &base, &shim(&work), &work.join("log"));
    let places = (0..cuts).map(|_| rng.next_u64() as usize % (records.len() + 1)).collect();
    let told = cut_before(places, &records, &mut disk, &work.join("cut"), &mut rng, |cut, told, what| {
        let newest = told.iter().copied().filter(|number| *number < RECORDING).max();
        check_shelf(cut, &known, newest, what);
        let (store, _) = open(&cut.join("store")).unwrap_or_else(|error| panic!("{what}: {error}"));
        check_recordings(cut, &store, told, what);
        store.close();
    });
    assert_eq!(told.len() as u64, FILES + RECORDINGS * BLOCKS);
}
