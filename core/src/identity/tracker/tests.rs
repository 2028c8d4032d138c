use rand_core::SeedableRng;

use super::*;
use crate::identity::{DeviceCertificate, DeviceKeys, RecordBody, RootKey};
use crate::types::{Hash, Rng, Timestamp};

struct Account {
    root: RootKey,
    first: AccountRecord,
}

impl Account {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::seed_from_u64(seed);
        let root = RootKey::generate(&mut rng);
        let device = DeviceCertificate::issue(&root, &DeviceKeys::generate(&mut rng), Timestamp(1)).unwrap();
        let body = RecordBody {
            version: 1,
            predecessor: None,
            devices: vec![device],
            relays: Vec::new(),
            prekeys: Vec::new(),
            features: Vec::new(),
            created: Timestamp(1),
        };
        let first = AccountRecord::sign(&root, body).unwrap();
        Self { root, first }
    }

    fn after(&self, record: &AccountRecord, created: u64) -> AccountRecord {
        AccountRecord::sign(&self.root, record.successor(Timestamp(created))).unwrap()
    }
}

#[test]
fn a_newer_record_is_taken_and_an_older_one_is_refused() {
    let alice = Account::new(1);
    let second = alice.after(&alice.first, 2);
    let mut tracker = Tracker::new(alice.first.account_id());
    assert_eq!(tracker.observe(alice.first.clone()), Observation::Fresh);
    assert_eq!(tracker.observe(alice.first.clone()), Observation::Same);
    assert_eq!(tracker.observe(second.clone()), Observation::Fresh);
    assert_eq!(tracker.observe(alice.first.clone()), Observation::Older { known: 2 });
    assert_eq!(tracker.newest(), Some(&second));
}

#[test]
fn another_record_of_the_same_version_is_a_fork() {
    let alice = Account::new(1);
    let (one, other) = (alice.after(&alice.first, 2), alice.after(&alice.first, 3));
    let mut tracker = Tracker::restore(one.clone());
    assert_eq!(tracker.observe(other), Observation::Fork { known: one.head() });
    assert_eq!(tracker.newest(), Some(&one));
}

#[test]
fn a_next_record_with_another_predecessor_is_a_fork() {
    let alice = Account::new(1);
    let (one, other) = (alice.after(&alice.first, 2), alice.after(&alice.first, 3));
    let mut tracker = Tracker::restore(one.clone());
    assert_eq!(tracker.observe(alice.after(&other, 4)), Observation::Fork { known: one.head() });
    assert_eq!(tracker.observe(alice.after(&one, 4)), Observation::Fresh);
}

#[test]
fn versions_that_were_missed_do_not_hinder() {
    let alice = Account::new(1);
    let third = alice.after(&alice.after(&alice.first, 2), 3);
    let mut tracker = Tracker::restore(alice.first.clone());
    assert_eq!(tracker.observe(third), Observation::Fresh);
}

#[test]
fn another_accounts_record_is_refused() {
    let (alice, bob) = (Account::new(1), Account::new(2));
    let mut tracker = Tracker::new(alice.first.account_id());
    assert_eq!(tracker.observe(bob.first), Observation::OtherAccount);
    assert_eq!(tracker.newest(), None);
}

#[test]
fn a_head_that_a_contact_saw_says_what_to_do() {
    let alice = Account::new(1);
    let second = alice.after(&alice.first, 2);
    let tracker = Tracker::restore(second.clone());
    let head = |version, byte| RecordHead { version, hash: Hash::new([byte; 32]) };
    assert_eq!(tracker.judge_head(second.head()), Observation::Same);
    assert_eq!(tracker.judge_head(head(3, 1)), Observation::Fresh);
    assert_eq!(tracker.judge_head(head(2, 1)), Observation::Fork { known: second.head() });
    assert_eq!(tracker.judge_head(head(1, 1)), Observation::Older { known: 2 });
}
