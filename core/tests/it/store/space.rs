//! What rows cost on the disk.

use std::time::Instant;

use kith_core::store::guarded::size_on_disk;
use kith_core::store::{Batch, Scope, Table};
use kith_core::types::ConversationId;

use super::scenario::{NOW, open};

/// Bytes that this process has given to the disk.
#[cfg(target_os = "linux")]
fn written_bytes() -> u64 {
    let facts = std::fs::read_to_string("/proc/self/io").unwrap();
    facts.lines().find_map(|line| line.strip_prefix("wchar: ")).unwrap().parse().unwrap()
}

/// Each message two rows and an index entry, as an engine writes them; conversations interleave.
fn message(number: u64) -> Batch {
    let conversation = ConversationId::new([number as u8 % 40; 32]);
    let scope = Scope::Conversation(conversation);
    let key = |rest: &[u8]| [conversation.as_bytes().as_slice(), &[9; 40], rest].concat();
    let mut batch = Batch::new();
    batch.put(Table::Event, scope, key(&number.to_be_bytes()), vec![5; 450]);
    batch.put(Table::Meta, Scope::Account, *b"cursor", number.to_be_bytes());
    batch
}

#[cfg(target_os = "linux")]
#[test]
fn rows_take_little_more_than_a_kilobyte_each() {
    let rows: u64 = if std::env::var_os("KITH_SOAK").is_some() { 100_000 } else { 10_000 };
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path()).unwrap();
    let (start, before) = (Instant::now(), written_bytes());
    for number in 0..rows {
        store.submit(&message(number), NOW, Box::new(|result| result.unwrap())).unwrap();
    }
    store.close();
    let written = written_bytes() - before;
    let size = size_on_disk(dir.path()).unwrap();
    println!("{rows} rows: {size} bytes on disk, {written} written, {:?}", start.elapsed());
    let (store, _) = open(dir.path()).unwrap();
    let (start, before) = (Instant::now(), written_bytes());
    for number in rows..rows + 200 {
        store.commit(&message(number), NOW).unwrap();
    }
    let each = (written_bytes() - before) / 200;
    println!("alone: {each} bytes written a batch, {:?} each", start.elapsed() / 200);
    let start = Instant::now();
    store.snapshot().unwrap();
    println!("snapshot: {:?}", start.elapsed());
    store.close();
    let start = Instant::now();
    drop(open(dir.path()).unwrap());
    println!("opened and closed in {:?}", start.elapsed());
    // The target is 100 MB for 100,000 rows; with a tenth of them some segments are still to be cleaned.
    assert!(size < rows * 1000 + (6 << 20), "{size} bytes for {rows} rows");
    assert!(each < 32 * 1024, "{each} bytes a batch");
}
