//! What members agree on: messages, commits, secrets.

use super::*;

#[test]
fn two_devices_write_to_each_other_in_either_suite() {
    for suite in Suite::ALL {
        let [mut alice, mut bob] = group_of(suite, ["alice", "bob"]);
        let blob = alice.seal(b"hello");
        let message = bob.open(&blob).unwrap();
        assert_eq!((message.identity.as_slice(), message.bytes.as_slice()), (b"alice".as_slice(), b"hello".as_slice()));
        assert_eq!((message.index, message.epoch), (0, 1));
        let blob = bob.seal(b"hello yourself");
        assert_eq!(alice.open(&blob).unwrap().bytes, b"hello yourself");
        assert_eq!(alice.load().roster(), bob.load().roster());
        assert_eq!(bob.load().conversation(), conversation());
        assert_eq!(bob.load().suite(), suite);
        assert_eq!(bob.load().policy().unwrap(), b"policy 0");
    }
}

#[test]
fn one_commit_adds_removes_and_changes_the_policy() {
    let [mut alice, mut bob, mut carol] = group_of(Suite::X25519, ["alice", "bob", "carol"]);
    let mut dave = Device::new("dave", 40);
    let (reference, package) = dave.key_package(Suite::X25519, false);
    let change = Change {
        adds: vec![package],
        removes: vec![2],
        policy: Some(b"policy 1".to_vec()),
        identity: Some(b"alice, renewed".to_vec()),
        info: b"where the feeds are cut".to_vec(),
    };
    let pending = alice.commit(change).unwrap();
    for secret in [b"policy 1".as_slice(), b"where the feeds are cut", b"dave", b"renewed"] {
        assert!(!pending.blob.windows(secret.len()).any(|window| window == secret), "a commit shows what it does");
    }
    let summary = bob.follow(&pending.blob).unwrap();
    assert_eq!(summary, pending.summary);
    assert_eq!((summary.epoch, summary.committer.identity.as_slice()), (1, b"alice".as_slice()));
    assert_eq!(summary.renewed.as_ref().unwrap().identity, b"alice, renewed");
    assert_eq!((summary.adds[0].identity.as_slice(), &summary.adds[0].key_package), (b"dave".as_slice(), &reference));
    assert_eq!(summary.removes[0].identity, b"carol");
    assert_eq!(
        (summary.policy_before.as_slice(), summary.policy_after.as_slice()),
        (b"policy 0".as_slice(), b"policy 1".as_slice())
    );
    assert_eq!(summary.info, b"where the feeds are cut");
    assert!(!summary.removes_self);

    assert!(carol.follow(&pending.blob).unwrap().removes_self);
    assert!(!carol.load().is_member());
    alice.accepted();
    dave.join(&pending.welcome.unwrap()).unwrap();
    assert_eq!(dave.load().policy().unwrap(), b"policy 1");
    let blob = dave.seal(b"here I am");
    assert_eq!(alice.open(&blob).unwrap().identity, b"dave");
    assert_eq!(bob.open(&blob).unwrap().identity, b"dave");
    assert_eq!(carol.open(&blob), Err(MlsError::Removed));
}

#[test]
fn a_commit_is_in_force_only_when_it_was_accepted() {
    let [mut alice, mut bob] = group_of(Suite::X25519, ["alice", "bob"]);
    let pending = alice.commit(Change::default()).unwrap();
    assert_eq!(alice.load().epoch(), 1);
    assert_eq!(alice.load().pending(), Some(pending.hash));
    assert_eq!(alice.commit(Change::default()), Err(MlsError::CommitPending));
    let blob = alice.seal(b"still epoch 1");
    assert_eq!(bob.open(&blob).unwrap().epoch, 1);
    assert!(matches!(alice.process(&pending.blob), Ok(Processed::OwnCommit)));
    alice.accepted();
    assert_eq!((alice.load().epoch(), alice.load().pending()), (2, None));
    assert_eq!(alice.with(|group, context, _| group.own_commit_accepted(context)), Err(MlsError::NoCommitPending));
}

#[test]
fn of_two_commits_at_once_the_accepted_one_counts_and_the_other_is_made_anew() {
    let [mut alice, mut bob] = group_of(Suite::X25519, ["alice", "bob"]);
    let first = alice.commit(Change { info: b"first".to_vec(), ..Change::default() }).unwrap();
    let second = bob.commit(Change { info: b"second".to_vec(), ..Change::default() }).unwrap();
    // The log has accepted Alice's.
    alice.accepted();
    assert_eq!(bob.follow(&first.blob).unwrap().info, b"first");
    assert_eq!(bob.load().pending(), None);
    assert_eq!(alice.follow(&second.blob), Err(MlsError::StaleCommit { epoch: 1 }));
    let again = bob.change(Change { info: b"second".to_vec(), ..Change::default() });
    assert_eq!(alice.follow(&again.blob).unwrap().info, b"second");
    assert_eq!(alice.load().export("label", b"", 32), bob.load().export("label", b"", 32));
}

#[test]
fn a_discarded_commit_leaves_no_trace() {
    let [mut alice, mut bob] = group_of(Suite::X25519, ["alice", "bob"]);
    alice.commit(Change { policy: Some(b"policy 1".to_vec()), ..Change::default() }).unwrap();
    alice.with(|group, context, _| group.discard_pending(context)).unwrap();
    let pending = alice.change(Change { info: b"other".to_vec(), ..Change::default() });
    assert_eq!(bob.follow(&pending.blob).unwrap().info, b"other");
    assert_eq!(alice.load().policy().unwrap(), b"policy 0");
}

#[test]
fn a_commit_that_was_not_merged_has_no_effect() {
    let [mut alice, mut bob, mut carol] = group_of(Suite::X25519, ["alice", "bob", "carol"]);
    let unentitled = alice.commit(Change { removes: vec![2], ..Change::default() }).unwrap();
    assert!(matches!(bob.process(&unentitled.blob), Ok(Processed::Commit(_))));
    assert_eq!((bob.load().epoch(), bob.load().leaf_count()), (1, 3));
    let entitled = carol.change(Change { info: b"good".to_vec(), ..Change::default() });
    assert_eq!(bob.follow(&entitled.blob).unwrap().info, b"good");
    let blob = bob.seal(b"epoch 2");
    assert_eq!(carol.open(&blob).unwrap().epoch, 2);
}

#[test]
fn a_commit_staged_in_another_epoch_is_refused() {
    let [mut alice, mut bob] = group_of(Suite::X25519, ["alice", "bob"]);
    let pending = alice.change(Change::default());
    let error = bob.with(|group, context, _| {
        let Processed::Commit(staged) = group.process(context, &pending.blob)? else { panic!("not a commit") };
        group.commit(context, &Device::new("bob", 2).signer, Change::default())?;
        group.own_commit_accepted(context)?;
        assert_eq!(group.merge(context, staged), Err(MlsError::NotStagedHere));
        Ok(())
    });
    assert_eq!(error, Ok(()));
}

#[test]
fn exported_secrets_are_shared_and_change_with_the_epoch() {
    let [mut alice, mut bob] = group_of(Suite::X25519, ["alice", "bob"]);
    let secret = alice.load().export("write", b"home", 32).unwrap();
    assert_eq!(secret, bob.load().export("write", b"home", 32).unwrap());
    assert_ne!(secret, bob.load().export("write", b"other", 32).unwrap());
    let pending = alice.change(Change::default());
    bob.follow(&pending.blob).unwrap();
    assert_ne!(secret, bob.load().export("write", b"home", 32).unwrap());
}

#[test]
fn a_device_that_lost_its_state_is_removed_and_added_in_one_commit() {
    let [mut alice, mut bob] = group_of(Suite::X25519, ["alice", "bob"]);
    let old = bob.load();
    let mut batch = Batch::new();
    old.delete(&mut batch);
    bob.store.apply(&batch);
    let (_, package) = bob.key_package(Suite::X25519, false);
    let pending = alice.change(Change { removes: vec![1], ..add(package) });
    bob.join(&pending.welcome.unwrap()).unwrap();
    let blob = bob.seal(b"back again");
    assert_eq!(alice.open(&blob).unwrap().bytes, b"back again");
}

#[test]
fn late_and_reordered_messages_are_read() {
    let [mut alice, mut bob] = group_of(Suite::X25519, ["alice", "bob"]);
    let mut blobs: Vec<Vec<u8>> = (0..OUT_OF_ORDER).map(|number| alice.seal(&number.to_be_bytes())).collect();
    blobs.reverse();
    for (blob, number) in blobs.iter().zip((0..OUT_OF_ORDER).rev()) {
        assert_eq!(bob.open(blob).unwrap().bytes, number.to_be_bytes());
    }
}

#[test]
fn messages_of_the_last_five_epochs_are_read_for_seven_days() {
    let [mut alice, mut bob] = group_of(Suite::X25519, ["alice", "bob"]);
    let mut blobs = Vec::new();
    for _ in 0..=SMALL_PAST_EPOCHS {
        blobs.push(alice.seal(b"late"));
        blobs.push(alice.seal(b"later"));
        let pending = alice.change(Change::default());
        bob.follow(&pending.blob).unwrap();
        bob.now = bob.now.plus_ms(1000);
    }
    assert_eq!(bob.load().past_epochs().collect::<Vec<_>>(), [2, 3, 4, 5, 6]);
    assert_eq!(bob.open(&blobs[0]), Err(MlsError::PastEpochGone { epoch: 1 }));
    for blob in blobs.iter().skip(2).step_by(2) {
        assert_eq!(bob.open(blob).unwrap().bytes, b"late");
    }
    // Epoch 2 ended second; a millisecond before its seven days are over it is there, then it goes, alone.
    bob.now = Timestamp(1_000_000 + 1000 + PAST_EPOCH_MS - 1);
    assert!(!bob.has_expired());
    bob.with(|group, context, _| group.expire(context)).unwrap();
    assert_eq!(bob.load().past_epochs().count(), 5);
    bob.now = bob.now.plus_ms(1);
    assert!(bob.has_expired());
    bob.with(|group, context, _| group.expire(context)).unwrap();
    assert_eq!(bob.load().past_epochs().collect::<Vec<_>>(), [3, 4, 5, 6]);
    assert_eq!(bob.open(&blobs[3]), Err(MlsError::PastEpochGone { epoch: 2 }));
    assert_eq!(bob.open(&blobs[5]).unwrap().bytes, b"later");
    bob.now = bob.now.plus_ms(1_000_000);
    bob.with(|group, context, _| group.expire(context)).unwrap();
    assert_eq!(bob.load().past_epochs().count(), 0);
    assert!(!bob.has_expired());
    let blob = alice.seal(b"now");
    assert_eq!(bob.open(&blob).unwrap().bytes, b"now");
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let story = |suite: Suite| {
        let [mut alice, mut bob] = group_of(suite, ["alice", "bob"]);
        let mut carol = Device::new("carol", 30);
        let (_, package) = carol.key_package(suite, false);
        let pending = bob.change(Change { info: b"info".to_vec(), ..add(package) });
        alice.follow(&pending.blob).unwrap();
        carol.join(pending.welcome.as_ref().unwrap()).unwrap();
        let blobs = [alice.seal(b"one"), carol.seal(b"two")];
        bob.open(&blobs[1]).unwrap();
        (pending, blobs, [alice.store, bob.store, carol.store])
    };
    for suite in Suite::ALL {
        let (first, again) = (story(suite), story(suite));
        assert_eq!(first.0, again.0);
        assert_eq!(first.1, again.1);
        assert!(first.2 == again.2, "stores differ");
    }
}
