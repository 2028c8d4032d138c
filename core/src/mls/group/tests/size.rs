//! How much a message writes.

use super::*;

/// A group of `count` devices of which two have a store, with its past epochs full.
fn large_group(suite: Suite, count: usize) -> (Device, Device) {
    let mut alice = Device::new("alice", 1);
    let mut bob = Device::new("bob", 2);
    alice.create(suite);
    let mut adds = vec![bob.key_package(suite, false).1];
    for number in 2..count {
        adds.push(Device::new(&format!("device {number}"), 1000 + number as u64).key_package(suite, false).1);
    }
    let welcome = alice.change(Change { adds, ..Change::default() }).welcome.unwrap();
    bob.join(&welcome).unwrap();
    for _ in 0..past_epochs(count) {
        // Ratchets of each epoch that is to pass are in use.
        let blob = alice.seal(b"before");
        bob.open(&blob).unwrap();
        let pending = bob.change(Change::default());
        alice.follow(&pending.blob).unwrap();
    }
    assert_eq!(bob.load().past_epochs().count(), past_epochs(count));
    (alice, bob)
}

/// The greatest batches of sender and receiver over some messages of 200 bytes.
fn bytes_per_message(suite: Suite, count: usize) -> (usize, usize) {
    let (mut alice, mut bob) = large_group(suite, count);
    let (mut sent, mut received) = (0, 0);
    for _ in 0..20 {
        let blob = alice.seal(&[7; 200]);
        sent = sent.max(alice.written);
        bob.open(&blob).unwrap();
        received = received.max(bob.written);
    }
    println!("{count} devices, {suite:?}: {sent} bytes at the sender, {received} at the receiver");
    (sent, received)
}

#[test]
fn a_message_writes_little_whatever_the_size_of_the_group() {
    for (count, most) in [(2, 8_000), (20, 64_000), (200, 512_000)] {
        let (sent, received) = bytes_per_message(Suite::X25519, count);
        assert!(sent <= most && received <= most, "{count} devices: {sent} and {received} bytes");
    }
}

#[test]
fn a_gap_as_wide_as_the_window_costs_a_bounded_amount() {
    let [mut alice, mut bob] = group_of(Suite::X25519, ["alice", "bob"]);
    let mut sender = alice.load();
    let mut blobs: Vec<Vec<u8>> = (0..OUT_OF_ORDER + 20)
        .map(|_| alice.run(|context, signer| sender.seal(context, signer, b"a message")).unwrap())
        .collect();
    let mut most = 0;
    for blob in blobs.split_off(OUT_OF_ORDER as usize) {
        bob.open(&blob).unwrap();
        most = most.max(bob.written);
    }
    println!("{OUT_OF_ORDER} messages missing: {most} bytes at the receiver");
    assert!(most <= 24_000, "{most} bytes");
}

#[test]
fn parts_that_are_no_longer_used_are_deleted() {
    let [mut alice, mut bob] = group_of(Suite::X25519, ["alice", "bob"]);
    let mut sizes = Vec::new();
    for _ in 0..40 {
        for _ in 0..10 {
            let blob = alice.seal(b"a message");
            bob.open(&blob).unwrap();
        }
        let pending = alice.change(Change::default());
        bob.follow(&pending.blob).unwrap();
        sizes.push((alice.store.size_bytes(), bob.store.size_bytes()));
    }
    let (early, late) = (sizes[10], sizes[39]);
    assert!(late.0 < early.0 + 2_000 && late.1 < early.1 + 2_000, "stores grow: {early:?} {late:?}");
}

#[test]
fn a_group_kept_in_memory_stores_what_a_group_loaded_each_time_does() {
    let story = |in_memory: bool| {
        let [mut alice, mut bob] = group_of(Suite::X25519, ["alice", "bob"]);
        let mut kept = bob.load();
        for number in 0..30 {
            let blob = if number % 7 == 6 { alice.change(Change::default()).blob } else { alice.seal(b"a message") };
            if !in_memory {
                kept = bob.load();
            }
            bob.run(|context, _| {
                if let Processed::Commit(staged) = kept.process(context, &blob)? {
                    kept.merge(context, staged)?;
                }
                Ok(())
            })
            .unwrap();
        }
        bob.store
    };
    assert!(story(true) == story(false), "stores differ");
}

#[test]
#[ignore = "a measurement, for a release build"]
fn measure_time_of_a_message() {
    for count in [2, 20, 200] {
        let (mut alice, mut bob) = large_group(Suite::XWing, count);
        let (mut sender, mut receiver) = (alice.load(), bob.load());
        let blobs: Vec<Vec<u8>> = {
            let start = std::time::Instant::now();
            let blobs = (0..100).map(|_| alice.run(|context, signer| sender.seal(context, signer, &[7; 200])).unwrap());
            let blobs = blobs.collect();
            println!("{count} devices: seal {:?} a message, {} bytes", start.elapsed() / 100, alice.written);
            blobs
        };
        let start = std::time::Instant::now();
        for blob in &blobs {
            bob.run(|context, _| receiver.process(context, blob)).unwrap();
        }
        println!("{count} devices: open {:?} a message, {} bytes", start.elapsed() / 100, bob.written);
        let start = std::time::Instant::now();
        let pending = bob.commit(Change::default()).unwrap();
        let made = (start.elapsed(), bob.written);
        let start = std::time::Instant::now();
        alice.follow(&pending.blob).unwrap();
        println!(
            "{count} devices: commit {:?}, {} bytes; follow {:?}, {} bytes",
            made.0,
            made.1,
            start.elapsed(),
            alice.written
        );
    }
}
